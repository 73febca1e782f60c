//! What responses, the ends of streams and ticks change about charges that were decided before. Nothing is
//! judged.

use super::charge::{Charge, Correction, Count, OnContention, Verdicts};
use super::store::Store;
use super::transaction::Transaction;
use crate::identity::Identity;
use crate::limiter::Limit;
use crate::time::Now;

impl<S: Store> Transaction<'_, S> {
    /// Gives back a charge that was counted at `at`, and ends what it has in flight.
    pub fn refund(&mut self, charge: &Charge<'_>, at: Now) {
        let back = Some((at, charge.cost));
        self.release(charge, at, &Correction { back, ..Correction::default() });
    }

    /// Ends what a charge has in flight that was decided at `at`, and corrects the rest of its record.
    pub fn release(&mut self, charge: &Charge<'_>, at: Now, correction: &Correction) {
        if !self.release_in_fleet(charge) {
            self.table.in_flight.remove(charge, at);
            // Nothing else of such limits is corrected.
            let only_in_flight = charge.limits.iter().all(Limit::counts_in_flight) && !correction.proves;
            if only_in_flight && self.table.in_flight.may_keep(charge, self.now) {
                return;
            }
        }
        self.correct(charge, correction);
    }

    /// Counts a charge whether or not its limits admit it.
    pub fn charge_late(&mut self, charge: &Charge<'_>) {
        let more = Some((self.now, charge.cost));
        self.correct(charge, &Correction { more, ..Correction::default() });
    }

    /// Corrects the record of a charge in one write. If that fails [`super::MAX_CAS_ATTEMPTS`] times, the
    /// correction becomes a debt of this worker. Returns the verdicts on what is left then, if it was
    /// written.
    pub fn correct(&mut self, charge: &Charge<'_>, correction: &Correction) -> Option<Verdicts> {
        if self.correct_in_fleet(charge, correction) {
            return None;
        }
        if charge.limits.iter().any(|limit| self.table.changed_since(limit).is_some()) {
            self.correct_changed_limits(charge, correction);
            return None;
        }
        self.correct_or_owe(charge, correction)
    }

    /// Corrects limits whose algorithm or window has changed since the request was decided. Their states are
    /// of the new limits, and would be lost if read as those of the old ones. Units can't be given back to
    /// another algorithm.
    fn correct_changed_limits(&mut self, charge: &Charge<'_>, correction: &Correction) {
        let latest = |limit: &Limit| self.table.changed_since(limit).copied().unwrap_or(*limit);
        let limits: Vec<Limit> = charge.limits.iter().map(latest).collect();
        let mut pairs = charge.limits.iter().zip(&limits);
        let same = pairs.all(|(one, other)| one.algorithm.kind() == other.algorithm.kind());
        let (back, returned) = (correction.back.filter(|_| same), correction.returned.filter(|_| same));
        let correction = Correction { back, returned, ..*correction };
        let _ = self.correct_or_owe(&Charge { limits: &limits, ..*charge }, &correction);
    }

    #[inline(never)]
    fn correct_or_owe(&mut self, charge: &Charge<'_>, correction: &Correction) -> Option<Verdicts> {
        if let Some(verdicts) = self.take_back(charge, correction) {
            return Some(verdicts);
        }
        let left = self.post(charge, correction);
        if left.is_none() {
            // A restart that comes later would clear what was counted in the meantime.
            let noted = self.table.fallback.owe_correction(charge, correction) && !correction.restart;
            self.table.stats.debts_dropped += u64::from(!noted);
        }
        left
    }

    /// Gives units back to the lease that served them, if that is all there is to correct.
    fn take_back(&mut self, charge: &Charge<'_>, correction: &Correction) -> Option<Verdicts> {
        let (at, units) = correction.back?;
        let only_back = Correction { back: None, kept: 0, holds: Default::default(), ..*correction };
        let counted_here = only_back.is_none() && !correction.overflowed;
        counted_here.then(|| self.table.leases.take_back(charge, at, units, self.now)).flatten()
    }

    /// The worker's tick, about once a second. Posts the debts of callers who do not come back, returns the
    /// unused units of leases that have ended, counts units that have been in flight for long enough, and renews
    /// those that are in flight for long.
    pub fn settle(&mut self) {
        self.table.stalls.tick(self.now.mono);
        let ended = self.table.leases.ended(self.now);
        self.post_open(ended);
        self.table.fallback.forget_the_idle(self.now.mono);
    }

    /// Posts everything that this worker has open and returns the unused units of every lease. Call it before
    /// the worker may go: nobody else could, and the units would stay counted for a window.
    pub fn close(&mut self) {
        let leases = self.table.leases.all();
        self.post_open(leases);
    }

    fn post_open(&mut self, leases: Vec<(Identity, Vec<Limit>)>) {
        self.table.in_flight.count_old(self.now);
        let due = [self.table.fallback.owing(), leases, self.table.in_flight.due(self.now)].concat();
        for (identity, limits) in due {
            let (count, on_contention) = (Count::Never, OnContention::Bucket);
            let nothing =
                Charge { identity, limits: &limits, cost: 0, count, on_contention, held: false, fleet: None };
            self.post(&nothing, &Correction::default());
        }
    }
}
