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
//! bytes; for 100 per minute 5. As text: `3 in #29406719 after 5`.

use super::algorithm::{Field, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::{bytes, number, numbers};
use super::verdict::Verdict;
use super::{Limit, MAX_CLOCK_SKEW};
use crate::time::{Micros, Now, times};
use crate::varint;
use std::num::NonZeroU32;

/// `sliding_counter`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlidingCounter;

impl Properties for SlidingCounter {
    const FIELDS: &'static [Field] = &[Field::Window];

    fn max_per_window(self, quota: NonZeroU32) -> Option<u64> {
        Some(2 * u64::from(quota.get()) - 1)
    }
}

impl Formula for SlidingCounter {
    type State<'a> = TwoCounters;
    const KIND: u8 = 2;
    const ABOUT: &str = "an approximation with two counters, as in other rate limiters: up to 2 × quota − 1 can pass in one window";
    const PLAIN: SlidingCounter = SlidingCounter;

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("about {quota} in any {window}")
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(3 * varint::MAX_LEN as u64)
    }

    fn used(state: &[u8]) -> Option<u64> {
        numbers(state).map(|[_, current, _]| current)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        let [index, current, previous] = numbers(state)?;
        Some(format!("{current} in #{index} after {previous}"))
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let (current, rest) = text.split_once(" in #")?;
        let (index, previous) = rest.split_once(" after ")?;
        Some(bytes([number(index)?, number(current)?, number(previous)?]))
    }

    fn unused(self, limit: &Limit, opening: Opening) -> TwoCounters {
        let Limit { quota, window, .. } = *limit;
        TwoCounters { quota, window, index: opening.now.mono / window, current: 0, previous: 0 }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<TwoCounters> {
        let mut counters = self.unused(limit, opening);
        counters.read(state, opening.now.mono)?;
        Some(counters)
    }
}

/// The units of the current window and of the one before.
pub struct TwoCounters {
    quota: NonZeroU32,
    window: Micros,
    index: u64,
    current: u64,
    previous: u64,
}

impl TwoCounters {
    fn read(&mut self, state: &[u8], now: Micros) -> Option<()> {
        let (written, rest) = varint::read(state)?;
        let (current, rest) = varint::read(rest)?;
        let (previous, rest) = varint::read(rest)?;
        rest.is_empty().then_some(())?;
        let index = self.index;
        // If a worker whose clock is ahead has begun the next window, it has begun for this one, too. A window
        // further ahead is from before the clock was set back, and counts as the current one.
        if times(written, self.window) <= now.saturating_add(MAX_CLOCK_SKEW) {
            self.index = index.max(written);
        }
        (self.current, self.previous) = match index.saturating_sub(written) {
            0 => (current, previous),
            1 => (0, current),
            2.. => (0, 0),
        };
        Some(())
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
}

impl State for TwoCounters {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
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
            quota: self.quota.get(),
            remaining: quota.saturating_sub(used_after),
            next_slot: one_more.map_or(now, |max| after.falls_to(max).max(now)),
            full_reset: full_reset.max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// A unit counts until the end of the window after its own.
    fn max_reset(&self, _next: Micros) -> Micros {
        self.window.saturating_add(self.window)
    }

    /// Units of an earlier window count in the current one, so they never leave too early.
    fn charge(&mut self, _at: Now, units: u32) {
        self.current = self.current.saturating_add(u64::from(units));
    }

    fn refund(&mut self, at: Now, units: u32, _kept: u32, _hold: u64) {
        match self.index.saturating_sub(at.mono / self.window) {
            0 => self.current = self.current.saturating_sub(u64::from(units)),
            1 => self.previous = self.previous.saturating_sub(u64::from(units)),
            2.. => {}
        }
    }

    fn give_back_newest(&mut self, at: Now, units: u32) -> bool {
        let mut left = u64::from(units);
        let mut take = |counted: &mut u64| {
            let back = left.min(*counted);
            (*counted, left) = (*counted - back, left - back);
        };
        match self.index.saturating_sub(at.mono / self.window) {
            0 => {
                take(&mut self.current);
                take(&mut self.previous);
            }
            1 => take(&mut self.previous),
            2.. => {}
        }
        true
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
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
