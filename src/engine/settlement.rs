//! What becomes of a request after the decision: its response, the response's body and the end of its stream
//! correct the counts. [`Engine::on_response`] comes first, then [`Engine::on_body`] and
//! [`Engine::on_stream_end`]; a response whose trailers decide has [`Engine::on_trailers`] in between.

use super::credential_rejection::spares_owner;
use super::trailers::When;
use super::{Engine, own_limits};
use crate::body::Unreadable;
use crate::decision::{CredentialCheck, Decision, PolicyDecision, Role};
use crate::http::{Answer, GrpcStatus, Response, answered_status, is_good};
use crate::limiter::Limit;
use crate::rules::{BodySeen, Policy, REJECTED, Unread};
use crate::table::{Charge, Correction, Store, Transaction, Verdicts};

impl Engine {
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

    /// Whether any policy reads the bodies of responses.
    #[inline]
    pub fn reads_bodies(&self) -> bool {
        !self.rules.pointers.is_empty()
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
        if decision.rejected() || decision.is_answered() {
            return Vec::new();
        }
        decision.as_of = transaction.now();
        let Some(status) = self.settled_status(decision, response) else { return Vec::new() };
        decision.mark_answered();
        let head = Answer { response, status, grpc: None };
        let grpc = if self.names_grpc { GrpcStatus::of(&head) } else { GrpcStatus::None };
        let head = Answer { grpc: grpc.known(), ..head };
        let awaits = self.reads_trailers && self.await_trailers(decision, &head, grpc);
        let when = When { late: false, in_trailers: awaits && grpc == GrpcStatus::InTrailers, broken: false };
        self.settle(decision, &head, when, transaction)
    }

    /// Settles what waits for the response's head, or for its trailers. Returns the policies, by index, that could
    /// not read what the response was to report.
    pub(super) fn settle(
        &self,
        decision: &mut Decision,
        response: &impl Response,
        when: When,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Vec<(usize, Unread)> {
        let mut unread = Vec::new();
        let (at, now, good) = (decision.now, transaction.now(), is_good(response));
        let (policies, check) = decision.policies_and_check();
        let rejected = check.filter(|check| self.rejects_credentials(check, response));
        let by_grpc = check.is_some_and(|check| self.names_grpc(check));
        let settled = |one: &&mut PolicyDecision| !one.rejected() && !one.is_peek();
        for one in policies.filter(settled).filter(|one| one.awaits_trailers == when.late) {
            one.awaits_trailers = false;
            let Some(policy) = self.policy(one.policy) else { continue };
            if when.broken && (policy.response.names_grpc() || by_grpc) {
                let _ =
                    self.correct(one, policy.response.on_missing_response(one.charged(at), now), transaction);
                continue;
            }
            if rejected.is_some_and(|check| spares_owner(check, policy, one)) {
                let left = self.correct(one, one.charged(at).give_back(), transaction);
                update_what_is_left(policy, one, left, 0);
                continue;
            }
            let mut effect = policy.response.on_response(response, one.charged(at), at, now);
            if when.late && effect.awaits_body {
                // The body has ended. What has a gRPC status in its trailers is not of a type that can be read.
                effect =
                    policy.response.on_body(BodySeen::Unreadable(Unreadable::Type), one.charged(at), now);
            }
            let proves = good && one.outcome.unproven;
            let left = self.correct(one, Correction { proves, ..effect.correction }, transaction);
            update_what_is_left(policy, one, left, effect.units);
            one.awaits_body = effect.awaits_body;
            note_unread(&mut unread, one.policy, effect.unread);
        }
        for one in decision.returns() {
            let (Some(policy), Role::Returns(rule)) = (self.policy(one.policy), one.role) else { continue };
            if !when.settles(policy.response.names_grpc()) {
                continue;
            }
            let effect = policy.response.on_return(rule, response, at, now);
            let own = own_limits(one, decision.stated());
            let limits = own.unwrap_or_else(|| policy.limit_sets.get(one.limit_set)).limits();
            let charge = policy.charge_of(limits, one.identity, 1);
            let charge = of_fleet(charge, transaction.seeds().fleet.is_some());
            transaction.correct(&charge, &effect.correction);
            note_unread(&mut unread, one.policy, effect.unread);
        }
        if let Some(check) = decision.credential_check().filter(|_| when.settles(by_grpc)) {
            self.record_rejection(check, decision.stated(), at, response, transaction);
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

    /// Applies what the body of the response has reported, at its end or at that of the stream: once, to the
    /// policies that await it.
    ///
    /// Returns the policies, by index, that could not read what the body was to report.
    #[inline(never)]
    pub fn on_body(
        &self,
        decision: &mut Decision,
        body: BodySeen<'_>,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Vec<(usize, Unread)> {
        let (mut unread, at, now) = (Vec::new(), decision.now, transaction.now());
        let (policies, _) = decision.policies_and_check();
        for one in policies.filter(|one| one.awaits_body) {
            one.awaits_body = false;
            let Some(policy) = self.policy(one.policy) else { continue };
            let effect = policy.response.on_body(body, one.charged(at), now);
            let _ = self.correct(one, effect.correction, transaction);
            note_unread(&mut unread, one.policy, effect.unread);
        }
        unread
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
                let charge = policy.charge_of(limits(policy, one), one.identity, one.cost);
                transaction.release(&of_fleet(charge, one.outcome.in_fleet), decision.now, &correction);
            } else {
                let _ = self.correct(one, correction, transaction);
            }
        }
    }

    /// Applies a correction, if it changes anything. Returns the verdicts on what is left now, if it was
    /// written.
    pub(super) fn correct(
        &self,
        one: &PolicyDecision,
        correction: Correction,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> Option<Verdicts> {
        let policy = self.policy(one.policy).filter(|_| !correction.is_none())?;
        let charge = policy.charge_of(limits(policy, one), one.identity, one.cost);
        let charge = of_fleet(charge, one.outcome.in_fleet);
        let overflowed = one.outcome.overflowed;
        transaction.correct(&charge, &Correction { overflowed, ..correction })
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
    let limits = match &one.own_limits {
        Some(own) => own.limits(),
        None => policy.limit_sets.get(one.limit_set).limits(),
    };
    for (limit, verdict) in limits.iter().zip(&mut one.outcome.verdicts) {
        if !limit.counts_in_flight() && limit.algorithm.saves_up() {
            verdict.recount(judged, units);
        }
    }
}

/// The limits that a policy's decision was by.
fn limits<'a>(policy: &'a Policy, one: &'a PolicyDecision) -> &'a [Limit] {
    one.own_limits.as_deref().unwrap_or_else(|| policy.limit_sets.get(one.limit_set)).limits()
}
