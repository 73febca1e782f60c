//! What the engine decided about one request: plain data, which `reply` puts into words and `filter` applies.

use crate::http::GrpcStatus;
use crate::identity::Identity;
use crate::limiter::Verdict;
use crate::rules::LimitSet;
use crate::table::{Charged, Outcome};
use crate::time::{Micros, Now};
use std::cmp::Reverse;

/// What was decided about one request.
#[derive(Clone, Debug)]
pub struct Decision {
    policies: Vec<PolicyDecision>,
    /// Index into `policies` of the one that rejects for longest. `None`: the request is admitted.
    rejecting: Option<usize>,
    /// The wait that it asks for; 0 if the request is admitted.
    retry_after: Micros,
    consumer: Option<usize>,
    tier: Option<usize>,
    /// The instant at which the request was decided.
    pub now: Now,
    /// The instant from which its reply counts seconds: that of the response, if it has been looked at.
    pub as_of: Now,
    answered: bool,
    /// Boxed, because most decisions have none of it.
    extras: Option<Box<Extras>>,
}

/// The parts of a decision that most requests do not have.
#[derive(Clone, Debug, Default)]
struct Extras {
    shadows: Vec<PolicyDecision>,
    returns: Vec<AppliedPolicy>,
    stated: Vec<LimitSet>,
    unlimited: Vec<usize>,
    credential_check: CredentialCheck,
    unlisted_name: Option<Box<str>>,
    head: Option<ResponseHead>,
}

/// What one policy decided about a request.
#[derive(Clone, Debug)]
pub struct PolicyDecision {
    /// The policy, as an index into `PolicySet::policies`.
    pub policy: usize,
    /// The caller that the policy counted.
    pub identity: Identity,
    /// The number of the caller's limit set, for `LimitsByCaller::get`; from [`FIRST_OWN`](crate::rules::FIRST_OWN) on
    /// it is one that the request itself states.
    pub limit_set: usize,
    /// The caller's limits, if they are those that the request itself states. Boxed, because few do.
    pub own_limits: Option<Box<LimitSet>>,
    /// The request's cost in units.
    pub cost: u32,
    /// Whether the trailers of the response decide what the request costs.
    pub awaits_trailers: bool,
    /// Whether the request holds its cost until the end of the response's body, which reports the real one.
    pub awaits_body: bool,
    /// The verdicts of the policy's limits, and whether they counted the request.
    pub outcome: Outcome,
}

/// What the head of a response has said, for what its trailers decide.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The HTTP status.
    pub status: u16,
    /// What it said about the gRPC status.
    pub grpc: GrpcStatus,
    /// The headers that may report numbers to policies that wait, by lower-case name.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// How a policy takes part in a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Its limits judge the request, at this cost in units.
    Judges(u32),
    /// The request gives a unit back if its response says so. The index is that of the rule in
    /// `OnResponse::returns`.
    Returns(usize),
    /// For this caller the policy has no limits: it admits the request, and does not count it.
    Unlimited,
    /// For this caller a limit has a quota of 0: it rejects the request, and does not count it.
    Excluded,
}

/// A policy that takes part in a request, and the caller it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AppliedPolicy {
    /// The policy, as an index into `PolicySet::policies`.
    pub policy: usize,
    /// Whether it judges the request or takes units back.
    pub role: Role,
    /// The caller it counts.
    pub identity: Identity,
    /// The number of the caller's limit set, for `LimitsByCaller::get`; from [`FIRST_OWN`](crate::rules::FIRST_OWN) on
    /// it is one that the request itself states.
    pub limit_set: usize,
    /// Whether the policy is in shadow mode: it counts, but its rejections have no effect.
    pub shadow: bool,
}

/// A credential that the upstream's response may reject.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// The key it was read by, as an index into `Callers::keys`.
    pub key: usize,
    /// The record that holds its marker and its proof.
    pub identity: Identity,
    /// Whether a recent response has proved it.
    pub proved: bool,
}

/// What to do once the response says whether the request's credentials are valid.
#[derive(Clone, Debug, Default)]
pub struct CredentialCheck {
    /// The credentials that the response may reject.
    pub credentials: Vec<Credential>,
    /// The policies that would also have judged the request without these credentials, and its cost there.
    /// They count the request if the response rejects the credentials.
    pub as_anonymous: Vec<(AppliedPolicy, u32)>,
    /// What the enforced ones among those policies decided when they counted the request provisionally, each
    /// in a record of its own, because no response has proved the credentials yet.
    pub provisional: Vec<PolicyDecision>,
    /// Every policy that judges the request without these credentials, with the caller it counts.
    pub anonymous: Vec<(usize, Identity)>,
}

impl CredentialCheck {
    /// Takes over the last `provisional` decisions from `policies`. If one of them rejects the request,
    /// `policies` become what they would be for a caller without the credentials.
    pub fn take_provisional(&mut self, provisional: usize, policies: &mut Vec<PolicyDecision>) {
        self.provisional = policies.split_off(policies.len().saturating_sub(provisional));
        if self.provisional.iter().any(PolicyDecision::rejected) {
            let is_anonymous = |one: &PolicyDecision| self.anonymous.contains(&(one.policy, one.identity));
            let (mut anonymous, others): (Vec<PolicyDecision>, Vec<PolicyDecision>) =
                policies.drain(..).partition(is_anonymous);
            anonymous.append(&mut self.provisional);
            *policies = anonymous;
            // The other policies may have counted the request, which still has to be settled.
            self.provisional = others;
        }
    }
}

impl PolicyDecision {
    /// Whether the policy rejects the request.
    pub fn rejected(&self) -> bool {
        !self.outcome.admitted()
    }

    /// Whether the request costs nothing here, whatever its response says: it only looks.
    pub fn is_peek(&self) -> bool {
        self.cost == 0
    }

    /// What the policy counted when the request was decided, at `at`.
    pub fn charged(&self, at: Now) -> Charged {
        let Outcome { charged, holds, .. } = self.outcome;
        Charged { cost: self.cost, at: charged.then_some(at), holds }
    }

    /// The wait that the policy asks for. See [`Verdict::retry_after`].
    pub fn retry_after(&self) -> Micros {
        self.outcome.verdicts.iter().map(|verdict| verdict.retry_after).max().unwrap_or_default()
    }
}

impl Decision {
    /// Combines the decisions of all enforced policies. If there are none, the request is admitted.
    #[inline]
    pub fn new(policies: Vec<PolicyDecision>, now: Now) -> Decision {
        let (rejecting, retry_after) = longest(&policies).unzip();
        Decision {
            policies,
            rejecting,
            retry_after: retry_after.unwrap_or_default(),
            consumer: None,
            tier: None,
            now,
            as_of: now,
            answered: false,
            extras: None,
        }
    }

    /// The decision for a request that no policy applies to.
    pub fn admit(now: Now) -> Decision {
        Decision::new(Vec::new(), now)
    }

    /// Adds the decisions of the policies in shadow mode, in the order of the configuration.
    pub fn add_shadows(&mut self, shadows: Vec<PolicyDecision>) {
        if !shadows.is_empty() {
            self.extras.get_or_insert_default().shadows = shadows;
        }
    }

    /// Adds the policies that the request may give a unit back to.
    pub fn add_returns(&mut self, returns: Vec<AppliedPolicy>) {
        if !returns.is_empty() {
            self.extras.get_or_insert_default().returns = returns;
        }
    }

    /// Keeps the limits that the request itself states, for what its response decides about others than those
    /// that judged it.
    pub fn keep_stated(&mut self, stated: Vec<LimitSet>) {
        if let Some(extras) = self.extras.as_mut().filter(|_| !stated.is_empty()) {
            extras.stated = stated;
        }
    }

    /// The limits that the request itself states, by number from [`FIRST_OWN`](crate::rules::FIRST_OWN) on.
    pub fn stated(&self) -> &[LimitSet] {
        self.extras.as_deref().map_or(&[], |extras| &extras.stated)
    }

    /// Adds the policies, by index, that apply and have no limits for this caller.
    pub fn add_unlimited(&mut self, unlimited: Vec<usize>) {
        if !unlimited.is_empty() {
            self.extras.get_or_insert_default().unlimited = unlimited;
        }
    }

    /// Sets consumer and tier, as indexes, as far as they have been looked up.
    pub fn set_caller(&mut self, (consumer, tier): (Option<usize>, Option<usize>)) {
        (self.consumer, self.tier) = (consumer, tier);
    }

    /// Sets what names the caller, who is no consumer.
    pub fn set_unlisted_name(&mut self, name: Option<Box<str>>) {
        if name.is_some() {
            self.extras.get_or_insert_default().unlisted_name = name;
        }
    }

    /// What names a caller that is no consumer; empty if nothing does.
    pub fn unlisted_name(&self) -> &str {
        self.extras.as_deref().and_then(|extras| extras.unlisted_name.as_deref()).unwrap_or_default()
    }

    /// Sets what to do about the request's credentials when the response arrives.
    pub fn set_credential_check(&mut self, check: CredentialCheck) {
        self.extras.get_or_insert_default().credential_check = check;
    }

    /// The decisions of the enforced policies, in the order of the configuration.
    pub fn policies(&self) -> &[PolicyDecision] {
        &self.policies
    }

    /// The decisions of the policies in shadow mode, in the order of the configuration.
    pub fn shadows(&self) -> &[PolicyDecision] {
        self.extras.as_deref().map_or(&[], |extras| &extras.shadows)
    }

    /// The decisions of the enforced policies, then of those in shadow mode.
    pub fn all_policies(&self) -> impl Iterator<Item = &PolicyDecision> {
        self.policies.iter().chain(self.shadows())
    }

    /// The same as [`Decision::all_policies`], mutable, and [`Decision::credential_check`].
    pub fn policies_and_check(
        &mut self,
    ) -> (impl Iterator<Item = &mut PolicyDecision>, Option<&CredentialCheck>) {
        let Decision { policies, extras, .. } = self;
        let (shadows, check) = match extras.as_deref_mut() {
            Some(Extras { shadows, credential_check, .. }) => {
                (shadows.as_mut_slice(), Some(&*credential_check))
            }
            None => (&mut [][..], None),
        };
        (policies.iter_mut().chain(shadows), check.filter(|check| !check.credentials.is_empty()))
    }

    /// The decisions that apply only if the response rejects the request's credentials.
    pub fn provisional(&self) -> &[PolicyDecision] {
        self.extras.as_deref().map_or(&[], |extras| &extras.credential_check.provisional)
    }

    /// The policies that the request may give a unit back to.
    pub fn returns(&self) -> &[AppliedPolicy] {
        self.extras.as_deref().map_or(&[], |extras| &extras.returns)
    }

    /// The policies, by index, that apply and have no limits for this caller.
    pub fn unlimited(&self) -> &[usize] {
        self.extras.as_deref().map_or(&[], |extras| &extras.unlimited)
    }

    /// What to do about the request's credentials when the response arrives. `None`: it cannot reject any.
    pub fn credential_check(&self) -> Option<&CredentialCheck> {
        let check = self.extras.as_deref().map(|extras| &extras.credential_check);
        check.filter(|check| !check.credentials.is_empty())
    }

    /// The consumer, as an index into the configuration's list. `None`: it is unknown, or was not looked up.
    pub fn consumer(&self) -> Option<usize> {
        self.consumer
    }

    /// The tier, as an index into the configuration's list. `None`: it was not looked up.
    pub fn tier(&self) -> Option<usize> {
        self.tier
    }

    /// Whether the request is rejected.
    pub fn rejected(&self) -> bool {
        self.rejecting.is_some()
    }

    /// Whether the request is rejected because the fleet's service does not answer, and not by a limit.
    pub fn unavailable(&self) -> bool {
        let limited = |one: &PolicyDecision| one.rejected() && !one.outcome.unavailable;
        self.rejected() && !self.policies.iter().any(limited)
    }

    /// Whether the request is rejected by a quota of 0, so that no retry will be admitted.
    pub fn is_excluded(&self) -> bool {
        self.rejecting().is_some_and(|one| one.outcome.verdicts.iter().any(Verdict::is_excluded))
    }

    /// Records what the head of a response has said whose trailers decide something.
    pub fn set_head(&mut self, head: ResponseHead) {
        self.extras.get_or_insert_default().head = Some(head);
    }

    /// What the head of a response has said, once, if its trailers decide something.
    pub fn take_head(&mut self) -> Option<ResponseHead> {
        self.extras.as_mut()?.head.take()
    }

    /// Whether the trailers of the response decide something.
    pub fn awaits_trailers(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.head.is_some())
    }

    /// Whether a policy awaits the end of the response's body.
    pub fn awaits_body(&self) -> bool {
        self.all_policies().any(|one| one.awaits_body)
    }

    /// Records that the upstream has answered.
    pub fn mark_answered(&mut self) {
        self.answered = true;
    }

    /// Whether the upstream has answered.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether a successful response would prove a caller who has used much of its quota, but whose record
    /// the table may still evict.
    pub fn awaits_proof(&self) -> bool {
        self.policies.iter().any(|one| one.outcome.unproven)
    }

    /// The policy that rejects for longest; the first, if several ask for the same wait.
    pub fn rejecting(&self) -> Option<&PolicyDecision> {
        self.policies.get(self.rejecting?)
    }

    /// The longest wait that any limit asks for (BI-12): an earlier retry is rejected again.
    pub fn retry_after(&self) -> Micros {
        self.retry_after
    }

    /// The decision of an enforced policy, by its index. `None`: it does not apply.
    pub fn of_policy(&self, policy: usize) -> Option<&PolicyDecision> {
        self.policies.iter().filter(|one| one.policy == policy).reduce(narrower)
    }

    /// One verdict of an enforced policy, by the index of the policy and the verdict's place. `None`: the
    /// policy does not apply.
    pub fn verdict(&self, policy: usize, place: usize) -> Option<&Verdict> {
        self.of_policy(policy)?.outcome.verdicts.get(place)
    }
}

/// The decision of each policy, once: one that counts a request by several of its matches has decided about each.
pub fn of_each_policy(policies: &[PolicyDecision]) -> impl Iterator<Item = &PolicyDecision> {
    let of_policies = policies.chunk_by(|one, other| one.policy == other.policy);
    of_policies.filter_map(|decisions| decisions.iter().reduce(narrower))
}

/// The decision of the two that rejects for longer; if none rejects, the one with less left.
#[cold]
fn narrower<'d>(one: &'d PolicyDecision, other: &'d PolicyDecision) -> &'d PolicyDecision {
    let order = |one: &PolicyDecision| {
        let left = one.outcome.verdicts.iter().map(|verdict| verdict.remaining).min();
        (!one.rejected(), Reverse(one.retry_after()), left)
    };
    if order(other) < order(one) { other } else { one }
}

/// The index of the policy that rejects for longest, the first of several, and the longest wait of all
/// policies: one that admits the request may have counted it all the same. `None`: none rejects.
fn longest(policies: &[PolicyDecision]) -> Option<(usize, Micros)> {
    let (mut longest, mut wait) = (None, 0);
    for (index, one) in policies.iter().enumerate() {
        let own = one.retry_after();
        wait = own.max(wait);
        if one.rejected() && longest.is_none_or(|(_, longest)| own > longest) {
            longest = Some((index, own));
        }
    }
    longest.map(|(index, _)| (index, wait))
}
