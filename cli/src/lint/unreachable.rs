//! What never has an effect, because something else always comes first.

use super::{Warning, warn_by_group};
use tollgate::compile::Configuration;
use tollgate::limiter::Limit;
use tollgate::rules::{Key, LimitSet, Mode, Policy, Presence, RequestMatch};

/// A policy of a class in which an earlier policy applies to all of its requests.
pub(super) fn warn_class(set: &Configuration, index: usize, path: &str, warnings: &mut Vec<Warning>) {
    let Some(policy) = set.rules.policies.get(index).filter(|policy| policy.class != 0) else { return };
    let earlier = set.rules.policies.iter().take(index).filter(|other| other.class == policy.class);
    let comes_first =
        |other: &&Policy| is_before(other.mode, policy.mode) && covers_policy(set, other, policy);
    if let Some(other) = earlier.into_iter().find(comes_first) {
        let message =
            format!("it never applies: {} of the same class comes first for all of its requests", other.name);
        warnings.push(Warning::new(path, message));
    }
}

/// Whether one policy, by index, is enforced and applies to every request that another one applies to.
pub(super) fn applies_whenever(set: &Configuration, one: usize, other: usize) -> bool {
    let policy = |index: usize| set.rules.policies.get(index);
    let Some((earlier, later)) = policy(one).zip(policy(other)) else { return false };
    // Another policy of its class may apply in its place.
    let in_place = set.rules.policies.iter().take(one).any(|policy| policy.class & earlier.class != 0);
    one == other
        || !in_place
            && earlier.class & later.class == 0
            && is_before(earlier.mode, later.mode)
            && covers_policy(set, earlier, later)
}

/// Whether one policy's requests are all of another's, or more.
fn covers_policy(set: &Configuration, one: &Policy, other: &Policy) -> bool {
    let excepted = |rule: &RequestMatch| other.except.iter().any(|own| own.covers(rule));
    one.except.iter().all(excepted) && has_whenever(set, &one.key, &other.key) && covers_all(one, other)
}

/// Whether an earlier policy of a class keeps a later one from applying at all times. One in shadow does not
/// affect an enforced one.
fn is_before(earlier: Mode, later: Mode) -> bool {
    match (earlier, later) {
        (Mode::Enforce, _) | (_, Mode::Shadow) => true,
        (Mode::EnforceFrom(earlier), Mode::EnforceFrom(later)) => earlier <= later,
        (Mode::EnforceFrom(_), Mode::Enforce) | (Mode::Shadow, Mode::Enforce | Mode::EnforceFrom(_)) => false,
    }
}

/// Whether every request with the keys `other` has the keys `one` too.
fn has_whenever(set: &Configuration, one: &[usize], other: &[usize]) -> bool {
    let has = |index: &usize| other.contains(index) || key(set, *index).is_some_and(is_always_there);
    one.iter()
        .all(|index| other.contains(index) || Key::origins(&set.rules.callers.keys, index).iter().any(has))
}

fn key(set: &Configuration, index: usize) -> Option<&Key> {
    set.rules.callers.keys.get(index)
}

fn is_always_there(key: &Key) -> bool {
    key.source.kind().presence == Presence::Always
}

/// Whether each match of the later policy is covered by one of the earlier policy's.
fn covers_all(earlier: &Policy, later: &Policy) -> bool {
    let is_covered = |rule: &RequestMatch| earlier.judged().any(|other| other.covers(rule));
    earlier.matches.is_empty()
        || if later.matches.is_empty() {
            is_covered(&RequestMatch::default())
        } else {
            later.judged().all(is_covered)
        }
}

/// Alternatives of a key after one that every request has.
pub(super) fn warn_alternatives(set: &Configuration, one: &Key, path: &str, warnings: &mut Vec<Warning>) {
    let mut before: Option<&Key> = None;
    for (i, alternative) in one.source.alternatives().iter().filter_map(|index| key(set, *index)).enumerate()
    {
        if let Some(always) = before {
            let message = format!("{} is never used: every request has {}", alternative.name, always.name);
            warnings.push(Warning::new(format!("{path}.first_of[{i}]"), message));
        }
        before = before.or(Some(alternative).filter(|key| is_always_there(key)));
    }
}

/// Costs above a quota. `groups` are the groups of callers by name.
pub(super) fn warn_costs(
    policy: &Policy,
    groups: &[(&str, &LimitSet)],
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let own = policy.matches.iter().enumerate();
    let own = own.filter_map(|(i, (_, cost))| Some((format!("{path}.match[{i}].cost"), (*cost)?)));
    let counts = policy.matches.is_empty() || policy.matches.iter().any(|(_, cost)| cost.is_none());
    let common = counts.then(|| (format!("{path}.cost"), policy.cost));
    for (at, cost) in common.into_iter().chain(own) {
        let message = |limits: &LimitSet| {
            let most =
                limits.limits().iter().filter(|limit| !limit.is_penalty()).map(Limit::max_at_once).min()?;
            (cost > most).then(|| {
                format!("such a request never passes: it costs {cost}, but a limit admits at most {most}")
            })
        };
        warn_by_group(&at, groups, message, warnings);
    }
}

/// Limits that never reject, because another limit of the policy admits no more in a longer window.
pub(super) fn warn_limits(
    policy: &Policy,
    groups: &[(&str, &LimitSet)],
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for (i, name) in policy.limit_names.iter().enumerate() {
        let message = |limits: &LimitSet| {
            let limit = limits.limit(i)?;
            let others = policy.limit_names.iter().enumerate();
            let mut others = others.filter_map(|(other, name)| Some((limits.limit(other)?, name)));
            let (other, other_name) = others.find(|(other, _)| comes_before(other, limit))?;
            Some(format!(
                "{name} never rejects anything: {other_name} admits {} in a longer window than {name}, which admits {}",
                other.quota, limit.quota
            ))
        };
        warn_by_group(&format!("{path}.limits[{i}]"), groups, message, warnings);
    }
}

/// Whether `one` rejects everything that `other` would reject. A window of the clock admits its quota twice
/// around its edge, unless every edge of it is one of the other's too.
fn comes_before(one: &Limit, other: &Limit) -> bool {
    let quota = u64::from(one.quota.get());
    let most = match one.algorithm.holds_windows_of(one, other) {
        true => Some(quota),
        false => one.algorithm.max_per_window(one.quota),
    };
    one.window > other.window
        && other.algorithm.counts_windows()
        && most.is_some_and(|most| most <= u64::from(other.quota.get()))
}
