//! The story of a request, on one screen. Start here: [`Engine::decide`]. What follows the decision is in
//! `settlement`: [`Engine::on_response`], [`Engine::on_body`] and [`Engine::on_stream_end`].

pub mod caller;
mod credential_rejection;
mod selection;
mod settlement;
mod trailers;
mod unreadable;

pub use selection::{applying, exempts, exempts_caller, role};
pub use trailers::Trailers;

use crate::decision::{AppliedPolicy, Decision, PolicyDecision, Role};
use crate::fleet::{OnOutage, Share};
use crate::http::{Request, RequestCache};
use crate::identity::{Identity, Seeds};
use crate::limiter::Verdict;
use crate::rules::{FIRST_OWN, LimitSet, Policy, PolicySet};
use crate::table::{Charge, ChargeMode, Count, Outcome, Store, Transaction};
use crate::time::Now;
use caller::{Caller, ConsumerCache, ForgivenCaller};
use credential_rejection::{AnonymousCheck, CheckedCredentials};
use selection::judges;
use std::cell::RefCell;
use unreadable::UnreadableKeys;

/// Evaluates requests against one configuration's policies, in one worker. Counts live in the worker's
/// [`Table`](crate::table::Table).
pub struct Engine {
    rules: PolicySet,
    /// `PolicySet::awaits_responses`, computed once.
    awaits_responses: bool,
    /// `PolicySet::checks_credentials`, computed once.
    checks_credentials: bool,
    /// `PolicySet::exempts_by_keys`, computed once.
    exempts_by_keys: bool,
    /// `PolicySet::has_partial_limits`, computed once.
    has_partial_limits: bool,
    /// Whether any caller is forgiven anything.
    forgives: bool,
    /// `PolicySet::names_grpc`, computed once.
    names_grpc: bool,
    /// `PolicySet::reads_trailers`, computed once.
    reads_trailers: bool,
    consumers: ConsumerCache,
    unreadable: RefCell<UnreadableKeys>,
}

impl Engine {
    /// An engine for these policies. It has not seen a request yet.
    pub fn new(rules: PolicySet) -> Engine {
        let (awaits_responses, checks_credentials) = (rules.awaits_responses(), rules.checks_credentials());
        let (exempts_by_keys, has_partial_limits) = (rules.exempts_by_keys(), rules.has_partial_limits());
        let (names_grpc, reads_trailers) = (rules.names_grpc(), rules.reads_trailers());
        let forgives = rules.forgives();
        Engine {
            rules,
            forgives,
            names_grpc,
            reads_trailers,
            awaits_responses,
            checks_credentials,
            exempts_by_keys,
            has_partial_limits,
            consumers: ConsumerCache::default(),
            unreadable: RefCell::default(),
        }
    }

    /// Decides one request that does not wait for units of the fleet, and counts it.
    pub fn decide(&self, request: &impl Request, transaction: &mut Transaction<'_, impl Store>) -> Decision {
        let now = transaction.now();
        self.decide_or_wait(request, transaction).unwrap_or_else(|_| Decision::admit(now))
    }

    /// Decides one request, and counts it.
    ///
    /// # Errors
    /// If the request has to wait for units of the fleet: the caller whose units they are. Nothing is counted.
    pub fn decide_or_wait(
        &self,
        request: &impl Request,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Result<Decision, Identity> {
        let (request, now) = (RequestCache::new(request), transaction.now());
        if exempts(&self.rules, &request) {
            return Ok(Decision::admit(now));
        }

        // Who is asking? A credential that the upstream has recently rejected is treated as absent.
        let checked = self.checks_credentials.then(|| self.check_credentials(&request, transaction));
        let rejected = checked.as_ref().map_or(&[][..], |checked| &checked.rejected);
        let seeds = transaction.seeds();
        let caller = self.caller(&request, &seeds, rejected);

        if self.exempts_by_keys && self.exempts_caller(&caller, &seeds, checked.as_ref()) {
            return Ok(Decision::admit(now));
        }

        // Which policies apply, and whom does each count? While no response has proved a credential, the
        // request is also counted, provisionally, as one without it.
        let mut own = Vec::new();
        let applied = applying(&self.rules, &request, &caller, now.wall, &mut own);
        let open = checked.as_ref().filter(|checked| !checked.credentials.is_empty());
        let check =
            open.map(|checked| self.credential_check(checked, &caller, &applied, &seeds, now.wall, &mut own));
        if self.forgives {
            forgive(transaction, caller.forgiven(), check.as_ref());
        }
        if self.has_partial_limits {
            let as_anonymous = check.as_ref().map_or(&[][..], |check| &check.excluded);
            if let Some(mut decision) = self.exclude(&applied, as_anonymous, now) {
                self.name_caller(&mut decision, &caller);
                return Ok(decision);
            }
        }
        let provisional = check.as_ref().map_or(&[][..], |check| &check.provisional);
        let enforced = || judges(&applied).filter(|(one, _)| !one.shadow).chain(provisional.iter().copied());

        // One transaction asks all limits of all enforced policies, and counts the request where it should
        // count.
        let mut charges: Vec<Charge<'_>> = Vec::with_capacity(applied.len() + provisional.len());
        charges.extend(enforced().filter_map(|one| self.charge(&one, &own)));
        if let Some(caller) = transaction.must_wait(&charges, self.rules.charging) {
            return Err(caller);
        }
        let outcomes = transaction.charge(&charges, self.rules.charging);

        // The verdicts of all limits become one decision. Turning it into a reply is the job of `reply`.
        let mut policies = Vec::with_capacity(outcomes.len());
        policies.extend(enforced().zip(outcomes).map(|(one, outcome)| policy_decision(one, outcome, &own)));
        let check = check.map(|AnonymousCheck { mut check, provisional, .. }| {
            check.take_provisional(provisional.len(), &mut policies);
            check
        });
        let mut decision = Decision::new(policies, now);
        if applied.iter().any(|one| one.shadow || !matches!(one.role, Role::Judges(_))) {
            self.add_unenforced(&mut decision, &applied, &own, transaction);
        }
        self.name_caller(&mut decision, &caller);
        if let Some(check) = check {
            decision.set_credential_check(check);
        }
        decision.keep_stated(own);
        Ok(decision)
    }

    /// The decision about a request that a quota of 0 rejects. No other policy is asked, and none counts it.
    /// `None`: no enforced policy has one for this caller. `as_anonymous` are those for a caller without the
    /// request's credentials, which no response has proved yet.
    #[inline(never)] // rarely called
    fn exclude(
        &self,
        applied: &[AppliedPolicy],
        as_anonymous: &[AppliedPolicy],
        now: Now,
    ) -> Option<Decision> {
        let excluding = applied.iter().filter(|one| one.role == Role::Excluded && !one.shadow);
        let policies: Vec<_> = excluding.chain(as_anonymous).map(|one| self.exclusion(one)).collect();
        (!policies.is_empty()).then(|| Decision::new(policies, now))
    }

    fn exclusion(&self, applied: &AppliedPolicy) -> PolicyDecision {
        let limits =
            self.policy(applied.policy).and_then(|policy| policy.limit_sets.get(applied.limit_set).judging());
        let verdicts = vec![Verdict::EXCLUDED; limits.map_or(0, |limits| limits.len())];
        policy_decision((*applied, 0), Outcome { verdicts, ..Outcome::default() }, &[])
    }

    /// Names the caller for replies and access logs, if they need it, and notes its keys that cannot be read.
    fn name_caller<R: Request>(&self, decision: &mut Decision, caller: &Caller<'_, R>) {
        if decision.rejected() || self.rules.names_callers {
            caller.resolve();
            if let Some(key) = self.rules.consumer_name {
                decision.set_unlisted_name(caller.unlisted_name(key));
            }
        }
        decision.set_caller(caller.resolved());
        let unreadable = caller.unreadable();
        if !unreadable.is_empty() {
            self.unreadable.borrow_mut().note(&unreadable);
        }
    }

    fn caller<'a, R: Request>(
        &'a self,
        request: &'a RequestCache<'a, R>,
        seeds: &'a Seeds,
        rejected: &'a [usize],
    ) -> Caller<'a, R> {
        Caller::new(request, &self.rules.callers, &self.consumers, seeds, rejected)
    }

    /// Whether the request is exempt because of its keys. A credential that no response has proved yet
    /// exempts nobody: the response to an exempt request is not looked at, so it would stay unproved for
    /// ever.
    fn exempts_caller<R: Request>(
        &self,
        caller: &Caller<'_, R>,
        seeds: &Seeds,
        checked: Option<&CheckedCredentials>,
    ) -> bool {
        if !exempts_caller(&self.rules, caller) {
            return false;
        }
        let unproved = |checked: &CheckedCredentials| checked.credentials.iter().any(|one| !one.proved);
        let Some(checked) = checked.filter(|checked| unproved(checked)) else { return true };
        // Nor does its absence: the request may have it.
        let unproved = checked.credentials.iter().filter(|one| !one.proved).map(|one| one.key);
        let without: Vec<usize> = checked.rejected.iter().copied().chain(unproved).collect();
        exempts_caller(&self.rules, &self.caller(caller.request(), seeds, &without))
    }

    /// The charge of a policy. `own` are the limits that the request itself states.
    fn charge<'a>(
        &'a self,
        (applied, cost): &(AppliedPolicy, u32),
        own: &'a [LimitSet],
    ) -> Option<Charge<'a>> {
        let policy = self.policy(applied.policy)?;
        Some(match own_limits(applied, own) {
            None => policy.charge(applied.identity, applied.limit_set, *cost),
            Some(own) => policy.charge_of(own.limits(), applied.identity, *cost),
        })
    }

    /// Adds the policies that cannot reject the request: those in shadow mode, each decided on its own, those
    /// that the request may give a unit back to, and those without limits for this caller.
    fn add_unenforced(
        &self,
        decision: &mut Decision,
        applied: &[AppliedPolicy],
        own: &[LimitSet],
        transaction: &mut Transaction<'_, impl Store>,
    ) {
        let rejected = decision.rejected();
        let shadows = applied.iter().filter(|one| one.shadow).filter_map(|one| match one.role {
            Role::Judges(cost) => self.shadow((*one, cost), own, rejected, transaction),
            Role::Excluded => Some(self.exclusion(one)),
            Role::Returns(_) | Role::Unlimited => None,
        });
        decision.add_shadows(shadows.collect());
        let unlimited = applied.iter().filter(|one| one.role == Role::Unlimited);
        decision.add_unlimited(unlimited.map(|one| one.policy).collect());
        let returns = applied.iter().filter(|one| matches!(one.role, Role::Returns(_)));
        decision.add_returns(returns.copied().collect());
    }

    /// What a policy in shadow mode decides, as if it were the only one. If an enforced policy has rejected
    /// the request, the shadow policy does not count it, unless it counts rejections.
    fn shadow(
        &self,
        one: (AppliedPolicy, u32),
        own: &[LimitSet],
        rejected: bool,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Option<PolicyDecision> {
        let charge = self.charge(&one, own)?;
        let count = match (charge.count, rejected) {
            (Count::Rejected, true) => Count::Accepted,
            (Count::Accepted | Count::All | Count::Never, true) => Count::Never,
            (count, false) => count,
        };
        // Nobody waits for a policy in shadow mode.
        let in_background = |share| Share { on_outage: OnOutage::Allow, in_background: true, ..share };
        let fleet = charge.fleet.map(in_background);
        let charges = [Charge { count, fleet, ..charge }];
        let outcome = transaction.charge(&charges, ChargeMode::AllOrNothing).pop()?;
        Some(policy_decision(one, outcome, own))
    }

    /// The number of requests since the last report whose metadata could not tell callers apart, and the
    /// keys, by index, that no report has had yet.
    pub fn report_unreadable(&self) -> (u64, Vec<usize>) {
        self.unreadable.borrow_mut().report()
    }

    /// The compiled configuration.
    pub fn rules(&self) -> &PolicySet {
        &self.rules
    }

    fn policy(&self, index: usize) -> Option<&Policy> {
        self.rules.policies.get(index)
    }
}

/// Notes what the caller is forgiven, and who it would be without its credentials.
#[inline(never)] // rarely called
fn forgive(
    transaction: &mut Transaction<'_, impl Store>,
    caller: Vec<ForgivenCaller>,
    check: Option<&AnonymousCheck>,
) {
    for (identity, entries) in caller {
        transaction.forgive(identity, &entries);
    }
    for (identity, entries) in check.iter().flat_map(|check| &check.forgiven) {
        transaction.forgive(*identity, entries);
        transaction.forgive(identity.provisional(), entries);
    }
}

/// What a policy decided. `own` are the limits that the request itself states.
fn policy_decision(
    (applied, cost): (AppliedPolicy, u32),
    outcome: Outcome,
    own: &[LimitSet],
) -> PolicyDecision {
    let own_limits = own_limits(&applied, own).map(|own| Box::new(own.clone()));
    let AppliedPolicy { policy, identity, limit_set, .. } = applied;
    PolicyDecision {
        policy,
        identity,
        limit_set,
        own_limits,
        cost,
        awaits_trailers: false,
        awaits_body: false,
        outcome,
    }
}

/// The limits that the request itself states, if it does. `own` are those of all policies.
#[inline]
fn own_limits<'a>(applied: &AppliedPolicy, own: &'a [LimitSet]) -> Option<&'a LimitSet> {
    own.get(applied.limit_set.checked_sub(FIRST_OWN)?)
}

#[cfg(test)]
mod tests;
