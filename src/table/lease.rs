//! Leases: units that a worker takes from a large limit in one write and then serves from its own memory, so
//! that most requests of a busy caller touch nothing shared.
//!
//! # Never above the limit
//! A lease's units are counted when they are taken, stamped with the lease's **end**, which is later than any
//! of them can be used. So no unit leaves the window earlier than it would with its true time, and the cap
//! holds. The next shared access to the record, or a tick, **settles** the lease: used units get their true
//! times, and unused ones are given back. The lease of a worker that dies stays counted for one window.
//!
//! # How many units
//! This is not configurable. With `used` units of a limit in `window`, a caller is expected to ask for `used
//! × TERM / window` units during a lease. The worker takes that many, or twice as many as last time if the
//! last lease was used up, but at most a 32nd of what is left in any of the limits. So an occasional caller
//! never gets a lease, and close to the limit leases shrink to nothing, and the shared count is exact. Quotas
//! below [`MIN_QUOTA`] are never leased, nor are those of a policy with a penalty, which every worker must
//! see. `W` workers hold at most `W / 32` of what was left, for at most a term and a tick: that is how much
//! too early a rejection can be.
//!
//! Units that requests only hold until their responses, as with `count_on`, come back at once. So the count
//! says nothing about how many are asked for, and [`HELD`] of them are taken for any caller. A unit that comes
//! back while its lease lasts goes back to the lease.

use super::charge::{Charge, Outcome, Verdicts};
use super::forgive::FreshStarts;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::limiter::{Counter, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now, times};

/// A lease's length. Below the sliding window's tolerance for stamps that are ahead of the clock.
pub(super) const TERM: Micros = 500 * MILLISECOND;

/// Smaller quotas are never leased.
pub(super) const MIN_QUOTA: u32 = 1_000;

/// At most 1 / `FRACTION` of the remaining units is leased.
pub(super) const FRACTION: u64 = 32;

/// How many units are leased where requests only hold them: so many requests of a caller can be in flight in a
/// worker without a shared access each.
const HELD: u64 = 8;

/// The maximum number of leases at once, so that a flood can't grow the worker's memory. Without a lease,
/// each request is counted in the table.
const MAX_LEASES: usize = 1_024;

/// The leases of one worker.
#[derive(Default)]
pub(super) struct Leases {
    /// The leases of an identity differ in the first of their limits.
    leases: IdentityMap<Vec<Lease>>,
    /// The number of leases of all identities.
    number: usize,
    /// The number of leases that were not taken because there were [`MAX_LEASES`].
    not_taken: u64,
}

/// Units of all limits of a charge.
#[derive(Clone)]
pub(super) struct Lease {
    limits: Vec<Limit>,
    /// When it was taken, together with a charge. Charges before are not of this lease.
    began: Now,
    /// The units of that charge, which are counted beside the lease.
    first: u32,
    /// Those that came back. They are given back when the lease is settled.
    back: u32,
    /// The lease's end, at which its units are counted.
    end: Now,
    taken: u32,
    left: u32,
    /// The used units and when, one entry per slot of the limit with the shortest slots.
    used: Vec<(Now, u32)>,
    /// The length of these slots.
    slot: Micros,
    /// The end of the last entry's slot.
    slot_ends: Micros,
    /// The verdicts after all of the lease's units were counted.
    when_taken: Verdicts,
    /// The last fresh start of the record when it was taken. If there is a later one, its units are forgiven.
    fresh: Micros,
    /// Whether it serves nobody any more.
    stopped: bool,
}

fn first(limits: &[Limit]) -> Option<LimitId> {
    limits.first().map(|limit| limit.id)
}

impl Leases {
    /// Takes the number of leases that were not taken since the last call because there were too many.
    pub fn take_not_taken(&mut self) -> u64 {
        std::mem::take(&mut self.not_taken)
    }

    /// Whether a charge has a lease with enough units.
    pub fn can_serve(&self, charge: &Charge<'_>, now: Now) -> bool {
        self.of(charge).is_some_and(|lease| lease.can_serve(charge, now))
    }

    /// Serves a charge, if it has a lease with enough units.
    pub fn serve(&mut self, charge: &Charge<'_>, now: Now) -> Option<Outcome> {
        let lease = self.of_mut(charge).filter(|lease| lease.can_serve(charge, now))?;
        Some(lease.serve(charge.cost, now))
    }

    /// Serves a charge whose lease is known to have enough units. `None`: it has no lease.
    pub fn serve_known(&mut self, charge: &Charge<'_>, now: Now) -> Option<Outcome> {
        Some(self.of_mut(charge)?.serve(charge.cost, now))
    }

    /// The verdicts on a charge that is not counted, if it has a lease.
    pub fn look(&self, charge: &Charge<'_>, now: Now) -> Option<Verdicts> {
        self.of(charge).map(|lease| lease.verdicts(now))
    }

    /// Takes a lease for the caller of a charge, if it pays. The charge was `judged` and has been counted in
    /// `counters`. `fresh` is the last fresh start of the record.
    pub fn take(
        &mut self,
        charge: &Charge<'_>,
        judged: &[Verdict],
        counters: &mut [Counter<'_>],
        fresh: Micros,
        now: Now,
    ) -> Option<Lease> {
        if !charge.limits.iter().all(may_lease) {
            return None;
        }
        let last = self.of(charge);
        if last.is_some_and(|lease| lease.limits != charge.limits) {
            return None; // it has to be settled first
        }
        let expected = charge.limits.iter().zip(judged).map(|(limit, verdict)| {
            let used = u64::from(limit.quota.get()).saturating_sub(verdict.remaining);
            times(used, TERM) / limit.window
        });
        // If the last lease is used up, it was too small.
        let grown = last.filter(|last| last.left < charge.cost).map(|last| u64::from(last.taken) * 2);
        let held = if charge.held { HELD.saturating_mul(charge.cost.into()) } else { 0 };
        let expected = expected.max()?.max(grown.unwrap_or_default()).max(held);
        let max = judged.iter().map(|verdict| verdict.remaining / FRACTION).min()?;
        let units = u32::try_from(expected.min(max)).ok().filter(|units| *units > charge.cost)?;
        if last.is_none() && self.number >= MAX_LEASES {
            self.not_taken += 1;
            return None;
        }
        // Units of an aligned window end with it.
        let edges = charge.limits.iter().zip(judged).filter(|(limit, _)| limit.algorithm.is_aligned());
        let edge = edges.map(|(_, verdict)| verdict.full_reset).min().unwrap_or(Micros::MAX);
        let term = TERM.min(edge.saturating_sub(now.mono).saturating_sub(1));
        let end = Now { mono: now.mono.saturating_add(term), wall: now.wall.saturating_add(term) };
        counters.iter_mut().for_each(|counter| counter.charge(end, units));
        let when_taken = counters.iter().map(|counter| counter.judge(now, 0)).collect();
        Some(Lease {
            limits: charge.limits.to_vec(),
            began: now,
            first: charge.cost,
            back: 0,
            end,
            taken: units,
            left: units,
            used: Vec::new(),
            slot: charge.limits.iter().map(|limit| limit.algorithm.resolution()).min().unwrap_or(MILLISECOND),
            slot_ends: 0,
            when_taken,
            fresh,
            stopped: false,
        })
    }

    /// Takes back units that the charge's lease has served, so that they can be used again, or those that it was
    /// taken with. Returns the verdicts on what is left then. `None`: they are others.
    pub fn take_back(&mut self, charge: &Charge<'_>, at: Now, units: u32, now: Now) -> Option<Verdicts> {
        let of_this = |lease: &&mut Lease| {
            !lease.stopped && lease.limits == charge.limits && at.mono >= lease.began.mono
        };
        let lease = self.of_mut(charge).filter(of_this)?;
        if at.mono == lease.began.mono && units <= lease.first {
            (lease.first, lease.back) = (lease.first - units, lease.back.saturating_add(units));
            return Some(lease.verdicts(now));
        }
        let slot = |at: &Now| at.mono.checked_next_multiple_of(lease.slot);
        // Within a slot all units are alike.
        let entry =
            lease.used.iter().rposition(|(used, _)| used.mono >= at.mono && slot(used) == slot(&at))?;
        let (_, used) = lease.used.get_mut(entry)?;
        *used = used.checked_sub(units)?;
        lease.left = lease.left.saturating_add(units);
        Some(lease.verdicts(now))
    }

    /// Settles the lease of a charge in its opened counters. Returns whether there was one. `own`: the
    /// counters are of its own record; only that one has units to give back. Where the counts have begun at zero
    /// since it was taken (`fresh`), only units that were used later count, and none are given back.
    pub fn post(
        &self,
        charge: &Charge<'_>,
        counters: &mut [Counter<'_>],
        own: bool,
        fresh: Option<&FreshStarts>,
    ) -> bool {
        let Some(lease) = self.of(charge).filter(|lease| lease.limits == charge.limits) else { return false };
        for (i, counter) in counters.iter_mut().enumerate() {
            if let Some(fresh) = fresh.filter(|fresh| fresh.is_stale(i, lease.fresh)) {
                lease.post_stale(counter, |at| fresh.is_new(i, at, 0));
                continue;
            }
            let taken = if own { lease.taken } else { 0 };
            let back = if own { lease.back } else { 0 };
            counter.settle(lease.end, taken, &lease.used);
            if back > 0 {
                counter.refund(lease.began, back);
            }
        }
        true
    }

    /// The leases of a record serve nobody any more. The next access settles them.
    pub fn stop_serving(&mut self, identity: Identity) {
        for identity in [false, true].map(|proven| identity.known(proven)) {
            self.leases.get_mut(identity).into_iter().flatten().for_each(|lease| lease.stopped = true);
        }
    }

    fn of(&self, charge: &Charge<'_>) -> Option<&Lease> {
        let leases = self.leases.get(charge.identity)?;
        leases.iter().find(|lease| first(&lease.limits) == first(charge.limits))
    }

    fn of_mut(&mut self, charge: &Charge<'_>) -> Option<&mut Lease> {
        let leases = self.leases.get_mut(charge.identity)?;
        leases.iter_mut().find(|lease| first(&lease.limits) == first(charge.limits))
    }

    /// Replaces the lease of a charge, which has been settled, by this one, if any. If the limits have
    /// changed since, the old lease stays until a tick settles it.
    pub fn replace(&mut self, charge: &Charge<'_>, lease: Option<Lease>) {
        match (self.of(charge), &lease) {
            (None, None) => return,
            (Some(last), _) if last.limits != charge.limits => return,
            (Some(_), _) | (None, Some(_)) => {}
        }
        let Some(leases) = self.leases.open(charge.identity, usize::MAX) else { return };
        let before = leases.len();
        leases.retain(|last| last.limits != charge.limits);
        leases.extend(lease);
        self.number = self.number + leases.len() - before;
        if leases.is_empty() {
            self.leases.remove(charge.identity);
        }
    }

    /// The identities whose leases have ended, and the leases' limits.
    pub fn ended(&self, now: Now) -> Vec<(Identity, Vec<Limit>)> {
        self.select(|lease| lease.end.mono < now.mono)
    }

    /// All identities that have leases, and the leases' limits.
    pub fn all(&self) -> Vec<(Identity, Vec<Limit>)> {
        self.select(|_| true)
    }

    fn select(&self, is_wanted: impl Fn(&Lease) -> bool) -> Vec<(Identity, Vec<Limit>)> {
        let of_one = |(identity, leases): (Identity, &Vec<Lease>)| {
            let wanted = leases.iter().filter(|lease| is_wanted(lease));
            wanted.map(|lease| (identity, lease.limits.clone())).collect::<Vec<_>>()
        };
        self.leases.iter().flat_map(of_one).collect()
    }
}

/// Whether units of a limit may be leased.
fn may_lease(limit: &Limit) -> bool {
    limit.algorithm.counts_by_time() && limit.quota.get() >= MIN_QUOTA
}

impl Lease {
    fn can_serve(&self, charge: &Charge<'_>, now: Now) -> bool {
        charge.counts_if_admitted()
            && !self.stopped
            && now.mono <= self.end.mono
            && charge.cost <= self.left
            && self.limits == charge.limits
    }

    fn serve(&mut self, cost: u32, now: Now) -> Outcome {
        self.left = self.left.saturating_sub(cost);
        match self.used.last_mut() {
            // All units of a slot get the latest instant: no stamp is too early, and rounded up to the slot
            // they are equal. A log with longer slots has this slot within one of them.
            Some((at, units)) if at.mono <= now.mono && now.mono <= self.slot_ends => {
                (*at, *units) = (now, units.saturating_add(cost));
            }
            Some(_) | None => {
                self.used.push((now, cost));
                self.slot_ends = now.mono.checked_next_multiple_of(self.slot).unwrap_or(Micros::MAX);
            }
        }
        let holds = [0, 0, 0, 0, self.fresh];
        Outcome { verdicts: self.verdicts(now), charged: true, holds, ..Outcome::default() }
    }

    #[inline(never)] // rarely called
    fn post_stale(&self, counter: &mut Counter<'_>, is_new: impl Fn(Micros) -> bool) {
        let used: Vec<(Now, u32)> = self.used.iter().copied().filter(|(at, _)| is_new(at.mono)).collect();
        counter.settle(self.end, 0, &used);
    }

    /// The verdicts on a charge that has just been served.
    fn verdicts(&self, now: Now) -> Verdicts {
        let left = u64::from(self.left) + u64::from(self.back);
        let verdict = |(limit, when_taken): (&Limit, &Verdict)| {
            let full_reset = match limit.algorithm.is_aligned() {
                true => when_taken.full_reset,
                false => when_taken.full_reset.max(now.mono.saturating_add(limit.window)),
            };
            Verdict { remaining: when_taken.remaining.saturating_add(left), full_reset, ..*when_taken }
        };
        self.limits.iter().zip(&self.when_taken).map(verdict).collect()
    }
}

#[cfg(test)]
mod tests;
