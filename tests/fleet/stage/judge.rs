//! What a flood met with, and whether it kept within a limit.
//!
//! A request is decided at some instant between being sent and its arrival at the upstream. On a busy machine
//! these may be far apart. So a limit is broken if more requests than its quota were sent after an instant and
//! were at the upstream within a window from it: that no delay can excuse.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::harness::unix_time;

/// One request of a flood.
#[derive(Debug)]
pub struct Outcome {
    pub number: u64,
    pub sent: Instant,
    /// When it came to the upstream, if it did.
    pub arrived: Option<Instant>,
    /// 0: there was no answer.
    pub status: u16,
}

/// A flood.
pub struct Record {
    pub outcomes: Vec<Outcome>,
    begin: Instant,
}

impl Record {
    pub fn new(mut outcomes: Vec<Outcome>) -> Self {
        outcomes.sort_by_key(|outcome| outcome.sent);
        let begin = outcomes.first().map_or_else(Instant::now, |outcome| outcome.sent);
        Self { outcomes, begin }
    }

    /// How many came to the upstream.
    pub fn passed(&self) -> usize {
        self.arrivals().len()
    }

    /// How many there were of each status; 0 is for no answer.
    pub fn statuses(&self) -> BTreeMap<u16, usize> {
        let mut statuses = BTreeMap::new();
        for outcome in &self.outcomes {
            *statuses.entry(outcome.status).or_default() += 1;
        }
        statuses
    }

    /// How many had this status.
    pub fn count(&self, status: u16) -> usize {
        self.statuses().get(&status).copied().unwrap_or_default()
    }

    /// The most that certainly passed within one trailing window.
    pub fn worst(&self, window: Duration) -> usize {
        let (sent, arrived) = (self.sent_of_passed(), self.arrivals());
        let mut inside = 0;
        let counts = sent.iter().enumerate().map(|(before, begin)| {
            while arrived.get(inside).is_some_and(|at| *at < *begin + window) {
                inside += 1;
            }
            inside.saturating_sub(before)
        });
        counts.max().unwrap_or_default()
    }

    /// The most that came to the upstream within one trailing window: what delays move together, too.
    pub fn worst_at_upstream(&self, window: Duration) -> usize {
        let arrived = self.arrivals();
        let mut first = 0;
        let counts = arrived.iter().enumerate().map(|(i, at)| {
            while *at - arrived[first] >= window {
                first += 1;
            }
            i + 1 - first
        });
        counts.max().unwrap_or_default()
    }

    /// The most that certainly passed within one of the windows that the wall clock divides time into.
    pub fn worst_aligned(&self, window: Duration) -> usize {
        let ahead = unix_time();
        let now = Instant::now();
        let index = |at: Instant| (ahead - (now - at)).as_micros() / window.as_micros();
        let mut windows = BTreeMap::<u128, usize>::new();
        for outcome in &self.outcomes {
            if let Some(arrived) = outcome.arrived.filter(|arrived| index(*arrived) == index(outcome.sent)) {
                *windows.entry(index(arrived)).or_default() += 1;
            }
        }
        windows.into_values().max().unwrap_or_default()
    }

    /// Those that were sent after so long, and until so long, since the flood's begin.
    pub fn between(&self, from: Duration, to: Duration) -> impl Iterator<Item = &Outcome> {
        let (from, to) = (self.begin + from, self.begin + to);
        self.outcomes.iter().filter(move |outcome| (from..to).contains(&outcome.sent))
    }

    /// How long after the flood's begin.
    pub fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.begin)
    }

    fn sent_of_passed(&self) -> Vec<Instant> {
        self.outcomes.iter().filter(|outcome| outcome.arrived.is_some()).map(|outcome| outcome.sent).collect()
    }

    fn arrivals(&self) -> Vec<Instant> {
        let mut arrivals: Vec<_> = self.outcomes.iter().filter_map(|outcome| outcome.arrived).collect();
        arrivals.sort();
        arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of requests that were sent and came after so many milliseconds.
    fn record(requests: &[(u64, u64)]) -> Record {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let outcome = |(sent, arrived): &(u64, u64)| Outcome {
            number: 0,
            sent: at(*sent),
            arrived: Some(at(*arrived)),
            status: 200,
        };
        Record::new(requests.iter().map(outcome).collect())
    }

    #[test]
    fn a_window_has_what_was_sent_and_came_within_it() {
        let second = Duration::from_secs(1);
        assert_eq!(record(&[(0, 1), (10, 20), (900, 999), (1_000, 1_001)]).worst(second), 3);
        // Decided at 0 and at 1,000, perhaps.
        assert_eq!(record(&[(0, 500), (1_000, 1_001), (1_100, 1_101)]).worst(second), 2);
        assert_eq!(record(&[(0, 500), (1_000, 1_001), (1_100, 1_101)]).worst_at_upstream(second), 3);
        assert_eq!(record(&[]).worst(second), 0);
    }
}
