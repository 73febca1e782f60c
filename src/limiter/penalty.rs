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
//! # State
//! `end:varint` (µs). At most 10 bytes; 6 or 7 in the first years of a machine's uptime. A penalty that has
//! ended has no state. As text: `until 1764403260000000`.

use super::algorithm::{Field, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::{bytes, number, numbers};
use super::verdict::Verdict;
use super::{CLOCK_JITTER, Limit, LimitId, MAX_CLOCK_SKEW};
use crate::time::{Micros, Now};
use crate::varint;
use std::num::NonZeroU32;

impl Limit {
    /// The penalty of a policy, which follows its limits. Limits can't be named `#blocked`, so its id is not
    /// a limit's.
    pub fn penalty(policy: &str, length: Micros) -> Limit {
        Limit {
            id: LimitId::new(policy, "#blocked"),
            quota: NonZeroU32::MIN,
            window: length,
            algorithm: Penalty.into(),
        }
    }
}

/// Not a limit of its own: see [`Limit::penalty`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty;

impl Properties for Penalty {
    const FIELDS: &'static [Field] = &[];

    fn is_penalty(self) -> bool {
        true
    }
}

impl Formula for Penalty {
    type State<'a> = Block;
    const KIND: u8 = 8;
    const ABOUT: &str = "after a rejection, everything is rejected for a while";
    const PLAIN: Penalty = Penalty;

    fn in_words(self, _quota: u32, window: &str) -> String {
        format!("after a rejection, everything is rejected for {window}")
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(varint::MAX_LEN as u64)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        numbers(state).map(|[end]| format!("until {end}"))
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        Some(bytes([number(text.strip_prefix("until ")?)?]))
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Block {
        Block { quota: limit.quota, length: limit.window, end: 0, opened: opening.now.mono }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Block> {
        let (written, rest) = varint::read(state)?;
        rest.is_empty().then_some(())?;
        // An end further away than a penalty's length, even for a worker whose clock is ahead, is damaged or
        // from before the penalty was made shorter.
        let furthest = opening.now.mono.saturating_add(limit.window);
        let end = if written > furthest.saturating_add(MAX_CLOCK_SKEW) { furthest } else { written };
        Some(Block { end, ..self.unused(limit, opening) })
    }
}

/// The end of a caller's penalty.
pub struct Block {
    quota: NonZeroU32,
    length: Micros,
    /// On the monotonic clock.
    end: Micros,
    opened: Micros,
}

impl State for Block {
    fn penalty_end(&self, now: Micros) -> Option<Micros> {
        let most = now.saturating_add(self.length);
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
        if self.end <= at.mono {
            self.end = at.mono.saturating_add(self.length);
        }
    }

    /// A refund does not undo an excess.
    fn refund(&mut self, _at: Now, _units: u32, _kept: u32, _hold: u64) {}

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        let runs = self.end > self.opened;
        if runs {
            varint::write(out, self.end);
        }
        EvictionInfo::new(self.end, u64::from(runs) * u64::from(self.quota.get()), self.quota)
    }
}

#[cfg(test)]
mod tests;
