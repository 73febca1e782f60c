//! The table as one worker sees it: what the worker itself knows, apart from the shared pages.

use super::charge::{Charge, Outcome};
use super::fallback::Fallback;
use super::forgive::ForgivenCallers;
use super::in_flight::InFlight;
use super::lease::Leases;
use super::size::TableSize;
use super::stall::Stalls;
use super::stats::TableStats;
use super::store::PageId;
use crate::identity::{Identity, Seed};
use crate::identity_map::IdentityMap;
use crate::limiter::Limit;
use crate::limiter::concurrency::WorkerId;
use crate::time::Now;

/// One worker's view of the table. A [`super::Transaction`] changes counts, see [`Table::begin`].
pub struct Table {
    seed: Seed,
    pub(super) size: TableSize,
    pub(super) worker: WorkerId,
    pub(super) fallback: Fallback,
    pub(super) leases: Leases,
    pub(super) in_flight: InFlight,
    pub(super) stalls: Stalls,
    pub(super) forgiven: ForgivenCallers,
    /// The limits of the latest configuration, by id. Streams may end under an older one.
    in_force: IdentityMap<Option<Limit>>,
    pub(super) stats: TableStats,
}

impl Table {
    /// A worker's view of the shared table. All workers must have the same `seed` and number of pages, and
    /// each its own `worker`.
    pub fn new(seed: Seed, size: TableSize, worker: WorkerId) -> Table {
        Table {
            seed,
            size,
            worker,
            fallback: Fallback::default(),
            leases: Leases::default(),
            in_flight: InFlight::default(),
            stalls: Stalls::default(),
            forgiven: ForgivenCallers::default(),
            in_force: IdentityMap::default(),
            stats: TableStats::default(),
        }
    }

    /// The secret that identities are hashed with.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Whether this worker has what a charge asks for, so that nothing shared is needed.
    pub(super) fn can_serve(&self, charge: &Charge<'_>, now: Now) -> bool {
        match counts_in_flight(charge) {
            true => self.in_flight.can_serve(charge, now),
            false => self.leases.can_serve(charge, now),
        }
    }

    /// The number of charges before the first one that needs something shared.
    pub(super) fn can_serve_first(&self, charges: &[Charge<'_>], now: Now) -> usize {
        charges.iter().take_while(|charge| self.can_serve(charge, now)).count()
    }

    /// Serves charges that are known to be servable, and notes their units in flight. `None`: one is not.
    pub(super) fn serve_all(&mut self, charges: &[Charge<'_>], now: Now) -> Option<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(charges.len());
        for charge in charges {
            outcomes.push(match counts_in_flight(charge) {
                true => {
                    let outcome = self.in_flight.serve(charge, now)?;
                    self.in_flight.add(charge, now);
                    outcome
                }
                false => self.leases.serve_known(charge, now)?,
            });
        }
        Some(outcomes)
    }

    /// Serves a charge, if this worker has what it asks for.
    pub(super) fn serve(&mut self, charge: &Charge<'_>, now: Now) -> Option<Outcome> {
        match counts_in_flight(charge) {
            true => self.in_flight.serve(charge, now),
            false => self.leases.serve(charge, now),
        }
    }

    /// Changes the maximum number of bytes per page. The number of pages can't change.
    pub fn set_page_bytes(&mut self, page_bytes: u16) {
        self.size.page_bytes = page_bytes;
    }

    /// Sets the limits of a new configuration.
    pub fn set_in_force<'a>(&mut self, limits: impl Iterator<Item = &'a Limit>) {
        self.in_force = IdentityMap::default();
        for limit in limits {
            if let Some(entry) = self.in_force.open(as_identity(limit), usize::MAX) {
                *entry = Some(*limit);
            }
        }
    }

    /// Takes over a new configuration, by which callers can be forgiven, or not. In a worker that has had one by
    /// which they can, records may have fresh starts.
    pub fn set_forgiving(&mut self, is_possible: bool) {
        self.forgiven.begin(is_possible);
    }

    /// The limit of the same id in the latest configuration, if it has another algorithm or window.
    pub(super) fn changed_since(&self, limit: &Limit) -> Option<&Limit> {
        let latest = self.in_force.get(as_identity(limit))?.as_ref()?;
        let same = (latest.algorithm.kind(), latest.window) == (limit.algorithm.kind(), limit.window);
        (!same).then_some(latest)
    }

    /// Takes the statistics since the last call.
    pub fn take_stats(&mut self) -> TableStats {
        let leases_full = self.leases.take_not_taken();
        TableStats { leases_full, ..std::mem::take(&mut self.stats) }
    }

    pub(super) fn page_of(&self, identity: Identity) -> PageId {
        // The remainder is below the number of pages, which is a u32.
        (identity.page % u64::from(self.size.pages.get())) as PageId
    }
}

/// A limit's id as a key of an [`IdentityMap`].
fn as_identity(limit: &Limit) -> Identity {
    Identity { page: u64::from(limit.id.0), fingerprint: 0 }
}

/// Whether the units of a charge come from those in flight. A lease has no such limits.
fn counts_in_flight(charge: &Charge<'_>) -> bool {
    charge.limits.first().is_some_and(Limit::counts_in_flight)
}
