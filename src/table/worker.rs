//! The table as one worker sees it: what the worker itself knows, apart from the shared pages.

use super::fallback::Fallback;
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

/// One worker's view of the table. A [`super::Transaction`] changes counts, see [`Table::begin`].
pub struct Table {
    seed: Seed,
    pub(super) size: TableSize,
    pub(super) worker: WorkerId,
    pub(super) fallback: Fallback,
    pub(super) leases: Leases,
    pub(super) in_flight: InFlight,
    pub(super) stalls: Stalls,
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
            in_force: IdentityMap::default(),
            stats: TableStats::default(),
        }
    }

    /// The secret that identities are hashed with.
    pub fn seed(&self) -> &Seed {
        &self.seed
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
