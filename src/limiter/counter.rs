//! One limit's state of any algorithm, as its users see it.

use super::{Coarseness, Counter, EvictionInfo, Formula, Limit, Opening, State, Verdict, WorkerId};
use crate::time::{Micros, Now};

/// The current value of [`EvictionInfo::share`] for a state that was written with `share`. It is lower if
/// units have come back since and the state's bytes show it.
pub fn share_of(kind: u8, share: u8, content: &[u8], now: Micros) -> u8 {
    let shown = of_kind!(kind, Parameters => Parameters::share_of(content, now));
    shown.map_or(share, |now| now.min(share))
}

/// The state with less precision and fewer bytes, for room in a full page. It never admits more than
/// `content`. `None` if it can't, or need not, be any shorter.
pub fn coarser(kind: u8, content: &[u8]) -> Option<Vec<u8>> {
    of_kind!(kind, Parameters => Parameters::coarser(content))
}

impl<'a> Counter<'a> {
    /// Parses a state for a worker that has been running. Empty bytes are the state of an unused limit. `None`
    /// if the bytes are damaged.
    pub fn open(limit: &Limit, state: &'a [u8], now: Now, worker: WorkerId) -> Option<Counter<'a>> {
        Counter::open_with(limit, state, Opening { now, worker, stall: 0 })
    }

    /// The counter of an unused limit.
    pub fn empty(limit: &Limit, now: Now) -> Counter<'a> {
        Counter::unused(limit, Opening { now, worker: WorkerId::default(), stall: 0 })
    }

    /// See [`State::judge`].
    ///
    /// No time in the verdict is further away than [`State::max_reset`]. Otherwise a millisecond's
    /// rounding, or another worker's clock that is slightly ahead, would round up to one more second, and a
    /// caller would wait longer than the window. The window wins: a caller that waits for it is at most 1 ms
    /// early.
    // One copy for all callers: with one for each the module is kilobytes larger.
    pub fn judge(&self, now: Now, cost: u32) -> Verdict {
        let mut verdict = each!(Counter, self, state => state.judge(now.mono, cost));
        let next = verdict.next_slot.saturating_sub(now.mono);
        verdict.cap(each!(Counter, self, state => state.max_reset(next)), now.mono);
        verdict
    }

    /// See [`State::charge`].
    pub fn charge(&mut self, at: Now, units: u32) {
        each!(Counter, self, state => state.charge(at, units));
    }

    /// Counts `units` of a request that is admitted now. Those of a stock that is reported are also in flight.
    pub fn reserve(&mut self, now: Now, units: u32) {
        self.charge(now, units);
        each!(Counter, self, state => state.reserve(units));
    }

    /// See [`State::settle_reserved`].
    pub fn settle_reserved(&mut self, units: u32) {
        each!(Counter, self, state => state.settle_reserved(units));
    }

    /// See [`State::report`].
    pub fn report(&mut self, units: u64, since: Now) -> bool {
        each!(Counter, self, state => state.report(units, since.mono))
    }

    /// Gives back `units` that were counted at `at`. Units that have left the window since are not given back
    /// again.
    pub fn refund(&mut self, at: Now, units: u32) {
        self.refund_part(at, units, 0, 0);
    }

    /// See [`State::refund`].
    pub fn refund_part(&mut self, at: Now, units: u32, kept: u32, hold: u64) {
        each!(Counter, self, state => state.refund(at, units, kept, hold));
    }

    /// See [`State::hold`].
    pub fn hold(&self) -> u64 {
        each!(Counter, self, state => state.hold())
    }

    /// See [`State::give_back_newest`].
    pub fn give_back_newest(&mut self, at: Now, units: u32) {
        if !each!(Counter, self, state => state.give_back_newest(at, units)) {
            self.refund(at, units);
        }
    }

    /// See [`State::settle`].
    pub fn settle(&mut self, end: Now, taken: u32, used: &[(Now, u32)]) {
        if !each!(Counter, self, state => state.settle(end, taken, used)) {
            self.refund(end, taken);
            used.iter().for_each(|(at, units)| self.charge(*at, *units));
        }
    }

    /// See [`State::set_in_flight`].
    pub fn set_in_flight(&mut self, units: u32) -> bool {
        each!(Counter, self, state => state.set_in_flight(units))
    }

    /// See [`State::penalty_end`].
    pub fn penalty_end(&self, now: Now) -> Option<Micros> {
        each!(Counter, self, state => state.penalty_end(now.mono))
    }

    /// See [`State::mark`].
    pub fn mark(&self) -> Micros {
        each!(Counter, self, state => state.mark())
    }

    /// See [`State::restart`].
    pub fn restart(&mut self, at: Now) {
        each!(Counter, self, state => state.restart(at));
    }

    /// See [`State::end_block`].
    pub fn end_block(&mut self) {
        each!(Counter, self, state => state.end_block());
    }

    /// See [`State::restamped`].
    pub fn restamped(&self) -> bool {
        each!(Counter, self, state => state.restamped())
    }

    /// See [`State::forgive`].
    pub fn forgive(&mut self, longest: Micros) {
        each!(Counter, self, state => state.forgive(longest));
    }

    /// See [`State::coarsen`].
    pub fn coarsen(&mut self, coarsest: Coarseness) -> bool {
        each!(Counter, self, state => state.coarsen(coarsest))
    }

    /// See [`State::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        each!(Counter, self, state => state.write(out))
    }
}
