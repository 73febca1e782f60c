//! The story of a request, on one screen. Start here.

pub mod caller;
mod credential_rejection;
mod key_value;
mod selection;

pub use selection::{applying, exempts, role};

use crate::decision::{Applied, Decision, PolicyDecision, Role};
use crate::http::{Request, RequestCache, Response, is_answer, is_good};
use crate::identity::Seed;
use crate::limiter::Algorithm;
use crate::rules::{Policy, PolicySet};
use crate::table::{Charge, ChargeMode, Correction, Count, Outcome, Store, Table};
use crate::time::Now;
use caller::{Caller, ConsumerCache};
use selection::judges;

/// One configuration's limiter in one worker. The table, where counts live, is the worker's.
pub struct Engine {
    rules: PolicySet,
    /// Whether any policy, or any key, waits for responses or for streams' ends.
    follows: bool,
    /// Whether any key is valid until the upstream says as_anonymous.
    checks_credentials: bool,
    consumers: ConsumerCache,
}

impl Engine {
    /// An engine that has decided nothing yet.
    pub fn new(rules: PolicySet) -> Engine {
        let (follows, checks_credentials) = (rules.follows_responses(), rules.checks_credentials());
        Engine { rules, follows, checks_credentials, consumers: ConsumerCache::default() }
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
        let asked = RequestCache::new(request);
        if exempts(&self.rules, &asked) {
            return Decision::to_pass(now);
        }

        // Who is asking: a credential that the upstream has rejected of late is as good as absent.
        let checked = self.checks_credentials.then(|| self.check_credentials(&asked, table, store, now));
        let rejected = checked.as_ref().map_or(&[][..], |checked| &checked.rejected);
        let seed = *table.seed();
        let caller = self.caller(&asked, &seed, rejected);

        // Which policies apply, and who is counted by each. A credential that no answer has proved yet also holds a unit
        // where a caller without it is counted.
        let applied = applying(&self.rules, &asked, &caller, now.wall);
        let open = checked.as_ref().filter(|checked| checked.is_open());
        let trial = open.map(|checked| self.trial(checked, &asked, &applied, &seed, now));
        let held = trial.as_ref().map_or(&[][..], |(_, held)| held);
        let in_force = || judges(&applied).filter(|(one, _)| !one.shadow).chain(held.iter().copied());

        // One transaction judges all their limits, and counts the request where it is to count.
        let mut charges: Vec<Charge<'_>> = Vec::with_capacity(applied.len() + held.len());
        charges.extend(in_force().filter_map(|one| self.charge(&one)));
        let outcomes = table.begin(store, now).charge(&charges, self.rules.charging);

        // Many verdicts, one decision; `response` puts it into words.
        let mut answers = Vec::with_capacity(outcomes.len());
        answers.extend(in_force().zip(outcomes).map(|(one, outcome)| answer(one, outcome)));
        let trial = trial.map(|(trial, held)| trial.with_answers(held.len(), &mut answers));
        let mut decision = Decision::new(answers, now);
        if applied.iter().any(|one| one.shadow || matches!(one.role, Role::Returns(_))) {
            self.add_others(&mut decision, &applied, table, store, now);
        }
        if decision.rejected() || self.rules.logs_callers {
            caller.introduce();
        }
        decision.set_caller(caller.known());
        if let Some(trial) = trial {
            decision.set_credential_check(trial);
        }
        decision
    }

    fn caller<'a, R: Request>(
        &'a self,
        asked: &'a RequestCache<'a, R>,
        seed: &'a Seed,
        rejected: &'a [usize],
    ) -> Caller<'a, R> {
        Caller::new(asked, &self.rules.callers, &self.consumers, seed, rejected)
    }

    fn charge(&self, (applied, cost): &(Applied, u32)) -> Option<Charge<'_>> {
        Some(self.policy(applied.policy)?.charge(applied.identity, applied.limit_set, *cost))
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
        let shadows = shadows.filter_map(|one| self.shadow(one, decision.rejected(), table, store, now));
        decision.add_shadows(shadows.collect());
        let returns = applied.iter().filter(|one| matches!(one.role, Role::Returns(_)));
        decision.add_returns(returns.copied().collect());
    }

    /// How a policy in shadow answers, as if it were the only one. What an enforced policy rejects is not counted by
    /// it either.
    fn shadow(
        &self,
        one: (Applied, u32),
        rejected: bool,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> Option<PolicyDecision> {
        let charge = self.charge(&one)?;
        let count = if rejected { Count::Never } else { charge.count };
        let charges = [Charge { count, ..charge }];
        let outcome = table.begin(store, now).charge(&charges, ChargeMode::AllOrNothing).pop()?;
        Some(answer(one, outcome))
    }

    /// Whether anything about an admitted request waits for its response.
    #[inline]
    pub fn follows_the_response(&self, decision: &Decision) -> bool {
        !decision.rejected()
            && (decision.awaits_proof() || self.follows && self.follows_this_response(decision))
    }

    fn follows_this_response(&self, decision: &Decision) -> bool {
        let waits = |answer: &PolicyDecision| {
            self.policy(answer.policy).is_some_and(|policy| policy.response.follows())
        };
        decision.all_answers().any(waits)
            || !decision.returns().is_empty()
            || decision.credential_check().is_some()
    }

    /// Whether anything about a request waits for its stream's end.
    #[inline]
    pub fn follows_the_end(&self, decision: &Decision) -> bool {
        let waits = |answer: &PolicyDecision| {
            self.policy(answer.policy).is_some_and(|policy| {
                let rules = &policy.response;
                policy.follows_the_end()
                    || decision.rejected() && rules.gives_back_unsent()
                    || !decision.is_answered() && rules.follows_unanswered()
            })
        };
        self.follows && decision.all_answers().chain(decision.held()).any(waits)
    }

    /// Takes note of an admitted request's response: it may be counted now, or given back. What Envoy answers because the
    /// upstream did not is no answer: then everything stays as it is until the stream ends.
    #[inline(never)]
    pub fn answered(
        &self,
        decision: &mut Decision,
        response: &impl Response,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        if decision.rejected() || decision.is_answered() || !is_answer(response) {
            return;
        }
        decision.mark_answered();
        let (at, good) = (decision.now, is_good(response));
        for answer in decision.all_answers_mut().filter(|answer| !answer.rejected()) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            let (correction, units) = policy.response.answered(response, answer.charged(at), at, now);
            let proves = good && answer.outcome.unproven;
            self.correct(answer, Correction { proves, ..correction }, table, store, now);
            update_remaining(policy, answer, units);
        }
        for one in decision.returns() {
            let (Some(policy), Role::Returns(rule)) = (self.policy(one.policy), one.role) else { continue };
            let correction = policy.response.returned(rule, response, at, now);
            table.begin(store, now).correct(&policy.charge(one.identity, one.limit_set, 1), &correction);
        }
        self.record_rejection(decision, response, table, store, now);
    }

    /// Takes note of a stream's end, however it came: what was in flight no longer is.
    #[inline(never)]
    pub fn ended(&self, decision: &mut Decision, table: &mut Table, store: &impl Store, now: Now) {
        for answer in decision.all_answers().chain(decision.held()).filter(|answer| answer.outcome.charged) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            let (rules, held) = (&policy.response, answer.charged(decision.now));
            let correction = match (decision.rejected(), decision.is_answered()) {
                // Another policy has rejected it.
                (true, _) if !answer.rejected() && !policy.counts_all() => rules.unsent(held),
                (false, false) => rules.unanswered(held, now),
                (true, _) | (false, true) => Correction::default(),
            };
            if policy.follows_the_end() {
                let charge = policy.charge(answer.identity, answer.limit_set, answer.cost);
                table.begin(store, now).release(&charge, &correction);
            } else {
                self.correct(answer, correction, table, store, now);
            }
        }
    }

    fn correct(
        &self,
        answer: &PolicyDecision,
        correction: Correction,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        if let Some(policy) = self.policy(answer.policy).filter(|_| !correction.is_none()) {
            let charge = policy.charge(answer.identity, answer.limit_set, answer.cost);
            let overflowed = answer.outcome.overflowed;
            table.begin(store, now).correct(&charge, &Correction { overflowed, ..correction });
        }
    }

    /// What was configured.
    pub fn rules(&self) -> &PolicySet {
        &self.rules
    }

    fn policy(&self, index: usize) -> Option<&Policy> {
        self.rules.policies.get(index)
    }
}

/// Corrects what is left after a request whose cost turned out to be `units` (FA-13). What is in flight stays in flight.
fn update_remaining(policy: &Policy, answer: &mut PolicyDecision, units: u32) {
    let judged = answer.cost;
    let limits = policy.limit_sets.get(answer.limit_set).limits();
    for (limit, verdict) in limits.iter().zip(&mut answer.outcome.verdicts) {
        if limit.algorithm != Algorithm::Concurrency {
            verdict.recount(judged, units);
        }
    }
}

fn answer((applied, cost): (Applied, u32), outcome: Outcome) -> PolicyDecision {
    let Applied { policy, identity, limit_set, .. } = applied;
    PolicyDecision { policy, identity, limit_set, cost, outcome }
}

#[cfg(test)]
mod tests;
