//! Keys that clients can make up, where each new one gets a large quota.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::limiter::Limit;
use tollgate::rules::modifiers::VALID;
use tollgate::rules::{Policy, Whose};
use tollgate::time::{Micros, SECOND};

/// From this window on, a made-up key is worth it.
const LONG_WINDOW: Micros = 86_400 * SECOND;

/// Up to this quota, limiting made-up keys has hardly any effect.
const FEW_UNITS: u32 = 2;

/// A made-up key gets a quota of its own. If that is for a day or longer, or only one or two units, only a
/// limit by address bounds a client that makes up keys. Upstreams reject most made-up credentials, but not what
/// merely says what a request is for.
pub(super) fn warn_made_up_keys(
    set: &Configuration,
    policy: &Policy,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let mut keys = policy.key.iter().flat_map(|key| set.rules.callers.origins(*key));
    let Some(key) = keys.find(|key| key.can_be_made_up()) else { return };
    if set.rules.policies.iter().any(|policy| counts_by_address(set, policy)) {
        return;
    }
    let kind = key.source.kind();
    let limits = policy.limit_sets.default();
    let names = policy.limit_names.iter().enumerate();
    let names = names.filter_map(|(index, name)| Some((name, limits.limit(index)?)));
    let mut worth_it = names.filter(|(_, limit)| is_worth_it(limit) || kind.whose == Whose::Targets);
    if let Some((name, _)) = worth_it.next() {
        let key = &key.name;
        let proof = if kind.takes.contains(&VALID.name) {
            format!("set valid for {key}, or ")
        } else {
            String::new()
        };
        warnings.push(Warning::new(
            format!("{path}.key"),
            format!("a client that makes up values of {key} gets a new quota of {name} with each; {proof}add a policy by client_ip"),
        ));
    }
}

/// Whether callers are told apart by nothing but their address.
pub(super) fn counts_by_address(set: &Configuration, policy: &Policy) -> bool {
    let is_address = |key: &usize| {
        let key = set.rules.callers.keys.get(*key);
        key.is_some_and(|key| key.source.ipv6_prefix().is_some())
    };
    policy.key.iter().all(is_address)
}

fn is_worth_it(limit: &Limit) -> bool {
    limit.has_window() && (limit.window >= LONG_WINDOW || limit.quota.get() <= FEW_UNITS)
}
