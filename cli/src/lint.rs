//! Warnings: what is valid in a configuration, but probably a mistake. The filter itself ignores them.

mod bans;
mod client_headers;
mod clients;
mod coarse;
mod exposure;
mod fleet;
mod forgive;
mod freeing;
mod hold;
mod later;
mod literal;
mod made_up;
mod never_shown;
mod numbers;
mod quotas;
mod table_size;
mod unreachable;
mod unused;

use std::fmt;
use tollgate::compile::Configuration;
use tollgate::config::{Value, field_path};
use tollgate::reply::HeaderRules;
use tollgate::rules::{LimitSet, Policy};
use tollgate::time::Micros;

/// Something that is valid, but probably a mistake.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// The path of what it is about.
    pub path: String,
    /// What happens because of it, and what would be better.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Warning {
        Warning { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "$" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

/// Keys in use are rarely longer than this, so a longer prefix is likely to be the whole key.
const MAX_USUAL_KEY: usize = 40;

/// All warnings about a compiled configuration, in its order.
pub fn warnings(set: &Configuration) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warn_keys(set, &mut warnings);
    unused::warn_callers(set, &mut warnings);
    for (i, policy) in set.rules.policies.iter().enumerate() {
        let path = format!("policies[{i}]");
        unreachable::warn_class(set, i, &path, &mut warnings);
        let groups = caller_groups(set, policy);
        unreachable::warn_costs(policy, &groups, &path, &mut warnings);
        hold::warn_hold(policy, &path, &mut warnings);
        quotas::warn_unlimited(policy, &groups, &path, &mut warnings);
        quotas::warn_unproved(set, policy, &path, &mut warnings);
        unreachable::warn_limits(policy, &groups, &path, &mut warnings);
        made_up::warn_made_up_keys(set, policy, &path, &mut warnings);
        unused::warn_cost(policy, &path, &mut warnings);
        numbers::warn_numbers(set, policy, &path, &mut warnings);
        bans::warn_bans(set, i, policy, &path, &mut warnings);
        later::warn_later(set, policy, &path, &mut warnings);
        coarse::warn_slots(policy, &groups, &path, set.rules.table_size, &mut warnings);
    }
    client_headers::warn_freeing(set, &mut warnings);
    freeing::warn_freeing(set, &mut warnings);
    literal::warn_patterns(set, &mut warnings);
    literal::warn_spellings(set, &mut warnings);
    never_shown::warn_variables(set, &mut warnings);
    exposure::warn_headers(set, &mut warnings);
    never_shown::warn_describes(set, &mut warnings);
    clients::warn_clients(set, &mut warnings);
    table_size::warn_table_size(set, &mut warnings);
    fleet::warn_unused(set, &mut warnings);
    warnings
}

/// Warnings about the source of a configuration, which are lost once it is compiled. `now` is since the UNIX epoch.
pub(crate) fn source_warnings(set: &Configuration, value: &Value, now: Micros) -> Vec<Warning> {
    [
        exposure::warn_credentials(set, value),
        fleet::warn_lost(set, value),
        forgive::warn_entries(set, value, now),
    ]
    .concat()
}

/// The path of a field of a set of limit headers.
fn header_path(rules: &HeaderRules, field: &str) -> String {
    match rules.entry {
        Some(entry) => format!("headers[{entry}].{field}"),
        None => format!("headers.{field}"),
    }
}

/// Groups of callers by name, with their limits: the tiers, and consumers with quotas of their own.
fn caller_groups<'a>(set: &'a Configuration, policy: &'a Policy) -> Vec<(&'a str, &'a LimitSet)> {
    let tiers = set.rules.callers.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
    let mut groups: Vec<_> =
        tiers.map(|(tier, name)| (name.as_str(), policy.limit_sets.of_tier(tier))).collect();
    if groups.is_empty() {
        groups.push(("all others", policy.limit_sets.default()));
    }
    let consumers = set.rules.callers.consumers.list();
    let own = policy.limit_sets.of_consumers();
    groups.extend(own.filter_map(|(index, limits)| Some((consumers.get(index)?.name.as_str(), limits))));
    groups
}

fn warn_keys(set: &Configuration, warnings: &mut Vec<Warning>) {
    for (i, key) in set.rules.callers.keys.iter().enumerate() {
        let path = field_path("keys", &key.name);
        unused::warn_key(set, i, &path, warnings);
        client_headers::warn_header(set, i, &path, warnings);
        client_headers::warn_element(set, i, &path, warnings);
        unreachable::warn_alternatives(set, key, &path, warnings);
        if let Some(prefix) = key.prefix.filter(|prefix| *prefix > MAX_USUAL_KEY) {
            warnings.push(Warning::new(
                field_path(&path, "prefix"),
                format!("most keys are shorter than {prefix} bytes; to use the whole key, leave prefix out"),
            ));
        }
    }
}

/// Adds one warning for all groups of callers with the same message, with their names unless it is for all of
/// them.
fn warn_by_group(
    path: &str,
    groups: &[(&str, &LimitSet)],
    message: impl Fn(&LimitSet) -> Option<String>,
    warnings: &mut Vec<Warning>,
) {
    let messages: Vec<(&str, Option<String>)> =
        groups.iter().map(|(name, limits)| (*name, message(limits))).collect();
    let mut done: Vec<&str> = Vec::new();
    for message in messages.iter().filter_map(|(_, message)| message.as_deref()) {
        if done.contains(&message) {
            continue;
        }
        done.push(message);
        let same = messages.iter().filter(|(_, other)| other.as_deref() == Some(message));
        let names: Vec<&str> = same.map(|(name, _)| *name).collect();
        let all = names.len() == messages.len();
        let message = if all { message.to_string() } else { format!("for {}: {message}", names.join(", ")) };
        warnings.push(Warning::new(path, message));
    }
}

#[cfg(test)]
mod tests;
