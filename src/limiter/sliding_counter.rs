//! `sliding_counter`: the approximation with two counters that many rate limiters use, for comparison.
//!
//! # Derivation
//! Time is divided into windows; `now` is `e` into the current one. The number of units in the trailing
//! window is estimated as `⌈previous · (window − e) / window⌉ + current`, as if those of the previous window
//! were spread evenly. A request of `cost` units passes iff the estimate plus `cost` is at most `quota`.
//!
//! This is **not a hard cap**: units from late in the previous window leave the estimate faster than they
//! leave the trailing window. With `quota` units at the end of one window, the estimate half a window later
//! is `quota / 2`, so another `quota / 2` pass while the first are all younger than a window: 1.5× the quota,
//! and more in smaller steps. The worst case is `2 · quota − 1` in a trailing window, since `current` is at
//! most `quota`, and at most `quota − 1` while any of the previous window's units count. It does occur: a
//! search of traces lets 119 pass where 60 are allowed (`the_worst_case_in_the_documentation_is_measured`).
//! Use `sliding_window` for a hard cap.
//!
//! # State
//! `index:varint, current:varint, previous:varint`, windows numbered on the monotonic clock. At most 15
//! bytes; for 100 per minute 5.

use super::{EvictionInfo, Limit, MAX_CLOCK_SKEW, Verdict};
use crate::time::{Micros, times};
use crate::varint;
use std::num::NonZeroU32;

/// The units of the current window and of the one before.
pub struct TwoCounters {
    quota: NonZeroU32,
    window: Micros,
    index: u64,
    current: u64,
    previous: u64,
}

impl TwoCounters {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, state: &[u8], now: Micros) -> Option<TwoCounters> {
        let index = now / limit.window;
        let mut counters =
            TwoCounters { quota: limit.quota, window: limit.window, index, current: 0, previous: 0 };
        if !state.is_empty() {
            let (written, rest) = varint::read(state)?;
            let (current, rest) = varint::read(rest)?;
            let (previous, rest) = varint::read(rest)?;
            // If a worker whose clock is ahead has begun the next window, it has begun for this one, too. A
            // window further ahead is from before the clock was set back, and counts as the current one.
            if times(written, limit.window) <= now.saturating_add(MAX_CLOCK_SKEW) {
                counters.index = index.max(written);
            }
            (counters.current, counters.previous) = match index.saturating_sub(written) {
                0 => (current, previous),
                1 => (0, current),
                2.. => (0, 0),
            };
            rest.is_empty().then_some(())?;
        }
        Some(counters)
    }

    fn start(&self) -> Micros {
        times(self.index, self.window)
    }

    /// The estimated number of units in the trailing window at `now`.
    fn estimate(&self, now: Micros) -> u64 {
        let left = self.window.saturating_sub(now.saturating_sub(self.start()));
        let aged = (u128::from(self.previous) * u128::from(left)).div_ceil(u128::from(self.window));
        u64::try_from(aged).unwrap_or(u64::MAX).saturating_add(self.current)
    }

    /// When the estimate has fallen to `max`, if nothing else is admitted.
    fn falls_to(&self, max: u64) -> Micros {
        match max.checked_sub(self.current) {
            Some(left) => self.start().saturating_add(self.ages_to(self.previous, left)),
            // Not before the next window, in which the units of the current one age.
            None => self.start().saturating_add(self.window).saturating_add(self.ages_to(self.current, max)),
        }
    }

    /// The smallest `e` at which `units` of the previous window count as at most `left`:
    /// `units · (window − e) ≤ left · window`.
    fn ages_to(&self, units: u64, left: u64) -> Micros {
        let kept = u128::from(left) * u128::from(self.window) / u128::from(units.max(1));
        self.window.saturating_sub(Micros::try_from(kept).unwrap_or(Micros::MAX))
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let (quota, used, cost) = (u64::from(self.quota.get()), self.estimate(now), u64::from(cost));
        let free = quota.saturating_sub(used);
        let admitted = cost <= free;
        let after = TwoCounters { current: self.current + if admitted { cost } else { 0 }, ..*self };
        let used_after = after.estimate(now);
        let retry_after = match quota.checked_sub(cost) {
            _ if admitted => 0,
            Some(max) => self.falls_to(max).saturating_sub(now).max(1),
            None => self.falls_to(0).saturating_sub(now).max(1),
        };
        // Units that were counted late may exceed the quota.
        let one_more = used_after.min(quota).checked_sub(1);
        let full_reset = if used_after == 0 { now } else { after.falls_to(0) };
        Verdict {
            admitted,
            quota: self.quota,
            remaining: quota.saturating_sub(used_after),
            next_slot: one_more.map_or(now, |max| after.falls_to(max).max(now)),
            full_reset: full_reset.max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// See [`super::Counter::max_reset`]. A unit counts until the end of the window after its own.
    pub fn max_reset(&self) -> Micros {
        self.window.saturating_add(self.window)
    }

    /// See [`super::Counter::charge`]. Units of an earlier window count in the current one, so they never
    /// leave too early.
    pub fn charge(&mut self, _at: Micros, units: u32) {
        self.current = self.current.saturating_add(u64::from(units));
    }

    /// See [`super::Counter::refund`].
    pub fn refund(&mut self, at: Micros, units: u32) {
        match self.index.saturating_sub(at / self.window) {
            0 => self.current = self.current.saturating_sub(u64::from(units)),
            1 => self.previous = self.previous.saturating_sub(u64::from(units)),
            2.. => {}
        }
    }

    /// See [`super::Counter::give_back_newest`].
    pub fn give_back_newest(&mut self, at: Micros, units: u32) {
        let mut left = u64::from(units);
        let mut take = |counted: &mut u64| {
            let back = left.min(*counted);
            (*counted, left) = (*counted - back, left - back);
        };
        match self.index.saturating_sub(at / self.window) {
            0 => {
                take(&mut self.current);
                take(&mut self.previous);
            }
            1 => take(&mut self.previous),
            2.. => {}
        }
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.current > 0 || self.previous > 0 {
            varint::write(out, self.index);
            varint::write(out, self.current);
            varint::write(out, self.previous);
        }
        let windows = if self.current > 0 { 2 } else { 1 };
        let expires = self.start().saturating_add(times(windows, self.window));
        EvictionInfo::new(expires, self.current.saturating_add(self.previous), self.quota)
    }
}

#[cfg(test)]
mod tests;
