//! The story of a request, on one screen. Start here: [`Engine::decide`], then [`Engine::on_response`] and
//! [`Engine::on_stream_end`].

pub mod caller;
mod credential_rejection;
mod selection;
mod unreadable;

pub use selection::{applying, exempts, exempts_caller, role};

use crate::decision::{AppliedPolicy, CredentialCheck, Decision, PolicyDecision, Role};
use crate::fleet::{OnOutage, Share};
use crate::http::{Answer, Request, RequestCache, Response, answered_status, is_good};
use crate::identity::{Identity, Seeds};
use crate::rules::{Policy, PolicySet, REJECTED, Unread};
use crate::table::{Charge, ChargeMode, Correction, Count, Outcome, Store, Transaction, Verdicts};
use caller::{Caller, ConsumerCache};
use credential_rejection::{CheckedCredentials, spares_owner};
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
    consumers: ConsumerCache,
    unreadable: RefCell<UnreadableKeys>,
}

impl Engine {
    /// An engine for these policies. It has not seen a request yet.
    pub fn new(rules: PolicySet) -> Engine {
        let (awaits_responses, checks_credentials) = (rules.awaits_responses(), rules.checks_credentials());
        let exempts_by_keys = rules.exempts_by_keys();
        let (consumers, unreadable) = (ConsumerCache::default(), RefCell::default());
        Engine { rules, awaits_responses, checks_credentials, exempts_by_keys, consumers, unreadable }
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
        let applied = applying(&self.rules, &request, &caller, now.wall);
        let open = checked.as_ref().filter(|checked| !checked.credentials.is_empty());
        let check = open.map(|checked| self.credential_check(checked, &request, &applied, &seeds, now.wall));
        let provisional = check.as_ref().map_or(&[][..], |(_, provisional)| provisional);
        let enforced = || judges(&applied).filter(|(one, _)| !one.shadow).chain(provisional.iter().copied());

        // One transaction asks all limits of all enforced policies, and counts the request where it should
        // count.
        let mut charges: Vec<Charge<'_>> = Vec::with_capacity(applied.len() + provisional.len());
        charges.extend(enforced().filter_map(|one| self.charge(&one)));
        if let Some(caller) = transaction.must_wait(&charges, self.rules.charging) {
            return Err(caller);
        }
        let outcomes = transaction.charge(&charges, self.rules.charging);

        // The verdicts of all limits become one decision. Turning it into a reply is the job of `reply`.
        let mut policies = Vec::with_capacity(outcomes.len());
        policies.extend(enforced().zip(outcomes).map(|(one, outcome)| policy_decision(one, outcome)));
        let check = check.map(|(mut check, provisional)| {
            check.take_provisional(provisional.len(), &mut policies);
            check
        });
        let mut decision = Decision::new(policies, now);
        if applied.iter().any(|one| one.shadow || matches!(one.role, Role::Returns(_))) {
            self.add_unenforced(&mut decision, &applied, transaction);
        }
        if decision.rejected() || self.rules.logs_callers {
            caller.resolve();
        }
        decision.set_caller(caller.resolved());
        let unreadable = caller.unreadable();
        if !unreadable.is_empty() {
            self.unreadable.borrow_mut().note(&unreadable);
        }
        if let Some(check) = check {
            decision.set_credential_check(check);
        }
        Ok(decision)
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

    fn charge(&self, (applied, cost): &(AppliedPolicy, u32)) -> Option<Charge<'_>> {
        Some(self.policy(applied.policy)?.charge(applied.identity, applied.limit_set, *cost))
    }

    /// Adds the policies that cannot reject the request: those in shadow mode, each decided on its own, and
    /// those that the request may give a unit back to.
    fn add_unenforced(
        &self,
        decision: &mut Decision,
        applied: &[AppliedPolicy],
        transaction: &mut Transaction<'_, impl Store>,
    ) {
        let shadows = judges(applied).filter(|(one, _)| one.shadow);
        let shadows = shadows.filter_map(|one| self.shadow(one, decision.rejected(), transaction));
        decision.add_shadows(shadows.collect());
        let returns = applied.iter().filter(|one| matches!(one.role, Role::Returns(_)));
        decision.add_returns(returns.copied().collect());
    }

    /// What a policy in shadow mode decides, as if it were the only one. If an enforced policy has rejected
    /// the request, the shadow policy does not count it, unless it counts rejections.
    fn shadow(
        &self,
        one: (AppliedPolicy, u32),
        rejected: bool,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Option<PolicyDecision> {
        let charge = self.charge(&one)?;
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
        Some(policy_decision(one, outcome))
    }

    /// Whether the response to an admitted request may change any count.
    #[inline]
    pub fn awaits_response(&self, decision: &Decision) -> bool {
        !decision.rejected()
            && (decision.awaits_proof() || self.awaits_responses && self.response_changes_counts(decision))
    }

    fn response_changes_counts(&self, decision: &Decision) -> bool {
        let depends = |one: &PolicyDecision| {
            self.policy(one.policy).is_some_and(|policy| policy.response.depends_on_response())
        };
        decision.all_policies().any(depends)
            || !decision.returns().is_empty()
            || decision.credential_check().is_some()
    }

    /// Whether the end of the request's stream may change any count.
    #[inline]
    pub fn awaits_stream_end(&self, decision: &Decision) -> bool {
        let awaits = |one: &PolicyDecision| {
            self.policy(one.policy).is_some_and(|policy| {
                let rules = &policy.response;
                policy.awaits_stream_end()
                    || decision.rejected() && rules.refunds_unsent()
                    || !decision.is_answered() && rules.depends_on_missing_response()
            })
        };
        self.awaits_responses && decision.all_policies().chain(decision.provisional()).any(awaits)
    }

    /// Applies what the response changes: it may count an admitted request, or give its units back. A
    /// response that Envoy made up because the upstream did not answer changes nothing; those requests are
    /// settled when their stream ends.
    ///
    /// Returns the policies, by index, that could not read what the response was to report.
    pub fn on_response(
        &self,
        decision: &mut Decision,
        response: &impl Response,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Vec<(usize, Unread)> {
        let mut unread = Vec::new();
        if decision.rejected() || decision.is_answered() {
            return unread;
        }
        decision.as_of = transaction.now();
        let Some(status) = self.settled_status(decision, response) else { return unread };
        let response = &Answer { response, status };
        decision.mark_answered();
        let (at, now, good) = (decision.now, transaction.now(), is_good(response));
        let (policies, check) = decision.policies_and_check();
        let rejected = check.filter(|check| self.rejects_credentials(check, Some(status)));
        for one in policies.filter(|one| !one.rejected()) {
            let Some(policy) = self.policy(one.policy) else { continue };
            if rejected.is_some_and(|check| spares_owner(check, policy, one)) {
                let left = self.correct(one, one.charged(at).give_back(), transaction);
                update_what_is_left(policy, one, left, 0);
                continue;
            }
            let effect = policy.response.on_response(response, one.charged(at), at, now);
            let proves = good && one.outcome.unproven;
            let left = self.correct(one, Correction { proves, ..effect.correction }, transaction);
            update_what_is_left(policy, one, left, effect.units);
            note_unread(&mut unread, one.policy, effect.unread);
        }
        for one in decision.returns() {
            let (Some(policy), Role::Returns(rule)) = (self.policy(one.policy), one.role) else { continue };
            let effect = policy.response.on_return(rule, response, at, now);
            let charge = policy.charge(one.identity, one.limit_set, 1);
            let charge = of_fleet(charge, transaction.seeds().fleet.is_some());
            transaction.correct(&charge, &effect.correction);
            note_unread(&mut unread, one.policy, effect.unread);
        }
        if let Some(check) = decision.credential_check() {
            self.record_rejection(check, at, response, transaction);
        }
        unread
    }

    /// The status by which a response settles what became of the request; `None` if it does not. A rejection of
    /// another Tollgate may have a status like that of a success, but it proves and returns nothing. Where that
    /// makes a difference, it is looked up.
    fn settled_status(&self, decision: &Decision, response: &impl Response) -> Option<u16> {
        const MIN_ERROR: u16 = 400;
        let status = answered_status(response)?;
        let distinguishes = |one: &PolicyDecision| {
            self.policy(one.policy).is_some_and(|policy| policy.response.distinguishes_rejections(status))
        };
        let is_unproved = |check: &CredentialCheck| check.credentials.iter().any(|one| !one.proved);
        let is_open = status < MIN_ERROR
            && (decision.awaits_proof()
                || !decision.returns().is_empty()
                || decision.credential_check().is_some_and(is_unproved)
                || decision.all_policies().any(distinguishes));
        Some(if is_open && response.rejection().is_some() { REJECTED } else { status })
    }

    /// Applies what the end of the stream changes, whatever ended it: units in flight are released, and a
    /// request that never got a response is settled.
    pub fn on_stream_end(&self, decision: &mut Decision, transaction: &mut Transaction<'_, impl Store>) {
        for one in decision.all_policies().chain(decision.provisional()).filter(|one| one.outcome.charged) {
            let Some(policy) = self.policy(one.policy) else { continue };
            let (rules, charged) = (&policy.response, one.charged(decision.now));
            let correction = match (decision.rejected(), decision.is_answered()) {
                // Another policy rejected the request, so the upstream never saw it.
                (true, _) if !one.rejected() && !policy.counts_all() => rules.on_unsent(charged),
                (false, false) => rules.on_missing_response(charged, transaction.now()),
                (true, _) | (false, true) => Correction::default(),
            };
            if policy.awaits_stream_end() {
                let charge = policy.charge(one.identity, one.limit_set, one.cost);
                transaction.release(&of_fleet(charge, one.outcome.in_fleet), &correction);
            } else {
                let _ = self.correct(one, correction, transaction);
            }
        }
    }

    /// Applies a correction, if it changes anything. Returns the verdicts on what is left now, if it was
    /// written.
    fn correct(
        &self,
        one: &PolicyDecision,
        correction: Correction,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Option<Verdicts> {
        let policy = self.policy(one.policy).filter(|_| !correction.is_none())?;
        let charge = of_fleet(policy.charge(one.identity, one.limit_set, one.cost), one.outcome.in_fleet);
        let overflowed = one.outcome.overflowed;
        transaction.correct(&charge, &Correction { overflowed, ..correction })
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

/// The charge as it was counted: a policy of the fleet may have been decided by this proxy's own table.
fn of_fleet(charge: Charge<'_>, in_fleet: bool) -> Charge<'_> {
    Charge { fleet: charge.fleet.filter(|_| in_fleet), ..charge }
}

fn note_unread(all: &mut Vec<(usize, Unread)>, policy: usize, unread: Unread) {
    if !unread.is_none() {
        all.push((policy, unread));
    }
}

/// Corrects what the verdicts say is left, and when it comes back, after a request whose real cost turned out
/// to be `units` (FA-13). `left` are the verdicts after its record was corrected. Without them, only what is
/// left can be known.
fn update_what_is_left(policy: &Policy, one: &mut PolicyDecision, left: Option<Verdicts>, units: u32) {
    if let Some(left) = left {
        let verdicts = one.outcome.verdicts.iter_mut().zip(left);
        return verdicts.for_each(|(verdict, now)| verdict.update(&now));
    }
    // A limit that counts what is in flight is not affected: the request still is. Nor is one of which nothing is
    // left after a request, whatever it costs.
    let judged = if one.outcome.charged { one.cost } else { 0 };
    let limits = policy.limit_sets.get(one.limit_set).limits();
    for (limit, verdict) in limits.iter().zip(&mut one.outcome.verdicts) {
        if !limit.counts_in_flight() && limit.algorithm.saves_up() {
            verdict.recount(judged, units);
        }
    }
}

fn policy_decision((applied, cost): (AppliedPolicy, u32), outcome: Outcome) -> PolicyDecision {
    let AppliedPolicy { policy, identity, limit_set, .. } = applied;
    PolicyDecision { policy, identity, limit_set, cost, outcome }
}

#[cfg(test)]
mod tests;
