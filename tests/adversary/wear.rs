//! What may be admitted beyond a quota after all that has happened to the table, as docs/bounds.md says.

use super::bucket::MAX_DEBT;
use tollgate::limiter::{Algorithm, AtOnce, Limit, TokenBucket};
use tollgate::time::{Micros, SECOND};

/// What has happened to the table, by which its promises are less than a hard cap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wear {
    pub workers: u64,
    /// Records that were dropped, and when the last one was.
    pub evictions: u64,
    pub evicted: Option<Micros>,
    /// Requests that were counted with others, and when the last one was.
    pub overflow: u64,
    pub overflowed: Option<Micros>,
    /// Of decisions by a worker alone, the first and the last instant.
    pub alone: Option<(Micros, Micros)>,
    /// The most that one request has cost.
    pub most_cost: u64,
    /// How often counts were forgiven, and when they were last.
    pub forgiven: u64,
    pub forgiven_at: Option<Micros>,
}

impl Wear {
    /// Whether all that is left of a cap is that whoever is throttled stays so: something may be forgotten
    /// that counts.
    pub fn forgets(&self, limit: &Limit, now: Micros) -> bool {
        self.alone.is_none() && is_recent(self.evicted, limit, now)
    }

    /// What has happened in both of two histories.
    pub fn and(self, other: &Wear) -> Wear {
        Wear {
            workers: self.workers.max(other.workers),
            evictions: self.evictions + other.evictions,
            evicted: self.evicted.max(other.evicted),
            overflow: self.overflow + other.overflow,
            overflowed: self.overflowed.max(other.overflowed),
            alone: self.alone.or(other.alone),
            most_cost: self.most_cost.max(other.most_cost),
            forgiven: self.forgiven + other.forgiven,
            forgiven_at: self.forgiven_at.max(other.forgiven_at),
        }
    }

    /// The most that may count at one instant. `None`: nothing is promised.
    pub fn allowed(&self, limit: &Limit, now: Micros) -> Option<u64> {
        const HOUR: Micros = 3_600 * SECOND;
        if is_recent(self.evicted, limit, now) {
            return None;
        }
        let quota = match limit.algorithm {
            Algorithm::SlidingCounter(_) => 2 * u64::from(limit.quota.get()) - 1,
            Algorithm::TokenBucket(TokenBucket { burst }) => u64::from(burst.get()),
            Algorithm::AtOnce(AtOnce { burst }) => u64::from(burst.get()) + u64::from(limit.quota.get()),
            Algorithm::LeakyBucket(_) => 0,
            Algorithm::SlidingWindow(_)
            | Algorithm::FixedWindow(_)
            | Algorithm::Calendar(_)
            | Algorithm::Concurrency(_)
            | Algorithm::Stock(_)
            | Algorithm::Penalty(_) => u64::from(limit.quota.get()),
        };
        let shared = match limit.algorithm {
            Algorithm::LeakyBucket(_) => (limit.window <= HOUR).then_some(self.most_cost),
            Algorithm::Calendar(_) | Algorithm::Stock(_) | Algorithm::Concurrency(_) => None,
            Algorithm::SlidingWindow(_)
            | Algorithm::SlidingCounter(_)
            | Algorithm::FixedWindow(_)
            | Algorithm::TokenBucket(_)
            | Algorithm::AtOnce(_)
            | Algorithm::Penalty(_) => (limit.window <= HOUR).then_some(quota),
        };
        // Whoever was counted with others gets a record of its own once there is room.
        let quota = if is_recent(self.overflowed, limit, now) { quota + shared? } else { quota };
        // Units that other workers had taken ahead were counted before, and may be used afterwards.
        let taken = if is_recent(self.forgiven_at, limit, now) { self.workers * (quota / 32) } else { 0 };
        Some(quota + taken + self.excess(limit))
    }

    /// What workers that can't write may admit beyond the shared count: README's bound.
    fn excess(&self, limit: &Limit) -> u64 {
        let Some((first, last)) = self.alone else { return 0 };
        let quota = u64::from(limit.quota.get());
        // What they have admitted is posted by a tick at the latest.
        let contended = (last - first + SECOND).min(limit.window);
        let burst = u64::from(limit.max_at_once() / 64).max(1).max(self.most_cost);
        let rate = (u128::from(quota) * u128::from(contended)).div_ceil(u128::from(limit.window.max(1)));
        self.workers * (burst + u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

/// Whether what was counted at an instant may count still.
fn is_recent(at: Option<Micros>, limit: &Limit, now: Micros) -> bool {
    let lasts = match limit.algorithm {
        Algorithm::TokenBucket(TokenBucket { burst }) | Algorithm::AtOnce(AtOnce { burst }) => {
            let fills = u128::from(limit.window) * u128::from(burst.get()) / u128::from(limit.quota.get());
            u64::try_from(fills).unwrap_or(Micros::MAX).saturating_add(MAX_DEBT)
        }
        Algorithm::LeakyBucket(_) => limit.window.saturating_add(MAX_DEBT),
        Algorithm::Concurrency(_) | Algorithm::Stock(_) => Micros::MAX,
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter(_)
        | Algorithm::FixedWindow(_)
        | Algorithm::Calendar(_)
        | Algorithm::Penalty(_) => limit.window,
    };
    at.is_some_and(|at| now <= at.saturating_add(lasts))
}
