//! Warnings that would repeat with every request are logged once in a while, with how often they came.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two warnings of a kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// One kind of warning.
#[derive(Default)]
pub struct Throttle(Mutex<Suppressed>);

#[derive(Default)]
struct Suppressed {
    since: Option<Instant>,
    count: u64,
}

impl Throttle {
    /// Whether to log the warning now: how many like it were not logged.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut suppressed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |since: Instant| now.saturating_duration_since(since) < INTERVAL;
        if suppressed.since.is_some_and(is_recent) {
            suppressed.count += 1;
            return None;
        }
        suppressed.since = Some(now);
        Some(std::mem::take(&mut suppressed.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_warning_passes_and_the_next_tells_how_many_did_not() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let passed: Vec<_> =
            [0, 1, 9, 10, 11, 21].map(|s| throttle.pass_at(start + Duration::from_secs(s))).into();
        assert_eq!(passed, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
