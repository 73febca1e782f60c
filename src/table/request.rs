//! The charges of one request, and how they depend on each other: all or nothing, or in order.

use super::attempt::Attempt;
use super::{Charge, Correction, Count, Outcome, PageId, Store, Table, Verdicts, admitted};
use crate::limiter::Counter;
use crate::time::Now;

/// How a charge is to be counted. One for each charge of the request under way, so its size does not matter.
#[allow(clippy::large_enum_variant, reason = "a box would be a request for memory each time")]
enum Way {
    /// From a lease.
    Leased,
    /// In the shared table, by this first attempt. `None`: the host would not read.
    Shared(Option<Attempt>),
}

impl Way {
    fn rejects(&self) -> bool {
        match self {
            Way::Leased | Way::Shared(None) => false,
            Way::Shared(Some(attempt)) => !admitted(&attempt.verdicts),
        }
    }
}

impl Table {
    pub(super) fn hold(&mut self, charge: &Charge<'_>, outcome: &Outcome) {
        if outcome.charged {
            self.holdings.hold(charge);
        }
    }

    pub(super) fn charge_in_order<S: Store>(
        &mut self,
        store: &S,
        charges: &[Charge<'_>],
        now: Now,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(charges.len());
        let (mut rejected, mut leased) = (false, !charges.is_empty());
        for charge in charges {
            let served = if rejected { None } else { self.leases.serve(charge, now) };
            leased &= served.is_some();
            let outcome = served.unwrap_or_else(|| {
                // What comes after a rejection is only looked at, for the longest wait to be known.
                let outcome = match rejected {
                    true => self.pass_over(store, charge, now),
                    false => self.charge(store, charge, None, now),
                };
                self.hold(charge, &outcome);
                outcome
            });
            rejected |= !outcome.admitted();
            outcomes.push(outcome);
        }
        self.stats.leased += u64::from(leased);
        outcomes
    }

    /// Of these charges, so many from the first on are `leased`, and the next is not.
    #[inline(never)]
    pub(super) fn charge_all<S: Store>(
        &mut self,
        store: &S,
        charges: &[Charge<'_>],
        leased: usize,
        now: Now,
    ) -> Vec<Outcome> {
        let others = charges.len() > 1;
        let mut ways: Vec<Way> = Vec::with_capacity(charges.len());
        for (i, charge) in charges.iter().enumerate() {
            let leased = i < leased || i > leased && self.leases.can_serve(charge, now);
            ways.push(match leased {
                true => Way::Leased,
                false => Way::Shared(self.attempt(store, charge, others, now)),
            });
        }
        if ways.iter().any(Way::rejects) {
            let answer = |(charge, way)| self.answer_rejected(store, charge, way, now);
            return charges.iter().zip(ways).map(answer).collect();
        }
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(charges.len());
        let mut written: Vec<PageId> = Vec::with_capacity(charges.len());
        for (charge, way) in charges.iter().zip(ways) {
            let (served, attempt) = match way {
                Way::Leased => (self.leases.serve(charge, now), None),
                Way::Shared(attempt) => (None, attempt),
            };
            let outcome = served.unwrap_or_else(|| {
                // What this request has just written to the same page makes the attempt stale.
                let page = self.page_of(charge.identity);
                let attempt = attempt.filter(|_| !written.contains(&page));
                written.push(page);
                self.charge(store, charge, attempt, now)
            });
            let rejected = !outcome.admitted();
            outcomes.push(outcome);
            if rejected {
                // Someone else was faster between the judgement and this write.
                self.undo(store, charges, &mut outcomes, now);
                break;
            }
        }
        outcomes
    }

    /// The answer to a charge of a request that this one, or another, rejects.
    fn answer_rejected<S: Store>(&mut self, store: &S, charge: &Charge<'_>, way: Way, now: Now) -> Outcome {
        let attempt = match way {
            Way::Leased => {
                let served = match charge.count {
                    Count::All => self.leases.serve(charge, now),
                    Count::Accepted | Count::Never => self.leases.look(charge, now).map(Outcome::uncounted),
                };
                match served {
                    Some(outcome) => return outcome,
                    None => self.attempt(store, charge, true, now),
                }
            }
            Way::Shared(attempt) => attempt,
        };
        let punishes = attempt.as_ref().is_some_and(|attempt| attempt.penalty.is_some());
        match attempt {
            attempt if punishes || charge.count == Count::All => {
                self.charge_rejected(store, charge, attempt, now)
            }
            Some(attempt) => attempt.uncounted(),
            None => Outcome::uncounted(unknown(charge, now)),
        }
    }

    /// Counts a charge of a request that is rejected, if those count, and starts its penalty. If it was rejected here, it
    /// stays so even if there is room by the time it is written: the other charges are not counted.
    fn charge_rejected<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        attempt: Option<Attempt>,
        now: Now,
    ) -> Outcome {
        let rejection = attempt.as_ref().filter(|attempt| !admitted(&attempt.verdicts));
        let rejection = rejection.map(|attempt| attempt.rejection(now));
        let count = match charge.count {
            Count::All => Count::All,
            Count::Accepted | Count::Never => Count::Never,
        };
        let outcome = self.charge(store, &Charge { count, ..*charge }, attempt, now);
        match rejection.filter(|_| outcome.admitted()) {
            Some(verdicts) => Outcome { verdicts, ..outcome },
            None => outcome,
        }
    }

    /// Gives back what the charges before the last outcome have spent, and answers how things stand then.
    fn undo<S: Store>(&mut self, store: &S, charges: &[Charge<'_>], outcomes: &mut Vec<Outcome>, now: Now) {
        let rejection = outcomes.len() - 1;
        for (charge, outcome) in charges.iter().zip(outcomes.iter_mut()).take(rejection) {
            if outcome.charged && charge.count != Count::All {
                let (back, overflowed) = (Some((now, charge.cost)), outcome.overflowed);
                let undone = Correction { back, settled: charge.cost, overflowed, ..Correction::default() };
                self.correct(store, charge, &undone, now);
                *outcome = self.look(store, charge, now);
            }
        }
        for charge in charges.iter().skip(rejection + 1) {
            outcomes.push(self.pass_over(store, charge, now));
        }
    }

    /// A charge of a request that is rejected elsewhere.
    fn pass_over<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Now) -> Outcome {
        match charge.count {
            Count::All => self.charge(store, charge, None, now),
            Count::Accepted | Count::Never => self.look(store, charge, now),
        }
    }

    /// How a charge would be answered, without counting it.
    pub(super) fn look<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Now) -> Outcome {
        let looked = Charge { count: Count::Never, ..*charge };
        let unknown = || Outcome::uncounted(unknown(charge, now));
        self.attempt(store, &looked, true, now).map_or_else(unknown, Attempt::uncounted)
    }
}

/// What is said of a record that the host would not read.
fn unknown(charge: &Charge<'_>, now: Now) -> Verdicts {
    charge.answering().map(|limit| Counter::empty(limit, now).judge(now, 0)).collect()
}
