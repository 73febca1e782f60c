//! This worker's units in flight. The worker knows them exactly, so every write of a record publishes them,
//! and a release that could not be written is made up for by the next write. Published units expire after
//! [`WORKER_TTL`]; the tick renews those of long streams. If a worker dies, its units expire.

use super::charge::Charge;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::limiter::concurrency::WORKER_TTL;
use crate::limiter::{Counter, Limit};
use crate::time::{Micros, Now};

/// One worker's units in flight.
#[derive(Default)]
pub(super) struct InFlight {
    /// Not bounded here: each entry has an open stream.
    limits: IdentityMap<Vec<LimitInFlight>>,
}

/// One limit of one identity.
struct LimitInFlight {
    limit: Limit,
    units: u32,
    /// The units in the shared record.
    published: u32,
    /// When they were last written, on the monotonic clock.
    published_at: Micros,
}

impl InFlight {
    /// Adds the units of a charge.
    pub fn add(&mut self, charge: &Charge<'_>) {
        for one in self.of(charge) {
            one.units = one.units.saturating_add(charge.cost);
        }
    }

    /// Removes the units of a charge: its stream has ended.
    pub fn remove(&mut self, charge: &Charge<'_>) {
        for one in self.of(charge) {
            one.units = one.units.saturating_sub(charge.cost);
        }
    }

    /// The entries of a charge's limits, inserted if need be.
    fn of(&mut self, charge: &Charge<'_>) -> impl Iterator<Item = &mut LimitInFlight> {
        let counting = || charge.limits.iter().filter(|limit| limit.counts_in_flight());
        let entries = counting().next().and_then(|_| self.limits.open(charge.identity, usize::MAX));
        entries.into_iter().flat_map(move |entries| {
            for limit in counting() {
                if !entries.iter().any(|one| one.limit.id == limit.id) {
                    entries.push(LimitInFlight { limit: *limit, units: 0, published: 0, published_at: 0 });
                }
            }
            entries.iter_mut().filter(move |one| counting().any(|limit| limit.id == one.limit.id))
        })
    }

    /// Sets this worker's units in the opened counters of a charge's record. Returns whether that changes
    /// them, or whether they are due to be renewed.
    pub fn publish(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>], now: Now) -> bool {
        let mut any = false;
        for (limit, counter) in
            charge.limits.iter().zip(counters).filter(|(limit, _)| limit.counts_in_flight())
        {
            let one = self.find(charge.identity, limit);
            any |= counter.set_in_flight(one.map_or(0, |one| one.units));
            any |= one.is_some_and(|one| one.is_due(now));
        }
        any
    }

    fn find(&self, identity: Identity, limit: &Limit) -> Option<&LimitInFlight> {
        self.limits.get(identity)?.iter().find(|one| one.limit.id == limit.id)
    }

    /// The record of a charge has this worker's units and `more` that are being admitted. `written`: when, or
    /// `None` if the record had them already.
    pub fn published(&mut self, charge: &Charge<'_>, more: u32, written: Option<Now>) {
        for one in self.of(charge) {
            one.published = one.units.saturating_add(more);
            one.published_at = written.map_or(one.published_at, |now| now.mono);
        }
        if let Some(entries) = self.limits.get_mut(charge.identity) {
            entries.retain(|one| one.units > 0 || one.published > 0);
            if entries.is_empty() {
                self.limits.remove(charge.identity);
            }
        }
    }

    /// The limits whose units must be published, or renewed.
    pub fn due(&self, now: Now) -> Vec<(Identity, Vec<Limit>)> {
        let due = |(identity, entries): (Identity, &Vec<LimitInFlight>)| {
            let due = entries.iter().filter(|one| one.is_due(now));
            (identity, due.map(|one| one.limit).collect::<Vec<_>>())
        };
        self.limits.iter().map(due).filter(|(_, limits)| !limits.is_empty()).collect()
    }
}

impl LimitInFlight {
    fn is_due(&self, now: Now) -> bool {
        let is_old = now.mono.saturating_sub(self.published_at) >= WORKER_TTL / 3;
        self.units != self.published || (self.units > 0 && is_old)
    }
}
