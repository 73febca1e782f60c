//! One charge or correction: attempted and written until a write succeeds, up to [`MAX_CAS_ATTEMPTS`] times.

use super::attempt::Attempt;
use super::charge::{Charge, Correction, Count, Outcome, Verdicts, admitted};
use super::lease::Lease;
use super::rewrite::Plan;
use super::store::{Store, Write};
use super::transaction::Transaction;

/// A record's write is attempted up to this many times if other workers write the page in between.
pub const MAX_CAS_ATTEMPTS: u32 = 8;

impl<S: Store> Transaction<'_, S> {
    /// Counts a charge if all its limits admit it. `first` is an attempt that was made already.
    pub(super) fn charge_one(&mut self, charge: &Charge<'_>, first: Option<Attempt>) -> Outcome {
        if let Some(outcome) = self.charge_fleet(charge) {
            return outcome;
        }
        let mut next = first;
        let mut seen = None;
        for _ in 0..MAX_CAS_ATTEMPTS {
            let Some(attempt) = next.take().or_else(|| self.attempt(charge, false)) else {
                break;
            };
            let done = self.write(charge, &attempt);
            let (counts, overflowed, unproven) = (attempt.counts, attempt.overflowed, attempt.is_unproven());
            let holds = attempt.holds;
            let needs_no_write = !(counts && charge.counts_on_arrival()) && attempt.penalty.is_none();
            let no_room = matches!(attempt.plan, Plan::NoRoom);
            let verdicts = attempt.into_verdicts(self.now);
            if done || needs_no_write {
                // Without a unit or a penalty to count, the verdicts hold even if the write failed.
                return Outcome {
                    verdicts,
                    charged: counts,
                    overflowed,
                    holds,
                    unproven,
                    ..Outcome::default()
                };
            }
            seen = Some(verdicts);
            if no_room {
                // Another attempt would find no more room.
                break;
            }
        }
        self.decide_alone(charge, seen)
    }

    /// Posts what this worker owes to a charge's record, together with a correction. Returns the
    /// verdicts on what is left then, if it was written.
    pub(super) fn post(&mut self, charge: &Charge<'_>, correction: &Correction) -> Option<Verdicts> {
        let nothing = Charge { cost: 0, count: Count::Never, ..*charge };
        for _ in 0..MAX_CAS_ATTEMPTS {
            let Some(attempt) = self.attempt_with(&nothing, correction, false) else { break };
            if self.write(&nothing, &attempt) {
                return Some(attempt.verdicts);
            }
            if matches!(attempt.plan, Plan::NoRoom) {
                break;
            }
        }
        None
    }

    /// The outcome if the record can't be written. `seen` are the verdicts of the last attempt.
    fn decide_alone(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>) -> Outcome {
        self.table.stats.degraded += 1;
        if let Some(verdicts) = seen.as_ref().filter(|verdicts| !admitted(verdicts)) {
            // Rejected requests may count, too. A penalty that could not be written starts with the next
            // rejection.
            let charged =
                charge.count == Count::All && self.table.fallback.owe(charge, charge.cost, self.now);
            return Outcome { verdicts: verdicts.clone(), charged, ..Outcome::default() };
        }
        let verdicts = self.table.fallback.decide(charge, seen, self.now);
        let charged = charge.counts_if_admitted() && admitted(&verdicts);
        Outcome { verdicts, charged, ..Outcome::default() }
    }

    /// Writes what an attempt has planned. `false`: there was a conflict, no room, or an error of the host.
    fn write(&mut self, charge: &Charge<'_>, attempt: &Attempt) -> bool {
        let more = if attempt.counts { charge.cost } else { 0 };
        let write = match &attempt.plan {
            Plan::Nothing => {
                self.table.in_flight.published(charge, more, None);
                return true;
            }
            Plan::Settled => {
                self.settled(charge, None);
                self.table.in_flight.published(charge, more, None);
                self.table.stats.overflow += u64::from(attempt.overflowed && attempt.counts);
                return true;
            }
            Plan::NoRoom => return false,
            Plan::Rewrite(write) => write,
        };
        match self.store.write(self.table.page_of(charge.identity), &write.bytes, write.version) {
            Write::Stored => {
                self.settled(charge, write.lease.as_deref().cloned());
                self.table.in_flight.published(charge, more, Some((self.now, &attempt.verdicts)));
                self.table.stats.evictions += u64::from(write.evicted);
                self.table.stats.forgiven += u64::from(attempt.forgives);
                self.table.stats.overflow += u64::from(attempt.overflowed && attempt.counts);
                true
            }
            Write::Conflict => {
                self.table.stats.cas_misses += 1;
                false
            }
            Write::Unavailable => false,
        }
    }

    /// The record has what this worker owed to it. `lease`, if any, replaces the charge's last one.
    fn settled(&mut self, charge: &Charge<'_>, lease: Option<Lease>) {
        self.table.fallback.posted(charge, self.now.mono);
        self.table.leases.replace(charge, lease);
    }
}
