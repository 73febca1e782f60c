//! Keys, tiers and consumers that nothing uses.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::reply::Variable;
use tollgate::rules::{Key, Policy, RequestMatch, Tiers};

/// A key that nothing uses.
pub(super) fn warn_key(set: &Configuration, key: usize, path: &str, warnings: &mut Vec<Warning>) {
    let callers = &set.rules.callers;
    let used = set.rules.policies.iter().any(|policy| policy.key.contains(&key))
        || callers.keys.iter().any(|other| other.source.alternatives().contains(&key))
        || callers.consumers.keys().any(|known_by| known_by == key)
        || callers.consumers.address_keys().contains(&key)
        || set.rules.consumer_name == Some(key)
        || all_matches(set).any(|rule| rule.keys().any(|asked| asked == key))
        || set.rules.policies.iter().any(|policy| policy.number_keys().any(|asked| asked == key))
        || callers.tiers.as_ref().is_some_and(|tiers| tiers.from == Some(key));
    if !used {
        warnings.push(Warning::new(path, "nothing uses this key"));
    }
}

/// A cost of the policy although each match has one of its own. A cost of 1 may be the default. Or no cost at
/// all.
pub(super) fn warn_cost(policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    let all_have_own = !policy.matches.is_empty() && policy.matches.iter().all(|(_, cost)| cost.is_some());
    let mut own = policy.matches.iter().filter_map(|(_, cost)| *cost);
    let is_free = policy.cost == 0 && policy.cost_from.is_none();
    if own.all(|cost| cost == 0) && (is_free || all_have_own) {
        let message = "no request costs anything here, so the policy never counts or rejects one";
        warnings.push(Warning::new(format!("{path}.cost"), message));
    } else if all_have_own {
        let message = "no request has this cost, since each match has one of its own";
        let fields = [("cost", policy.cost != 1), ("cost_from", policy.cost_from.is_some())];
        let written = fields.iter().filter(|(_, is_written)| *is_written);
        warnings.extend(written.map(|(field, _)| Warning::new(format!("{path}.{field}"), message)));
    }
}

/// The matches of all policies, and of `exempt`.
fn all_matches(set: &Configuration) -> impl Iterator<Item = &RequestMatch> {
    let policies = &set.rules.policies;
    let judged = policies.iter().flat_map(Policy::judged);
    let except = policies.iter().flat_map(|policy| &policy.except);
    let returns = policies.iter().flat_map(|policy| policy.response.return_matches());
    judged.chain(except).chain(returns).chain(&set.rules.exempt)
}

/// Tiers that no caller can have or that make no difference, and consumers that make no difference.
pub(super) fn warn_callers(set: &Configuration, warnings: &mut Vec<Warning>) {
    if let Some(tiers) = &set.rules.callers.tiers {
        warn_tiers(set, tiers, warnings);
    }
    let of_consumers = |key: &Key| key.source.kind().of_consumer || key.validity.kind().of_consumers;
    let used = set.rules.callers.keys.iter().any(of_consumers)
        || set.rules.policies.iter().any(|policy| policy.limit_sets.differ())
        || shows(set, "consumers");
    if !set.rules.callers.consumers.list().is_empty() && !used {
        warnings.push(Warning::new(
            "consumers",
            "consumers make no difference: no key has consumer or valid: consumer, and no quota depends on the tier or the consumer",
        ));
    }
}

fn warn_tiers(set: &Configuration, tiers: &Tiers, warnings: &mut Vec<Warning>) {
    let consumers = set.rules.callers.consumers.list();
    let differs = |policy: &Policy| {
        (0..tiers.names.len()).any(|tier| policy.limit_sets.of_tier(tier) != policy.limit_sets.default())
    };
    if !set.rules.policies.iter().any(differs) && !shows(set, "tiers") {
        warnings.push(Warning::new("tiers", "tiers make no difference: no quota depends on the tier"));
        return;
    }
    if let Some((from, key)) = tiers.from.and_then(|from| Some((from, set.rules.callers.keys.get(from)?))) {
        if set.rules.callers.origins(from).any(Key::can_be_made_up) {
            let message = format!(
                "clients can choose their tier with {}; use a key with metadata of an earlier filter instead",
                key.name
            );
            warnings.push(Warning::new("tiers.from", message));
        }
        return;
    }
    for (index, name) in tiers.names.iter().enumerate().filter(|(index, _)| *index != tiers.default) {
        let by_address = || tiers.by_address.iter().any(|map| map.values().any(|tier| tier == index));
        if !consumers.iter().any(|consumer| consumer.tier == Some(index)) && !by_address() {
            let message = format!("no consumer has the tier {name}");
            warnings.push(Warning::new(format!("tiers.names[{index}]"), message));
        }
    }
}

/// Whether replies or access logs show something of this field of the configuration.
fn shows(set: &Configuration, field: &str) -> bool {
    let mut variables = Variable::ALL.iter().filter(|variable| variable.needs() == Some(field));
    set.replies.access_log.is_some()
        || field == "consumers" && set.rules.counts_consumers
        || variables.any(|variable| mentions(set, *variable))
}

/// Whether replies contain this variable.
fn mentions(set: &Configuration, variable: Variable) -> bool {
    let replies = &set.replies;
    let own = replies.policies.iter().map(|policy| &policy.rejection);
    let messages = replies.policies.iter().flat_map(|policy| &policy.limits);
    [&replies.rejection].into_iter().chain(own).any(|rejection| rejection.mentions(variable))
        || messages.filter_map(|limit| limit.message.as_ref()).any(|message| message.mentions(variable))
}
