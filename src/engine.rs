//! The story of a request, on one screen. Start here.

mod trial;

pub use trial::Trial;

use crate::decision::{Answer, Decision};
use crate::identity::Caller;
use crate::policy::{Adjustment, Applied, Part, Policy, PolicySet};
use crate::request::{Asked, Request, Response};
use crate::table::{Charge, Charging, Count, Outcome, Store, Table};
use crate::time::Now;

/// One configuration's limiter in one worker. The table, where counts live, is the worker's.
pub struct Engine {
    policies: PolicySet,
    /// Whether any policy, or any key, waits for responses or for streams' ends.
    follows: bool,
    /// Whether any key is valid until the upstream says otherwise.
    tries: bool,
}

impl Engine {
    /// An engine that has decided nothing yet.
    pub fn new(policies: PolicySet) -> Engine {
        let (follows, tries) = (policies.follow(), policies.have_keys_on_trial());
        Engine { policies, follows, tries }
    }

    /// Decides one request, and counts it.
    #[inline(never)]
    pub fn decide(
        &self,
        request: &impl Request,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> Decision {
        let asked = Asked::new(request);
        if self.policies.exempts(&asked) {
            return Decision::to_pass(now);
        }

        // Who is asking: a credential that the upstream has refused of late is as good as absent.
        let trial = self.tries.then(|| self.try_credentials(&asked, table, store, now));
        let refused = trial.as_ref().map_or(&[][..], |trial| &trial.refused);
        let seed = *table.seed();
        let caller = Caller::new(&asked, self.policies.directory(), &seed, refused);

        // Which policies apply, and who is counted by each.
        let applied = self.policies.that_apply(&asked, &caller, now.wall);
        let in_force = || judges(&applied).filter(|(one, _)| !one.shadow);

        // One transaction judges all their limits, and counts the request where it is to count.
        let mut charges: Vec<Charge<'_>> = Vec::with_capacity(applied.len());
        charges.extend(in_force().filter_map(|one| self.charge(&one)));
        let outcomes = table.transact(store, &charges, self.policies.charging(), now);

        // Many verdicts, one decision; `response` puts it into words.
        let mut answers = Vec::with_capacity(outcomes.len());
        answers.extend(in_force().zip(outcomes).map(|(one, outcome)| answer(one, outcome)));
        let mut decision = Decision::new(answers, now);
        if decision.answers().len() < applied.len() {
            self.add_others(&mut decision, &applied, table, store, now);
        }
        if decision.refused() || self.policies.saying().access_log {
            caller.introduce();
        }
        decision.set_caller(caller.known());
        if let Some(trial) = trial.filter(|trial| !trial.credentials.is_empty()) {
            decision.set_trial(self.follow_up(trial, &asked, &applied, &seed, now));
        }
        decision
    }

    fn charge(&self, (applied, cost): &(Applied, u32)) -> Option<Charge<'_>> {
        Some(self.policy(applied.policy)?.charge(applied.identity, applied.terms, *cost))
    }

    /// Adds the policies that are not in force: each of those in shadow is a decision of its own, and some may get a unit
    /// back.
    #[inline(never)]
    fn add_others(
        &self,
        decision: &mut Decision,
        applied: &[Applied],
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        let shadows = judges(applied).filter(|(one, _)| one.shadow);
        let shadows = shadows.filter_map(|one| self.shadow(one, decision.refused(), table, store, now));
        decision.add_shadows(shadows.collect());
        let returns = applied.iter().filter(|one| matches!(one.part, Part::Returns(_)));
        decision.add_returns(returns.copied().collect());
    }

    /// How a policy in shadow answers, as if it were the only one. What an enforced policy refuses is not counted by
    /// it either.
    fn shadow(
        &self,
        one: (Applied, u32),
        refused: bool,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> Option<Answer> {
        let charge = self.charge(&one)?;
        let count = if refused { Count::Later } else { charge.count };
        let charges = [Charge { count, ..charge }];
        let outcome = table.transact(store, &charges, Charging::AllOrNothing, now).pop()?;
        Some(answer(one, outcome))
    }

    /// Whether anything about an admitted request waits for its response.
    #[inline]
    pub fn follows_the_response(&self, decision: &Decision) -> bool {
        let waits =
            |answer: &Answer| self.policy(answer.policy).is_some_and(|policy| policy.on_response().follows());
        self.follows
            && !decision.refused()
            && (decision.all_answers().any(waits)
                || !decision.returns().is_empty()
                || decision.trial().is_some())
    }

    /// Whether anything about a request waits for its stream's end.
    #[inline]
    pub fn follows_the_end(&self, decision: &Decision) -> bool {
        let waits = |answer: &Answer| {
            self.policy(answer.policy)
                .is_some_and(|policy| policy.follows_the_end() || policy.on_response().follows())
        };
        self.follows && decision.all_answers().any(waits)
    }

    /// Takes note of an admitted request's response: it may be counted now, or given back.
    #[inline(never)]
    pub fn answered(
        &self,
        decision: &mut Decision,
        response: &impl Response,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        if decision.refused() || decision.answer_seen() {
            return;
        }
        let at = decision.now;
        for answer in decision.all_answers_mut().filter(|answer| !answer.refused()) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            let (identity, terms) = (answer.identity, answer.terms);
            let of = |units| policy.spent(identity, terms, units);
            let adjustment = policy.on_response().adjustment(response, answer.cost, answer.outcome.charged);
            match adjustment {
                Adjustment::None => {}
                Adjustment::Charge(units) => {
                    of(units).iter().for_each(|charge| table.charge_late(store, charge, now));
                }
                Adjustment::Refund(units) => {
                    of(units).iter().for_each(|charge| table.refund(store, charge, at, now));
                }
            }
            policy.tell_what_is_left(answer, adjustment);
        }
        for one in decision.returns() {
            let (Some(policy), Part::Returns(rule)) = (self.policy(one.policy), one.part) else { continue };
            if policy.on_response().returns(rule, response.status())
                && let Some(charge) = policy.spent(one.identity, one.terms, 1)
            {
                table.refund(store, &charge, now, now);
            }
        }
        self.sentence(decision, response.status(), table, store, now);
    }

    /// Takes note of a stream's end, however it came: what was in flight no longer is.
    #[inline(never)]
    pub fn ended(&self, decision: &mut Decision, table: &mut Table, store: &impl Store, now: Now) {
        let unanswered = !decision.answer_seen();
        for answer in decision.all_answers().filter(|answer| answer.outcome.charged) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            if let Some(charge) = policy.in_flight(answer.identity, answer.terms, answer.cost) {
                table.refund(store, &charge, decision.now, now);
            }
            let refund = unanswered && !answer.refused() && policy.on_response().refunds(None);
            if let Some(charge) = policy.spent(answer.identity, answer.terms, answer.cost).filter(|_| refund)
            {
                table.refund(store, &charge, decision.now, now);
            }
        }
    }

    /// What was configured.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    fn policy(&self, index: usize) -> Option<&Policy> {
        self.policies.policies().get(index)
    }
}

/// The policies that judge, each with what the request costs there.
fn judges(applied: &[Applied]) -> impl Iterator<Item = (Applied, u32)> {
    applied.iter().filter_map(|applied| match applied.part {
        Part::Judges(cost) => Some((*applied, cost)),
        Part::Returns(_) => None,
    })
}

fn answer((applied, cost): (Applied, u32), outcome: Outcome) -> Answer {
    let Applied { policy, identity, terms, .. } = applied;
    Answer { policy, identity, terms, cost, outcome }
}

#[cfg(test)]
mod tests;
