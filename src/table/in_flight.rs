//! What one worker has in flight. Of that it knows the truth, so every write of a record says it anew: a
//! release that could not be written heals with the next one. A holder is believed only for a while after its
//! last write; a tick renews those of long streams, and a worker that died renews nothing.

use super::Charge;
use crate::identity_map::IdentityMap;
use crate::key::Identity;
use crate::limiter::concurrency::WORKER_TTL;
use crate::limiter::{Algorithm, Counter, Limit};
use crate::time::{Micros, Now};

/// The units in flight of one worker.
#[derive(Default)]
pub(super) struct Holdings {
    /// No more identities than there are streams.
    holdings: IdentityMap<Vec<Holding>>,
}

/// One limit of one identity.
struct Holding {
    limit: Limit,
    units: u32,
    /// What the shared record says of it, and since when.
    told: u32,
    written: Micros,
}

/// Whether a limit counts what is in flight.
pub(super) fn is_held(limit: &Limit) -> bool {
    limit.algorithm == Algorithm::Concurrency
}

impl Holdings {
    /// A charge is in flight from now on.
    #[inline]
    pub fn hold(&mut self, charge: &Charge<'_>) {
        if charge.limits.iter().any(is_held) {
            self.hold_all(charge);
        }
    }

    #[inline(never)]
    fn hold_all(&mut self, charge: &Charge<'_>) {
        for holding in self.of(charge) {
            holding.units = holding.units.saturating_add(charge.cost);
        }
    }

    /// A charge's stream has ended.
    pub fn release(&mut self, charge: &Charge<'_>) {
        for holding in self.of(charge) {
            holding.units = holding.units.saturating_sub(charge.cost);
        }
    }

    /// The holdings of a charge's limits.
    fn of(&mut self, charge: &Charge<'_>) -> impl Iterator<Item = &mut Holding> {
        let held = || charge.limits.iter().filter(|limit| is_held(limit));
        let holdings = held().next().and_then(|_| self.holdings.open(charge.identity, usize::MAX));
        holdings.into_iter().flat_map(move |holdings| {
            for limit in held() {
                if !holdings.iter().any(|holding| holding.limit.id == limit.id) {
                    holdings.push(Holding { limit: *limit, units: 0, told: 0, written: 0 });
                }
            }
            holdings.iter_mut().filter(move |holding| held().any(|limit| limit.id == holding.limit.id))
        })
    }

    /// Says in the opened counters of a charge's record what this worker has in flight. Answers whether that is
    /// news, or due to be said again.
    pub fn tell(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>], now: Now) -> bool {
        let mut any = false;
        for (limit, counter) in charge.limits.iter().zip(counters).filter(|(limit, _)| is_held(limit)) {
            let holding = self.find(charge.identity, limit);
            any |= counter.set_in_flight(holding.map_or(0, |holding| holding.units));
            any |= holding.is_some_and(|holding| holding.is_due(now));
        }
        any
    }

    fn find(&self, identity: Identity, limit: &Limit) -> Option<&Holding> {
        self.holdings.get(identity)?.iter().find(|holding| holding.limit.id == limit.id)
    }

    /// The record of a charge now says what is in flight, with `more` units that are about to be: since it was
    /// `written`, or as it was found.
    pub fn told(&mut self, charge: &Charge<'_>, more: u32, written: Option<Now>) {
        for holding in self.of(charge) {
            holding.told = holding.units.saturating_add(more);
            holding.written = written.map_or(holding.written, |now| now.mono);
        }
        if let Some(holdings) = self.holdings.get_mut(charge.identity) {
            holdings.retain(|holding| holding.units > 0 || holding.told > 0);
            if holdings.is_empty() {
                self.holdings.remove(charge.identity);
            }
        }
    }

    /// What the shared record does not say yet, or has said so long ago that it must be said anew.
    pub fn due(&self, now: Now) -> Vec<(Identity, Vec<Limit>)> {
        let due = |(identity, holdings): (Identity, &Vec<Holding>)| {
            let due = holdings.iter().filter(|holding| holding.is_due(now));
            (identity, due.map(|holding| holding.limit).collect::<Vec<_>>())
        };
        self.holdings.iter().map(due).filter(|(_, limits)| !limits.is_empty()).collect()
    }
}

impl Holding {
    fn is_due(&self, now: Now) -> bool {
        self.units != self.told || (self.units > 0 && now.mono.saturating_sub(self.written) >= WORKER_TTL / 3)
    }
}
