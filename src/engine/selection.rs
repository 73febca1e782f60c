//! Which policies apply to a request, and who each of them counts.

use super::caller::Caller;
use super::key_value::shows_any_key;
use crate::decision::{Applied, Role};
use crate::http::{Request, RequestCache, RequestMatch};
use crate::rules::{Policy, PolicySet};
use crate::time::Micros;

/// Whether no policy applies to a request.
pub fn exempts<R: Request>(set: &PolicySet, asked: &RequestCache<'_, R>) -> bool {
    set.exempt.iter().any(|rule| rule.matches(asked)) || exempts_as_preflight(set, asked)
}

fn exempts_as_preflight<R: Request>(set: &PolicySet, asked: &RequestCache<'_, R>) -> bool {
    // If `authorization` is read anyway, most requests need no further host call: a preflight has none.
    let may_be = || !set.reads_authorization || asked.authorization().is_none();
    // Any key at all ends the exemption. Only a preflight is asked for all of them.
    set.exempt_preflight && may_be() && asked.is_preflight() && !shows_any_key(asked, &set.callers)
}

/// The policies that take part in a request, at an instant of the wall clock. A policy whose key the caller
/// does not have takes no part.
pub fn applying<R: Request>(
    set: &PolicySet,
    asked: &RequestCache<'_, R>,
    caller: &Caller<'_, R>,
    wall: Micros,
) -> Vec<Applied> {
    let candidates = set.routes.candidates(asked);
    let mut applied = Vec::with_capacity(candidates.len());
    // Classes of which a policy has applied: an enforced one, or any.
    let (mut enforced, mut any) = (0, 0);
    for index in candidates {
        let Some(policy) = set.policies.get(index) else { continue };
        let Some((mut role, rule)) = role(policy, asked) else { continue };
        let shadow = policy.mode.is_shadow(wall);
        // Only judging is exclusive. What is only checked out must not keep an enforced policy from applying.
        let class = if matches!(role, Role::Judges(_)) { policy.class } else { 0 };
        if class & (if shadow { any } else { enforced }) != 0 {
            continue;
        }
        let template = rule.and_then(|rule| rule.path.as_ref());
        let Some(identity) = caller.identity(&policy.key, template, policy.record()) else { continue };
        let limit_set = limit_set_of(policy, caller);
        if set.can_be_ambiguous && caller.is_ambiguous(&policy.key, template) {
            role = match role {
                Role::Judges(_) => Role::Judges(policy.too_much(limit_set)),
                Role::Returns(_) => continue,
            };
        }
        // Another spelling of its path may be the path of another of the class: both apply.
        if class == 0 || rule.is_none_or(|rule| rule.matches_as_written(asked)) {
            any |= class;
            enforced |= if shadow { 0 } else { class };
        }
        applied.push(Applied { policy: index, role, identity, limit_set, shadow });
    }
    applied
}

/// The number of a caller's limit set. Nothing is asked of the request if all callers have the same limits.
fn limit_set_of<R: Request>(policy: &Policy, caller: &Caller<'_, R>) -> usize {
    match policy.limit_sets.differ() {
        true => policy.limit_sets.number_for(caller.consumer(), || caller.tier()),
        false => 0,
    }
}

/// How it takes part in a request, and the rule that says so, if it is one. `None`: not at all.
pub fn role<'a, R: Request>(
    policy: &'a Policy,
    asked: &RequestCache<'_, R>,
) -> Option<(Role, Option<&'a RequestMatch>)> {
    let mut matching = policy.matches.iter().filter(|rule| rule.matches(asked));
    let first = matching.next();
    if first.is_none() && !policy.matches.is_empty() {
        let (index, rule) = policy.response.returning(asked)?;
        return Some((Role::Returns(index), Some(rule)));
    }
    if policy.except.iter().any(|rule| rule.matches(asked)) {
        return None;
    }
    let cost_of = |rule: &RequestMatch| rule.cost.unwrap_or(policy.cost);
    let mut cost = first.map_or(policy.cost, cost_of);
    // Another spelling of a cheap path may be a dear one.
    if first.is_some_and(|rule| !rule.matches_as_written(asked)) {
        cost = matching.map(cost_of).fold(cost, u32::max);
    }
    Some((Role::Judges(cost), first))
}

/// The policies that judge, each with what the request costs there.
pub(super) fn judges(applied: &[Applied]) -> impl Iterator<Item = (Applied, u32)> {
    applied.iter().filter_map(|applied| match applied.role {
        Role::Judges(cost) => Some((*applied, cost)),
        Role::Returns(_) => None,
    })
}
