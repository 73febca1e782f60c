//! What one worker has in flight. Of that it knows the truth, so every write of a record says it anew: a
//! release that could not be written heals with the next one. A holder is believed only for a while after its
//! last write; a tick renews those of long streams, and a worker that died renews nothing.

use super::Charge;
use crate::key::Identity;
use crate::limiter::concurrency::BELIEVED;
use crate::limiter::{Algorithm, Counter, Limit};
use crate::time::{Micros, Now};
use std::collections::BTreeMap;

/// The units in flight of one worker.
#[derive(Default)]
pub(super) struct Holdings {
    holdings: BTreeMap<Identity, Vec<Holding>>,
}

/// One limit of one identity.
struct Holding {
    limit: Limit,
    units: u32,
    written: Micros,
}

/// Whether a limit counts what is in flight.
pub(super) fn is_held(limit: &Limit) -> bool {
    limit.algorithm == Algorithm::Concurrency
}

impl Holdings {
    /// A charge is in flight from now on.
    pub fn hold(&mut self, charge: &Charge<'_>, now: Now) {
        for limit in charge.limits.iter().filter(|limit| is_held(limit)) {
            let holdings = self.holdings.entry(charge.identity).or_default();
            match holdings.iter_mut().find(|holding| holding.limit.id == limit.id) {
                Some(holding) => holding.units = holding.units.saturating_add(charge.cost),
                None => holdings.push(Holding { limit: *limit, units: charge.cost, written: now.mono }),
            }
        }
    }

    /// A charge's stream has ended.
    pub fn release(&mut self, charge: &Charge<'_>) {
        let Some(holdings) = self.holdings.get_mut(&charge.identity) else { return };
        for limit in charge.limits.iter().filter(|limit| is_held(limit)) {
            for holding in holdings.iter_mut().filter(|holding| holding.limit.id == limit.id) {
                holding.units = holding.units.saturating_sub(charge.cost);
            }
        }
        holdings.retain(|holding| holding.units > 0);
        if holdings.is_empty() {
            self.holdings.remove(&charge.identity);
        }
    }

    /// Says in the opened counters of a charge's record what this worker has in flight. Answers whether that is
    /// news, or due to be said again.
    pub fn tell(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>], now: Now) -> bool {
        let mut any = false;
        for (limit, counter) in charge.limits.iter().zip(counters).filter(|(limit, _)| is_held(limit)) {
            let holding = self.find(charge.identity, limit);
            any |= counter.hold(holding.map_or(0, |holding| holding.units));
            any |= holding.is_some_and(|holding| holding.is_due(now));
        }
        any
    }

    fn find(&self, identity: Identity, limit: &Limit) -> Option<&Holding> {
        self.holdings.get(&identity)?.iter().find(|holding| holding.limit.id == limit.id)
    }

    /// A charge's record has just been written.
    pub fn written(&mut self, charge: &Charge<'_>, now: Now) {
        for holding in self.holdings.get_mut(&charge.identity).into_iter().flatten() {
            if charge.limits.iter().any(|limit| limit.id == holding.limit.id) {
                holding.written = now.mono;
            }
        }
    }

    /// What was last written so long ago that it must be renewed.
    pub fn due(&self, now: Now) -> Vec<(Identity, Vec<Limit>)> {
        let due = |(identity, holdings): (&Identity, &Vec<Holding>)| {
            let due = holdings.iter().filter(|holding| holding.is_due(now));
            (*identity, due.map(|holding| holding.limit).collect::<Vec<_>>())
        };
        self.holdings.iter().map(due).filter(|(_, limits)| !limits.is_empty()).collect()
    }
}

impl Holding {
    fn is_due(&self, now: Now) -> bool {
        now.mono.saturating_sub(self.written) >= BELIEVED / 3
    }
}
