//! The wait that a rejection asks for.

use crate::decision::{Decision, PolicyDecision};
use crate::identity::Identity;
use crate::time::{Micros, Now, SECOND, seconds_up, times};

/// The longest wait in seconds that a timer of JavaScript holds: 2^31 - 1 ms. A longer one makes most Node
/// clients retry at once.
pub const MAX_TIMER_SECONDS: u64 = 2_147_483;

/// How the value of `retry-after` is computed, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryAfter {
    /// Whether the header is sent with a rejection.
    pub shown: bool,
    /// The lower bound, 1 or more.
    pub min: u64,
    /// The upper bound.
    pub max: u64,
    /// The most seconds that are added at random, so that callers who are rejected together do not come back
    /// together.
    pub jitter: u64,
}

impl RetryAfter {
    /// The value of `retry-after` in seconds. It is rounded up, so that it is never too short unless `max`
    /// makes it so. The jitter is the same each time for one decision.
    pub(super) fn seconds(&self, decision: &Decision) -> u64 {
        self.shown_seconds(decision.retry_after(), decision.rejecting(), decision.now)
    }

    /// The wait that a policy in shadow mode would have announced, if its rejections were enforced.
    pub(super) fn seconds_in_shadow(&self, one: &PolicyDecision, now: Now) -> u64 {
        self.shown_seconds(one.retry_after(), Some(one), now)
    }

    fn shown_seconds(&self, wait: Micros, rejecting: Option<&PolicyDecision>, now: Now) -> u64 {
        let exact = seconds_up(wait).max(self.min);
        let jitter = rejecting.filter(|_| self.jitter > 0).map_or(0, |one| {
            let spread = self.jitter.saturating_add(1);
            mixed(&one.identity, &now).checked_rem(spread).unwrap_or_default()
        });
        exact.saturating_add(jitter).min(self.max)
    }

    /// The same wait before rounding, from which an instant can be computed and rounded only once.
    pub(super) fn wait(&self, decision: &Decision) -> Micros {
        let (exact, shown) = (decision.retry_after(), self.seconds(decision));
        if shown == seconds_up(exact) { exact } else { times(shown, SECOND) }
    }
}

/// A number that differs by caller and by instant. It need not be unpredictable. (A random number would cost
/// a host call per rejection, and drawing it twice would give `retry-after` and the reset different waits.)
fn mixed(identity: &Identity, now: &Now) -> u64 {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15; // 2^64 / the golden ratio
    let product = (identity.page ^ now.mono.rotate_left(32)).wrapping_mul(SPREAD);
    (product ^ product >> 32).wrapping_mul(SPREAD) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn jitter_reaches_every_second_and_none_beyond() {
        let identity = |page| Identity { page, fingerprint: 0 };
        for spread in [2, 3, 7, 60] {
            let drawn = |i: u64| mixed(&identity(i % 5), &Now { mono: 1_000_000 * i, wall: 0 }) % spread;
            let mut seen: Vec<u64> = (0..50 * spread).map(drawn).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, (0..spread).collect::<Vec<_>>());
        }
    }
}
