//! The story of a request, on one screen. Start here.

use crate::decision::{Answer, Decision};
use crate::policy::{Part, Policy, PolicySet};
use crate::request::Request;
use crate::table::{Charge, Store, Table};
use crate::time::Now;

/// One configuration's limiter in one worker. The table, where counts live, is the worker's.
pub struct Engine {
    policies: PolicySet,
}

impl Engine {
    /// An engine that has decided nothing yet.
    pub fn new(policies: PolicySet) -> Engine {
        Engine { policies }
    }

    /// Decides one request, and counts it.
    pub fn decide(
        &self,
        request: &impl Request,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> Decision {
        // Which policies apply, and who is counted by each.
        let asked = self.policies.ask(request);
        let seed = *table.seed();
        let (judges, returns): (Vec<_>, Vec<_>) =
            self.policies.that_apply(&asked, &seed).partition(|(_, part, _)| *part == Part::Judges);

        // One transaction judges all their limits, and counts the request where it is to count.
        let charge =
            |(index, _, identity): &(usize, Part, _)| Some(self.policy(*index)?.charge(*identity, 1));
        let charges: Vec<Charge<'_>> = judges.iter().filter_map(charge).collect();
        let outcomes = table.transact(store, &charges, self.policies.charging(), now);

        // Many verdicts, one decision; `response` puts it into words.
        let answers = judges.iter().zip(outcomes);
        let answers = answers.map(|((policy, _, identity), outcome)| Answer {
            policy: *policy,
            identity: *identity,
            outcome,
        });
        let returns = returns.into_iter().filter_map(|(policy, part, identity)| match part {
            Part::Returns(rule) => Some((policy, rule, identity)),
            Part::Judges => None,
        });
        Decision::new(answers.collect(), returns.collect(), now)
    }

    /// Whether any policy of an admitted request waits for its response's status.
    pub fn follows_the_response(&self, decision: &Decision) -> bool {
        let waits = |answer: &Answer| self.policy(answer.policy).is_some_and(Policy::follows_the_response);
        !decision.refused() && (decision.answers().iter().any(waits) || !decision.returns().is_empty())
    }

    /// Whether any policy of a request waits for its stream's end.
    pub fn follows_the_end(&self, decision: &Decision) -> bool {
        let waits = |answer: &Answer| {
            self.policy(answer.policy)
                .is_some_and(|policy| policy.follows_the_end() || policy.follows_the_response())
        };
        decision.answers().iter().any(waits)
    }

    /// Takes note of the status of an admitted request's response: it may be counted now, or given back.
    pub fn answered(
        &self,
        decision: &mut Decision,
        status: u16,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        if decision.refused() || decision.answer_seen() {
            return;
        }
        for answer in decision.answers() {
            let Some(policy) = self.policy(answer.policy) else { continue };
            if let Some(charge) = policy.late(answer.identity, status) {
                table.charge_late(store, &charge, now);
            } else if let Some(charge) =
                policy.refund(answer.identity, Some(status)).filter(|_| answer.outcome.charged)
            {
                table.refund(store, &charge, decision.now, now);
            }
        }
        for (policy, rule, identity) in decision.returns() {
            if let Some(charge) =
                self.policy(*policy).and_then(|policy| policy.returned(*rule, *identity, status))
            {
                table.refund(store, &charge, now, now);
            }
        }
    }

    /// Takes note of a stream's end, however it came: what was in flight no longer is.
    pub fn ended(&self, decision: &mut Decision, table: &mut Table, store: &impl Store, now: Now) {
        let unanswered = !decision.answer_seen();
        for answer in decision.answers().iter().filter(|answer| answer.outcome.charged) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            if let Some(charge) = policy.in_flight(answer.identity) {
                table.refund(store, &charge, decision.now, now);
            }
            if let Some(charge) =
                policy.refund(answer.identity, None).filter(|_| unanswered && !answer.refused())
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

#[cfg(test)]
mod tests;
