//! What an operator sees of one record, and forgives: nothing here is on the way of a request.

use super::attempt::own_fingerprint;
use super::charge::{Charge, Correction, Verdicts};
use super::fleet::claim;
use super::page::{self, OVERFLOW, Page, States};
use super::store::{PageId, Read, Store};
use super::transaction::Transaction;
use crate::fleet::member::NEWCOMERS;
use crate::fleet::units::InHand;
use crate::identity::{Identity, same_identity};
use crate::limiter::{Counter, Forgiven, LimitId, Verdict};
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

/// What a worker knows of a charge that the fleet counts.
#[derive(Debug, PartialEq)]
pub enum FleetView {
    /// What a request of one unit would be told.
    Known(Verdicts),
    /// The service is to be asked: wait for the answer about this caller.
    Asked(Identity),
    /// The service does not answer, or this worker has no way to it.
    Unavailable,
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

    /// The records on these pages with one of these fingerprints, proven or not, and the limits that each counts. A page
    /// that cannot be read has none.
    pub fn search(
        &self,
        pages: impl Iterator<Item = PageId>,
        fingerprints: &[u64],
    ) -> Vec<(Identity, Vec<LimitId>)> {
        let (now, mut found) = (self.page_clock(), Vec::new());
        for number in pages {
            let Read::Present(bytes, _) = self.store.read(number) else { continue };
            let Ok(page) = Page::open(&bytes) else { continue };
            let is_meant = |own: u64| {
                // All newcomers of a full page share its overflow record, which is nobody's.
                own != OVERFLOW && fingerprints.iter().any(|meant| same_identity(own, *meant))
            };
            for record in page.records().filter(|record| is_meant(record.fingerprint) && record.lives(now)) {
                let states = States(record.states).flatten().filter(|state| state.lives(now));
                let identity = Identity { page: number.into(), fingerprint: record.fingerprint };
                found.push((identity, states.map(|state| state.limit).collect()));
            }
        }
        found
    }

    /// The caller of the fleet with this fingerprint, and the policy that counts it. `None`: this worker does not
    /// remember it.
    pub fn search_in_fleet(&self, fingerprint: u64) -> Option<(Identity, &str)> {
        self.member.as_deref()?.units.find(fingerprint)
    }

    /// Looks at a charge that the fleet counts, after the service has followed what is noted as forgiven. Unless it
    /// `may_ask`, only what this worker knows is shown. Nothing is counted.
    pub fn view_in_fleet(&mut self, charge: &Charge<'_>, may_ask: bool) -> FleetView {
        let (Some(share), now) = (charge.fleet, self.now) else { return FleetView::Unavailable };
        let Some(member) = self.member.as_deref_mut() else { return FleetView::Unavailable };
        let may_ask = may_ask && member.is_up();
        if member.seed().is_none() {
            return if may_ask { FleetView::Asked(NEWCOMERS) } else { FleetView::Unavailable };
        }
        let claim = claim(charge, share, &self.table.forgiven);
        match member.units.look(&claim, now) {
            InHand::Admitted { verdicts, .. } | InHand::Rejected(verdicts) => FleetView::Known(verdicts),
            InHand::Ask if may_ask && member.units.wait(&claim, now) => FleetView::Asked(claim.caller),
            InHand::Ask => FleetView::Unavailable,
        }
    }

    /// Forgets what was noted as forgiven: the service remembers it.
    pub fn forget_forgiven(&mut self, identity: Identity) {
        self.table.forgiven.forget(identity);
    }
}
