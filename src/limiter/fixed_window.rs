//! `fixed_window`: at most `quota` units in each window aligned to the UNIX epoch, such as each clock minute.
//!
//! # Derivation
//! The windows are `[k·window, (k+1)·window)` of the wall clock. All of a window's units come back at its end,
//! so a state is one number, `used`, and the instant that it is good until. A request of `cost` units passes
//! iff `used + cost ≤ quota`. In a trailing window twice the quota can pass, half of it on each side of an
//! edge: that is what this algorithm promises and no more.
//!
//! The edge is computed once, with the first unit of its window, and kept as an instant of the **monotonic**
//! clock, which is slewed with the wall clock but never stepped. So the hot path is a comparison, and a
//! stepped wall clock neither frees units before the time their window had left to run has passed, nor holds
//! them for longer.
//!
//! [`super::calendar`] is the same with other edges.
//!
//! # State
//! `used:varint, edge:varint` (µs). At most 12 bytes; for 100 per minute 7.

use super::calendar::Calendar;
use super::{Limit, Verdict, Wear, all_at};
use crate::time::{Micros, Now, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// Workers read the clock before they compete for the page, so the window may have been begun by one whose
/// clock was so much ahead.
pub(super) const MOST_AHEAD: Micros = 2 * SECOND;

/// Units until an edge.
pub struct Aligned {
    quota: NonZeroU32,
    window: Micros,
    calendar: Option<Calendar>,
    used: u64,
    /// On the monotonic clock, as is `opened`.
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
            // An edge further away than a window's length, and than a faster worker can have begun the next one,
            // is none of this limit's: its window was made shorter.
            let longest = now.mono.saturating_add(limit.window);
            let edge = if edge > longest.saturating_add(MOST_AHEAD) { longest } else { edge };
            (aligned.used, aligned.edge) = rest.is_empty().then_some((used, edge))?;
        }
        if aligned.edge <= now.mono {
            (aligned.used, aligned.edge) = (0, aligned.edge_after(now));
        }
        Some(aligned)
    }

    /// The end of the window that `now` is in, on the monotonic clock.
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

    /// See [`super::Counter::longest`].
    pub fn longest(&self) -> Micros {
        self.window
    }

    /// See [`super::Counter::charge`]. Units of a window that is over are not counted in this one.
    pub fn charge(&mut self, at: Now, units: u32) {
        // What is not of the past is of no window that is over. A calendar's edge takes long to work out.
        if at.mono >= self.opened || self.edge_after(at) > self.opened {
            self.used = self.used.saturating_add(u64::from(units));
        }
    }

    /// See [`super::Counter::refund`].
    pub fn refund(&mut self, at: Now, units: u32) {
        self.take_back(self.edge_after(at), units);
    }

    /// See [`super::Counter::settle`]. One edge is that of all its units.
    pub fn settle(&mut self, end: Now, taken: u32, used: u32) {
        let edge = self.edge_after(end);
        self.take_back(edge, taken);
        if edge > self.opened {
            self.used = self.used.saturating_add(u64::from(used));
        }
    }

    /// Workers know the wall clock to some microseconds, so edges that are within a second, or half of a shorter
    /// window, are the same; in doubt nothing is given back.
    fn take_back(&mut self, edge: Micros, units: u32) {
        if edge.abs_diff(self.edge) < SECOND.min(self.window / 2) {
            self.used = self.used.saturating_sub(u64::from(units));
        }
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        if self.used > 0 {
            varint::write(out, self.used);
            varint::write(out, self.edge);
        }
        Wear::new(self.edge, self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
