//! What is written and nobody asks for.

use super::super::{Policy, PolicySet};
use super::Doubt;
use crate::identity::{Key, Source, Tiers, Validity};
use crate::response::Variable;

/// A key that nothing reads.
pub(super) fn doubt_key(set: &PolicySet, key: usize, path: &str, doubts: &mut Vec<Doubt>) {
    let directory = &set.directory;
    let alternative = |source: &Source| matches!(source, Source::FirstOf(keys) if keys.contains(&key));
    let used = set.policies.iter().any(|policy| policy.key.contains(&key))
        || directory.keys.iter().any(|other| alternative(&other.source))
        || directory.consumers.keys().any(|known_by| known_by == key)
        || directory.tiers.as_ref().is_some_and(|tiers| tiers.from == Some(key));
    if !used {
        doubts.push(Doubt::new(path, "nothing uses this key"));
    }
}

/// Tiers that nobody can have or that make no difference, and consumers who are known for nothing.
pub(super) fn doubt_callers(set: &PolicySet, doubts: &mut Vec<Doubt>) {
    if let Some(tiers) = &set.directory.tiers {
        doubt_tiers(set, tiers, doubts);
    }
    let of_consumers =
        |key: &Key| matches!(key.source, Source::Consumer(_)) || key.validity == Validity::Consumer;
    let used = set.directory.keys.iter().any(of_consumers)
        || set.policies.iter().any(|policy| policy.terms.differ())
        || tells(set, Variable::Consumer);
    if !set.directory.consumers.list().is_empty() && !used {
        doubts.push(Doubt::new(
            "consumers",
            "nothing depends on who is known: no key, no valid: consumer, no quota by tier or of a consumer's own",
        ));
    }
}

fn doubt_tiers(set: &PolicySet, tiers: &Tiers, doubts: &mut Vec<Doubt>) {
    let consumers = set.directory.consumers.list();
    let differs = |policy: &Policy| {
        (0..tiers.names.len()).any(|tier| policy.terms.of_tier(tier) != policy.terms.default())
    };
    if !set.policies.iter().any(differs) && !tells(set, Variable::Tier) {
        doubts.push(Doubt::new("tiers", "nothing depends on the tier: no quota is another for another tier"));
        return;
    }
    if let Some(key) = tiers.from.and_then(|key| set.directory.keys.get(key)) {
        if is_up_to_the_client(set, key) {
            let says = format!(
                "whoever writes {} chooses a tier: better let an earlier filter tell it in its metadata",
                key.name
            );
            doubts.push(Doubt::new("tiers.from", says));
        }
        return;
    }
    for (index, name) in tiers.names.iter().enumerate().filter(|(index, _)| *index != tiers.default) {
        if !consumers.iter().any(|consumer| consumer.tier == Some(index)) {
            let says = format!("no consumer is in the tier {name}");
            doubts.push(Doubt::new(format!("tiers.names[{index}]"), says));
        }
    }
}

/// Whether a client can give a key any value it likes.
fn is_up_to_the_client(set: &PolicySet, key: &Key) -> bool {
    match &key.source {
        Source::Header { .. } | Source::Query(_) | Source::Cookie(_) => key.validity == Validity::Present,
        Source::FirstOf(keys) => {
            let mut keys = keys.iter().filter_map(|key| set.directory.keys.get(*key));
            keys.any(|key| is_up_to_the_client(set, key))
        }
        Source::ClientIp { .. }
        | Source::Metadata(_)
        | Source::PathParameter(_)
        | Source::Consumer(_)
        | Source::Constant(_) => false,
    }
}

/// Whether clients or access logs are told this of the caller.
fn tells(set: &PolicySet, variable: Variable) -> bool {
    let saying = set.saying();
    let own = saying.policies.iter().map(|policy| &policy.rejection);
    let messages = saying.policies.iter().flat_map(|policy| &policy.limits);
    saying.access_log
        || [&saying.rejection].into_iter().chain(own).any(|rejection| rejection.tells(variable))
        || messages.filter_map(|limit| limit.message.as_ref()).any(|message| message.tells(variable))
}
