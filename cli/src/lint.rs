//! What is legal in a policy set and probably not meant. Not in the filter: it would serve all the same.

mod coarse;
mod covers;
mod made_up;
mod room;
mod shown;
mod unreached;
mod unused;

use std::fmt;
use tollgate::compile::Configuration;
use tollgate::config::{Value, field_path};
use tollgate::rules::{Key, KeySource};
use tollgate::rules::{LimitSet, Policy};

/// Something legal and probably wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// What it is about.
    pub path: String,
    /// What follows from it, and what would be better.
    pub says: String,
}

impl Warning {
    pub(crate) fn new(path: impl Into<String>, says: impl Into<String>) -> Warning {
        Warning { path: path.into(), says: says.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "$" } else { &self.path };
        write!(f, "{path}: {}", self.says)
    }
}

/// No key in use is longer than this; a prefix that is tells callers apart by less than was meant, or by nothing.
const LONGEST_USUAL_KEY: usize = 40;

/// All warnings, in the order of the configuration.
pub fn warnings(set: &Configuration) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warn_keys(set, &mut warnings);
    unused::warn_callers(set, &mut warnings);
    for (i, policy) in set.rules.policies.iter().enumerate() {
        let path = format!("policies[{i}]");
        unreached::warn_class(set, i, &path, &mut warnings);
        let kinds = kinds_of_callers(set, policy);
        unreached::warn_costs(policy, &kinds, &path, &mut warnings);
        unreached::warn_limits(policy, &kinds, &path, &mut warnings);
        made_up::warn_made_up_keys(set, policy, &path, &mut warnings);
        coarse::warn_slots(policy, &kinds, &path, set.rules.geometry, &mut warnings);
    }
    shown::warn_headers(set, &mut warnings);
    room::warn_room(set, &mut warnings);
    warnings
}

/// What of the configuration as it was written is doubtful, though it compiles to something sound.
pub(crate) fn warnings_as_written(set: &Configuration, value: &Value) -> Vec<Warning> {
    shown::warn_credentials(set, value)
}

/// All kinds of callers by their names, with the terms that they have: tiers, and consumers with quotas of their own.
fn kinds_of_callers<'a>(set: &'a Configuration, policy: &'a Policy) -> Vec<(&'a str, &'a LimitSet)> {
    let tiers = set.rules.callers.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
    let mut kinds: Vec<_> =
        tiers.map(|(tier, name)| (name.as_str(), policy.limit_sets.of_tier(tier))).collect();
    if kinds.is_empty() {
        kinds.push(("all others", policy.limit_sets.default()));
    }
    let consumers = set.rules.callers.consumers.list();
    let own = policy.limit_sets.of_consumers();
    kinds.extend(own.filter_map(|(index, terms)| Some((consumers.get(index)?.name.as_str(), terms))));
    kinds
}

fn warn_keys(set: &Configuration, warnings: &mut Vec<Warning>) {
    for (i, key) in set.rules.callers.keys.iter().enumerate() {
        let path = field_path("keys", &key.name);
        unused::warn_key(set, i, &path, warnings);
        unreached::warn_alternatives(set, key, &path, warnings);
        if let Some(prefix) = key.prefix.filter(|prefix| *prefix > LONGEST_USUAL_KEY) {
            warnings.push(Warning::new(
                field_path(&path, "prefix"),
                format!("{prefix} bytes are more than most keys have; if it is to be the whole key, leave prefix out"),
            ));
        }
    }
}

/// One warning for all kinds of callers of whom the same is said; and who they are, unless they are all.
fn tell_by_caller(
    path: &str,
    kinds: &[(&str, &LimitSet)],
    says: impl Fn(&LimitSet) -> Option<String>,
    warnings: &mut Vec<Warning>,
) {
    let said: Vec<(&str, Option<String>)> = kinds.iter().map(|(name, terms)| (*name, says(terms))).collect();
    let mut told: Vec<&str> = Vec::new();
    for says in said.iter().filter_map(|(_, says)| says.as_deref()) {
        if told.contains(&says) {
            continue;
        }
        told.push(says);
        let of_them = said.iter().filter(|(_, other)| other.as_deref() == Some(says));
        let names: Vec<&str> = of_them.map(|(name, _)| *name).collect();
        let all = names.len() == said.len();
        let says = if all { says.to_string() } else { format!("for {}: {says}", names.join(", ")) };
        warnings.push(Warning::new(path, says));
    }
}

#[cfg(test)]
mod tests;
