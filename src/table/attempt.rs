//! One attempt at a charge: reads the record, posts what this worker owes to it, judges the request, and
//! prepares the page. Nothing is written here.

use super::charge::{Charge, Correction, Count, Holds, Outcome, Verdicts, admitted};
use super::forgive::FreshStarts;
use super::lease::Lease;
use super::page::{self, OVERFLOW, Page, Record, States};
use super::penalty;
use super::rewrite::{MAX_OVERFLOW_WINDOW, Plan, RecordUpdate, may_overflow};
use super::store::{Read, Store};
use super::transaction::Transaction;
use crate::identity::{Identity, same_identity};
use crate::limiter::{Counter, Limit, Opening, Verdict};
use crate::time::{Micros, Now};

/// The verdicts on a charge as its record was read, and what to write if they stand.
pub(super) struct Attempt {
    /// The verdicts if the charge is counted.
    pub verdicts: Verdicts,
    /// The verdicts if it is not counted, or if the request is rejected, where they differ.
    if_uncounted: Option<Verdicts>,
    /// Whether this attempt's write counts the charge.
    pub counts: bool,
    /// The end of the penalty that this attempt's write starts, if it starts one.
    pub penalty: Option<Micros>,
    /// See [`Outcome::overflowed`].
    pub overflowed: bool,
    /// See [`Outcome::holds`].
    pub holds: Holds,
    /// Whether this attempt's write lets counts begin at zero that an operator forgives.
    pub forgives: bool,
    pub plan: Plan,
}

impl Attempt {
    /// The outcome if the charge is not counted because another charge rejects the request.
    pub fn uncounted(self) -> Outcome {
        let overflowed = self.overflowed;
        Outcome { overflowed, ..Outcome::uncounted(self.if_uncounted.unwrap_or(self.verdicts)) }
    }

    /// See [`Outcome::unproven`].
    pub fn is_unproven(&self) -> bool {
        match &self.plan {
            Plan::Rewrite(write) => self.counts && write.unproven,
            Plan::Nothing | Plan::Settled | Plan::NoRoom => false,
        }
    }

    /// The verdicts once this attempt is written.
    pub fn into_verdicts(self, now: Now) -> Verdicts {
        match admitted(&self.verdicts) {
            true if self.counts => self.verdicts,
            true => self.if_uncounted.unwrap_or(self.verdicts),
            false => penalized(self.if_uncounted.unwrap_or(self.verdicts), self.penalty, now),
        }
    }

    /// The verdicts if this charge rejects the request, once this attempt is written.
    pub fn rejection(&self, now: Now) -> Verdicts {
        penalized(self.if_uncounted.as_ref().unwrap_or(&self.verdicts).clone(), self.penalty, now)
    }
}

/// Sets the waits in the verdicts on a rejected request that a charge has counted to those of the same
/// request `again`. Units in flight end with the request.
#[inline(never)]
pub(super) fn set_waits(charge: &Charge<'_>, verdicts: &mut [Verdict], again: &[Verdict]) {
    for (limit, (verdict, again)) in charge.judging().zip(verdicts.iter_mut().zip(again)) {
        if !limit.counts_in_flight() {
            verdict.retry_after = again.retry_after;
        }
    }
}

fn penalized(mut verdicts: Verdicts, penalty: Option<Micros>, now: Now) -> Verdicts {
    if let Some(end) = penalty {
        penalty::reject_until(end, &mut verdicts, now.mono);
    }
    verdicts
}

impl<S: Store> Transaction<'_, S> {
    /// Attempts a charge. `others`: the request has other charges, which may reject it. `None`: the host
    /// could not read the page.
    pub(super) fn attempt(&mut self, charge: &Charge<'_>, others: bool) -> Option<Attempt> {
        self.attempt_with(charge, &Correction::default(), others)
    }

    /// Attempts a charge and a correction of its record.
    pub(super) fn attempt_with(
        &mut self,
        charge: &Charge<'_>,
        correction: &Correction,
        others: bool,
    ) -> Option<Attempt> {
        let (bytes, version) = match self.store.read(self.table.page_of(charge.identity)) {
            Read::Absent => (Vec::new(), None),
            Read::Present(bytes, version) => (bytes, Some(version)),
            Read::Unavailable => return None,
        };
        let page = Page::open(&bytes).unwrap_or_else(|page::Damaged| {
            self.table.stats.damaged += 1;
            Page::default()
        });
        let owner = if correction.overflowed { OVERFLOW } else { own_fingerprint(charge.identity) };
        let mut attempt = self.attempt_in(&page, owner, charge, correction, others);
        if owner != OVERFLOW && self.is_crowded_out(&page, &attempt, charge) {
            attempt = self.attempt_in(&page, OVERFLOW, charge, correction, others);
        }
        if let Plan::Rewrite(write) = &mut attempt.plan {
            write.version = version;
        }
        Some(attempt)
    }

    /// Whether the charge's identity has no record and its page no room for one. If so it is judged and
    /// counted in the overflow record, which all newcomers of a full page share.
    fn is_crowded_out(&self, page: &Page<'_>, attempt: &Attempt, charge: &Charge<'_>) -> bool {
        let own = own_fingerprint(charge.identity);
        let is_newcomer = || page.find(own, self.page_clock()).is_none();
        match attempt.plan {
            Plan::NoRoom => is_newcomer(),
            // Nothing is to be written. Find out where units of this identity would be counted.
            Plan::Nothing => {
                charge.cost > 0
                    && page.find(OVERFLOW, self.page_clock()).is_some()
                    && is_newcomer()
                    && !self.has_room_for(page, own, charge.limits)
            }
            Plan::Settled | Plan::Rewrite(_) => false,
        }
    }

    /// Whether the page has room for a newcomer's first unit.
    fn has_room_for(&self, page: &Page<'_>, owner: u64, limits: &[Limit]) -> bool {
        let empty = |limit| Counter::empty(limit, self.now);
        let mut counters: Vec<Counter<'_>> = limits.iter().map(empty).collect();
        counters.iter_mut().for_each(|counter| counter.charge(self.now, 1));
        !matches!(self.update(page, owner, &[], limits, None).plan(&mut counters), Plan::NoRoom)
    }

    fn update<'u>(
        &self,
        page: &'u Page<'u>,
        owner: u64,
        states: &'u [u8],
        limits: &'u [Limit],
        fresh: Option<&'u FreshStarts>,
    ) -> RecordUpdate<'u> {
        let max_page_length = self.table.size.max_page_length();
        RecordUpdate { page, owner, states, limits, fresh, max_page_length, clock: self.page_clock() }
    }

    /// Attempts a charge in the record of `owner`: the identity's own record or the page's overflow record.
    fn attempt_in(
        &mut self,
        page: &Page<'_>,
        owner: u64,
        charge: &Charge<'_>,
        correction: &Correction,
        others: bool,
    ) -> Attempt {
        let now = self.now;
        let record = page.find(owner, self.page_clock());
        let states = record.map_or(&[][..], |record| record.states);
        let own = owner != OVERFLOW;
        let open = |limit| match own || may_overflow(limit) {
            true => self.open(limit, states),
            false => Counter::empty(limit, now),
        };
        let mut counters: Vec<Counter<'_>> = charge.limits.iter().map(open).collect();
        let mut fresh = match own {
            true => self.table.forgiven.read(charge.identity, charge.limits, states, self.page_clock()),
            false => None,
        };
        let posted = self.post_to(charge, correction, &mut counters, own, fresh.as_mut());
        let last_fresh = fresh.as_ref().map_or(0, FreshStarts::last);
        let forgives = fresh.as_ref().is_some_and(|fresh| fresh.forgives);
        let at_zero = penalty::keep_at_zero(charge.limits, &mut counters, now);
        if !own {
            // Nobody's late costs keep newcomers out for longer than a long window would.
            counters.iter_mut().for_each(|counter| counter.forgive(MAX_OVERFLOW_WINDOW));
        }

        let judge = |counters: &[Counter<'_>], cost: &dyn Fn(usize) -> u32| {
            penalty::judge(charge.limits, counters, cost, now)
        };
        let mut verdicts = judge(&counters, &|_| charge.cost);
        let admits = |i: usize| verdicts.get(i).is_some_and(|verdict| verdict.admitted);
        let cost_if_rejected = |i| if admits(i) { 0 } else { charge.cost };
        let admitted = admitted(&verdicts);
        // If no limit admits the charge, or it costs nothing, the verdicts are the same.
        let differs = charge.cost > 0 && verdicts.iter().any(|verdict| verdict.admitted);
        // Nor is it counted if only its response will, or only a rejection.
        let only_later = matches!(charge.count, Count::Never | Count::Rejected);
        let asked = differs && (others || !admitted || only_later);
        let mut if_uncounted = asked.then(|| judge(&counters, &cost_if_rejected));
        let counts = charge.cost > 0
            && !at_zero
            && match charge.count {
                Count::Accepted => admitted,
                Count::All => true,
                Count::Rejected | Count::Never => false,
            };
        let (mut lease, mut holds): (Option<Box<Lease>>, Holds) = Default::default();
        if counts {
            let counted = charge.limits.iter().zip(&mut counters).filter(|(limit, _)| !limit.is_penalty());
            counted.for_each(|(_, counter)| counter.reserve(now, charge.cost));
            holds.iter_mut().zip(&counters).for_each(|(hold, counter)| *hold = counter.hold());
            penalty::remember_mark(charge.limits, &counters, &mut holds);
            let [.., fresh] = &mut holds;
            *fresh = last_fresh;
            if !admitted {
                // A rejected request that counts prolongs its own wait, also by limits that admitted it.
                let mut counted = judge(&counters, &cost_if_rejected);
                set_waits(charge, &mut counted, &judge(&counters, &|_| charge.cost));
                if_uncounted = Some(counted);
            }
            // A lease in the overflow record would take units from everyone who shares it.
            let may_lease = own && !self.table.forgiven.awaits(charge.identity, now.wall);
            if may_lease {
                lease =
                    self.table.leases.take(charge, &verdicts, &mut counters, last_fresh, now).map(Box::new);
            }
        }
        let penalty = if own { penalty::start(charge.limits, &mut counters, &verdicts, now) } else { None };
        if let Some(end) = penalty {
            for verdicts in [Some(&mut verdicts), if_uncounted.as_mut()].into_iter().flatten() {
                penalty::forget_waits(charge.limits, verdicts, end, now.mono);
            }
        }

        let (owner, proves) = prove(owner, record, charge, correction);
        let written = counts && charge.counts_on_arrival();
        let changed = written
            || posted
            || proves
            || forgives
            || penalty.is_some()
            || counters.iter().any(Counter::restamped);
        let mut plan = Plan::Nothing;
        if changed {
            plan = self.update(page, owner, states, charge.limits, fresh.as_ref()).plan(&mut counters);
        }
        if let Plan::Rewrite(write) = &mut plan {
            write.lease = lease;
        }
        Attempt { verdicts, if_uncounted, counts, penalty, overflowed: !own, holds, forgives, plan }
    }

    /// Posts what this worker owes, and a correction, to the opened counters of a charge, and lets those begin at
    /// zero that an operator forgives. Returns whether there was anything to post. `own`: the counters are of the
    /// identity's own record. `fresh`: its limits' fresh starts.
    pub(super) fn post_to(
        &mut self,
        charge: &Charge<'_>,
        correction: &Correction,
        counters: &mut [Counter<'_>],
        own: bool,
        mut fresh: Option<&mut FreshStarts>,
    ) -> bool {
        // Of which mark units were that are owed back is not known. Without a mark there was no other one.
        let owes_back = own && penalty::mark(charge.limits, counters).unwrap_or_default() == 0;
        // Leases first: they move units to the times at which refunds look for them.
        let posted = self.table.leases.post(charge, counters, own, fresh.as_deref())
            | self.table.fallback.post(charge, counters, owes_back, fresh.as_deref());
        // What this worker owed was counted before.
        if let Some(fresh) = &mut fresh {
            fresh.forgive(charge.limits, counters, posted, self.now);
        }
        posted
            | self.table.in_flight.publish(charge, counters, self.now)
            | correct(charge.limits, counters, correction, own, fresh.as_deref(), self.now)
    }

    pub(super) fn open<'a>(&mut self, limit: &Limit, states: &'a [u8]) -> Counter<'a> {
        let mut content = Some(&[][..]);
        for state in States(states) {
            match state {
                Ok(state) if state.limit == limit.id && state.kind == limit.algorithm.kind() => {
                    content = Some(state.content);
                }
                Ok(_) => {}
                Err(page::Damaged) => content = None,
            }
        }
        let opening = Opening { now: self.now, worker: self.table.worker, stall: self.stall() };
        content.and_then(|content| Counter::open_with(limit, content, opening)).unwrap_or_else(|| {
            self.table.stats.damaged += 1;
            Counter::empty(limit, self.now)
        })
    }
}

/// The fingerprint under which the record is written, and whether the correction proves the record. A record
/// that is proven stays so for as long as it lives.
fn prove(
    owner: u64,
    record: Option<Record<'_>>,
    charge: &Charge<'_>,
    correction: &Correction,
) -> (u64, bool) {
    if owner == OVERFLOW {
        return (owner, false);
    }
    let was_proven = record.is_some_and(|record| record.is_proven());
    let proves = correction.proves && record.is_some() && !was_proven;
    let proven = was_proven || proves || charge.identity.is_proven();
    (Identity { page: 0, fingerprint: owner }.known(proven).fingerprint, proves)
}

/// The fingerprint of an identity's own record, which is never that of the overflow record.
pub(super) fn own_fingerprint(identity: Identity) -> u64 {
    let fingerprint = identity.fingerprint;
    if same_identity(fingerprint, OVERFLOW) { fingerprint - 1 } else { fingerprint }
}

/// Applies a correction to opened counters. Returns whether there was anything to correct. Units are given
/// back only to the record that they were counted in: in the overflow record they would be taken from other
/// identities.
///
/// `restart` comes last: it also clears what the same response has counted.
fn correct(
    limits: &[Limit],
    counters: &mut [Counter<'_>],
    correction: &Correction,
    own: bool,
    fresh: Option<&FreshStarts>,
    now: Now,
) -> bool {
    let Correction { back, kept, holds, more, returned, settled, stock, restart, proves, overflowed } =
        *correction;
    let restart = restart && own;
    if back.is_none() && more.is_none() && returned.is_none() && settled == 0 && stock.is_none() && !restart {
        return false;
    }
    let is_void = own && penalty::is_void(limits, counters, correction, now);
    let [of_limits @ .., last_fresh] = holds;
    let each_hold = of_limits.into_iter().chain(std::iter::repeat(0));
    let pairs = limits.iter().zip(counters.iter_mut()).zip(each_hold).enumerate();
    for (i, ((limit, counter), hold)) in pairs.filter(|(_, ((limit, _), _))| limit.is_correctable()) {
        let is_void = is_void || fresh.is_some_and(|fresh| fresh.is_stale(i, last_fresh));
        let back = back.filter(|_| !is_void || !limit.has_window());
        counter.settle_reserved(settled);
        // The reported number includes what the rest would change.
        if stock.is_some_and(|(units, since)| counter.report(units, since)) {
            continue;
        }
        if let Some((at, units)) = back.filter(|_| own || overflowed) {
            counter.refund_part(at, units, kept, hold);
        }
        // The proof of one caller must not prove everyone who shares the overflow record.
        if let Some((at, units)) = more.filter(|_| own || !proves) {
            counter.charge(at, units);
        }
        if let Some((at, units)) = returned.filter(|_| own) {
            counter.give_back_newest(at, units);
        }
    }
    if restart {
        penalty::restart(limits, counters, now);
    }
    true
}
