//! What never has an effect, since something else always comes before it.

use super::covers::covers;
use super::{Warning, tell_by_caller};
use tollgate::compile::Configuration;
use tollgate::http::RequestMatch;
use tollgate::limiter::{Algorithm, Limit};
use tollgate::rules::{Key, KeySource};
use tollgate::rules::{LimitSet, Mode, Policy};
use tollgate::time::Period;

/// A policy whose class always has an earlier one, for all that it is for.
pub(super) fn warn_class(set: &Configuration, index: usize, path: &str, warnings: &mut Vec<Warning>) {
    let Some(policy) = set.rules.policies.get(index).filter(|policy| policy.class != 0) else { return };
    let earlier = set.rules.policies.iter().take(index).filter(|other| other.class == policy.class);
    let excepted = |rule: &RequestMatch| policy.except.iter().any(|own| covers(own, rule));
    let comes_first = |other: &&Policy| {
        is_before(other.mode, policy.mode)
            && other.except.iter().all(excepted)
            && has_whenever(set, &other.key, &policy.key)
            && covers_all(other, policy)
    };
    if let Some(other) = earlier.into_iter().find(comes_first) {
        let says =
            format!("it never applies: {} of the same class comes first for all of its requests", other.name);
        warnings.push(Warning::new(path, says));
    }
}

/// Whether an earlier policy of a class keeps a later one from applying at any instant: one in shadow leaves an
/// enforced one alone.
fn is_before(earlier: Mode, later: Mode) -> bool {
    match (earlier, later) {
        (Mode::Enforce, _) | (_, Mode::Shadow) => true,
        (Mode::EnforceFrom(earlier), Mode::EnforceFrom(later)) => earlier <= later,
        (Mode::EnforceFrom(_), Mode::Enforce) | (Mode::Shadow, Mode::Enforce | Mode::EnforceFrom(_)) => false,
    }
}

/// Whether whoever has the keys `other` has the keys `one`, too.
fn has_whenever(set: &Configuration, one: &[usize], other: &[usize]) -> bool {
    let has = |index: &usize| other.contains(index) || key(set, *index).is_some_and(is_always_there);
    one.iter().all(|index| match key(set, *index).map(|key| &key.source) {
        Some(KeySource::FirstOf(keys)) => other.contains(index) || keys.iter().any(has),
        Some(_) | None => has(index),
    })
}

fn key(set: &Configuration, index: usize) -> Option<&Key> {
    set.rules.callers.keys.get(index)
}

fn is_always_there(key: &Key) -> bool {
    matches!(key.source, KeySource::ClientIp { .. } | KeySource::Constant(_))
}

/// Whether each match of the later policy is covered by one of the earlier's.
fn covers_all(earlier: &Policy, later: &Policy) -> bool {
    let is_covered = |rule: &RequestMatch| earlier.judged().any(|other| covers(other, rule));
    earlier.matches.is_empty()
        || if later.matches.is_empty() {
            is_covered(&RequestMatch::default())
        } else {
            later.judged().all(is_covered)
        }
}

/// Alternatives behind one that every request has.
pub(super) fn warn_alternatives(set: &Configuration, one: &Key, path: &str, warnings: &mut Vec<Warning>) {
    let KeySource::FirstOf(keys) = &one.source else { return };
    let mut before: Option<&Key> = None;
    for (i, alternative) in keys.iter().filter_map(|index| key(set, *index)).enumerate() {
        if let Some(always) = before {
            let says = format!("{} is never taken: every request has {}", alternative.name, always.name);
            warnings.push(Warning::new(format!("{path}.first_of[{i}]"), says));
        }
        before = before.or(Some(alternative).filter(|key| is_always_there(key)));
    }
}

/// Costs that no quota can bear. `kinds` are all kinds of callers by their names.
pub(super) fn warn_costs(
    policy: &Policy,
    kinds: &[(&str, &LimitSet)],
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let own = policy.matches.iter().enumerate();
    let own = own.filter_map(|(i, (_, cost))| Some((format!("{path}.match[{i}].cost"), (*cost)?)));
    let counts = policy.matches.is_empty() || policy.matches.iter().any(|(_, cost)| cost.is_none());
    let common = counts.then(|| (format!("{path}.cost"), policy.cost));
    for (at, cost) in common.into_iter().chain(own) {
        let says = |terms: &LimitSet| {
            let most =
                terms.limits().iter().filter(|limit| !limit.is_penalty()).map(Limit::most_at_once).min()?;
            (cost > most)
                .then(|| format!("such a request never passes: it costs {cost}, and a limit admits {most}"))
        };
        tell_by_caller(&at, kinds, says, warnings);
    }
}

/// Limits that no request can meet, since another one of the policy admits no more in a longer time.
pub(super) fn warn_limits(
    policy: &Policy,
    kinds: &[(&str, &LimitSet)],
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for (i, name) in policy.limit_names.iter().enumerate() {
        let says = |terms: &LimitSet| {
            let limit = terms.limits().get(i)?;
            let others = terms.limits().iter().zip(&policy.limit_names);
            let (other, other_name) = others.into_iter().find(|(other, _)| comes_before(other, limit))?;
            Some(format!(
                "{name} never rejects anything: {other_name} admits {} in a longer time, and {name} {} in a shorter one",
                other.quota, limit.quota
            ))
        };
        tell_by_caller(&format!("{path}.limits[{i}]"), kinds, says, warnings);
    }
}

/// Whether one limit rejects whatever another one would. Windows that begin by the clock admit their quota twice
/// around an edge, unless the other's edges are among theirs.
fn comes_before(one: &Limit, other: &Limit) -> bool {
    let (quota, most) = (u64::from(one.quota.get()), u64::from(other.quota.get()));
    let twice = 2 * quota <= most;
    one.window > other.window
        && has_window(other)
        && match one.algorithm {
            Algorithm::SlidingWindow(_) => quota <= most,
            Algorithm::SlidingCounter => twice,
            Algorithm::FixedWindow => {
                let within =
                    other.algorithm == Algorithm::FixedWindow && one.window.is_multiple_of(other.window);
                twice || within && quota <= most
            }
            Algorithm::Calendar(calendar) => {
                let within = matches!(other.algorithm, Algorithm::Calendar(days)
                    if days.zone == calendar.zone && days.period == Period::Day);
                twice || within && quota <= most
            }
            // A bucket's quota comes on top of its burst; the others have no window.
            Algorithm::TokenBucket { .. }
            | Algorithm::Concurrency
            | Algorithm::Stock { .. }
            | Algorithm::Penalty => false,
        }
}

fn has_window(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::Calendar(_) => true,
        Algorithm::TokenBucket { .. }
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => false,
    }
}
