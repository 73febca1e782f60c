//! What an operator sees of one record, and forgives: nothing here is on the way of a request.

use super::attempt::own_fingerprint;
use super::charge::{Charge, Correction};
use super::page::{self, Page};
use super::store::{Read, Store};
use super::transaction::Transaction;
use crate::limiter::{Counter, Forgiven, Verdict};
use crate::time::Micros;
use std::sync::Arc;

/// What a record says about the limits of one charge.
pub struct RecordView {
    /// For each limit but the penalty: what a request without cost would be told, and the instant of the wall clock
    /// that was forgiven last; 0 for none.
    pub limits: Vec<(Verdict, Micros)>,
    /// Until when the policy is blocked, on the monotonic clock.
    pub blocked_until: Option<Micros>,
}

impl<S: Store> Transaction<'_, S> {
    /// Whether a limit of the charge has another algorithm or window in the latest configuration.
    pub fn is_outdated(&self, charge: &Charge<'_>) -> bool {
        charge.limits.iter().any(|limit| self.table.changed_since(limit).is_some())
    }

    /// Looks at the record of a charge. Nothing is written. `None`: the host could not read the page.
    pub fn view(&mut self, charge: &Charge<'_>) -> Option<RecordView> {
        let bytes = match self.store.read(self.table.page_of(charge.identity)) {
            Read::Absent => Vec::new(),
            Read::Present(bytes, _) => bytes,
            Read::Unavailable => return None,
        };
        let page = Page::open(&bytes).unwrap_or_else(|page::Damaged| Page::default());
        let record = page.find(own_fingerprint(charge.identity), self.page_clock());
        let states = record.map_or(&[][..], |record| record.states);
        let mut counters: Vec<Counter<'_>> =
            charge.limits.iter().map(|limit| self.open(limit, states)).collect();
        let clock = self.page_clock();
        let mut fresh = self.table.forgiven.read(charge.identity, charge.limits, states, clock);
        self.post_to(charge, &Correction::default(), &mut counters, true, fresh.as_mut());
        let all = charge.limits.iter().zip(&counters).enumerate();
        let judging = all.filter(|(_, (limit, _))| !limit.is_penalty());
        let limits = judging.map(|(index, (_, counter))| {
            (counter.judge(self.now, 0), fresh.as_ref().map_or(0, |fresh| fresh.before(index)))
        });
        let limits = limits.collect();
        let blocked_until = counters.iter().find_map(|counter| counter.penalty_end(self.now));
        Some(RecordView { limits, blocked_until })
    }

    /// Forgives now what the record of a charge counts. The entries hold for this once: the record remembers them,
    /// and no worker has to. Returns whether there was anything to forgive; `None`: the record could not be written.
    pub fn forgive_now(&mut self, charge: &Charge<'_>, entries: &Arc<[Forgiven]>) -> Option<bool> {
        let before = self.table.stats.forgiven;
        self.forgive(charge.identity, entries);
        let posted = self.post(charge, &Correction::default());
        self.table.forgiven.forget(charge.identity);
        posted.map(|_| self.table.stats.forgiven > before)
    }
}
