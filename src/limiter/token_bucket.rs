//! `token_bucket`: `burst` units at once, and then `quota` units per `window`, evenly.
//!
//! # Derivation
//! The generic cell rate algorithm. Its one number, the *theoretical arrival time* `tat`, is the instant at
//! which the bucket is full again. A unit takes `t = window / quota` to come back. A request of `cost` units
//! passes iff `max(tat, now) + t·cost ≤ now + t·burst`, and then `tat` becomes the left side. So at most
//! `burst + T / t` units pass in any time `T`: `burst + quota` in a trailing window, which is all that a
//! token bucket promises. `t` is in nanoseconds, rounded up, so the rate never exceeds the limit's, and a
//! unit comes back at most a nanosecond late for each unit taken since the bucket was last full.
//!
//! Debts can move `tat` beyond that of an empty bucket, by up to one window. A refund subtracts `t` per unit
//! from `tat`, less the time since the units were taken: the bucket may have been full in that time, and what
//! would have come back then is lost. So an immediate refund undoes the charge, and nothing that has come
//! back by itself is given back again.
//!
//! # The worker's own bucket
//! The same formula is used while a shared record can't be written ([`Bucket::of_worker`]), with `burst =
//! max(1, quota / 64)` and the limit's rate. So `W` workers that can't write for `T` admit at most `W ×
//! (burst + quota × T / window)` above the shared count. In practice it is less: a worker still reads the
//! shared count, adds its own debt, and uses its bucket only while the sum is below the quota.
//!
//! # State
//! `tat:u64` (ns, monotonic) and `fill:varint`, the time that an empty bucket takes to fill (s, rounded up).
//! With `fill`, a full page can compute how empty the bucket is now. 9 to 13 bytes.

use super::{CLOCK_JITTER, EvictionInfo, Limit, Verdict};
use crate::time::{Micros, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// A bucket as of its last change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    burst: NonZeroU32,
    /// Nanoseconds until one unit is back.
    per_unit: u64,
    max_reset: Micros,
    /// In nanoseconds, on the monotonic clock.
    tat: u64,
    /// In nanoseconds, on the monotonic clock.
    opened: u64,
}

/// In nanoseconds: 292 years. The burst is reduced if the bucket would take longer to fill.
const MAX_FILL_TIME: u64 = u64::MAX / 2;

/// The burst of a worker's own bucket is the quota divided by this.
const WORKER_FRACTION: u32 = 64;

impl Bucket {
    /// A full bucket of this limit.
    pub fn new(limit: &Limit, burst: NonZeroU32) -> Bucket {
        let per_unit = nanos(limit.window).div_ceil(u64::from(limit.quota.get())).max(1);
        let max = u32::try_from(MAX_FILL_TIME / per_unit).ok().and_then(NonZeroU32::new);
        let burst = max.map_or(burst, |max| burst.min(max));
        let exact = limit.window.checked_mul(u64::from(burst.get()));
        let exact = exact.map_or(Micros::MAX, |time| time.div_ceil(u64::from(limit.quota.get())));
        let max_reset = if burst <= limit.quota { limit.window } else { exact };
        Bucket { burst, per_unit, max_reset, tat: 0, opened: 0 }
    }

    /// A full bucket for one worker to use while the shared record can't be written.
    pub fn of_worker(limit: &Limit) -> Bucket {
        let burst = NonZeroU32::new(limit.quota.get() / WORKER_FRACTION).unwrap_or(NonZeroU32::MIN);
        Bucket::new(limit, burst)
    }

    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, burst: NonZeroU32, state: &[u8], now: Micros) -> Option<Bucket> {
        let mut bucket = Bucket { opened: nanos(now), ..Bucket::new(limit, burst) };
        if !state.is_empty() {
            let tat = parse_state(state)?.0;
            // Debts can be up to one window. A later `tat` is damaged, or from before the rate was raised.
            let furthest = bucket.fills_in().saturating_add(nanos(limit.window));
            bucket.tat = tat.min(bucket.opened.saturating_add(furthest));
        }
        Some(bucket)
    }

    /// How long an empty bucket takes to fill, in nanoseconds.
    fn fills_in(&self) -> u64 {
        times(u64::from(self.burst.get()), self.per_unit)
    }

    /// The units in the bucket.
    fn units(&self, now: u64) -> u64 {
        let missing = self.tat.saturating_sub(now);
        self.fills_in().saturating_sub(missing) / self.per_unit
    }

    /// The value of `tat` after `cost` more units.
    fn after(&self, now: u64, cost: u32) -> u64 {
        self.tat.max(now).saturating_add(times(u64::from(cost), self.per_unit))
    }

    /// How long until the bucket has `cost` units; 0 if it has them. A cost above the burst counts as the
    /// burst.
    pub fn wait(&self, now: Micros, cost: u32) -> Micros {
        let now = nanos(now);
        let full = now.saturating_add(self.fills_in());
        micros_up(self.after(now, cost.min(self.burst.get())).saturating_sub(full))
    }

    /// Whether the bucket is full.
    pub fn is_full(&self, now: Micros) -> bool {
        self.tat <= nanos(now)
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let admitted = cost <= self.burst.get() && self.wait(now, cost) == 0;
        let after = Bucket { tat: self.after(nanos(now), if admitted { cost } else { 0 }), ..*self };
        let remaining = after.units(nanos(now));
        let wait_for_one_more = |units: u64| times(u64::from(self.burst.get()) - units - 1, self.per_unit);
        let full = remaining >= u64::from(self.burst.get());
        let retry_after = if admitted { 0 } else { self.wait(now, cost).max(1) };
        Verdict {
            admitted,
            quota: self.burst,
            remaining,
            next_slot: if full {
                now
            } else {
                micros_up(after.tat.saturating_sub(wait_for_one_more(remaining))).max(now)
            },
            full_reset: micros_up(after.tat).max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// See [`super::Counter::max_reset`]. A bucket whose burst is at most the quota is full after a window, and
    /// one with a larger burst after as many windows as that is quotas, although the time per unit is rounded up.
    /// Debts take longer.
    pub fn max_reset(&self, next: Micros) -> Micros {
        let owes = next > (self.per_unit / 1_000).saturating_add(CLOCK_JITTER);
        if owes { Micros::MAX } else { self.max_reset }
    }

    /// See [`super::Counter::charge`].
    pub fn charge(&mut self, at: Micros, units: u32) {
        self.tat = self.after(nanos(at), units);
    }

    /// See [`super::Counter::refund`]. The bucket may have been full for any part of the time since `at`, so
    /// all of that time is subtracted.
    pub fn refund(&mut self, at: Micros, units: u32) {
        let since = self.opened.saturating_sub(nanos(at));
        let lasted = times(u64::from(units), self.per_unit);
        self.tat = self.tat.saturating_sub(lasted.saturating_sub(since));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.tat > 0 {
            out.extend_from_slice(&self.tat.to_le_bytes());
            varint::write(out, self.fills_in().div_ceil(nanos(SECOND)));
        }
        let burst = u64::from(self.burst.get());
        EvictionInfo::new(micros_up(self.tat), burst - self.units(self.opened).min(burst), self.burst)
    }

    /// The units missing from the bucket of a state, in 255ths of the burst, rounded up.
    pub fn share_of(state: &[u8], now: Micros) -> Option<u8> {
        let (tat, fill) = parse_state(state)?;
        let missing = tat.saturating_sub(nanos(now));
        // In milliseconds, so that the product fits.
        let share = times(missing.div_ceil(1_000_000), 255).div_ceil(times(fill, 1_000).max(1));
        Some(u8::try_from(share).unwrap_or(u8::MAX))
    }
}

/// A state's `tat` and `fill`. `None` if the bytes are damaged.
fn parse_state(state: &[u8]) -> Option<(u64, u64)> {
    let (tat, fill) = state.split_first_chunk::<8>()?;
    let (fill, rest) = varint::read(fill)?;
    rest.is_empty().then_some((u64::from_le_bytes(*tat), fill))
}

fn nanos(time: Micros) -> u64 {
    times(1_000, time)
}

fn micros_up(nanos: u64) -> Micros {
    nanos.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
