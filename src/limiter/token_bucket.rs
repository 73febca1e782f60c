//! `token_bucket`: `burst` units at once, and then `quota` units per `window`, evenly.
//!
//! # Derivation
//! The generic cell rate algorithm: one number, the *theoretical arrival time* `tat`, says until when the units
//! taken so far last at the rate. A unit lasts `t = window / quota`. A request of `cost` units passes iff
//! `max(tat, now) + t·cost ≤ now + t·burst`, and then `tat` moves to the left side. So in any time `T` at most
//! `burst + T / t` units pass: in a trailing window `burst + quota`, which is what a token bucket promises and
//! no more. `t` is in nanoseconds, rounded up, so the rate is never above the limit's, and a unit comes back
//! at most a nanosecond late for each unit taken since the bucket was last full.
//!
//! Debts can take `tat` beyond an empty bucket, and they are remembered: as many as a window brings. A refund
//! takes `t` per unit off `tat`, less the time since: in that time the bucket may have been full, and then what came
//! is lost. So what is refunded at once has never been, and what has come back by itself never comes twice.
//!
//! # The worker's own bucket
//! The same formula answers while a shared record can't be written ([`Bucket::of_worker`]), with `burst =
//! max(1, quota / 64)` and the limit's own rate. So `W` workers that can't write for `T` admit at most
//! `W × (burst + quota × T / window)` above the shared count, and less: a worker still reads the shared count,
//! adds its own debt to it, and asks its bucket only while that is below the quota.
//!
//! # State
//! `tat:u64`, in nanoseconds of the monotonic clock, and `fill:varint`, the seconds that an empty bucket takes to be full,
//! rounded up, by which a full page tells how empty it is now: 9 to 13 bytes.

use super::{ALIKE, Limit, Verdict, Wear};
use crate::time::{Micros, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// A bucket as it was last left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    burst: NonZeroU32,
    /// Nanoseconds that a unit lasts.
    per_unit: u64,
    longest: Micros,
    /// Nanoseconds on the monotonic clock, as is `opened`.
    tat: u64,
    opened: u64,
}

/// No bucket takes longer than so many nanoseconds to fill, 292 years; a larger burst is cut.
const MOST_TO_FILL: u64 = u64::MAX / 2;

/// The worker's own bucket holds so large a part of the quota.
const WORKER_PART: u32 = 64;

impl Bucket {
    /// A full bucket of this limit.
    pub fn new(limit: &Limit, burst: NonZeroU32) -> Bucket {
        let per_unit = nanos(limit.window).div_ceil(u64::from(limit.quota.get())).max(1);
        let most = u32::try_from(MOST_TO_FILL / per_unit).ok().and_then(NonZeroU32::new);
        let burst = most.map_or(burst, |most| burst.min(most));
        let longest = if burst <= limit.quota { limit.window } else { Micros::MAX };
        Bucket { burst, per_unit, longest, tat: 0, opened: 0 }
    }

    /// A full bucket for one worker to answer from while the shared record can't be written.
    pub fn of_worker(limit: &Limit) -> Bucket {
        let burst = NonZeroU32::new(limit.quota.get() / WORKER_PART).unwrap_or(NonZeroU32::MIN);
        Bucket::new(limit, burst)
    }

    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, burst: NonZeroU32, state: &[u8], now: Micros) -> Option<Bucket> {
        let mut bucket = Bucket { opened: nanos(now), ..Bucket::new(limit, burst) };
        if !state.is_empty() {
            let tat = tat_and_fill(state)?.0;
            // A bucket may owe what a window brings: debts. One that owes more is that of a rate that has since
            // been raised, or damage.
            let most = bucket.fills_in().saturating_add(nanos(limit.window));
            bucket.tat = tat.min(bucket.opened.saturating_add(most));
        }
        Some(bucket)
    }

    /// How long an empty bucket takes to be full.
    fn fills_in(&self) -> u64 {
        times(u64::from(self.burst.get()), self.per_unit)
    }

    /// The units that are in it.
    fn units(&self, now: u64) -> u64 {
        let missing = self.tat.saturating_sub(now);
        self.fills_in().saturating_sub(missing) / self.per_unit
    }

    /// The instant `tat` would be after `cost` more; a cost above the burst never passes.
    fn after(&self, now: u64, cost: u32) -> u64 {
        self.tat.max(now).saturating_add(times(u64::from(cost), self.per_unit))
    }

    /// How long until `cost` units are in it, 0 if they are.
    pub fn wait(&self, now: Micros, cost: u32) -> Micros {
        let now = nanos(now);
        let full = now.saturating_add(self.fills_in());
        micros_up(self.after(now, cost.min(self.burst.get())).saturating_sub(full))
    }

    /// Whether nothing is missing.
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

    /// See [`super::Counter::longest`]. A bucket of no more than the quota is full after a window, although what a unit
    /// lasts is rounded up. A larger one and debts take longer.
    pub fn longest(&self, next: Micros) -> Micros {
        let owes = next > (self.per_unit / 1_000).saturating_add(ALIKE);
        if owes { Micros::MAX } else { self.longest }
    }

    /// See [`super::Counter::charge`].
    pub fn charge(&mut self, at: Micros, units: u32) {
        self.tat = self.after(nanos(at), units);
    }

    /// See [`super::Counter::refund`]. The bucket can't know for how long it has been full since, and what comes
    /// when it is full is lost: so all of that time is taken off what is given back.
    pub fn refund(&mut self, at: Micros, units: u32) {
        let since = self.opened.saturating_sub(nanos(at));
        let lasted = times(u64::from(units), self.per_unit);
        self.tat = self.tat.saturating_sub(lasted.saturating_sub(since));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        if self.tat > 0 {
            out.extend_from_slice(&self.tat.to_le_bytes());
            varint::write(out, self.fills_in().div_ceil(nanos(SECOND)));
        }
        let burst = u64::from(self.burst.get());
        Wear::new(micros_up(self.tat), burst - self.units(self.opened).min(burst), self.burst)
    }

    /// What is missing from the bucket of a state, in 255ths of what it can hold, rounded up.
    pub fn share_of(state: &[u8], now: Micros) -> Option<u8> {
        let (tat, fill) = tat_and_fill(state)?;
        let missing = tat.saturating_sub(nanos(now));
        // In milliseconds, so that the product fits.
        let share = times(missing.div_ceil(1_000_000), 255).div_ceil(times(fill, 1_000).max(1));
        Some(u8::try_from(share).unwrap_or(u8::MAX))
    }
}

/// A state's two numbers. `None`: damaged bytes.
fn tat_and_fill(state: &[u8]) -> Option<(u64, u64)> {
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
