//! `penalty`: after its first excess, a policy rejects all requests of a caller for a while (`block_for`,
//! BI-6).
//!
//! A penalty counts nothing and has no verdict. It is stored like one more limit of its policy, so that its
//! state is in the same record and starts with the same write. [`crate::table`] says when it starts and how
//! it changes the verdicts of the policy's limits.
//!
//! # Derivation
//! The state is the instant at which the penalty ends, on the monotonic clock. Requests pass from then on. A
//! request that is rejected during a penalty does not prolong it: a charge only sets an end if the
//! last one has passed.
//!
//! # A penalty that grows
//! `block_for` may be a list of lengths. The state then also has the *level*, how many blocks in a row there
//! were before this one, and the block has the length of that number in the list, or the last one. A block
//! follows another one in a row if it starts less than the other one's length after the other one's end. So
//! whoever waits after a block for as long as it was begins at the first length again.
//!
//! # Counts that restart
//! With `reset_on`, and with `after_block: restart`, the counts of the policy's limits may begin again at zero.
//! What was counted before must not be given back afterwards, since it would be taken from what was counted
//! since. So the penalty's state also has a *mark*, the instant of the last restart. Each charge remembers the
//! mark that it found ([`State::hold`]), and only units of the same mark go back. Marks only grow, even within
//! one microsecond. Charges older than `MAX_RESPONSE_TIME` are not given back either, so later ones need not
//! remember the mark, and after twice that time nothing needs it.
//!
//! # State
//! `end:varint` (µs), `level:varint` and `mark:varint` (µs), without the last ones that are 0. At most 21 bytes;
//! 6 or 7 for a block of one length in the first years of a machine's uptime. A penalty that has ended has no
//! state, unless its row or its mark still counts. As text: `until 1764403260000000`, and then `level 2` and
//! `since 1764403200000000`.

use super::algorithm::{Field, Parameters, Properties};
use super::formula::{Formula, Opening};
use super::growth::Growth;
use super::state::{EvictionInfo, State};
use super::text::{all_numbers, number};
use super::verdict::Verdict;
use super::{CLOCK_JITTER, Limit, LimitId, MAX_CLOCK_SKEW, MAX_RESPONSE_TIME};
use crate::time::{Micros, Now, SECOND, in_words};
use crate::varint;
use std::num::NonZeroU32;

impl Limit {
    /// The penalty of a policy, which follows its limits. Limits can't be named `#blocked`, so its id is not
    /// a limit's.
    pub fn penalty(policy: &str, length: Micros, penalty: Penalty) -> Limit {
        Limit {
            id: LimitId::new(policy, "#blocked"),
            quota: NonZeroU32::MIN,
            window: length,
            algorithm: penalty.into(),
        }
    }

    /// The penalty of a policy whose blocks have these lengths, by their number in a row, and whose counts begin
    /// at zero after a block if it `restarts`, and after a response if it `resets`. `None`: it needs none.
    pub fn penalty_of(policy: &str, lengths: &[Micros], restarts: bool, resets: bool) -> Option<Limit> {
        let growth = Growth::new(lengths.iter().skip(1).copied());
        let penalty = Penalty { growth, never_blocks: lengths.is_empty(), restarts, resets };
        match lengths.first() {
            Some(first) => Some(Limit::penalty(policy, *first, penalty)),
            // It has no length.
            None => resets.then(|| Limit::penalty(policy, SECOND, penalty)),
        }
    }
}

/// Not a limit of its own: see [`Limit::penalty`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    /// The lengths of the second block in a row and of further ones.
    pub growth: Growth,
    /// Whether no rejection begins a block: there is only the mark of the counts' last restart.
    pub never_blocks: bool,
    /// Whether the counts begin at zero after each block.
    pub restarts: bool,
    /// Whether a response may let the counts begin at zero.
    pub resets: bool,
}

impl Properties for Penalty {
    const FIELDS: &'static [Field] = &[];

    fn parameters(self) -> Parameters {
        Parameters { growth: self.growth, ..Parameters::default() }
    }

    fn is_penalty(self) -> bool {
        true
    }

    fn blocks(self) -> bool {
        !self.never_blocks
    }

    fn restarts_after_block(self) -> bool {
        self.restarts
    }

    fn may_restart(self) -> bool {
        self.restarts || self.resets
    }
}

/// What the numbers of a state are, as text.
const WORDS: [&str; 3] = ["until", "level", "since"];

impl Formula for Penalty {
    type State<'a> = Block;
    const KIND: u8 = 8;
    const ABOUT: &str = "after a rejection, everything is rejected for a while";
    const PLAIN: Penalty =
        Penalty { growth: Growth::NONE, never_blocks: false, restarts: false, resets: false };

    fn in_words(self, _quota: u32, window: &str) -> String {
        let further: Vec<String> = self.growth.lengths().map(in_words).collect();
        match further.as_slice() {
            [] => format!("after a rejection, everything is rejected for {window}"),
            further => format!(
                "after a rejection, everything is rejected for {window}, and for {} if it happens again before as much time has passed",
                further.join(", then ")
            ),
        }
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(3 * varint::MAX_LEN as u64)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        let numbers = all_numbers(state)?;
        let words = WORDS.iter().zip(&numbers).map(|(word, number)| format!("{word} {number}"));
        let text = words.collect::<Vec<_>>().join(" ");
        (1..=WORDS.len()).contains(&numbers.len()).then_some(text)
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let words: Vec<&str> = text.split(' ').collect();
        let (pairs, []) = words.as_chunks::<2>() else { return None };
        let mut state = Vec::new();
        for (expected, [word, value]) in WORDS.iter().zip(pairs) {
            varint::write(&mut state, number(value).filter(|_| word == expected)?);
        }
        (1..=WORDS.len()).contains(&pairs.len()).then_some(state)
    }

    fn with(self, given: &Parameters) -> Option<Penalty> {
        Some(Penalty { growth: given.growth, ..self })
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Block {
        Block {
            quota: limit.quota,
            never_blocks: self.never_blocks,
            first: limit.window,
            growth: self.growth,
            level: 0,
            end: 0,
            mark: 0,
            opened: opening.now.mono,
        }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Block> {
        let (written, rest) = varint::read(state)?;
        let (level, rest) = if rest.is_empty() { (0, rest) } else { varint::read(rest)? };
        let (mark, rest) = if rest.is_empty() { (0, rest) } else { varint::read(rest)? };
        rest.is_empty().then_some(())?;
        let mut block = self.unused(limit, opening);
        // The list may have become shorter.
        block.level = level.min(self.growth.last_level());
        // An end further away than a penalty's length, even for a worker whose clock is ahead, is damaged or
        // from before the penalty was made shorter.
        let furthest = opening.now.mono.saturating_add(block.length());
        block.end = if written > furthest.saturating_add(MAX_CLOCK_SKEW) { furthest } else { written };
        block.mark = if block.forgets(mark) { 0 } else { mark };
        Some(block)
    }
}

/// How long a mark is kept: until no response may come any more to a charge that remembers it.
const MARK_LASTS: Micros = 2 * MAX_RESPONSE_TIME;

/// A caller's last penalty.
pub struct Block {
    quota: NonZeroU32,
    never_blocks: bool,
    /// The length of the first in a row.
    first: Micros,
    growth: Growth,
    /// How many blocks in a row there were before this one, as far as their lengths differ.
    level: u64,
    /// On the monotonic clock. 0: there was none.
    end: Micros,
    /// When the counts of the policy's limits last began at zero, on the monotonic clock, or a little later.
    /// 0: not within the longest time that a response takes.
    mark: Micros,
    opened: Micros,
}

impl Block {
    /// The length of the last block.
    fn length(&self) -> Micros {
        let further = usize::try_from(self.level).ok().and_then(|level| level.checked_sub(1));
        further.and_then(|level| self.growth.lengths().nth(level)).unwrap_or(self.first)
    }

    /// Whether this mark makes no difference any more.
    fn forgets(&self, mark: Micros) -> bool {
        mark.saturating_add(MARK_LASTS) <= self.opened
    }

    /// When the row of blocks ends: another one after that is a first one.
    fn row_ends(&self) -> Micros {
        match self.growth.last_level() {
            0 => self.end,
            _ if self.end == 0 => 0,
            _ => self.end.saturating_add(self.length()),
        }
    }
}

impl State for Block {
    fn penalty_end(&self, now: Micros) -> Option<Micros> {
        let most = now.saturating_add(self.length());
        let alike = self.end > most && self.end - most < CLOCK_JITTER;
        (self.end > now).then_some(if alike { most } else { self.end })
    }

    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let wait = self.end.saturating_sub(now);
        let admitted = wait == 0 || cost == 0;
        Verdict {
            admitted,
            quota: self.quota.get(),
            remaining: if wait == 0 { u64::from(self.quota.get()) } else { 0 },
            next_slot: self.end.max(now),
            full_reset: self.end.max(now),
            retry_after: if admitted { 0 } else { wait },
        }
    }

    /// Starts the penalty, if none is running.
    fn charge(&mut self, at: Now, _units: u32) {
        if self.end <= at.mono && !self.never_blocks {
            let in_a_row = at.mono < self.row_ends();
            self.level = if in_a_row { (self.level + 1).min(self.growth.last_level()) } else { 0 };
            self.end = at.mono.saturating_add(self.length());
        }
    }

    fn mark(&self) -> Micros {
        self.mark
    }

    /// The mark that a charge has found, unless no response may come any more to what was charged before it.
    fn hold(&self) -> u64 {
        if self.mark.saturating_add(MAX_RESPONSE_TIME) <= self.opened { 0 } else { self.mark }
    }

    fn restart(&mut self, at: Now) {
        self.mark = at.mono.max(self.mark.saturating_add(1));
    }

    fn end_block(&mut self) {
        (self.end, self.level) = (0, 0);
    }

    /// A refund does not undo an excess.
    fn refund(&mut self, _at: Now, _units: u32, _kept: u32, _hold: u64) {}

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        let in_row = self.row_ends() > self.opened;
        let mark = if self.forgets(self.mark) { 0 } else { self.mark };
        let (end, level) = if in_row { (self.end, self.level) } else { (0, 0) };
        if in_row || mark > 0 {
            varint::write(out, end);
        }
        if level > 0 || mark > 0 {
            varint::write(out, level);
        }
        if mark > 0 {
            varint::write(out, mark);
        }
        // A mark that is ahead of the clock is damaged, or of a clock that was set back.
        let marked = if mark > 0 { mark.min(self.opened).saturating_add(MARK_LASTS) } else { 0 };
        let used = u64::from(in_row) * u64::from(self.quota.get());
        EvictionInfo::new(self.row_ends().max(marked), used, self.quota)
    }
}

#[cfg(test)]
mod tests;
