//! The worker-local token bucket that answers while the shared count can't be written.
//!
//! # Derivation
//! The generic cell rate algorithm: one number, the *theoretical arrival time* `tat`, says how much of the
//! burst is spent. A unit costs `t = window / quota` of time; a request passes iff
//! `max(tat, now) + t·cost ≤ now + t·burst`, and then `tat` moves to the left side. So in any time `T` at
//! most `burst + T / t` units pass.
//!
//! With `burst = max(1, quota / 64)` and the limit's own rate, `W` workers that can't write for `T` admit at
//! most `W × (burst + quota × T / window)` above the shared count, and less: a worker still reads the
//! shared count, counts its own debt with it, and asks the bucket only while that is below the quota.

use super::Limit;
use crate::time::Micros;

/// A full burst is the quota's 64th part.
const BURST_PART: u32 = 64;

/// One worker's bucket for one limit of one identity. The default is full.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Nanoseconds on the monotonic clock: a unit of a large quota takes less than a microsecond.
    tat: u128,
}

impl Bucket {
    /// The most units that pass at once.
    pub fn burst(limit: &Limit) -> u32 {
        (limit.quota.get() / BURST_PART).max(1)
    }

    /// How long until `cost` units would pass, 0 if now; a cost above the burst is taken as the burst.
    pub fn wait(&self, limit: &Limit, now: Micros, cost: u32) -> Micros {
        let now = nanos(now);
        let filled = self.spend(limit, now, cost);
        let full = now + per_unit(limit) * u128::from(Self::burst(limit));
        Micros::try_from(filled.saturating_sub(full).div_ceil(1000)).unwrap_or(Micros::MAX)
    }

    /// Takes `cost` units, whether or not they pass.
    pub fn charge(&mut self, limit: &Limit, now: Micros, cost: u32) {
        self.tat = self.spend(limit, nanos(now), cost);
    }

    fn spend(&self, limit: &Limit, now: u128, cost: u32) -> u128 {
        self.tat.max(now) + per_unit(limit) * u128::from(cost.min(Self::burst(limit)))
    }
}

fn per_unit(limit: &Limit) -> u128 {
    nanos(limit.window).div_ceil(u128::from(limit.quota.get()))
}

fn nanos(time: Micros) -> u128 {
    u128::from(time) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::{Algorithm, LimitId, sliding_window::Slots};
    use crate::time::SECOND;
    use proptest::prelude::*;
    use std::num::NonZeroU32;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn limit(quota: u32) -> Limit {
        Limit {
            id: LimitId(1),
            quota: NonZeroU32::new(quota).unwrap(),
            window: 60 * SECOND,
            algorithm: Algorithm::SlidingWindow(Slots::EXACT),
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_burst_passes_at_once_and_then_one_unit_at_the_limits_rate() {
        let limit = limit(600);
        let mut bucket = Bucket::default();
        for _ in 0..9 {
            assert_eq!(bucket.wait(&limit, SECOND, 1), 0);
            bucket.charge(&limit, SECOND, 1);
        }
        assert_eq!(bucket.wait(&limit, SECOND, 1), 100_000);
        assert_eq!(bucket.wait(&limit, SECOND + 99_999, 1), 1);
        assert_eq!(bucket.wait(&limit, SECOND + 100_000, 1), 0);
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn in_any_time_at_most_burst_and_rate_pass(
            quota in 1u32..100_000,
            gaps in proptest::collection::vec(0u64..300_000, 1..200),
        ) {
            let limit = limit(quota);
            let mut bucket = Bucket::default();
            let (mut now, mut passed) = (SECOND, 0u64);
            for gap in gaps {
                now += gap;
                if bucket.wait(&limit, now, 1) == 0 {
                    bucket.charge(&limit, now, 1);
                    passed += 1;
                }
                let rate = u64::from(quota) * (now - SECOND) / limit.window;
                prop_assert!(passed <= u64::from(Bucket::burst(&limit)) + rate);
            }
        }
    }
}
