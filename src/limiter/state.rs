//! What every state can do.

use super::Verdict;
use crate::time::{Micros, Now};
use std::num::NonZeroU32;

/// How much precision a state may give up to make room in a full page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coarseness {
    /// Units come back at most an eighth of the window late.
    Slight,
    /// As much as needed. The cap still holds.
    Any,
}

/// What the table needs to know to expire and evict a state, without reading its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvictionInfo {
    /// When the state has no effect any more and may be dropped, on the monotonic clock.
    pub expires: Micros,
    /// Used / quota in 255ths, rounded up: the share of the quota that is given away if the state is dropped.
    pub share: u8,
}

impl EvictionInfo {
    pub(super) fn new(expires: Micros, used: u64, quota: NonZeroU32) -> EvictionInfo {
        let share = used.saturating_mul(255).div_ceil(u64::from(quota.get()));
        EvictionInfo { expires, share: u8::try_from(share).unwrap_or(u8::MAX) }
    }
}

/// One limit's state, opened for one request. [`super::Counter`] is one of any algorithm. What a method does by
/// default is what it does for most algorithms.
pub trait State {
    /// Judges a request of `cost` units at `now`, without counting it. A cost of 0 returns the current state.
    fn judge(&self, now: Micros, cost: u32) -> Verdict;

    /// The longest time until units counted now are back. `next` is how long until the next unit is. By
    /// default a verdict's times are what the limit or the penalty says.
    fn max_reset(&self, _next: Micros) -> Micros {
        Micros::MAX
    }

    /// Counts `units` at `at`, whether or not the quota allows them.
    fn charge(&mut self, at: Now, units: u32);

    /// Also counts `units` that were just charged as in flight, in a stock that is reported: their request has
    /// been admitted, and its response may say what became of them.
    fn reserve(&mut self, _units: u32) {}

    /// Removes reserved `units` from those in flight. They stay counted unless they are refunded.
    fn settle_reserved(&mut self, _units: u32) {}

    /// Sets a stock to the number of units reported by the response to a request that was admitted at
    /// `since`. `false`: this is no stock.
    fn report(&mut self, _units: u64, _since: Micros) -> bool {
        false
    }

    /// Gives back `units` of a charge at `at`, of which `kept` units stay counted. `hold` is what the charge
    /// remembers, see [`State::hold`]. Units that have left the window since are not given back again.
    fn refund(&mut self, at: Now, units: u32, kept: u32, hold: u64);

    /// What a charge that was just made remembers for its refund. 0: nothing.
    fn hold(&self) -> u64 {
        0
    }

    /// Gives back the `units` that were counted last, but none that were counted after `at`: another request
    /// returns them. `false`: all units are alike, so any of them are to be refunded.
    fn give_back_newest(&mut self, _at: Now, _units: u32) -> bool {
        false
    }

    /// Settles a lease: gives back the `taken` units that were counted at its `end`, and counts the `used`
    /// ones at their times. These are not after the end, and in the same aligned window. `false`: that is done
    /// with a refund and charges.
    fn settle(&mut self, _end: Now, _taken: u32, _used: &[(Now, u32)]) -> bool {
        false
    }

    /// Sets this worker's units in flight, in a limit that counts them. Returns whether that changes the
    /// count.
    fn set_in_flight(&mut self, _units: u32) -> bool {
        false
    }

    /// When the penalty ends, on the monotonic clock. `None` if it has ended or this is not a penalty.
    fn penalty_end(&self, _now: Micros) -> Option<Micros> {
        None
    }

    /// When the counts of a penalty's policy last began at zero, as a number that is never the same again. 0:
    /// not in the time in which a response may come to what was charged before, or this is not a penalty.
    fn mark(&self) -> Micros {
        0
    }

    /// Notes in a penalty that the counts of its policy begin at zero.
    fn restart(&mut self, _at: Now) {}

    /// Ends the block of a penalty, and the row of blocks that it belongs to. Its mark stays.
    fn end_block(&mut self) {}

    /// Whether the units were given new times, because the clock was set back or a bucket's rate has changed.
    /// If so the state must be written even when the request is rejected, or every request would restart the
    /// wait.
    fn restamped(&self) -> bool {
        false
    }

    /// Forgives debts that would reject for longer than `longest` once the limit is empty. By default there
    /// are none: all units leave with their window.
    fn forgive(&mut self, _longest: Micros) {}

    /// Makes the next state smaller and less precise; it never admits more than before. `false` if it can't
    /// within `coarsest`.
    fn coarsen(&mut self, _coarsest: Coarseness) -> bool {
        false
    }

    /// Appends the next state's bytes, or none if it is that of an unused limit.
    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo;
}
