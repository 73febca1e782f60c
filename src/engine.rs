//! The story of a request, on one screen. Start here.

mod trial;

pub use trial::Trial;

use crate::decision::{Answer, Decision};
use crate::identity::Caller;
use crate::policy::{Applied, Part, Policy, PolicySet};
use crate::request::{Asked, Request, Response, is_answer};
use crate::table::{Charge, ChargeMode, Correction, Count, Outcome, Store, Table};
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
        let tried = self.tries.then(|| self.try_credentials(&asked, table, store, now));
        let refused = tried.as_ref().map_or(&[][..], |tried| &tried.refused);
        let seed = *table.seed();
        let caller = Caller::new(&asked, self.policies.directory(), &seed, refused);

        // Which policies apply, and who is counted by each. A credential that no answer has proved yet also holds a unit
        // where a caller without it is counted.
        let applied = self.policies.that_apply(&asked, &caller, now.wall);
        let open = tried.as_ref().filter(|tried| tried.is_open());
        let trial = open.map(|tried| self.trial(tried, &asked, &applied, &seed, now));
        let held = trial.as_ref().map_or(&[][..], |(_, held)| held);
        let in_force = || judges(&applied).filter(|(one, _)| !one.shadow).chain(held.iter().copied());

        // One transaction judges all their limits, and counts the request where it is to count.
        let mut charges: Vec<Charge<'_>> = Vec::with_capacity(applied.len() + held.len());
        charges.extend(in_force().filter_map(|one| self.charge(&one)));
        let outcomes = table.begin(store, now).charge(&charges, self.policies.charging());

        // Many verdicts, one decision; `response` puts it into words.
        let mut answers = Vec::with_capacity(outcomes.len());
        answers.extend(in_force().zip(outcomes).map(|(one, outcome)| answer(one, outcome)));
        let trial = trial.map(|(trial, held)| trial.with_answers(held.len(), &mut answers));
        let mut decision = Decision::new(answers, now);
        if applied.iter().any(|one| one.shadow || matches!(one.part, Part::Returns(_))) {
            self.add_others(&mut decision, &applied, table, store, now);
        }
        if decision.refused() || self.policies.saying().access_log {
            caller.introduce();
        }
        decision.set_caller(caller.known());
        if let Some(trial) = trial {
            decision.set_trial(trial);
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
        let count = if refused { Count::Never } else { charge.count };
        let charges = [Charge { count, ..charge }];
        let outcome = table.begin(store, now).charge(&charges, ChargeMode::AllOrNothing).pop()?;
        Some(answer(one, outcome))
    }

    /// Whether anything about an admitted request waits for its response.
    #[inline]
    pub fn follows_the_response(&self, decision: &Decision) -> bool {
        !decision.refused()
            && (decision.awaits_proof() || self.follows && self.follows_this_response(decision))
    }

    fn follows_this_response(&self, decision: &Decision) -> bool {
        let waits =
            |answer: &Answer| self.policy(answer.policy).is_some_and(|policy| policy.on_response().follows());
        decision.all_answers().any(waits) || !decision.returns().is_empty() || decision.trial().is_some()
    }

    /// Whether anything about a request waits for its stream's end.
    #[inline]
    pub fn follows_the_end(&self, decision: &Decision) -> bool {
        let waits = |answer: &Answer| {
            self.policy(answer.policy).is_some_and(|policy| {
                let rules = policy.on_response();
                policy.follows_the_end()
                    || decision.refused() && rules.gives_back_unsent()
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
        if decision.refused() || decision.is_answered() || !is_answer(response) {
            return;
        }
        decision.mark_answered();
        let (at, good) = (decision.now, is_good(response));
        for answer in decision.all_answers_mut().filter(|answer| !answer.refused()) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            let (correction, units) = policy.on_response().answered(response, answer.held(at), at, now);
            let proves = good && answer.outcome.unproven;
            self.correct(answer, Correction { proves, ..correction }, table, store, now);
            policy.tell_what_is_left(answer, units);
        }
        for one in decision.returns() {
            let (Some(policy), Part::Returns(rule)) = (self.policy(one.policy), one.part) else { continue };
            let correction = policy.on_response().returned(rule, response, at, now);
            table.begin(store, now).correct(&policy.charge(one.identity, one.terms, 1), &correction);
        }
        self.sentence(decision, response, table, store, now);
    }

    /// Takes note of a stream's end, however it came: what was in flight no longer is.
    #[inline(never)]
    pub fn ended(&self, decision: &mut Decision, table: &mut Table, store: &impl Store, now: Now) {
        for answer in decision.all_answers().chain(decision.held()).filter(|answer| answer.outcome.charged) {
            let Some(policy) = self.policy(answer.policy) else { continue };
            let (rules, held) = (policy.on_response(), answer.held(decision.now));
            let correction = match (decision.refused(), decision.is_answered()) {
                // Another policy has rejected it.
                (true, _) if !answer.refused() && !policy.counts_all() => rules.unsent(held),
                (false, false) => rules.unanswered(held, now),
                (true, _) | (false, true) => Correction::default(),
            };
            if policy.follows_the_end() {
                let charge = policy.charge(answer.identity, answer.terms, answer.cost);
                table.begin(store, now).release(&charge, &correction);
            } else {
                self.correct(answer, correction, table, store, now);
            }
        }
    }

    fn correct(
        &self,
        answer: &Answer,
        correction: Correction,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        if let Some(policy) = self.policy(answer.policy).filter(|_| !correction.is_none()) {
            let charge = policy.charge(answer.identity, answer.terms, answer.cost);
            let overflowed = answer.outcome.overflowed;
            table.begin(store, now).correct(&charge, &Correction { overflowed, ..correction });
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

/// Whether a response says that the upstream believes its caller.
fn is_good(response: &impl Response) -> bool {
    const NOT_MODIFIED: u16 = 304;
    (200..300).contains(&response.status()) || response.status() == NOT_MODIFIED
}

fn answer((applied, cost): (Applied, u32), outcome: Outcome) -> Answer {
    let Applied { policy, identity, terms, .. } = applied;
    Answer { policy, identity, terms, cost, outcome }
}

#[cfg(test)]
mod tests;
