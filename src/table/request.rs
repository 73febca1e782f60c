//! All charges of one request, and how they depend on each other: all or nothing, or in order.

use super::attempt::{Attempt, set_waits};
use super::charge::{Charge, ChargeMode, Correction, Count, Outcome, Verdicts, admitted};
use super::store::{PageId, Store};
use super::transaction::Transaction;
use crate::limiter::{Counter, Verdict};
use crate::time::Now;

/// Where the units of a charge come from.
#[allow(clippy::large_enum_variant, reason = "boxing would allocate for every request")]
enum UnitSource {
    /// What this worker has: a lease, or units that it has published in vain.
    Lease,
    /// The shared table, with this first attempt. `None`: the host could not read the page.
    Table(Option<Attempt>),
    /// The fleet, with this outcome if the charge is not counted.
    Fleet(Outcome),
}

impl UnitSource {
    fn rejects(&self) -> bool {
        match self {
            UnitSource::Lease | UnitSource::Table(None) => false,
            UnitSource::Table(Some(attempt)) => !admitted(&attempt.verdicts),
            UnitSource::Fleet(outcome) => !outcome.admitted(),
        }
    }
}

impl<S: Store> Transaction<'_, S> {
    /// Judges all charges of a request, and counts them as `mode` says. Returns one outcome per charge, in
    /// order.
    pub fn charge(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Vec<Outcome> {
        self.table.stalls.notice(self.now.mono);
        match charges.iter().any(Charge::is_peek) {
            true => self.charge_beside_peeks(charges, mode),
            false => self.charge_asked(charges, mode),
        }
    }

    /// Charges without those that only look, which neither reject the request nor are counted.
    #[inline(never)] // rarely called
    fn charge_beside_peeks(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Vec<Outcome> {
        let asked: Vec<Charge<'_>> = charges.iter().copied().filter(|charge| !charge.is_peek()).collect();
        let mut outcomes = self.charge_asked(&asked, mode).into_iter();
        let outcome = |charge: &Charge<'_>| match charge.is_peek() {
            true => self.peek(charge),
            false => outcomes.next().unwrap_or_default(),
        };
        charges.iter().map(outcome).collect()
    }

    /// What is left for the caller of a request that costs nothing.
    fn peek(&mut self, charge: &Charge<'_>) -> Outcome {
        let mut verdicts = self.look(charge).verdicts;
        verdicts.iter_mut().for_each(|verdict| (verdict.admitted, verdict.retry_after) = (true, 0));
        Outcome::uncounted(verdicts)
    }

    fn charge_asked(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Vec<Outcome> {
        let mut outcomes = self.charge_by_mode(charges, mode);
        if charges.iter().any(|charge| charge.count == Count::Rejected) {
            self.count_rejection(charges, &mut outcomes);
        }
        outcomes
    }

    /// Counts a rejected request where rejections count. A charge that rejects the request itself does not
    /// count it, so a caller is never rejected for longer only for coming back.
    #[inline(never)] // rarely called
    fn count_rejection(&mut self, charges: &[Charge<'_>], outcomes: &mut [Outcome]) {
        if outcomes.iter().all(Outcome::admitted) {
            return;
        }
        for (charge, outcome) in charges.iter().zip(outcomes.iter_mut()) {
            if charge.count == Count::Rejected && outcome.admitted() {
                let counted = Charge { count: Count::Accepted, ..*charge };
                if self.count_in_fleet(&counted) {
                    outcome.charged = true;
                    continue;
                }
                *outcome = self.charge_one(&counted, None);
            }
        }
        // A client that waits for as long as this rejection announces must not come back into the ban.
        self.wait_for_counted(charges, outcomes);
    }

    fn charge_by_mode(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Vec<Outcome> {
        match mode {
            ChargeMode::Sequential => {
                let mut outcomes = self.charge_in_order(charges);
                self.wait_for_counted(charges, &mut outcomes);
                outcomes
            }
            ChargeMode::AllOrNothing => {
                let leased = self.table.can_serve_first(charges, self.now);
                if leased == charges.len()
                    && leased > 0
                    && let Some(outcomes) = self.table.serve_all(charges, self.now)
                {
                    self.table.stats.leased += 1;
                    return outcomes;
                }
                let mut outcomes = self.charge_all_or_nothing(charges, leased);
                self.wait_for_counted(charges, &mut outcomes);
                charges
                    .iter()
                    .zip(&outcomes)
                    .for_each(|(charge, outcome)| self.note_in_flight(charge, outcome));
                outcomes
            }
        }
    }

    fn note_in_flight(&mut self, charge: &Charge<'_>, outcome: &Outcome) {
        if outcome.charged && !outcome.in_fleet {
            self.table.in_flight.add(charge, self.now);
        }
    }

    fn charge_in_order(&mut self, charges: &[Charge<'_>]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(charges.len());
        let (mut rejected, mut leased) = (false, !charges.is_empty());
        for charge in charges {
            let served = if rejected { None } else { self.table.serve(charge, self.now) };
            leased &= served.is_some();
            // Charges after a rejection are only looked at, to find the longest wait.
            let outcome = served.unwrap_or_else(|| match rejected {
                true => self.pass_over(charge),
                false => self.charge_one(charge, None),
            });
            self.note_in_flight(charge, &outcome);
            rejected |= !outcome.admitted();
            outcomes.push(outcome);
        }
        self.table.stats.leased += u64::from(leased);
        outcomes
    }

    /// If the request is rejected, adds the waits of charges that admitted and counted it, and that have no
    /// room for the same request again.
    #[inline(never)]
    fn wait_for_counted(&mut self, charges: &[Charge<'_>], outcomes: &mut [Outcome]) {
        if outcomes.iter().all(Outcome::admitted) {
            return;
        }
        for (charge, outcome) in charges.iter().zip(outcomes) {
            let used_up = |verdict: &Verdict| verdict.remaining < u64::from(charge.cost);
            if outcome.charged && outcome.admitted() && outcome.verdicts.iter().any(used_up) {
                let again = self.look(charge).verdicts;
                set_waits(charge, &mut outcome.verdicts, &again);
            }
        }
    }

    /// The only charge of a request, which has no lease with enough units.
    fn charge_only(&mut self, charge: &Charge<'_>) -> Outcome {
        let source = match self.look_in_fleet(charge) {
            Some(outcome) => UnitSource::Fleet(outcome),
            None => UnitSource::Table(self.attempt(charge, false)),
        };
        match source {
            source if source.rejects() => self.reject(charge, source),
            UnitSource::Table(attempt) => self.charge_one(charge, attempt),
            UnitSource::Lease | UnitSource::Fleet(_) => self.charge_one(charge, None),
        }
    }

    /// The first `leased` charges have leases with enough units, and the next one has none.
    fn charge_all_or_nothing(&mut self, charges: &[Charge<'_>], leased: usize) -> Vec<Outcome> {
        if let ([charge], 0) = (charges, leased) {
            return vec![self.charge_only(charge)];
        }
        let mut sources: Vec<UnitSource> = Vec::with_capacity(charges.len());
        for (i, charge) in charges.iter().enumerate() {
            let leased = i < leased || i > leased && self.table.can_serve(charge, self.now);
            sources.push(match leased {
                true => UnitSource::Lease,
                false => match self.look_in_fleet(charge) {
                    Some(outcome) => UnitSource::Fleet(outcome),
                    None => UnitSource::Table(self.attempt(charge, true)),
                },
            });
        }
        if sources.iter().any(UnitSource::rejects) {
            let outcome = |(charge, source)| self.reject(charge, source);
            return charges.iter().zip(sources).map(outcome).collect();
        }
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(charges.len());
        let mut written: Vec<PageId> = Vec::new();
        for (charge, source) in charges.iter().zip(sources) {
            let (served, attempt) = match source {
                UnitSource::Lease => (self.table.serve(charge, self.now), None),
                UnitSource::Table(attempt) => (None, attempt),
                UnitSource::Fleet(_) => (None, None),
            };
            let outcome = served.unwrap_or_else(|| {
                // If this request has just written the same page, the attempt is stale.
                let page = self.table.page_of(charge.identity);
                let attempt = attempt.filter(|_| !written.contains(&page));
                written.push(page);
                self.charge_one(charge, attempt)
            });
            let rejected = !outcome.admitted();
            outcomes.push(outcome);
            if rejected {
                // Another worker took the units between the verdict and the write.
                self.undo(charges, &mut outcomes);
                break;
            }
        }
        outcomes
    }

    /// The outcome of a charge of a request that is rejected by this charge or by another one.
    fn reject(&mut self, charge: &Charge<'_>, source: UnitSource) -> Outcome {
        let attempt = match source {
            UnitSource::Lease => {
                let served = match charge.count {
                    Count::All => self.table.leases.serve(charge, self.now),
                    Count::Accepted | Count::Rejected | Count::Never => {
                        self.table.leases.look(charge, self.now).map(Outcome::uncounted)
                    }
                };
                match served {
                    Some(outcome) => return outcome,
                    None => self.attempt(charge, true),
                }
            }
            UnitSource::Table(attempt) => attempt,
            UnitSource::Fleet(outcome) => {
                self.note_unavailable(&outcome);
                let charged = charge.count == Count::All && self.count_in_fleet(charge);
                return Outcome { charged, ..outcome };
            }
        };
        let starts_penalty = attempt.as_ref().is_some_and(|attempt| attempt.penalty.is_some());
        match attempt {
            attempt if starts_penalty || charge.count == Count::All => self.charge_rejected(charge, attempt),
            Some(attempt) => attempt.uncounted(),
            None => Outcome::uncounted(unknown(charge, self.now)),
        }
    }

    /// Counts a charge of a rejected request, if rejected requests count, and starts its penalty. If this
    /// charge rejected the request, it stays rejected even if units have come back by the time it is written,
    /// since the request's other charges are not counted.
    fn charge_rejected(&mut self, charge: &Charge<'_>, attempt: Option<Attempt>) -> Outcome {
        let rejection = attempt.as_ref().filter(|attempt| !admitted(&attempt.verdicts));
        let rejection = rejection.map(|attempt| attempt.rejection(self.now));
        let count = match charge.count {
            Count::All => Count::All,
            Count::Accepted | Count::Rejected | Count::Never => Count::Never,
        };
        let outcome = self.charge_one(&Charge { count, ..*charge }, attempt);
        match rejection.filter(|_| outcome.admitted()) {
            Some(verdicts) => Outcome { verdicts, ..outcome },
            None => outcome,
        }
    }

    /// Gives back what the charges before the last outcome have spent, and replaces their outcomes. Adds
    /// those of the remaining charges.
    fn undo(&mut self, charges: &[Charge<'_>], outcomes: &mut Vec<Outcome>) {
        let rejection = outcomes.len() - 1;
        for (charge, outcome) in charges.iter().zip(outcomes.iter_mut()).take(rejection) {
            if outcome.charged && charge.count != Count::All {
                let (back, overflowed) = (Some((self.now, charge.cost)), outcome.overflowed);
                let [.., fresh] = outcome.holds;
                let holds = if outcome.in_fleet { outcome.holds } else { [0, 0, 0, 0, fresh] };
                let undone =
                    Correction { back, holds, settled: charge.cost, overflowed, ..Correction::default() };
                let fleet = charge.fleet.filter(|_| outcome.in_fleet);
                let counted = Charge { fleet, ..*charge };
                // Units in flight of the table are noted later.
                self.release_in_fleet(&counted);
                self.correct(&counted, &undone);
                *outcome = self.look(charge);
            }
        }
        for charge in charges.iter().skip(rejection + 1) {
            outcomes.push(self.pass_over(charge));
        }
    }

    /// The outcome of a charge of a request that another charge rejects.
    fn pass_over(&mut self, charge: &Charge<'_>) -> Outcome {
        match charge.count {
            Count::All if self.count_in_fleet(charge) => Outcome { charged: true, ..self.look(charge) },
            Count::All => self.charge_one(charge, None),
            Count::Accepted | Count::Rejected | Count::Never => self.look(charge),
        }
    }

    /// The outcome of a charge if it is not counted.
    #[inline(never)]
    pub(super) fn look(&mut self, charge: &Charge<'_>) -> Outcome {
        if let Some(outcome) = self.look_in_fleet(charge) {
            return outcome;
        }
        let looked = Charge { count: Count::Never, ..*charge };
        let now = self.now;
        let unknown = || Outcome::uncounted(unknown(charge, now));
        self.attempt(&looked, true).map_or_else(unknown, Attempt::uncounted)
    }
}

/// The verdicts for a record that the host could not read: those of unused limits.
pub(super) fn unknown(charge: &Charge<'_>, now: Now) -> Verdicts {
    charge.judging().map(|limit| Counter::empty(limit, now).judge(now, 0)).collect()
}
