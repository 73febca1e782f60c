//! What never has an effect, since something else always comes before it.

use super::super::{Match, Policy, PolicySet};
use super::Doubt;
use crate::identity::Source;
use crate::limiter::{Algorithm, Limit};
use crate::time::Micros;

/// A policy whose class always has an earlier one, for all that it is for.
pub(super) fn doubt_class(set: &PolicySet, index: usize, path: &str, doubts: &mut Vec<Doubt>) {
    let Some(policy) = set.policies.get(index).filter(|policy| policy.class != 0) else { return };
    let earlier = set.policies.iter().take(index).filter(|other| other.class == policy.class);
    let covers = |other: &&Policy| {
        other.except.is_empty()
            && has_whenever(set, &other.key, &policy.key)
            && covers_all(&other.matches, &policy.matches)
    };
    if let Some(other) = earlier.into_iter().find(covers) {
        let says =
            format!("it never applies: {} of the same class comes first for all of its requests", other.name);
        doubts.push(Doubt::new(path, says));
    }
}

/// Whether whoever has the key `other` has the key `one`, too.
fn has_whenever(set: &PolicySet, one: &[usize], other: &[usize]) -> bool {
    let always = |key: &usize| {
        let source = set.directory.keys.get(*key).map(|key| &key.source);
        let of = |source: &Source| matches!(source, Source::ClientIp { .. } | Source::Constant(_));
        match source {
            Some(Source::FirstOf(keys)) => {
                keys.iter().filter_map(|key| set.directory.keys.get(*key)).any(|key| of(&key.source))
            }
            Some(source) => of(source),
            None => false,
        }
    };
    one.iter().all(|key| other.contains(key) || always(key))
}

/// Whether each of the later matches is covered by one of the earlier.
fn covers_all(earlier: &[Match], later: &[Match]) -> bool {
    let everything = [Match::default()];
    let later = if later.is_empty() { &everything } else { later };
    earlier.is_empty() || later.iter().all(|rule| earlier.iter().any(|other| other.covers(rule)))
}

/// Costs that no quota can bear.
pub(super) fn doubt_costs(policy: &Policy, path: &str, doubts: &mut Vec<Doubt>) {
    let limits = policy.limits().iter().filter(|limit| !limit.is_penalty());
    let Some(least) = limits.map(|limit| limit.quota.get()).min() else { return };
    let own = policy.matches.iter().enumerate();
    let own = own.filter_map(|(i, rule)| Some((format!("{path}.match[{i}].cost"), rule.cost?)));
    let all = [(format!("{path}.cost"), policy.cost)].into_iter().chain(own);
    for (at, cost) in all.filter(|(_, cost)| *cost > least) {
        doubts.push(Doubt::new(
            at,
            format!("such a request never passes: it costs {cost}, and a quota is {least}"),
        ));
    }
}

/// A limit that no request can meet, since another one of the policy admits no more in a longer time.
pub(super) fn doubt_limits(policy: &Policy, path: &str, doubts: &mut Vec<Doubt>) {
    for (i, (limit, name)) in policy.limits().iter().zip(&policy.limit_names).enumerate() {
        let Some(shorter) = window(limit) else { continue };
        let stricter = policy.limits().iter().zip(&policy.limit_names).find(|(other, _)| {
            other.quota <= limit.quota && window(other).is_some_and(|longer| longer > shorter)
        });
        if let Some((other, other_name)) = stricter {
            doubts.push(Doubt::new(
                format!("{path}.limits[{i}]"),
                format!(
                    "{name} never refuses anything: {other_name} admits {} in a longer time, and {name} {} in a shorter one",
                    other.quota, limit.quota
                ),
            ));
        }
    }
}

/// The time in which a limit admits its quota at most, if it has one.
fn window(limit: &Limit) -> Option<Micros> {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::Calendar(_) => Some(limit.window),
        // A bucket's quota comes on top of its burst; the others have no window.
        Algorithm::TokenBucket { .. } | Algorithm::Concurrency | Algorithm::Stock | Algorithm::Penalty => {
            None
        }
    }
}
