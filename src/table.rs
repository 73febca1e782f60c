//! Where counts live: a fixed number of pages in the host's shared data, and the transaction, the only
//! place where a count changes.
//!
//! `charges → lease? → read pages → judge → write back by compare-and-swap → verdicts`
//!
//! The charges of one request stand together or in order ([`together`]). One record per identity holds the
//! states of all its limits, so a policy costs one read and one write ([`attempt`]). A worker far from a large
//! limit takes several units in one write and serves them from its own memory ([`lease`]). Tries are bounded:
//! when they are spent the worker's own buckets answer, and what they admit is a debt that the next write of
//! that record posts ([`fallback`]).

mod attempt;
mod charge;
mod fallback;
mod in_flight;
mod lease;
mod page;
mod penalty;
mod request;
mod stall;
mod store;

pub use charge::{Charge, ChargeMode, Correction, Count, OnContention, Outcome, Verdicts, admitted};
pub use store::{Cas, PageId, Read, Store, Write};

#[cfg(any(test, fuzzing, feature = "cli"))]
pub use store::memory;

/// The pages' own bytes, for the fuzz targets alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub use page::{NewRecord, OVERFLOW, Page, Room, States, WELL_USED};

use crate::identity_map::IdentityMap;
use crate::key::{Identity, Seed};
use crate::limiter::Limit;
use crate::limiter::concurrency::WorkerId;
use crate::time::{Micros, Now};
use attempt::{Attempt, Plan};
use fallback::Fallback;
use in_flight::Holdings;
use lease::Leases;
use page::RESERVE;
use stall::Stalls;
use std::num::NonZeroU32;

/// Writes of one record that may meet a conflict before the fallback answers.
pub const MAX_CAS_ATTEMPTS: u32 = 8;

/// The table's size: its ceiling is `pages × page_bytes`, and the host's own share per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Pages.
    pub pages: NonZeroU32,
    /// The most bytes that the host keeps for one page.
    pub page_bytes: u16,
}

impl TableSize {
    /// The most bytes of a page. The host ends each value with a byte of its own.
    fn longest_page(&self) -> usize {
        usize::from(self.page_bytes).saturating_sub(1)
    }

    /// The most bytes one limit's state may take and still be sure to fit a page of its own.
    pub fn max_state_bytes(&self) -> usize {
        const HEADERS: usize = 32;
        usize::from(self.page_bytes).saturating_sub(RESERVE + HEADERS)
    }

    /// The most limits that one record can hold: so many states fit a page of their own, coarsened if need be.
    pub fn max_limits(&self) -> usize {
        const STATE: usize = 36;
        self.max_state_bytes() / STATE
    }
}

/// Counts of what happened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableStats {
    /// Records dropped, before they expired, to make room.
    pub evictions: u64,
    /// Requests counted in a page's overflow record.
    pub overflow: u64,
    /// Pages or states that were not what this module writes, and read as empty.
    pub damaged: u64,
    /// Writes that met a conflict.
    pub cas_misses: u64,
    /// Decisions by a worker alone.
    pub degraded: u64,
    /// Decisions from a lease, without the shared table.
    pub leased: u64,
    /// Leases not taken, since the worker has as many as it may.
    pub leases_full: u64,
    /// Corrections that could not be written and found no room among this worker's debts either.
    pub debts_dropped: u64,
}

/// The table as one worker sees it.
pub struct Table {
    seed: Seed,
    size: TableSize,
    holder: WorkerId,
    fallback: Fallback,
    leases: Leases,
    holdings: Holdings,
    stalls: Stalls,
    /// By id, the limits that the latest configuration has: a stream may end under an older one.
    in_force: IdentityMap<Option<Limit>>,
    stats: TableStats,
}

impl Table {
    /// A table with these pages. All workers must have the same seed and pages; each has its own holder.
    pub fn new(seed: Seed, size: TableSize, holder: WorkerId) -> Table {
        Table {
            seed,
            size,
            holder,
            fallback: Fallback::default(),
            leases: Leases::default(),
            holdings: Holdings::default(),
            stalls: Stalls::default(),
            in_force: IdentityMap::default(),
            stats: TableStats::default(),
        }
    }

    /// The secret that identities are hashed with.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Takes another limit of bytes for a page. The number of pages stays as it is.
    pub fn set_page_bytes(&mut self, page_bytes: u16) {
        self.size.page_bytes = page_bytes;
    }

    /// Takes the limits of a new configuration.
    pub fn set_in_force<'a>(&mut self, limits: impl Iterator<Item = &'a Limit>) {
        self.in_force = IdentityMap::default();
        for limit in limits {
            if let Some(place) = self.in_force.open(place_of(limit), usize::MAX) {
                *place = Some(*limit);
            }
        }
    }

    /// How a limit counts now, if that is otherwise than when a request was decided.
    fn changed_since(&self, limit: &Limit) -> Option<&Limit> {
        let now = self.in_force.get(place_of(limit))?.as_ref()?;
        let same = (now.algorithm.kind(), now.window) == (limit.algorithm.kind(), limit.window);
        (!same).then_some(now)
    }

    /// What happened since the last call.
    pub fn take_stats(&mut self) -> TableStats {
        let leases_full = self.leases.take_not_taken();
        TableStats { leases_full, ..std::mem::take(&mut self.stats) }
    }

    /// Judges all charges of one request and counts it as `mode` says. Answers one outcome per charge, in
    /// order.
    pub fn transact<S: Store>(
        &mut self,
        store: &S,
        charges: &[Charge<'_>],
        mode: ChargeMode,
        now: Now,
    ) -> Vec<Outcome> {
        self.stalls.notice(now.mono);
        match mode {
            ChargeMode::Sequential => self.charge_in_order(store, charges, now),
            ChargeMode::AllOrNothing => {
                let leased = self.leases.can_serve_first(charges, now);
                if leased == charges.len()
                    && leased > 0
                    && let Some(outcomes) = self.leases.draw_all(charges, now)
                {
                    self.stats.leased += 1;
                    return outcomes;
                }
                let outcomes = self.charge_all(store, charges, leased, now);
                charges.iter().zip(&outcomes).for_each(|(charge, outcome)| self.hold(charge, outcome));
                outcomes
            }
        }
    }

    /// Counts one charge, if all its limits admit it. `first` is an attempt already made.
    #[inline(never)]
    fn charge<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        first: Option<Attempt>,
        now: Now,
    ) -> Outcome {
        let mut next = first;
        let mut seen = None;
        for _ in 0..MAX_CAS_ATTEMPTS {
            let Some(attempt) = next.take().or_else(|| self.attempt(store, charge, false, now)) else {
                break;
            };
            let done = self.commit(store, charge, &attempt, now);
            let (counts, overflowed, unproven) = (attempt.counts, attempt.overflowed, attempt.is_unproven());
            let needs_no_write = !counts && attempt.penalty.is_none();
            let no_room = matches!(attempt.plan, Plan::NoRoom);
            let verdicts = attempt.answers(now);
            if done || needs_no_write {
                // What is not to be counted stands as it was read.
                return Outcome { verdicts, charged: counts, overflowed, unproven };
            }
            seen = Some(verdicts);
            if no_room {
                // Another try would find as little room.
                break;
            }
        }
        self.answer_alone(charge, seen, now)
    }

    /// The answer when the record can't be written. `seen` is how it answered when it was last read.
    fn answer_alone(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>, now: Now) -> Outcome {
        self.stats.degraded += 1;
        if let Some(verdicts) = seen.as_ref().filter(|verdicts| !admitted(verdicts)) {
            // It is rejected, and may be to be counted all the same. A penalty that could not be written starts with
            // the next rejection.
            let charged = charge.count == Count::All && self.fallback.owe(charge, charge.cost, now);
            return Outcome { verdicts: verdicts.clone(), charged, ..Outcome::default() };
        }
        let verdicts = self.fallback.answer(charge, seen, now);
        let charged = charge.count != Count::Never && admitted(&verdicts);
        Outcome { verdicts, charged, ..Outcome::default() }
    }

    /// Writes what an attempt has prepared. `false`: it met a conflict, or there is no room for it.
    fn commit<S: Store>(&mut self, store: &S, charge: &Charge<'_>, attempt: &Attempt, now: Now) -> bool {
        let more = if attempt.counts { charge.cost } else { 0 };
        let write = match &attempt.plan {
            Plan::Nothing => {
                self.holdings.told(charge, more, None);
                return true;
            }
            Plan::Settled => {
                self.settled(charge, None, now);
                self.holdings.told(charge, more, None);
                self.stats.overflow += u64::from(attempt.overflowed && attempt.counts);
                return true;
            }
            Plan::NoRoom => return false,
            Plan::Rewrite(write) => write,
        };
        match store.write(self.page_of(charge.identity), &write.bytes, write.version) {
            Write::Stored => {
                self.settled(charge, write.lease.clone(), now);
                self.holdings.told(charge, more, Some(now));
                self.stats.evictions += u64::from(write.evicted);
                self.stats.overflow += u64::from(attempt.overflowed && attempt.counts);
                true
            }
            Write::Conflict => {
                self.stats.cas_misses += 1;
                false
            }
            Write::Unavailable => false,
        }
    }

    /// What this worker owed the record of a charge is there now, and this lease, if any, in the place of the last.
    fn settled(&mut self, charge: &Charge<'_>, lease: Option<lease::Lease>, now: Now) {
        self.fallback.posted(charge, now.mono);
        self.leases.replace(charge, lease);
    }

    fn page_of(&self, identity: Identity) -> PageId {
        // A remainder is below the page count, which is a u32.
        (identity.page % u64::from(self.size.pages.get())) as PageId
    }

    /// The instant by which records expire: for a while after a stall, that at which it began.
    fn page_clock(&self, now: Now) -> Micros {
        now.mono.saturating_sub(self.stall(now))
    }

    /// For how long nobody has run, if that was just now.
    fn stall(&self, now: Now) -> Micros {
        self.stalls.length(now.mono)
    }

    /// Gives back a charge that was counted at `at`: what it did was undone, or its stream has ended.
    pub fn refund<S: Store>(&mut self, store: &S, charge: &Charge<'_>, at: Now, now: Now) {
        let back = Some((at, charge.cost));
        self.release(store, charge, &Correction { back, ..Correction::default() }, now);
    }

    /// Ends what a charge has in flight, and corrects the rest of its record.
    pub fn release<S: Store>(&mut self, store: &S, charge: &Charge<'_>, correction: &Correction, now: Now) {
        self.holdings.release(charge);
        self.correct(store, charge, correction, now);
    }

    /// Counts a charge whether or not its limits admit it: its response says that it is to be counted.
    pub fn charge_late<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Now) {
        let more = Some((now, charge.cost));
        self.correct(store, charge, &Correction { more, ..Correction::default() }, now);
    }

    /// Corrects the record of a charge, in one write. What can't be written in a bounded number of tries is a debt.
    pub fn correct<S: Store>(&mut self, store: &S, charge: &Charge<'_>, correction: &Correction, now: Now) {
        if charge.limits.iter().any(|limit| self.changed_since(limit).is_some()) {
            return self.correct_the_changed(store, charge, correction, now);
        }
        self.correct_now(store, charge, correction, now);
    }

    /// Corrects limits that count otherwise since the request was decided. Read as they were, they would lose what has been
    /// counted since. What another algorithm has counted is not there to be given back.
    #[inline(never)]
    fn correct_the_changed<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        correction: &Correction,
        now: Now,
    ) {
        let current = |limit: &Limit| self.changed_since(limit).copied().unwrap_or(*limit);
        let limits: Vec<Limit> = charge.limits.iter().map(current).collect();
        let mut kinds = charge.limits.iter().zip(&limits);
        let same = kinds.all(|(one, other)| one.algorithm.kind() == other.algorithm.kind());
        let correction = Correction { back: correction.back.filter(|_| same), ..*correction };
        self.correct_now(store, &Charge { limits: &limits, ..*charge }, &correction, now);
    }

    fn correct_now<S: Store>(&mut self, store: &S, charge: &Charge<'_>, correction: &Correction, now: Now) {
        if !self.try_to_correct(store, charge, correction, now) {
            self.stats.debts_dropped += u64::from(!self.fallback.owe_correction(charge, correction));
        }
    }

    /// Does what is to be done between requests: posts the debts of callers who do not come back, returns the
    /// units of leases that have ended, and renews what is long in flight. Call it about once a second.
    pub fn settle<S: Store>(&mut self, store: &S, now: Now) {
        self.stalls.tick(now.mono);
        let due = [self.fallback.owing(), self.leases.ended(now), self.holdings.due(now)].concat();
        for (identity, limits) in due {
            let (count, on_contention) = (Count::Never, OnContention::Bucket);
            let nothing = Charge { identity, limits: &limits, cost: 0, count, on_contention };
            self.try_to_correct(store, &nothing, &Correction::default(), now);
        }
        self.fallback.forget_the_idle(now.mono);
    }

    /// Corrects a charge's record, and posts what this worker owes to it, in a bounded number of tries. Answers whether
    /// that is done.
    fn try_to_correct<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        correction: &Correction,
        now: Now,
    ) -> bool {
        let nothing = Charge { cost: 0, count: Count::Never, ..*charge };
        for _ in 0..MAX_CAS_ATTEMPTS {
            let Some(attempt) = self.attempt_with(store, &nothing, correction, false, now) else { break };
            if self.commit(store, &nothing, &attempt, now) {
                return true;
            }
            if matches!(attempt.plan, Plan::NoRoom) {
                break;
            }
        }
        false
    }
}

/// A limit's id as a map wants it.
fn place_of(limit: &Limit) -> Identity {
    Identity { page: u64::from(limit.id.0), fingerprint: 0 }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
mod simulation;

#[cfg(test)]
mod tests;
