//! Keys that clients can make up, where a fresh one is worth much.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::limiter::{Algorithm, Limit};
use tollgate::rules::Policy;
use tollgate::rules::{KeySource, Validity};
use tollgate::time::{Micros, SECOND};

const LONG: Micros = 86_400 * SECOND;

/// So few units that each made-up key is as good as used up with its first requests.
const FEW: u32 = 2;

/// A made-up key has a fresh quota. Where that is a day's or longer, or where each has only a unit or two, nothing but a limit by
/// address bounds what a client that makes up keys gets.
pub(super) fn warn_made_up_keys(
    set: &Configuration,
    policy: &Policy,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let Some(key) = policy.key.iter().find_map(|key| made_up(set, *key)) else { return };
    if set.rules.policies.iter().any(|policy| counts_by_address(set, policy)) {
        return;
    }
    let names = policy.limit_names.iter().zip(policy.limits());
    if let Some((name, _)) = names.into_iter().find(|(_, limit)| is_worth_it(limit)) {
        warnings.push(Warning::new(
            format!("{path}.key"),
            format!("a client that makes up values of {key} has all of {name} anew with each; say when {key} is valid, or add a policy by client_ip"),
        ));
    }
}

/// The name of a key, among its alternatives, whose values are believed as they are shown.
fn made_up(set: &Configuration, key: usize) -> Option<&str> {
    let key = set.rules.callers.keys.get(key)?;
    match &key.source {
        KeySource::FirstOf(keys) => keys.iter().find_map(|key| made_up(set, *key)),
        KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_)
            if key.validity == Validity::Present =>
        {
            Some(&key.name)
        }
        KeySource::Header { .. }
        | KeySource::Query(_)
        | KeySource::Cookie(_)
        | KeySource::ClientIp { .. }
        | KeySource::Metadata(_)
        | KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_) => None,
    }
}

fn counts_by_address(set: &Configuration, policy: &Policy) -> bool {
    let is_address = |key: &usize| {
        matches!(set.rules.callers.keys.get(*key).map(|key| &key.source), Some(KeySource::ClientIp { .. }))
    };
    policy.key.iter().all(is_address)
}

fn is_worth_it(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::Calendar(_)
        | Algorithm::TokenBucket { .. } => limit.window >= LONG || limit.quota.get() <= FEW,
        Algorithm::Concurrency | Algorithm::Stock { .. } | Algorithm::Penalty => false,
    }
}
