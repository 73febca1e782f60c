//! Which policies apply to a request, and which caller each of them counts.

use super::caller::Caller;
use crate::decision::{AppliedPolicy, Role};
use crate::http::{Request, RequestCache};
use crate::identity::Identity;
use crate::rules::{FIRST_OWN, LimitSet, Policy, PolicySet, QuotaFrom, RequestMatch, Standing};
use crate::time::Micros;

/// Whether the request is exempt from all policies, whoever sent it.
pub fn exempts<R: Request>(rules: &PolicySet, request: &RequestCache<'_, R>) -> bool {
    rules.exempt.iter().any(|rule| !rule.asks_for_caller() && rule.matches(request))
        || exempts_as_preflight(rules, request)
}

/// Whether the request is exempt from all policies because of its keys.
pub fn exempts_caller<R: Request>(rules: &PolicySet, caller: &Caller<'_, R>) -> bool {
    rules.exempt.iter().any(|rule| rule.asks_for_caller() && caller.matches(rule))
}

fn exempts_as_preflight<R: Request>(rules: &PolicySet, request: &RequestCache<'_, R>) -> bool {
    // A preflight carries no `authorization`. If some key reads that header anyway, checking it first saves
    // most requests a further host call.
    let may_be = || !rules.reads_authorization || request.authorization().is_none();
    // A request that presents any key is not exempt. Only preflights pay for reading all keys.
    let shows_any_key = || rules.callers.keys.iter().any(|key| key.source.is_shown(request, key));
    rules.exempt_preflight && may_be() && request.is_preflight() && !shows_any_key()
}

/// The policies that take part in a request at `wall`, an instant of the wall clock. A policy takes no part
/// if the caller lacks one of its keys. Adds to `own` the limits that the request itself states.
pub fn applying<R: Request>(
    rules: &PolicySet,
    request: &RequestCache<'_, R>,
    caller: &Caller<'_, R>,
    wall: Micros,
    own: &mut Vec<LimitSet>,
) -> Vec<AppliedPolicy> {
    let candidates = rules.routes.candidates(request);
    let mut applied = Vec::with_capacity(candidates.len());
    // The classes of which an enforced policy applies, and those of which any policy does, as bits.
    let (mut enforced, mut any) = (0, 0);
    for index in candidates {
        let Some(policy) = rules.policies.get(index) else { continue };
        if !policy.is_open(wall) {
            continue;
        }
        let Some((mut role, rule)) = role(policy, caller) else { continue };
        let mut shadow = policy.mode.is_shadow(wall);
        if !policy.enforced.is_all() {
            shadow |= !is_enforced_for(rules, policy, caller, rule);
        }
        // Only judging is exclusive within a class, and a shadow policy must not displace an enforced one.
        let class = if matches!(role, Role::Judges(_)) { policy.class } else { 0 };
        if class & (if shadow { any } else { enforced }) != 0 {
            continue;
        }
        let Some(identity) = identity_of(policy, caller, rule) else { continue };
        let mut limit_set = limit_set_of(policy, caller);
        if rules.can_be_ambiguous && caller.is_ambiguous(&policy.key, rule) {
            limit_set = policy.limit_sets.that_can_reject(limit_set);
            role = match role {
                Role::Judges(_) => Role::Judges(policy.more_than_any_limit_admits(limit_set)),
                Role::Returns(_) | Role::Unlimited | Role::Excluded => continue,
            };
        } else if !policy.quotas_from.is_empty() {
            limit_set = stated_limits(policy, limit_set, caller, rule, own);
        }
        if policy.limit_sets.are_partial() && limit_set < FIRST_OWN {
            let Some(changed) = with_quotas(role, policy.limit_sets.get(limit_set)) else { continue };
            role = changed;
        }
        // If the request matches only as some servers read it, the upstream may see one that belongs to
        // another policy of the class. Then both apply.
        if class == 0 || rule.is_none_or(|rule| is_certain(rule, caller)) {
            any |= class;
            enforced |= if shadow { 0 } else { class };
        }
        let one = AppliedPolicy { policy: index, role, identity, limit_set, shadow };
        applied.push(one);
        if policy.counts_by_match && policy.matches.len() > 1 {
            add_other_matches(policy, one, caller, &mut applied);
        }
    }
    applied
}

/// The caller that a policy counts. `None`: the request lacks one of its keys.
fn identity_of<R: Request>(
    policy: &Policy,
    caller: &Caller<'_, R>,
    rule: Option<&RequestMatch>,
) -> Option<Identity> {
    let (key, record) = (&policy.key, policy.record_name());
    match policy.scope.is_fleet() {
        true => caller.fleet_identity(key, rule, record),
        false => caller.identity(key, rule, record),
    }
}

/// If a request fits its match only as some servers read it, the upstream may see one that fits another match. The
/// policy counts it as both, if its key is the match: a client must not choose by a spelling where it is counted.
#[cold]
fn add_other_matches<R: Request>(
    policy: &Policy,
    first: AppliedPolicy,
    caller: &Caller<'_, R>,
    applied: &mut Vec<AppliedPolicy>,
) {
    let fitting = policy.judged().filter(|rule| caller.matches(rule));
    let uncertain = fitting.scan(true, |open, rule| {
        let was_open = *open;
        *open &= !is_certain(rule, caller);
        was_open.then_some(rule)
    });
    for rule in uncertain.filter(|_| matches!(first.role, Role::Judges(_))) {
        let identity = identity_of(policy, caller, Some(rule));
        let other = identity.map(|identity| AppliedPolicy { identity, ..first });
        let is_new = |other: &AppliedPolicy| {
            !applied.iter().any(|one| one.policy == other.policy && one.identity == other.identity)
        };
        applied.extend(other.filter(is_new));
    }
}

/// Whether a policy that is enforced for a share of its callers is for this one. It is for whoever presents
/// conflicting values: who that is, nobody knows, so it must not be a way into the rest.
#[inline(never)] // rarely called
fn is_enforced_for<R: Request>(
    rules: &PolicySet,
    policy: &Policy,
    caller: &Caller<'_, R>,
    rule: Option<&RequestMatch>,
) -> bool {
    identity_of(policy, caller, rule).is_some_and(|identity| policy.enforced.has(identity))
        || rules.can_be_ambiguous && caller.is_ambiguous(&policy.key, rule)
}

/// Adds the limits that the request itself states to `own`, if it does, and returns the number of the caller's
/// set.
#[inline(never)] // rarely called
fn stated_limits<R: Request>(
    policy: &Policy,
    limit_set: usize,
    caller: &Caller<'_, R>,
    rule: Option<&RequestMatch>,
    own: &mut Vec<LimitSet>,
) -> usize {
    let set = policy.limit_sets.get(limit_set);
    let number = |key| caller.number(key, rule);
    let stated = QuotaFrom::apply(&policy.quotas_from, policy.limits(), set, number);
    // If another limit has a quota of 0, the caller's own set says so already.
    let Some(stated) = stated.filter(|set| set.standing() == Standing::Limited) else { return limit_set };
    own.push(stated);
    FIRST_OWN + own.len() - 1
}

/// What becomes of a policy's role with the caller's quotas, of which some may be unlimited or 0. `None`: it
/// has none.
#[inline(never)] // rarely called
fn with_quotas(role: Role, limits: &LimitSet) -> Option<Role> {
    match role {
        // A request that costs nothing is not rejected, and there is nothing left to see.
        Role::Judges(0) if limits.standing() == Standing::Excluded => None,
        Role::Judges(_) => Some(match limits.standing() {
            Standing::Limited => role,
            Standing::Unlimited => Role::Unlimited,
            Standing::Excluded => Role::Excluded,
        }),
        Role::Returns(_) => (!limits.limits().is_empty()).then_some(role),
        Role::Unlimited | Role::Excluded => Some(role),
    }
}

/// The number of the caller's limit set. If all callers have the same limits, nothing is read from the
/// request.
fn limit_set_of<R: Request>(policy: &Policy, caller: &Caller<'_, R>) -> usize {
    match policy.limit_sets.differ() {
        true => policy.limit_sets.number_for(caller.consumer(), || caller.tier()),
        false => 0,
    }
}

/// How a policy takes part in a request, and the match that says so, if the policy has matches. `None`: it
/// does not.
pub fn role<'a, R: Request>(
    policy: &'a Policy,
    caller: &Caller<'_, R>,
) -> Option<(Role, Option<&'a RequestMatch>)> {
    let mut matching = policy.matches.iter().filter(|(rule, _)| caller.matches(rule));
    let first = matching.next();
    if first.is_none() && !policy.matches.is_empty() {
        let (index, rule) = policy.response.find_return(|rule| caller.matches(rule))?;
        return Some((Role::Returns(index), Some(rule)));
    }
    if policy.except.iter().any(|rule| caller.matches(rule)) {
        return None;
    }
    let cost_of = |(rule, cost): &(RequestMatch, Option<u32>)| {
        cost.unwrap_or_else(|| own_cost(policy, caller, Some(rule)))
    };
    let mut cost = first.map_or_else(|| own_cost(policy, caller, None), cost_of);
    // If the request matches only as some servers read it, the upstream may see one with a higher cost.
    let first_rule = first.map(|(rule, _)| rule);
    if policy.matches.len() > 1 && first_rule.is_some_and(|rule| !is_certain(rule, caller)) {
        cost = matching.map(cost_of).fold(cost, u32::max);
    }
    Some((Role::Judges(cost), first_rule))
}

/// What a policy says that a request costs, if its match says nothing.
#[inline]
fn own_cost<R: Request>(policy: &Policy, caller: &Caller<'_, R>, rule: Option<&RequestMatch>) -> u32 {
    match &policy.cost_from {
        None => policy.cost,
        Some(from) => from.cost(caller.number(from.key, rule), policy.cost),
    }
}

/// Whether the upstream, too, sees a request that this match fits, and not one with another spelling of its
/// path or with another of several values of a key.
fn is_certain<R: Request>(rule: &RequestMatch, caller: &Caller<'_, R>) -> bool {
    rule.matches_as_written(caller.request()) && !rule.is_unclear(caller)
}

/// The policies that judge the request, each with the request's cost in units.
pub(super) fn judges(applied: &[AppliedPolicy]) -> impl Iterator<Item = (AppliedPolicy, u32)> {
    applied.iter().filter_map(|applied| match applied.role {
        Role::Judges(cost) => Some((*applied, cost)),
        Role::Returns(_) | Role::Unlimited | Role::Excluded => None,
    })
}
