//! What is written and nobody asks for.

use super::super::PolicySet;
use super::Doubt;
use crate::identity::{Source, Validity};

/// A key that nothing reads.
pub(super) fn doubt_key(set: &PolicySet, key: usize, path: &str, doubts: &mut Vec<Doubt>) {
    let directory = &set.directory;
    let alternative = |source: &Source| matches!(source, Source::FirstOf(keys) if keys.contains(&key));
    let used = set.policies.iter().any(|policy| policy.key.contains(&key))
        || directory.keys.iter().any(|other| alternative(&other.source))
        || directory.consumers.keys().any(|known_by| known_by == key)
        || directory.tiers.as_ref().is_some_and(|tiers| tiers.from == Some(key));
    if !used {
        doubts.push(Doubt::new(path, "no policy uses this key"));
    }
}

/// Tiers that nobody can have, and consumers who are known for nothing.
pub(super) fn doubt_callers(set: &PolicySet, doubts: &mut Vec<Doubt>) {
    let (tiers, consumers) = (&set.directory.tiers, set.directory.consumers.list());
    if let Some(tiers) = tiers.as_ref().filter(|tiers| tiers.from.is_none()) {
        for (index, name) in tiers.names.iter().enumerate().filter(|(index, _)| *index != tiers.default) {
            if !consumers.iter().any(|consumer| consumer.tier == Some(index)) {
                doubts.push(Doubt::new(
                    format!("tiers.names[{index}]"),
                    format!("no consumer is in the tier {name}"),
                ));
            }
        }
    }
    let asked_for = |source: &Source| matches!(source, Source::Consumer(_));
    let keys = &set.directory.keys;
    let used = keys.iter().any(|key| asked_for(&key.source) || key.validity == Validity::Consumer)
        || set.policies.iter().any(|policy| policy.terms.differ());
    if !consumers.is_empty() && !used {
        doubts.push(Doubt::new(
            "consumers",
            "nothing depends on who is known: no key, no valid: consumer, no quota by tier or of a consumer's own",
        ));
    }
}
