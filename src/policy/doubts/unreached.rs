//! What never has an effect, since something else always comes before it.

use super::super::{Match, Mode, Policy, PolicySet, Terms};
use super::{Doubt, tell_by_caller};
use crate::identity::{Key, Source};
use crate::limiter::{Algorithm, Limit};
use crate::time::Period;

/// A policy whose class always has an earlier one, for all that it is for.
pub(super) fn doubt_class(set: &PolicySet, index: usize, path: &str, doubts: &mut Vec<Doubt>) {
    let Some(policy) = set.policies.get(index).filter(|policy| policy.class != 0) else { return };
    let earlier = set.policies.iter().take(index).filter(|other| other.class == policy.class);
    let excepted = |rule: &Match| policy.except.iter().any(|own| own.covers(rule));
    let covers = |other: &&Policy| {
        is_before(other.mode, policy.mode)
            && other.except.iter().all(excepted)
            && has_whenever(set, &other.key, &policy.key)
            && covers_all(&other.matches, &policy.matches)
    };
    if let Some(other) = earlier.into_iter().find(covers) {
        let says =
            format!("it never applies: {} of the same class comes first for all of its requests", other.name);
        doubts.push(Doubt::new(path, says));
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
fn has_whenever(set: &PolicySet, one: &[usize], other: &[usize]) -> bool {
    let has = |index: &usize| other.contains(index) || key(set, *index).is_some_and(is_always_there);
    one.iter().all(|index| match key(set, *index).map(|key| &key.source) {
        Some(Source::FirstOf(keys)) => other.contains(index) || keys.iter().any(has),
        Some(_) | None => has(index),
    })
}

fn key(set: &PolicySet, index: usize) -> Option<&Key> {
    set.directory.keys.get(index)
}

fn is_always_there(key: &Key) -> bool {
    matches!(key.source, Source::ClientIp { .. } | Source::Constant(_))
}

/// Whether each of the later matches is covered by one of the earlier.
fn covers_all(earlier: &[Match], later: &[Match]) -> bool {
    let everything = [Match::default()];
    let later = if later.is_empty() { &everything } else { later };
    earlier.is_empty() || later.iter().all(|rule| earlier.iter().any(|other| other.covers(rule)))
}

/// Alternatives behind one that every request has.
pub(super) fn doubt_alternatives(set: &PolicySet, one: &Key, path: &str, doubts: &mut Vec<Doubt>) {
    let Source::FirstOf(keys) = &one.source else { return };
    let mut before: Option<&Key> = None;
    for (i, alternative) in keys.iter().filter_map(|index| key(set, *index)).enumerate() {
        if let Some(always) = before {
            let says = format!("{} is never taken: every request has {}", alternative.name, always.name);
            doubts.push(Doubt::new(format!("{path}.first_of[{i}]"), says));
        }
        before = before.or(Some(alternative).filter(|key| is_always_there(key)));
    }
}

/// Costs that no quota can bear. `kinds` are all kinds of callers by their names.
pub(super) fn doubt_costs(policy: &Policy, kinds: &[(&str, &Terms)], path: &str, doubts: &mut Vec<Doubt>) {
    let own = policy.matches.iter().enumerate();
    let own = own.filter_map(|(i, rule)| Some((format!("{path}.match[{i}].cost"), rule.cost?)));
    let counts = policy.matches.is_empty() || policy.matches.iter().any(|rule| rule.cost.is_none());
    let common = counts.then(|| (format!("{path}.cost"), policy.cost));
    for (at, cost) in common.into_iter().chain(own) {
        let says = |terms: &Terms| {
            let most =
                terms.limits.iter().filter(|limit| !limit.is_penalty()).map(Limit::max_at_once).min()?;
            (cost > most)
                .then(|| format!("such a request never passes: it costs {cost}, and a limit admits {most}"))
        };
        tell_by_caller(&at, kinds, says, doubts);
    }
}

/// Limits that no request can meet, since another one of the policy admits no more in a longer time.
pub(super) fn doubt_limits(policy: &Policy, kinds: &[(&str, &Terms)], path: &str, doubts: &mut Vec<Doubt>) {
    for (i, name) in policy.limit_names.iter().enumerate() {
        let says = |terms: &Terms| {
            let limit = terms.limits.get(i)?;
            let others = terms.limits.iter().zip(&policy.limit_names);
            let (other, other_name) = others.into_iter().find(|(other, _)| comes_before(other, limit))?;
            Some(format!(
                "{name} never refuses anything: {other_name} admits {} in a longer time, and {name} {} in a shorter one",
                other.quota, limit.quota
            ))
        };
        tell_by_caller(&format!("{path}.limits[{i}]"), kinds, says, doubts);
    }
}

/// Whether one limit refuses whatever another one would. Windows that begin by the clock admit their quota twice
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
