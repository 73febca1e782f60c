//! The transaction: a worker's view of the table, the store and the instant, so that they need not be passed
//! along. Its methods are in the files that do the work, see the picture in [`super`].

use super::store::Store;
use super::worker::Table;
use crate::fleet::member::Member;
use crate::identity::{Identity, Seeds};
use crate::limiter::Forgiven;
use crate::time::{Micros, Now};
use std::sync::Arc;

/// Charges and corrections at one instant. Each is written on its own, so nothing is left to commit or to
/// roll back.
pub struct Transaction<'a, S> {
    pub(super) table: &'a mut Table,
    pub(super) store: &'a S,
    pub(super) now: Now,
    /// This worker as a member of the fleet. `None`: there is no fleet.
    pub(super) member: Option<&'a mut Member>,
    /// Whether the request may wait for units of the fleet.
    pub(super) may_wait: bool,
}

impl Table {
    /// Begins a transaction at `now`.
    #[inline]
    pub fn begin<'a, S: Store>(&'a mut self, store: &'a S, now: Now) -> Transaction<'a, S> {
        Transaction { table: self, store, now, member: None, may_wait: false }
    }
}

impl<'a, S> Transaction<'a, S> {
    /// Charges of the fleet are decided with what this worker has in hand. If the request `may_wait`,
    /// [`Transaction::must_wait`] says whether it has to.
    #[must_use]
    pub fn in_fleet(self, member: Option<&'a mut Member>, may_wait: bool) -> Self {
        let may_wait = may_wait && member.is_some();
        Transaction { member, may_wait, ..self }
    }
}

impl<S> Transaction<'_, S> {
    /// The instant of all its charges and corrections.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The seeds of the table's and of the fleet's identities.
    pub fn seeds(&self) -> Seeds {
        Seeds {
            table: *self.table.seed(),
            fleet: self.member.as_ref().and_then(|member| member.seed().copied()),
        }
    }

    /// Notes that entries of the configuration forgive what the record of `identity` counts. The next access to
    /// the record follows those that are new to it.
    pub fn forgive(&mut self, identity: Identity, entries: &Arc<[Forgiven]>) {
        if self.table.forgiven.note(identity, entries) {
            // What was taken before must not be served afterwards.
            self.table.leases.stop_serving(identity);
        }
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
