//! Keys that clients can make up, where each new one gets a large quota.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::limiter::Limit;
use tollgate::rules::{KeySource, Policy};
use tollgate::time::{Micros, SECOND};

/// From this window on, a made-up key is worth it.
const LONG_WINDOW: Micros = 86_400 * SECOND;

/// Up to this quota, limiting made-up keys has hardly any effect.
const FEW_UNITS: u32 = 2;

/// A made-up key gets a quota of its own. If that is for a day or longer, or only one or two units, only a
/// limit by address bounds a client that makes up keys.
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
            format!("a client that makes up values of {key} gets a new quota of {name} with each; set valid for {key}, or add a policy by client_ip"),
        ));
    }
}

/// The name of a key, or of one of its alternatives, whose values are accepted without being checked.
fn made_up(set: &Configuration, key: usize) -> Option<&str> {
    let key = set.rules.callers.keys.get(key)?;
    match &key.source {
        KeySource::FirstOf(keys) => keys.iter().find_map(|key| made_up(set, *key)),
        KeySource::Header { .. }
        | KeySource::Query(_)
        | KeySource::Cookie(_)
        | KeySource::ClientIp { .. }
        | KeySource::Metadata(_)
        | KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_) => key.can_be_made_up().then_some(&key.name),
    }
}

fn counts_by_address(set: &Configuration, policy: &Policy) -> bool {
    let is_address = |key: &usize| {
        matches!(set.rules.callers.keys.get(*key).map(|key| &key.source), Some(KeySource::ClientIp { .. }))
    };
    policy.key.iter().all(is_address)
}

fn is_worth_it(limit: &Limit) -> bool {
    limit.has_window() && (limit.window >= LONG_WINDOW || limit.quota.get() <= FEW_UNITS)
}
