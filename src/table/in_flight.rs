//! This worker's units in flight. The worker knows them exactly, so every write of a record publishes them,
//! and a release that could not be written is made up for by the next write. Published units expire after
//! [`WORKER_TTL`]; the tick renews those of long streams. If a worker dies, its units expire.
//!
//! Of a large quota, as of a [lease](super::lease), what this worker has published stays published for up to
//! [`TERM`] although streams have ended, if it is at most 1 / [`FRACTION`] of what is left. So the requests of
//! a busy caller take each other's units, and most of them touch nothing shared. The units of other workers are
//! never passed over: a rejection can be too early by as much, and an admission is never too many.
//!
//! A limit with `after` counts a unit only once it has been in flight for so long. Until then the worker
//! remembers from when on it counts ([`young`]), and the shared record knows nothing of it. The tick moves it
//! to the counted units and publishes them. Such units are never kept and never taken over: an admission
//! writes nothing anyway.

mod young;

use super::charge::{Charge, Outcome, Verdicts};
use super::lease::{FRACTION, MIN_QUOTA, TERM};
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::limiter::concurrency::WORKER_TTL;
use crate::limiter::{Counter, Limit, Verdict};
use crate::time::{Micros, Now};
use young::{Young, counts_from};

/// One worker's units in flight.
#[derive(Default)]
pub(super) struct InFlight {
    /// Not bounded here: each entry has an open stream.
    limits: IdentityMap<Vec<LimitInFlight>>,
}

/// One limit of one identity.
struct LimitInFlight {
    limit: Limit,
    /// The units that count.
    units: u32,
    /// The units that do not count yet.
    young: Young,
    /// The units in the shared record.
    published: u32,
    /// When they were last written, on the monotonic clock.
    published_at: Micros,
    /// The units of the quota that nobody had published then.
    left: u64,
}

impl InFlight {
    /// Adds the units of a charge that was decided `now`.
    pub fn add(&mut self, charge: &Charge<'_>, now: Now) {
        if !charge.counts_any_in_flight() {
            return;
        }
        for one in self.of(charge) {
            let after = charge.counted_after(one.limit.id);
            if after > 0 {
                one.count_old(now);
                one.young.add(counts_from(now, after), charge.cost);
            } else {
                one.units = one.units.saturating_add(charge.cost);
            }
        }
    }

    /// Removes the units of a charge that was decided at `at`: its stream has ended.
    pub fn remove(&mut self, charge: &Charge<'_>, at: Now) {
        for one in self.of(charge) {
            let after = charge.counted_after(one.limit.id);
            // Units that are no longer young have been counted.
            let young = if after > 0 { one.young.remove(counts_from(at, after), charge.cost) } else { 0 };
            one.units = one.units.saturating_sub(charge.cost.saturating_sub(young));
        }
        self.forget_unused(charge);
    }

    /// Counts the units that have been in flight for long enough.
    pub fn count_old(&mut self, now: Now) {
        self.limits.each_mut(|entries| entries.iter_mut().for_each(|one| one.count_old(now)));
    }

    fn forget_unused(&mut self, charge: &Charge<'_>) {
        if let Some(entries) = self.limits.get_mut(charge.identity) {
            entries.retain(LimitInFlight::is_used);
            if entries.is_empty() {
                self.limits.remove(charge.identity);
            }
        }
    }

    /// The entries of a charge's limits, inserted if need be.
    fn of(&mut self, charge: &Charge<'_>) -> impl Iterator<Item = &mut LimitInFlight> {
        let counting = || charge.limits.iter().filter(|limit| limit.counts_in_flight());
        let entries = counting().next().and_then(|_| self.limits.open(charge.identity, usize::MAX));
        entries.into_iter().flat_map(move |entries| {
            for limit in counting() {
                if !entries.iter().any(|one| one.limit.id == limit.id) {
                    entries.push(LimitInFlight {
                        limit: *limit,
                        units: 0,
                        young: Young::default(),
                        published: 0,
                        published_at: 0,
                        left: 0,
                    });
                }
            }
            entries.iter_mut().filter(move |one| counting().any(|limit| limit.id == one.limit.id))
        })
    }

    /// Whether the record of a charge has enough units of this worker that no stream has any more.
    pub fn can_serve(&self, charge: &Charge<'_>, now: Now) -> bool {
        let spare = |limit: &Limit| {
            let one = self.find(charge.identity, limit).filter(|one| one.limit == *limit);
            one.is_some_and(|one| one.is_fresh(now) && one.spare() >= charge.cost)
        };
        charge.counts_if_admitted() && !charge.limits.is_empty() && charge.limits.iter().all(spare)
    }

    /// Serves a charge with such units. The caller [adds](InFlight::add) them.
    pub fn serve(&self, charge: &Charge<'_>, now: Now) -> Option<Outcome> {
        if !self.can_serve(charge, now) {
            return None;
        }
        let verdict = |limit: &Limit| Some(self.find(charge.identity, limit)?.verdict(charge.cost, now));
        let verdicts: Option<Verdicts> = charge.limits.iter().map(verdict).collect();
        Some(Outcome { verdicts: verdicts?, charged: true, ..Outcome::default() })
    }

    /// Whether the record of a charge may keep the units of streams that have ended.
    pub fn may_keep(&self, charge: &Charge<'_>, now: Now) -> bool {
        // Without an entry the record has no units of this worker.
        let keeps = |limit: &Limit| self.find(charge.identity, limit).is_none_or(|one| !one.is_due(now));
        charge.limits.iter().all(keeps)
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

    /// The record of a charge has this worker's units and `more` that are being admitted. `written`: when, and
    /// the verdicts that say what is left then, or `None` if the record had them already.
    pub fn published(&mut self, charge: &Charge<'_>, more: u32, written: Option<(Now, &[Verdict])>) {
        if !charge.counts_any_in_flight() {
            return;
        }
        for one in self.of(charge) {
            let more = if charge.counted_after(one.limit.id) > 0 { 0 } else { more };
            one.published = one.units.saturating_add(more);
            if let Some((now, verdicts)) = written {
                // What is left is by the quota of this charge, which need not be that of the entry's first one.
                if let Some(limit) = charge.limits.iter().find(|limit| limit.id == one.limit.id) {
                    one.limit = *limit;
                }
                one.published_at = now.mono;
                let mut judged = charge.judging().zip(verdicts).filter(|(limit, _)| limit.id == one.limit.id);
                one.left = judged.next().map_or(0, |(_, verdict)| verdict.remaining);
            }
        }
        self.forget_unused(charge);
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
    fn is_used(&self) -> bool {
        self.units > 0 || self.published > 0 || !self.young.is_empty()
    }

    fn count_old(&mut self, now: Now) {
        self.units = self.units.saturating_add(self.young.take_old(now));
    }

    fn is_due(&self, now: Now) -> bool {
        let is_old = now.mono.saturating_sub(self.published_at) >= WORKER_TTL / 3;
        let keeps = self.is_fresh(now)
            && self.units <= self.published
            && u64::from(self.spare()) <= self.left / FRACTION;
        self.units != self.published && !keeps || (self.units > 0 && is_old)
    }

    /// Whether what was published may still be kept.
    fn is_fresh(&self, now: Now) -> bool {
        self.limit.counts_in_flight()
            && self.limit.counts_on_arrival()
            && self.limit.quota.get() >= MIN_QUOTA
            && now.mono.saturating_sub(self.published_at) < TERM
    }

    /// The published units that no stream has.
    fn spare(&self) -> u32 {
        self.published.saturating_sub(self.units)
    }

    /// The verdict on a request that takes `cost` of the spare units.
    fn verdict(&self, cost: u32, now: Now) -> Verdict {
        let free = self.left.saturating_add(self.spare().into());
        let used = u64::from(self.limit.quota.get()).saturating_sub(free);
        let mut counter = Counter::empty(&self.limit, now);
        counter.charge(now, u32::try_from(used).unwrap_or(u32::MAX));
        counter.judge(now, cost)
    }
}

#[cfg(test)]
mod tests;
