//! Keys that clients can make up, where each new one gets a large quota.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::limiter::{Algorithm, Limit};
use tollgate::rules::Policy;
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
    set.rules.callers.origins(key).find(|key| key.can_be_made_up()).map(|key| key.name.as_str())
}

fn counts_by_address(set: &Configuration, policy: &Policy) -> bool {
    let is_address = |key: &usize| {
        let key = set.rules.callers.keys.get(*key);
        key.is_some_and(|key| key.source.ipv6_prefix().is_some())
    };
    policy.key.iter().all(is_address)
}

fn is_worth_it(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::Calendar(_)
        | Algorithm::TokenBucket { .. } => limit.window >= LONG_WINDOW || limit.quota.get() <= FEW_UNITS,
        Algorithm::Concurrency | Algorithm::Stock { .. } | Algorithm::Penalty => false,
    }
}
