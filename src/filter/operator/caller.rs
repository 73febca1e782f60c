//! The answer about a caller: what it has used, after it has been forgiven, if it is to be.

use super::answer::{CallerAnswer, LeftOut, LimitAnswer, PolicyAnswer, to_json};
use super::question::{CallerQuestion, Refusal, What, Who, refusal};
use super::search;
use crate::engine::Engine;
use crate::engine::operator::{CountedCaller, Counting, KnownCaller, NoCaller};
use crate::filter::host::{Host, SharedData};
use crate::filter::worker::Worker;
use crate::identity::Identity;
use crate::limiter::{Forgiven, Limit, Verdict};
use crate::rules::{Policy, Quota};
use crate::table::{Charge, FleetView, Store, Transaction};
use crate::time::Micros;
use std::sync::Arc;

const UNAVAILABLE: Refusal = refusal(503, "the table cannot be read or written; ask again");

const NO_SERVICE: Refusal =
    refusal(503, "the fleet's service does not answer, so perhaps nothing was forgiven; ask again");

const NOTHING: Refusal = refusal(
    409,
    "nothing can be forgiven: no such policy or limit counts by exactly these keys and with a window",
);

/// The answer to a question. `Err`: if it `may_ask`, it has to wait for the service's answer about this caller.
pub(super) fn answer<H: Host>(
    worker: &Worker<H>,
    question: &CallerQuestion,
    may_ask: bool,
) -> Result<Result<String, Refusal>, Identity> {
    let act = |engine: &Engine, transaction: &mut Transaction<'_, SharedData<H>>| {
        let caller = match caller(engine, transaction, &question.who) {
            Ok(caller) => caller,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut answer = Answer { transaction, forgive: question.forgive.as_ref() };
        let plan = answer.plan(&caller, may_ask)?;
        Ok(answer.answer(&question.who, &caller, plan))
    };
    worker.transact(act).unwrap_or(Ok(Err(UNAVAILABLE)))
}

/// The caller that is meant.
fn caller<'e, S: Store>(
    engine: &'e Engine,
    transaction: &Transaction<'_, S>,
    who: &Who,
) -> Result<KnownCaller<'e>, Refusal> {
    let found = match who {
        Who::ByKeys { values, .. } => engine.caller_by(values),
        Who::ByPseudonym(asked) => {
            let record = search::find(asked, transaction)?;
            engine.caller_of(record, asked.consumer.as_deref(), asked.tier.as_deref())
        }
    };
    found.map_err(no_caller)
}

fn no_caller(why: NoCaller) -> Refusal {
    match why {
        NoCaller::UnknownKey => refusal(404, "the policy file has no such key"),
        NoCaller::HasAlternatives => refusal(400, "a key with first_of; name one of its alternatives"),
        NoCaller::Empty => refusal(400, "the header x-tollgate-value is empty, or that of a further key"),
        NoCaller::NoAddress => {
            refusal(400, "the header x-tollgate-value has no IP address, or that of a further key")
        }
        NoCaller::UnknownConsumer => refusal(404, "the policy file has no such consumer"),
        NoCaller::UnknownTier => refusal(404, "the policy file has no such tier"),
    }
}

/// What is to be answered.
#[derive(Default)]
struct Plan<'e> {
    shown: Vec<PlannedPolicy<'e>>,
    left_out: Vec<LeftOut<'e>>,
}

/// A policy that is to be shown.
struct PlannedPolicy<'e> {
    policy: &'e Policy,
    counted: CountedCaller<'e>,
    /// What is to be forgiven. Empty: nothing of this policy.
    entries: Arc<[Forgiven]>,
    /// What the service says. `None`: the policy counts in this proxy.
    in_fleet: Option<FleetView>,
}

/// An answer that is being made.
struct Answer<'a, 't, S> {
    transaction: &'a mut Transaction<'t, S>,
    forgive: Option<&'a What>,
}

impl<S: Store> Answer<'_, '_, S> {
    /// Which policies are shown, with what the service says about each policy of the fleet, after it has followed what is
    /// to be forgiven. `Err`: it has to be asked first.
    fn plan<'e>(&mut self, caller: &KnownCaller<'e>, may_ask: bool) -> Result<Plan<'e>, Identity> {
        let (mut plan, mut asked) = (Plan::default(), None);
        for (policy, counting) in caller.policies(&self.transaction.seeds()) {
            let counted = match self.shown(counting) {
                Ok(counted) => counted,
                Err(why) => {
                    plan.left_out.push(LeftOut { policy: &policy.name, why });
                    continue;
                }
            };
            let entries = entries(self.forgive, policy, &counted);
            let in_fleet = policy.scope.is_fleet().then(|| self.ask_the_fleet(&counted, &entries, may_ask));
            if let Some(FleetView::Asked(caller)) = &in_fleet {
                asked.get_or_insert(*caller);
            }
            plan.shown.push(PlannedPolicy { policy, counted, entries, in_fleet });
        }
        asked.map_or(Ok(plan), Err)
    }

    /// What can be shown of a policy that counts the caller. `Err`: why nothing can.
    fn shown<'e>(&self, counting: Counting<'e>) -> Result<CountedCaller<'e>, &'static str> {
        match counting {
            Counting::WithOthers => Err("it counts by further keys, too: name all of them, as key=NAME,NAME"),
            Counting::Known(counted) if self.transaction.is_outdated(&counted.charge) => {
                Err("the policy in force has another algorithm or window")
            }
            Counting::Known(counted) => Ok(counted),
        }
    }

    fn ask_the_fleet(
        &mut self,
        counted: &CountedCaller<'_>,
        entries: &Arc<[Forgiven]>,
        may_ask: bool,
    ) -> FleetView {
        if !entries.is_empty() {
            self.transaction.forgive(counted.charge.identity, entries);
        }
        self.transaction.view_in_fleet(&counted.charge, may_ask)
    }

    fn answer<'e>(mut self, who: &Who, caller: &KnownCaller<'e>, plan: Plan<'e>) -> Result<String, Refusal> {
        let (key, pseudonym) = match who {
            Who::ByKeys { names, .. } => (Some(names.as_str()), None),
            Who::ByPseudonym(asked) => (None, Some(asked.text.as_str())),
        };
        let Plan { shown, left_out } = plan;
        let forgiven = shown.iter().filter(|one| !one.entries.is_empty());
        let forgiven: Vec<&str> = forgiven.map(|one| one.policy.name.as_str()).collect();
        let (consumer, tier, policies) = (caller.consumer(), caller.tier(), Vec::new());
        let mut answer = CallerAnswer { key, caller: pseudonym, consumer, tier, policies, left_out };
        for one in shown {
            match self.policy(one)? {
                Ok(shown) => answer.policies.push(shown),
                Err(left_out) => answer.left_out.push(left_out),
            }
        }
        if self.forgive.is_some() {
            if forgiven.is_empty() {
                return Err(NOTHING);
            }
            let by = key.map_or("its pseudonym".to_owned(), |names| format!("the key {names}"));
            log::info!("an operator has forgiven a caller by {by}: {}", forgiven.join(", "));
        }
        Ok(to_json(&answer))
    }

    /// The answer about a policy, which forgives what is to be forgiven; `Err`: it is left out after all.
    fn policy<'e>(
        &mut self,
        one: PlannedPolicy<'e>,
    ) -> Result<Result<PolicyAnswer<'e>, LeftOut<'e>>, Refusal> {
        match &one.in_fleet {
            None => self.policy_in_proxy(&one).map(Ok),
            Some(FleetView::Known(verdicts)) => Ok(Ok(self.policy_in_fleet(&one, verdicts))),
            Some(_) if !one.entries.is_empty() => Err(NO_SERVICE),
            Some(_) => {
                Ok(Err(LeftOut { policy: &one.policy.name, why: "the fleet's service does not answer" }))
            }
        }
    }

    fn policy_in_proxy<'e>(&mut self, one: &PlannedPolicy<'e>) -> Result<PolicyAnswer<'e>, Refusal> {
        let PlannedPolicy { policy, counted, entries, .. } = one;
        let any = self.forgive_in_table(counted, entries)?;
        let view = self.transaction.view(&counted.charge).ok_or(UNAVAILABLE)?;
        let now = self.transaction.now();
        let mut answer = PolicyAnswer::in_proxy(&policy.name, view.blocked_until.map(|end| now.wall_at(end)));
        answer.forgiven = self.forgive.map(|_| any);
        let verdicts = view.limits.iter().map(|(verdict, since)| (verdict, Some(*since)));
        answer.limits = self.limits(policy, counted, verdicts);
        Ok(answer)
    }

    /// Returns whether there was anything to forgive.
    fn forgive_in_table(
        &mut self,
        counted: &CountedCaller<'_>,
        entries: &Arc<[Forgiven]>,
    ) -> Result<bool, Refusal> {
        let mut any = false;
        if entries.is_empty() {
            return Ok(any);
        }
        for identity in std::iter::once(counted.charge.identity).chain(counted.other) {
            let charge = Charge { identity, ..counted.charge };
            any |= self.transaction.forgive_now(&charge, entries).ok_or(UNAVAILABLE)?;
        }
        Ok(any)
    }

    fn policy_in_fleet<'e>(&mut self, one: &PlannedPolicy<'e>, verdicts: &[Verdict]) -> PolicyAnswer<'e> {
        let PlannedPolicy { policy, counted, entries, .. } = one;
        let mut answer = PolicyAnswer::in_fleet(&policy.name, verdicts);
        if !entries.is_empty() {
            self.transaction.forget_forgiven(counted.charge.identity);
        }
        answer.forgiven = self.forgive.map(|_| !entries.is_empty());
        answer.limits = self.limits(policy, counted, verdicts.iter().map(|verdict| (verdict, None)));
        answer
    }

    /// A policy's limits, each with its verdict and what was forgiven last, if that is known.
    fn limits<'e, 'v>(
        &self,
        policy: &'e Policy,
        counted: &CountedCaller<'_>,
        mut verdicts: impl Iterator<Item = (&'v Verdict, Option<Micros>)>,
    ) -> Vec<LimitAnswer<'e>> {
        let now = self.transaction.now();
        let all = policy.limit_names.iter().zip(policy.limits()).enumerate();
        let limit = |(index, (name, limit)): (usize, (&'e String, &Limit))| {
            let word = limit.algorithm.word();
            match counted.limits.quota(index) {
                None | Some(Quota::Unlimited) => Some(LimitAnswer::uncounted(name, word, true)),
                Some(Quota::Nothing) => Some(LimitAnswer::uncounted(name, word, false)),
                Some(Quota::Units(_)) => {
                    let (verdict, since) = verdicts.next()?;
                    let answer = LimitAnswer::counted(name, word, verdict, limit.has_window(), now);
                    Some(match since {
                        Some(since) => answer.forgiven_since(since),
                        None => answer,
                    })
                }
            }
        };
        all.filter_map(limit).collect()
    }
}

/// The entries that forgive what is meant of a policy. None: it is not meant, or has nothing that can be forgiven.
fn entries(forgive: Option<&What>, policy: &Policy, counted: &CountedCaller<'_>) -> Arc<[Forgiven]> {
    let Some(What { policy: name, limit, before }) = forgive else { return Arc::default() };
    if name.as_ref().is_some_and(|name| *name != policy.name) {
        return Arc::default();
    }
    let only = match limit {
        None => None,
        Some(name) => match policy.limit_names.iter().position(|own| own == name) {
            None => return Arc::default(),
            only => only,
        },
    };
    counted.forgiven(only, *before)
}
