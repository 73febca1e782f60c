//! Leases: units that a worker takes from a large limit in one write, and then serves from its own memory, so
//! that most requests of a hot caller touch nothing shared.
//!
//! # Never above the limit
//! A lease's units are counted when they are taken, stamped with the lease's **end**: later than any of them
//! can be used. So each leaves the window no earlier than its true instant would, and the cap holds. The next
//! shared access of the record, or a tick, **settles** the lease: used units get their true times, unused ones
//! go back. A worker that dies leaves its lease counted for one window.
//!
//! # How many
//! No knob. With `used` of a limit's units in `window`, a caller is expected to ask for `used × TERM / window` in
//! the term of a lease: so many are taken, or twice the last lease's if that is used up, but at most a 32nd of
//! what is left in any of the limits. So a caller who comes now and then is never given a lease, and near the
//! limit the lease shrinks to nothing: there the shared count is exact. Quotas below [`SMALL_QUOTA`] never lease, nor
//! does a policy with a penalty: every worker must see it. `W` workers hold at most `W / 32` of what
//! was left, for at most a term and a tick: that is how much too early a rejection can come.

use super::{Charge, Count, Outcome, Verdicts};
use crate::identity_map::IdentityMap;
use crate::key::Identity;
use crate::limiter::{Algorithm, Counter, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now, times};

/// How long a lease lasts: below the sliding window's tolerance for stamps ahead of the clock.
const TERM: Micros = 500 * MILLISECOND;

/// A quota below this is counted exactly, request by request.
const SMALL_QUOTA: u32 = 1_000;

/// So large a part of what is left may be leased.
const PART: u64 = 32;

/// More leases than this at once are not taken: a flood must not grow the worker's memory. Without a lease each request is
/// counted in the table by itself.
const MAX_LEASES: usize = 1_024;

/// The leases of one worker.
#[derive(Default)]
pub(super) struct Leases {
    /// An identity has one for each first of some limits.
    leases: IdentityMap<Vec<Lease>>,
    number: usize,
    /// Leases that were worth it and found no room.
    not_taken: u64,
}

/// Units of all limits of one charge.
#[derive(Clone)]
pub(super) struct Lease {
    limits: Vec<Limit>,
    /// The instant its units are counted at, which is its end.
    end: Now,
    taken: u32,
    left: u32,
    /// When how many were used, one entry for each of the finest limit's slots.
    used: Vec<(Now, u32)>,
    /// The length of these slots, and the end of the last entry's.
    slot: Micros,
    slot_ends: Micros,
    /// How the limits stood when all of it was counted.
    standing: Verdicts,
}

fn first(limits: &[Limit]) -> Option<LimitId> {
    limits.first().map(|limit| limit.id)
}

impl Leases {
    /// How many leases were not taken for want of room since the last call.
    pub fn take_not_taken(&mut self) -> u64 {
        std::mem::take(&mut self.not_taken)
    }

    /// How many of these charges, from the first on, have leases with enough units.
    pub fn can_serve_first(&self, charges: &[Charge<'_>], now: Now) -> usize {
        charges.iter().take_while(|charge| self.can_serve(charge, now)).count()
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

    /// Serves charges that are known to have leases with enough units. `None`: one has none at all.
    pub fn draw_all(&mut self, charges: &[Charge<'_>], now: Now) -> Option<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(charges.len());
        for charge in charges {
            outcomes.push(self.of_mut(charge)?.serve(charge.cost, now));
        }
        Some(outcomes)
    }

    /// How a charge that has a lease would be answered, if it were not to be counted.
    pub fn look(&self, charge: &Charge<'_>, now: Now) -> Option<Verdicts> {
        self.of(charge).map(|lease| lease.verdicts(now))
    }

    /// Takes a lease beside a charge that has been judged with these verdicts and has just been counted in `counters`, if
    /// it is worth it.
    pub fn take(
        &mut self,
        charge: &Charge<'_>,
        judged: &[Verdict],
        counters: &mut [Counter<'_>],
        now: Now,
    ) -> Option<Lease> {
        if !charge.limits.iter().all(may_lease) {
            return None;
        }
        let last = self.of(charge);
        if last.is_some_and(|lease| lease.limits != charge.limits) {
            return None; // it is to be settled first
        }
        let expected = charge.limits.iter().zip(judged).map(|(limit, verdict)| {
            let used = u64::from(limit.quota.get()).saturating_sub(verdict.remaining);
            times(used, TERM) / limit.window
        });
        // The last lease was too small if none of it is left.
        let grown = last.filter(|last| last.left < charge.cost).map(|last| u64::from(last.taken) * 2);
        let expected = expected.max()?.max(grown.unwrap_or_default());
        let most = judged.iter().map(|verdict| verdict.remaining / PART).min()?;
        let units = u32::try_from(expected.min(most)).ok().filter(|units| *units > charge.cost)?;
        if last.is_none() && self.number >= MAX_LEASES {
            self.not_taken += 1;
            return None;
        }
        // Units of an aligned window are good only until its edge.
        let edges = charge.limits.iter().zip(judged).filter(|(limit, _)| is_aligned(limit));
        let edge = edges.map(|(_, verdict)| verdict.full_reset).min().unwrap_or(Micros::MAX);
        let term = TERM.min(edge.saturating_sub(now.mono).saturating_sub(1));
        let end = Now { mono: now.mono.saturating_add(term), wall: now.wall.saturating_add(term) };
        counters.iter_mut().for_each(|counter| counter.charge(end, units));
        let standing = counters.iter().map(|counter| counter.judge(now, 0)).collect();
        Some(Lease {
            limits: charge.limits.to_vec(),
            end,
            taken: units,
            left: units,
            used: Vec::new(),
            slot: charge.limits.iter().map(slot).min().unwrap_or(MILLISECOND),
            slot_ends: 0,
            standing,
        })
    }

    /// Settles the lease of a charge in its opened counters, those of its own record or, if that is gone, of one that has
    /// nothing to give back. Answers whether there was one.
    pub fn post(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>], own: bool) -> bool {
        let Some(lease) = self.of(charge).filter(|lease| lease.limits == charge.limits) else { return false };
        let taken = if own { lease.taken } else { 0 };
        counters.iter_mut().for_each(|counter| counter.settle(lease.end, taken, &lease.used));
        true
    }

    fn of(&self, charge: &Charge<'_>) -> Option<&Lease> {
        let leases = self.leases.get(charge.identity)?;
        leases.iter().find(|lease| first(&lease.limits) == first(charge.limits))
    }

    fn of_mut(&mut self, charge: &Charge<'_>) -> Option<&mut Lease> {
        let leases = self.leases.get_mut(charge.identity)?;
        leases.iter_mut().find(|lease| first(&lease.limits) == first(charge.limits))
    }

    /// The lease of a charge is settled, and this one, if any, is in its place. A lease of limits that have
    /// since been changed is not: a tick settles it.
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

    /// Whose leases have ended and are to be settled.
    pub fn ended(&self, now: Now) -> Vec<(Identity, Vec<Limit>)> {
        let of_one = |(identity, leases): (Identity, &Vec<Lease>)| {
            let ended = leases.iter().filter(|lease| lease.end.mono < now.mono);
            ended.map(|lease| (identity, lease.limits.clone())).collect::<Vec<_>>()
        };
        self.leases.iter().flat_map(of_one).collect()
    }
}

/// Whether a limit's units can be counted ahead and put back.
fn may_lease(limit: &Limit) -> bool {
    let counted_by_time = match limit.algorithm {
        Algorithm::SlidingWindow(_) | Algorithm::FixedWindow | Algorithm::Calendar(_) => true,
        Algorithm::SlidingCounter
        | Algorithm::TokenBucket { .. }
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => false,
    };
    counted_by_time && limit.quota.get() >= SMALL_QUOTA
}

/// How far apart uses of a limit may be and be counted at one time. In an aligned window they may be as far apart as
/// can be, since no lease passes its edge.
fn slot(limit: &Limit) -> Micros {
    match limit.algorithm {
        Algorithm::SlidingWindow(slots) => slots.length(),
        Algorithm::FixedWindow | Algorithm::Calendar(_) => Micros::MAX,
        Algorithm::SlidingCounter
        | Algorithm::TokenBucket { .. }
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => MILLISECOND,
    }
}

fn is_aligned(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::FixedWindow | Algorithm::Calendar(_) => true,
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::TokenBucket { .. }
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => false,
    }
}

impl Lease {
    fn can_serve(&self, charge: &Charge<'_>, now: Now) -> bool {
        let counts = charge.count != Count::Never;
        counts && now.mono <= self.end.mono && charge.cost <= self.left && self.limits == charge.limits
    }

    fn serve(&mut self, cost: u32, now: Now) -> Outcome {
        self.left = self.left.saturating_sub(cost);
        match self.used.last_mut() {
            // The later instant stands for all of a slot: no stamp is ever too early, and rounded up to the slot they
            // are the same. A log with coarser slots has this one's within one of them.
            Some((at, units)) if at.mono <= now.mono && now.mono <= self.slot_ends => {
                (*at, *units) = (now, units.saturating_add(cost));
            }
            Some(_) | None => {
                self.used.push((now, cost));
                self.slot_ends = now.mono.checked_next_multiple_of(self.slot).unwrap_or(Micros::MAX);
            }
        }
        Outcome { verdicts: self.verdicts(now), charged: true, ..Outcome::default() }
    }

    /// How its limits stand, with what is left of it.
    fn verdicts(&self, now: Now) -> Verdicts {
        let left = u64::from(self.left);
        let verdict = |(limit, standing): (&Limit, &Verdict)| {
            let full_reset = match is_aligned(limit) {
                true => standing.full_reset,
                false => standing.full_reset.max(now.mono.saturating_add(limit.window)),
            };
            Verdict { remaining: standing.remaining.saturating_add(left), full_reset, ..*standing }
        };
        self.limits.iter().zip(&self.standing).map(verdict).collect()
    }
}

#[cfg(test)]
mod tests;
