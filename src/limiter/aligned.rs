//! Units that all come back at an edge of the clock: the state of [`super::fixed_window`] and of
//! [`super::calendar`], which differ in where the edges are.
//!
//! The edge is computed with the first unit of its window and stored as an instant of the **monotonic**
//! clock, which is slewed with the wall clock but never stepped. So the hot path is a comparison, and a step
//! of the wall clock changes neither when units come back nor how many.
//!
//! # State
//! `used:varint, edge:varint` (µs). At most 12 bytes; for 100 per minute 7.

use super::state::{EvictionInfo, State};
use super::text::{bytes, number, numbers};
use super::verdict::{Verdict, all_at};
use super::{Limit, MAX_CLOCK_SKEW};
use crate::time::{Micros, Now, Period, SECOND, Zone, times};
use crate::varint;
use std::num::NonZeroU32;

/// The maximum number of bytes of a state.
pub const MAX_BYTES: u64 = 2 * varint::MAX_LEN as u64;

/// Where windows end.
#[derive(Clone, Copy)]
pub enum Edges {
    /// At the multiples of a length, from the UNIX epoch on.
    Every(Micros),
    /// Where a period of a zone begins.
    Of(Period, Zone),
}

impl Edges {
    /// The first edge after `wall`, both in µs since the UNIX epoch.
    fn after(self, wall: Micros) -> Micros {
        match self {
            Edges::Every(length) => times(wall / length + 1, length),
            Edges::Of(period, zone) => zone.next_edge(wall, period),
        }
    }
}

/// The units used in the current window.
pub struct Aligned {
    quota: NonZeroU32,
    window: Micros,
    edges: Edges,
    used: u64,
    /// The window's end, on the monotonic clock.
    edge: Micros,
    opened: Micros,
}

impl Aligned {
    /// The counter of an unused limit.
    pub fn unused(limit: &Limit, edges: Edges, now: Now) -> Aligned {
        let mut aligned = Aligned::ended(limit, edges, now);
        aligned.edge = aligned.edge_after(now);
        aligned
    }

    fn ended(limit: &Limit, edges: Edges, now: Now) -> Aligned {
        Aligned { quota: limit.quota, window: limit.window, edges, used: 0, edge: 0, opened: now.mono }
    }

    /// Parses a state. `None` if the bytes are damaged.
    pub fn open(limit: &Limit, edges: Edges, state: &[u8], now: Now) -> Option<Aligned> {
        let (used, rest) = varint::read(state)?;
        let (edge, rest) = varint::read(rest)?;
        rest.is_empty().then_some(())?;
        // An edge further away than a window, even for a worker whose clock is ahead, is from before the
        // limit's window was made shorter.
        let furthest = now.mono.saturating_add(limit.window);
        let edge = if edge > furthest.saturating_add(MAX_CLOCK_SKEW) { furthest } else { edge };
        if edge <= now.mono {
            return Some(Aligned::unused(limit, edges, now));
        }
        Some(Aligned { used, edge, ..Aligned::ended(limit, edges, now) })
    }

    /// The end of the window that contains `now`, on the monotonic clock.
    fn edge_after(&self, now: Now) -> Micros {
        now.mono.saturating_add(self.edges.after(now.wall).saturating_sub(now.wall))
    }

    /// Workers' wall clocks differ by some microseconds, so edges within a second, or half of a shorter
    /// window, are taken to be the same. If they are not, nothing is given back.
    fn take_back(&mut self, edge: Micros, units: u32) {
        if edge.abs_diff(self.edge) < SECOND.min(self.window / 2) {
            self.used = self.used.saturating_sub(u64::from(units));
        }
    }
}

impl State for Aligned {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(self.edge, self.quota, self.used, now, cost)
    }

    fn max_reset(&self, _next: Micros) -> Micros {
        self.window
    }

    /// Units of a window that has ended are not counted.
    fn charge(&mut self, at: Now, units: u32) {
        // The first condition saves the computation of the edge, which is slow for a calendar.
        if at.mono >= self.opened || self.edge_after(at) > self.opened {
            self.used = self.used.saturating_add(u64::from(units));
        }
    }

    fn refund(&mut self, at: Now, units: u32, _kept: u32, _hold: u64) {
        self.take_back(self.edge_after(at), units);
    }

    /// All units of a lease are in the same window.
    fn settle(&mut self, end: Now, taken: u32, used: &[(Now, u32)]) -> bool {
        let edge = self.edge_after(end);
        self.take_back(edge, taken);
        if edge > self.opened {
            let used = used.iter().fold(0u32, |sum, (_, units)| sum.saturating_add(*units));
            self.used = self.used.saturating_add(u64::from(used));
        }
        true
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.used > 0 {
            varint::write(out, self.used);
            varint::write(out, self.edge);
        }
        EvictionInfo::new(self.edge, self.used, self.quota)
    }
}

/// See [`super::Algorithm::to_text`].
pub fn to_text(state: &[u8]) -> Option<String> {
    let [used, edge] = numbers(state)?;
    Some(format!("{used} until {edge}"))
}

/// See [`super::Algorithm::from_text`].
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    let (used, edge) = text.split_once(" until ")?;
    Some(bytes([number(used)?, number(edge)?]))
}
