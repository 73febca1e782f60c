//! What the engine keeps for one caller of one policy.

mod text;

pub use text::Foreign;

use tollgate::fleet::REPORT_TIME;
use tollgate::limiter::LimitId;
use tollgate::time::{Micros, SECOND};

/// How long a record remembers a worker that has gone silent. A worker repeats what got no answer for less.
pub const HOLDER_TTL: Micros = 120 * SECOND;

/// How long the workers of a record may be, in bytes of text: some 1,000 of them with a grant each.
const MAX_HOLDERS_SIZE: usize = 96 * 1_024;

/// The counts of one caller, and the workers that hold units of it. All instants are on the engine's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// When it was last written.
    pub written: Micros,
    /// The limits' states.
    pub states: Vec<State>,
    /// The workers that have asked lately.
    pub holders: Vec<HolderState>,
}

/// The state of one limit.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The limit.
    pub limit: LimitId,
    /// The algorithm's tag.
    pub kind: u8,
    /// When the state has no effect any more.
    pub expires: Micros,
    /// The algorithm's bytes.
    pub content: Vec<u8>,
}

/// What the record knows of one worker.
#[derive(Clone, Debug, PartialEq)]
pub struct HolderState {
    /// The worker.
    pub holder: u64,
    /// The highest number of its entries.
    pub latest: u64,
    /// When it last said something.
    pub seen: Micros,
    /// What its numbers stand for, as long as a message may still mention them.
    pub marks: Vec<(u64, Mark)>,
}

/// What a number of a worker stands for. A number up to the latest without a mark is finished: what a late
/// message says about it has been said before, or has been given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// The worker has sent an entry of this number that has not come yet.
    Awaited,
    /// Units are granted until `end`.
    Granted {
        /// When they were granted. Units that can't be counted later are counted at this instant.
        since: Micros,
        /// When the grant ends. All other units are counted at this instant.
        end: Micros,
        /// Its units.
        units: u32,
    },
    /// A report or correction of this number has been applied.
    Done,
}

impl HolderState {
    /// A worker that has not said anything yet.
    pub fn new(holder: u64, now: Micros) -> HolderState {
        HolderState { holder, latest: 0, seen: now, marks: Vec::new() }
    }

    /// About how long it is as text.
    fn size(&self) -> usize {
        const HOLDER: usize = 48;
        const MARK: usize = 40;
        HOLDER + MARK * self.marks.len()
    }

    /// What a number stands for.
    pub fn mark(&self, number: u64) -> Option<Mark> {
        self.marks.iter().find(|(marked, _)| *marked == number).map(|(_, mark)| *mark)
    }

    /// Whether the entry of this number comes for the first time, and not so late that it was given up.
    pub fn is_new(&self, number: u64) -> bool {
        number > self.latest || self.mark(number) == Some(Mark::Awaited)
    }

    /// Sets what a number stands for.
    pub fn set_mark(&mut self, number: u64, mark: Mark) {
        match self.marks.iter_mut().find(|(marked, _)| *marked == number) {
            Some((_, old)) => *old = mark,
            None => self.marks.push((number, mark)),
        }
    }
}

impl Record {
    /// Drops what has no effect any more.
    pub fn forget(&mut self, now: Micros) {
        self.states.retain(|state| state.expires > now);
        for one in &mut self.holders {
            one.marks.retain(|(_, mark)| match mark {
                Mark::Granted { end, .. } => end.saturating_add(REPORT_TIME) > now,
                Mark::Awaited | Mark::Done => true,
            });
        }
        self.holders.retain(|one| one.seen.saturating_add(HOLDER_TTL) > now);
    }

    /// Drops workers from a record that has grown too long for them, those first that have been silent for
    /// longest. Their units in hand are taken for used. If they report them all the same, they count twice.
    pub fn make_room(&mut self) {
        let mut size: usize = self.holders.iter().map(HolderState::size).sum();
        if size <= MAX_HOLDERS_SIZE {
            return;
        }
        self.holders.sort_by_key(|one| std::cmp::Reverse(one.seen));
        while size > MAX_HOLDERS_SIZE && self.holders.len() > 1 {
            size = size.saturating_sub(self.holders.pop().map_or(0, |one| one.size()));
        }
    }

    /// When the whole record has no effect any more.
    pub fn expires(&self) -> Micros {
        let states = self.states.iter().map(|state| state.expires);
        let holders = self.holders.iter().map(|one| one.seen.saturating_add(HOLDER_TTL));
        states.chain(holders).max().unwrap_or_default()
    }

    /// The state of a limit.
    pub fn state(&self, limit: LimitId, kind: u8) -> &[u8] {
        let found = self.states.iter().find(|state| state.limit == limit && state.kind == kind);
        found.map_or(&[], |state| &state.content)
    }
}

#[cfg(test)]
mod tests;
