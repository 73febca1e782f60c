//! `fixed_window`: at most `quota` units in each window aligned to the UNIX epoch, such as each clock minute.
//!
//! # Derivation
//! The windows are `[k·window, (k+1)·window)` of the wall clock. All of a window's units come back at its
//! end, so a state is the number of units used and the end of the window. A request of `cost` units passes
//! iff `used + cost ≤ quota`. Up to twice the quota can pass in a trailing window, half of it on each side of
//! an edge. This algorithm does not promise more.
//!
//! The edge is computed with the first unit of its window and stored as an instant of the **monotonic**
//! clock, which is slewed with the wall clock but never stepped. So the hot path is a comparison, and a step
//! of the wall clock changes neither when units come back nor how many.
//!
//! [`super::calendar`] has the same formula with other edges.
//!
//! # State
//! `used:varint, edge:varint` (µs). At most 12 bytes; for 100 per minute 7.

use super::calendar::Calendar;
use super::{EvictionInfo, Limit, MAX_CLOCK_SKEW, Verdict, all_at};
use crate::time::{Micros, Now, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// The units used in the current window.
pub struct Aligned {
    quota: NonZeroU32,
    window: Micros,
    calendar: Option<Calendar>,
    used: u64,
    /// The window's end, on the monotonic clock.
    edge: Micros,
    opened: Micros,
}

impl Aligned {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, calendar: Option<Calendar>, state: &[u8], now: Now) -> Option<Aligned> {
        let (quota, window, opened) = (limit.quota, limit.window, now.mono);
        let mut aligned = Aligned { quota, window, calendar, used: 0, edge: 0, opened };
        if !state.is_empty() {
            let (used, rest) = varint::read(state)?;
            let (edge, rest) = varint::read(rest)?;
            // An edge further away than a window, even for a worker whose clock is ahead, is from before the
            // limit's window was made shorter.
            let furthest = now.mono.saturating_add(limit.window);
            let edge = if edge > furthest.saturating_add(MAX_CLOCK_SKEW) { furthest } else { edge };
            (aligned.used, aligned.edge) = rest.is_empty().then_some((used, edge))?;
        }
        if aligned.edge <= now.mono {
            (aligned.used, aligned.edge) = (0, aligned.edge_after(now));
        }
        Some(aligned)
    }

    /// The end of the window that contains `now`, on the monotonic clock.
    fn edge_after(&self, now: Now) -> Micros {
        let edge = match self.calendar {
            Some(calendar) => calendar.edge_after(now.wall),
            None => times(now.wall / self.window + 1, self.window),
        };
        now.mono.saturating_add(edge.saturating_sub(now.wall))
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(self.edge, self.quota, self.used, now, cost)
    }

    /// See [`super::Counter::max_reset`].
    pub fn max_reset(&self) -> Micros {
        self.window
    }

    /// See [`super::Counter::charge`]. Units of a window that has ended are not counted.
    pub fn charge(&mut self, at: Now, units: u32) {
        // The first condition saves the computation of the edge, which is slow for a calendar.
        if at.mono >= self.opened || self.edge_after(at) > self.opened {
            self.used = self.used.saturating_add(u64::from(units));
        }
    }

    /// See [`super::Counter::refund`].
    pub fn refund(&mut self, at: Now, units: u32) {
        self.take_back(self.edge_after(at), units);
    }

    /// See [`super::Counter::settle`]. All units of a lease are in the same window.
    pub fn settle(&mut self, end: Now, taken: u32, used: u32) {
        let edge = self.edge_after(end);
        self.take_back(edge, taken);
        if edge > self.opened {
            self.used = self.used.saturating_add(u64::from(used));
        }
    }

    /// Workers' wall clocks differ by some microseconds, so edges within a second, or half of a shorter
    /// window, are taken to be the same. If they are not, nothing is given back.
    fn take_back(&mut self, edge: Micros, units: u32) {
        if edge.abs_diff(self.edge) < SECOND.min(self.window / 2) {
            self.used = self.used.saturating_sub(u64::from(units));
        }
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.used > 0 {
            varint::write(out, self.used);
            varint::write(out, self.edge);
        }
        EvictionInfo::new(self.edge, self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
