//! Credentials that the upstream accepts or rejects (PA-8).
//!
//! When a response rejects a credential, the engine writes a marker into the credential's own record. The
//! credential is treated as absent until the marker has left its window, and the rejected request counts
//! where a request without the credential would.
//!
//! The rejection is known only when the response arrives. Until then a client could send many made-up
//! credentials at once, or hang up before each is rejected. So while no response has proved a credential, its
//! requests also hold units of the limits of a caller without it. They hold them in a record of their own
//! ([`Identity::provisional`]), so clients that present no credential lose nothing. A successful response
//! gives these units back, and leaves a proof that lasts as long as a marker would.

use super::caller::{Caller, ForgivenCaller};
use super::selection::{applying, judges};
use super::{Engine, policy_decision};
use crate::decision::{AppliedPolicy, Credential, CredentialCheck, PolicyDecision, Role};
use crate::http::{Request, RequestCache, Response, is_good};
use crate::identity::{Identity, Seeds};
use crate::limiter::Limit;
use crate::rules::{CredentialRejection, LimitSet, Policy};
use crate::table::{Charge, ChargeMode, Correction, Count, OnContention, Outcome, Store, Transaction};
use crate::time::{Micros, Now};

/// A request's credentials that the upstream decides about, by what their records say.
#[derive(Default)]
pub(super) struct CheckedCredentials {
    /// The keys, by index, whose credentials the upstream has recently rejected.
    pub rejected: Vec<usize>,
    /// The credentials that the response to this request may reject.
    pub credentials: Vec<Credential>,
}

/// What a request would meet without its credentials.
pub(super) struct AnonymousCheck {
    /// What to do if the response rejects the credentials.
    pub check: CredentialCheck,
    /// The policies that hold units until the response arrives, each with the request's cost.
    pub provisional: Vec<(AppliedPolicy, u32)>,
    /// The policies of which a quota is 0. While no response has proved the credentials, they reject.
    pub excluded: Vec<AppliedPolicy>,
    /// What a caller without them is forgiven.
    pub forgiven: Vec<ForgivenCaller>,
}

impl Engine {
    /// Looks for markers and proofs in the records of the request's credentials.
    pub(super) fn check_credentials<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        transaction: &mut Transaction<'_, impl Store>,
    ) -> CheckedCredentials {
        let mut checked = CheckedCredentials::default();
        let seeds = transaction.seeds();
        let caller = self.caller(request, &seeds, &[]);
        for (key, identity) in caller.rejectable_credentials() {
            let Some(rejection) = self.rejection(key) else { continue };
            let look = [look(identity, rejection)];
            let outcomes = transaction.charge(&look, ChargeMode::AllOrNothing);
            let mut absent =
                outcomes.iter().flat_map(|outcome| &outcome.verdicts).map(|verdict| verdict.admitted);
            let (unmarked, unproved) = (absent.next().unwrap_or(true), absent.next().unwrap_or(true));
            match unmarked {
                true => checked.credentials.push(Credential { key, identity, proved: !unproved }),
                false => checked.rejected.push(key),
            }
        }
        checked
    }

    /// What the request would meet without its credentials.
    pub(super) fn credential_check<R: Request>(
        &self,
        checked: &CheckedCredentials,
        caller: &Caller<'_, R>,
        applied: &[AppliedPolicy],
        seeds: &Seeds,
        wall: Micros,
        own: &mut Vec<LimitSet>,
    ) -> AnonymousCheck {
        let CheckedCredentials { rejected, credentials } = checked;
        let without = rejected.iter().copied().chain(credentials.iter().map(|one| one.key));
        let without: Vec<usize> = without.collect();
        let anonymous = self.caller(caller.request(), seeds, &without);
        let as_anonymous = applying(&self.rules, caller.request(), &anonymous, wall, own);
        let forgiven = anonymous.forgiven();
        // A policy that judges the request anyway, for the same caller, must not count it twice.
        let counted = |one: &AppliedPolicy| (one.policy, one.identity);
        let is_new = |one: &AppliedPolicy| !applied.iter().any(|other| counted(other) == counted(one));
        let anonymous = as_anonymous.iter().map(counted).collect();
        let proved = credentials.iter().all(|one| one.proved);
        // The credential of a listed consumer is not made up. If it were rejected, nothing could ever prove it.
        let is_listed = || credentials.iter().all(|one| one.proved || caller.is_listed(one.key));
        let excludes =
            |one: &&AppliedPolicy| !proved && one.role == Role::Excluded && !one.shadow && !is_listed();
        let excluded = as_anonymous.iter().filter(|one| excludes(one) && is_new(one)).copied().collect();
        let as_anonymous: Vec<(AppliedPolicy, u32)> =
            judges(&as_anonymous).filter(|(one, cost)| *cost > 0 && is_new(one)).collect();
        let provisional = as_anonymous.iter().filter(|(one, _)| !proved && !one.shadow);
        let in_own_record = |(one, cost): &(AppliedPolicy, u32)| {
            (AppliedPolicy { identity: one.identity.provisional(), ..*one }, *cost)
        };
        let provisional = provisional.map(in_own_record).collect();
        let credentials = credentials.clone();
        let check = CredentialCheck { credentials, as_anonymous, provisional: Vec::new(), anonymous };
        AnonymousCheck { check, provisional, excluded, forgiven }
    }

    /// If the response rejects credentials, marks them, and counts the request where a request without them
    /// counts. If it proves a credential, records the proof. `at`: when the
    /// request was decided. `stated` are the limits that the request itself states.
    pub(super) fn record_rejection(
        &self,
        check: &CredentialCheck,
        stated: &[LimitSet],
        at: Now,
        response: &impl Response,
        transaction: &mut Transaction<'_, impl Store>,
    ) {
        let now = transaction.now();
        let rejected = self.rejects_credentials(check, response);
        let good = !rejected && is_good(response);
        // If the request has several credentials, nobody can tell which one the upstream accepted.
        let proves = good && check.credentials.len() == 1;
        for one in &check.credentials {
            let Some(rejection) = self.rejection(one.key) else { continue };
            let more = Some((now, 1));
            if self.rejects(one, response) {
                let marker = Correction { more, ..Correction::default() };
                transaction.correct(&charge(one.identity, rejection.marker()), &marker);
            } else if proves && !one.proved {
                let proof = Correction { more, proves: true, ..Correction::default() };
                transaction.correct(&charge(one.identity, rejection.proof()), &proof);
            }
        }
        for one in &check.provisional {
            let charged = one.charged(at);
            // A response that is neither good nor a rejection says nothing about the credentials.
            let correction = match good {
                true => Correction { settled: one.cost, ..charged.give_back() },
                false => charged.count_at(now, one.cost),
            };
            self.correct(one, correction, transaction);
        }
        let in_fleet = transaction.seeds().fleet.is_some();
        for (applied, cost) in check.as_anonymous.iter().filter(|_| rejected) {
            let Some(policy) = self.policy(applied.policy) else { continue };
            let uncounted =
                policy_decision((*applied, *cost), Outcome { in_fleet, ..Outcome::default() }, stated);
            let correction = policy.response.on_late_response(response, *cost, at, now);
            self.correct(&uncounted, correction, transaction);
        }
    }

    /// Whether a response rejects credentials of the request.
    pub(super) fn rejects_credentials(&self, check: &CredentialCheck, response: &impl Response) -> bool {
        check.credentials.iter().any(|one| self.rejects(one, response))
    }

    fn rejects(&self, one: &Credential, response: &impl Response) -> bool {
        self.rejection(one.key).is_some_and(|rejection| rejection.statuses.holds(response))
    }

    /// Whether a gRPC status may reject credentials of the request.
    pub(super) fn names_grpc(&self, check: &CredentialCheck) -> bool {
        let names = |one: &Credential| {
            self.rejection(one.key).is_some_and(|rejection| rejection.statuses.names_grpc())
        };
        check.credentials.iter().any(names)
    }

    fn rejection(&self, key: usize) -> Option<&CredentialRejection> {
        self.rules.callers.keys.get(key)?.validity.rejection()
    }
}

/// Whether a request with rejected credentials costs nothing here, whatever else its response says. A made-up
/// credential may share its prefix, and so its budget, with a real one, whose owner must not pay for it.
/// Policies that count by the response, or all requests, follow their own rule, and so do stocks.
pub(super) fn spares_owner(check: &CredentialCheck, policy: &Policy, one: &PolicyDecision) -> bool {
    let keeps = policy.response.count.is_some() || policy.response.stock.is_some() || policy.counts_all();
    !keeps && !check.anonymous.contains(&(one.policy, one.identity))
}

/// A charge that only looks for marker and proof. It asks for all units, so a limit admits it only if none is
/// taken.
fn look(identity: Identity, rejection: &CredentialRejection) -> Charge<'_> {
    Charge { cost: rejection.units(), ..charge(identity, &rejection.limits) }
}

fn charge(identity: Identity, limits: &[Limit]) -> Charge<'_> {
    Charge {
        identity,
        limits,
        cost: 0,
        count: Count::Never,
        on_contention: OnContention::Allow,
        held: false,
        fleet: None,
    }
}
