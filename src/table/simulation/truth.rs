//! The true history: which units were admitted when, and until when they count.

use crate::identity::Identity;
use crate::limiter::{Algorithm, FreshStart, Limit, LimitId, SlidingCounter, SlidingWindow};
use crate::time::{Micros, Now};

/// Units of one request, counted by one limit.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub worker: usize,
    pub identity: Identity,
    pub limit: LimitId,
    pub units: u32,
    /// The request's own instant.
    pub at: Now,
    /// When its decision was known. In between the worker may have been held up.
    pub known: Micros,
    /// When they began to be given back.
    pub given_back: Option<Micros>,
    /// `false`: rejected, and counted all the same.
    pub admitted: bool,
}

/// From when on units count.
#[derive(Clone, Copy, PartialEq)]
pub enum Since {
    /// The request's own instant.
    Asked,
    /// The instant its decision was known: later, if its worker was held up.
    Known,
}

#[derive(Default)]
pub struct Truth {
    pub spent: Vec<Spent>,
    /// The first and the last instant of decisions by a worker alone.
    pub alone: Option<(Micros, Micros)>,
    /// The ends of blocks after which counts begin at zero, by caller.
    pub blocked: Vec<(Identity, Micros)>,
    /// Workers that died.
    pub crashes: u64,
    /// Requests whose units were forgiven.
    pub forgiven: u64,
}

impl Truth {
    /// A decision was made without the shared record.
    pub fn note_alone(&mut self, from: Micros, to: Micros) {
        let (first, last) = self.alone.unwrap_or((from, to));
        self.alone = Some((first.min(from), last.max(to)));
    }

    /// The time between the first and the last such decision.
    pub fn contended(&self) -> Micros {
        self.alone.map_or(0, |(first, last)| last - first)
    }

    /// A worker has died, and its streams with it.
    pub fn crash(&mut self, worker: usize, now: Micros) {
        self.crashes += 1;
        for spent in self.spent.iter_mut().filter(|spent| spent.worker == worker) {
            spent.given_back.get_or_insert(now);
        }
    }

    /// The counts of these limits have begun at zero.
    pub fn restart(&mut self, identity: Identity, limits: &[Limit], now: Micros) {
        let clears = |spent: &&mut Spent| {
            let limit = limits.iter().find(|limit| limit.id == spent.limit);
            spent.identity == identity && limit.is_some_and(Limit::has_window)
        };
        for spent in self.spent.iter_mut().filter(clears) {
            spent.given_back.get_or_insert(now);
        }
    }

    /// The counts of a limit have got a fresh start, in the record of an owner: a fingerprint without its highest bit.
    pub fn forgive(&mut self, owner: u64, start: LimitId, now: Micros) {
        let of_owner = |spent: &&mut Spent| {
            spent.identity.fingerprint << 1 == owner && FreshStart::id_of(spent.limit) == start
        };
        for spent in self.spent.iter_mut().filter(of_owner) {
            if spent.given_back.is_none() {
                spent.given_back = Some(now);
                self.forgiven += 1;
            }
        }
    }

    /// A caller is blocked, and its counts begin at zero when that ends.
    pub fn block(&mut self, identity: Identity, limits: &[Limit], end: Micros, now: Micros) {
        self.restart(identity, limits, now);
        match self.blocked.iter_mut().find(|(blocked, _)| *blocked == identity) {
            // A worker whose clock is behind reports an earlier end.
            Some((_, last)) => *last = end.max(*last),
            None => self.blocked.push((identity, end)),
        }
    }

    pub fn is_blocked(&self, identity: Identity, now: Micros) -> bool {
        self.blocked.iter().any(|(blocked, end)| *blocked == identity && now < *end)
    }

    fn of(&self, identity: Identity, limit: &Limit) -> impl Iterator<Item = &Spent> {
        self.spent.iter().filter(move |spent| spent.identity == identity && spent.limit == limit.id)
    }

    /// The maximum number of admitted units of one limit that count at one instant.
    pub fn most(&self, identity: Identity, limit: &Limit, since: Since) -> u64 {
        let mut changes: Vec<(Micros, i64)> = Vec::new();
        for spent in self.of(identity, limit).filter(|spent| spent.admitted) {
            let from = if since == Since::Asked { spent.at.mono } else { spent.known };
            let until = spent.given_back.unwrap_or(Micros::MAX).min(leaves(limit, spent.at));
            if from < until {
                changes.extend([(from, i64::from(spent.units)), (until, -i64::from(spent.units))]);
            }
        }
        // At each instant, units leave before others come.
        changes.sort_unstable();
        let running = changes.iter().scan(0, |sum, (_, units)| {
            *sum += units;
            Some(*sum)
        });
        running.max().unwrap_or(0) as u64
    }

    /// What the shared count should be at `now`.
    pub fn count(&self, identity: Identity, limit: &Limit, now: Micros) -> u64 {
        let counted = self.of(identity, limit).filter(|spent| spent.given_back.is_none());
        counted.filter(|spent| forgotten(limit, spent.at) > now).map(|spent| u64::from(spent.units)).sum()
    }
}

/// When a unit no longer counts.
fn leaves(limit: &Limit, at: Now) -> Micros {
    match limit.algorithm {
        Algorithm::SlidingWindow(_) => at.mono + limit.window,
        Algorithm::FixedWindow(_) => at.mono + limit.window - at.wall % limit.window,
        Algorithm::SlidingCounter(SlidingCounter)
        | Algorithm::Calendar(_)
        | Algorithm::TokenBucket(_)
        | Algorithm::AtOnce(_)
        | Algorithm::LeakyBucket(_)
        | Algorithm::Concurrency(_)
        | Algorithm::Stock(_)
        | Algorithm::Penalty(_) => Micros::MAX,
    }
}

/// When the table stops counting a unit: times are rounded up to slots.
fn forgotten(limit: &Limit, at: Now) -> Micros {
    match limit.algorithm {
        Algorithm::SlidingWindow(SlidingWindow { slots }) => {
            at.mono.next_multiple_of(slots.length()) + limit.window
        }
        Algorithm::SlidingCounter(SlidingCounter)
        | Algorithm::FixedWindow(_)
        | Algorithm::Calendar(_)
        | Algorithm::TokenBucket(_)
        | Algorithm::AtOnce(_)
        | Algorithm::LeakyBucket(_)
        | Algorithm::Concurrency(_)
        | Algorithm::Stock(_)
        | Algorithm::Penalty(_) => leaves(limit, at),
    }
}
