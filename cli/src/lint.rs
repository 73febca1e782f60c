//! What is legal in a policy set and probably not meant. Not in the filter: it would serve all the same.

mod coarse;
mod made_up;
mod room;
mod shown;
mod unreached;
mod unused;

use super::{Policy, PolicySet, Terms};
use crate::config::{Value, field_path};
use crate::identity::{Key, Source};
use std::fmt;

/// Something legal and probably wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// What it is about.
    pub path: String,
    /// What follows from it, and what would be better.
    pub says: String,
}

impl Doubt {
    pub(crate) fn new(path: impl Into<String>, says: impl Into<String>) -> Doubt {
        Doubt { path: path.into(), says: says.into() }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "$" } else { &self.path };
        write!(f, "{path}: {}", self.says)
    }
}

/// No key in use is longer than this; a prefix that is tells callers apart by less than was meant, or by nothing.
const LONGEST_USUAL_KEY: usize = 40;

impl PolicySet {
    /// All doubts, in the order of the configuration.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        self.doubt_keys(&mut doubts);
        unused::doubt_callers(self, &mut doubts);
        for (i, policy) in self.policies.iter().enumerate() {
            let path = format!("policies[{i}]");
            unreached::doubt_class(self, i, &path, &mut doubts);
            let kinds = self.kinds_of_callers(policy);
            unreached::doubt_costs(policy, &kinds, &path, &mut doubts);
            unreached::doubt_limits(policy, &kinds, &path, &mut doubts);
            made_up::doubt_made_up_keys(self, policy, &path, &mut doubts);
            coarse::doubt_slots(policy, &kinds, &path, self.geometry, &mut doubts);
        }
        shown::doubt_headers(self, &mut doubts);
        room::doubt_room(self, &mut doubts);
        doubts
    }

    /// What of the configuration as it was written is doubtful, though it compiles to something sound.
    pub(crate) fn doubts_as_written(&self, value: &Value) -> Vec<Doubt> {
        shown::doubt_credentials(self, value)
    }

    /// Whether any policy counts by the client's address.
    pub(crate) fn counts_addresses(&self) -> bool {
        let by_address = |(index, key): (usize, &Key)| {
            matches!(key.source, Source::ClientIp { .. }) && self.counts_by(index)
        };
        self.directory.keys.iter().enumerate().any(by_address)
    }

    /// Whether any policy counts by this key, by index, be it as one of several.
    pub(crate) fn counts_by(&self, key: usize) -> bool {
        let is_or_has = |of: &usize| {
            *of == key
                || matches!(self.directory.keys.get(*of).map(|of| &of.source), Some(Source::FirstOf(keys)) if keys.contains(&key))
        };
        self.policies.iter().any(|policy| policy.key.iter().any(is_or_has))
    }

    /// Whether any policy is for some paths alone.
    pub(crate) fn matches_paths(&self) -> bool {
        let by_path = |policy: &Policy| policy.matches.iter().any(|rule| rule.path.is_some());
        self.policies.iter().any(by_path)
    }

    /// All kinds of callers by their names, with the terms that they have: tiers, and consumers with quotas of their own.
    fn kinds_of_callers<'a>(&'a self, policy: &'a Policy) -> Vec<(&'a str, &'a Terms)> {
        let tiers = self.directory.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
        let mut kinds: Vec<_> =
            tiers.map(|(tier, name)| (name.as_str(), policy.terms.of_tier(tier))).collect();
        if kinds.is_empty() {
            kinds.push(("all others", policy.terms.default()));
        }
        let consumers = self.directory.consumers.list();
        let own = policy.terms.of_consumers();
        kinds.extend(own.filter_map(|(index, terms)| Some((consumers.get(index)?.name.as_str(), terms))));
        kinds
    }

    fn doubt_keys(&self, doubts: &mut Vec<Doubt>) {
        for (i, key) in self.directory.keys.iter().enumerate() {
            let path = field_path("keys", &key.name);
            unused::doubt_key(self, i, &path, doubts);
            unreached::doubt_alternatives(self, key, &path, doubts);
            if let Some(prefix) = key.prefix.filter(|prefix| *prefix > LONGEST_USUAL_KEY) {
                doubts.push(Doubt::new(
                    field_path(&path, "prefix"),
                    format!("{prefix} bytes are more than most keys have; if it is to be the whole key, leave prefix out"),
                ));
            }
        }
    }
}

/// One doubt for all kinds of callers of whom the same is said; and who they are, unless they are all.
fn tell_by_caller(
    path: &str,
    kinds: &[(&str, &Terms)],
    says: impl Fn(&Terms) -> Option<String>,
    doubts: &mut Vec<Doubt>,
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
        doubts.push(Doubt::new(path, says));
    }
}

#[cfg(test)]
mod tests;
