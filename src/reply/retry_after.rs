//! How long a rejected caller is told to wait.

use crate::decision::Decision;
use crate::identity::Identity;
use crate::time::{Micros, Now, SECOND, seconds_up, times};

/// What `retry-after` says, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryAfter {
    /// Whether the header is sent with a rejection.
    pub shown: bool,
    /// Never less, 1 or more.
    pub min: u64,
    /// Never more.
    pub max: u64,
    /// Up to so many are added, so that those who are rejected together do not come back together.
    pub jitter: u64,
}

impl Default for RetryAfter {
    fn default() -> Self {
        /// Longer waits make most Node clients retry at once: their timers hold 2^31-1 ms.
        const LONGEST_OF_A_TIMER: u64 = 2_147_483;
        RetryAfter { shown: true, min: 1, max: LONGEST_OF_A_TIMER, jitter: 0 }
    }
}

impl RetryAfter {
    /// The wait that a rejection tells: rounded up, so that what is told is never earlier than the truth unless
    /// `max` is. The same for the same decision, however often it is asked.
    pub(super) fn seconds(&self, decision: &Decision) -> u64 {
        let truth = seconds_up(decision.retry_after()).max(self.min);
        let jitter = decision.violated().filter(|_| self.jitter > 0).map_or(0, |answer| {
            let spread = self.jitter.saturating_add(1);
            mixed(&answer.identity, &decision.now).checked_rem(spread).unwrap_or_default()
        });
        truth.saturating_add(jitter).min(self.max)
    }

    /// The same before it is rounded: what rounds it once more, to tell an instant, would tell a second too many.
    pub(super) fn wait(&self, decision: &Decision) -> Micros {
        let (truth, told) = (decision.retry_after(), self.seconds(decision));
        if told == seconds_up(truth) { truth } else { times(told, SECOND) }
    }
}

/// A number that differs by caller and by instant and that nobody needs to be unable to guess.
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
