//! The transaction: a worker's view of the table, the store and the instant, so that they need not be passed
//! along. Its methods are in the files that do the work, see the picture in [`super`].

use super::store::Store;
use super::worker::Table;
use crate::identity::Seed;
use crate::time::{Micros, Now};

/// Charges and corrections at one instant. Each is written on its own, so nothing is left to commit or to
/// roll back.
pub struct Transaction<'a, S> {
    pub(super) table: &'a mut Table,
    pub(super) store: &'a S,
    pub(super) now: Now,
}

impl Table {
    /// Begins a transaction at `now`.
    #[inline]
    pub fn begin<'a, S: Store>(&'a mut self, store: &'a S, now: Now) -> Transaction<'a, S> {
        Transaction { table: self, store, now }
    }
}

impl<S> Transaction<'_, S> {
    /// The instant of all its charges and corrections.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The seed of the table's identities.
    pub fn seed(&self) -> &Seed {
        self.table.seed()
    }

    /// The length of the last stall, if it was recent; else 0.
    pub(super) fn stall(&self) -> Micros {
        self.table.stalls.length(self.now.mono)
    }

    /// The instant by which records expire. For a while after a stall it is the one at which the stall began.
    pub(super) fn page_clock(&self) -> Micros {
        self.now.mono.saturating_sub(self.stall())
    }
}
