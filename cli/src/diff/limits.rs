//! What changes about a limit.

use super::counts::Fate;
use super::{Changes, Severity, Side, fields};
use crate::describe;
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::language::limit;
use tollgate::rules::{Policy, Quota};
use tollgate::time::in_words;

/// What is told here, not by the words of a declaration.
const TOLD: [&str; 4] = [limit::NAME.name, limit::QUOTA.name, limit::WINDOW.name, limit::ALGORITHM.name];

/// Both policies, one of which is the other with changes.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub old: (Side<'a>, &'a Policy, &'a Value),
    pub new: (Side<'a>, &'a Policy, &'a Value),
}

pub(super) fn compare(pair: Pair<'_>, fate: &dyn Fn(&str) -> Option<Fate>, changes: &mut Changes) {
    let ((_, before, old_value), (_, policy, new_value)) = (pair.old, pair.new);
    let (old_limits, new_limits) =
        (super::entries(old_value.get("limits")), super::entries(new_value.get("limits")));
    let mut gone: Vec<usize> = Vec::new();
    for (index, name) in before.limit_names.iter().enumerate() {
        if !policy.limit_names.contains(name) {
            gone.push(index);
        }
    }
    for (index, name) in policy.limit_names.iter().enumerate() {
        let subject = format!("{}/{name}", policy.name);
        let Some(old_index) = before.limit_names.iter().position(|one| one == name) else {
            added(pair, index, &subject, &mut gone, (&old_limits, &new_limits), changes);
            continue;
        };
        let values = (old_limits.get(old_index).copied(), new_limits.get(index).copied());
        quotas(pair, old_index, index, &subject, changes);
        shape(pair, old_index, index, &subject, fate(&subject), changes);
        fields::compare(&limit::OBJECT, values, (&subject, ""), &TOLD, &severity, changes);
    }
    for index in gone {
        let Some(name) = before.limit_names.get(index) else { continue };
        let words = words(before, index);
        changes.add(Severity::Looser, &format!("{}/{name}", before.name), format!("is gone: {words}"), "");
    }
    let order = |names: &[String], other: &[String]| -> Vec<String> {
        names.iter().filter(|name| other.contains(name)).cloned().collect()
    };
    let (one, other) =
        (order(&before.limit_names, &policy.limit_names), order(&policy.limit_names, &before.limit_names));
    if one != other {
        changes.add(
            Severity::Clients,
            &policy.name,
            format!("its limits stand in the order {}", other.join(", ")),
            "",
        );
    }
}

fn severity(field: &str) -> Severity {
    if field == limit::MESSAGE.name || field == limit::RETRY_AFTER.name {
        Severity::Clients
    } else {
        Severity::Other
    }
}

/// A limit that was not there, or had another name.
fn added(
    pair: Pair<'_>,
    index: usize,
    subject: &str,
    gone: &mut Vec<usize>,
    (old_limits, new_limits): (&[&Value], &[&Value]),
    changes: &mut Changes,
) {
    let ((_, before, _), (_, policy, _)) = (pair.old, pair.new);
    let without_name = |value: Option<&&Value>| match value {
        Some(Value::Object(fields)) => {
            fields.iter().filter(|(name, _)| name != limit::NAME.name).cloned().collect::<Vec<_>>()
        }
        Some(_) | None => Vec::new(),
    };
    let same = |old: &usize| without_name(old_limits.get(*old)) == without_name(new_limits.get(index));
    let similar = |old: &usize| {
        let limits = before.limits().get(*old).zip(policy.limits().get(index));
        limits.is_some_and(|(one, other)| {
            one.algorithm.kind() == other.algorithm.kind() && one.window == other.window
        })
    };
    let place = gone.iter().position(same).or_else(|| gone.iter().position(similar));
    if let Some(renamed) = place.map(|place| gone.remove(place)) {
        let name = before.limit_names.get(renamed).map(String::as_str).unwrap_or_default();
        changes.add(
            Severity::Anew,
            subject,
            format!("looks renamed: it was {}/{name}", before.name),
            "its counts begin anew. Keep the old name to keep them",
        );
        quotas(pair, renamed, index, subject, changes);
        let values = (old_limits.get(renamed).copied(), new_limits.get(index).copied());
        fields::compare(&limit::OBJECT, values, (subject, ""), &TOLD, &severity, changes);
        return;
    }
    changes.add(
        Severity::Stricter,
        subject,
        format!("is new: {}", words(policy, index)),
        "its counts begin at zero",
    );
}

/// A limit in words.
fn words(policy: &Policy, index: usize) -> String {
    policy.limits().get(index).map(describe::limit).unwrap_or_default()
}

/// Quotas that differ, for each kind of caller that has one of its own.
fn quotas(pair: Pair<'_>, old_index: usize, index: usize, subject: &str, changes: &mut Changes) {
    let ((old, before, _), (new, policy, _)) = (pair.old, pair.new);
    let (from, to) = (before.limit_sets.default(), policy.limit_sets.default());
    let (from, to) = (from.quota(old_index), to.quota(index));
    let default = quota_change(from, to);
    if let Some((severity, words, follows)) = &default {
        changes.add(*severity, subject, words.clone(), follows.clone());
    }
    let (from_default, to_default) = (from, to);
    for (name, from, to) in of_tiers((old.set, before, old_index), (new.set, policy, index)) {
        // Those of the default tier are told.
        let is_default = from == from_default && to == to_default;
        if let Some((severity, words, follows)) = quota_change(from, to).filter(|_| !is_default) {
            changes.add(severity, subject, format!("for the tier {name} its {words}"), follows);
        }
    }
    for (name, from, to) in of_consumers((old.set, before, old_index), (new.set, policy, index)) {
        if let Some((severity, words, follows)) = quota_change(from, to) {
            changes.add(severity, subject, format!("for the consumer {name} its {words}"), follows);
        }
    }
}

type Quotas = Vec<(String, Option<Quota>, Option<Quota>)>;
type OfPolicy<'a> = (&'a Configuration, &'a Policy, usize);

/// The quota of each tier that both have.
fn of_tiers((old, before, old_index): OfPolicy<'_>, (new, policy, index): OfPolicy<'_>) -> Quotas {
    let (Some(old), Some(new)) = (&old.rules.callers.tiers, &new.rules.callers.tiers) else {
        return Vec::new();
    };
    let both = new.names.iter().enumerate().filter_map(|(tier, name)| {
        let old_tier = old.names.iter().position(|one| one == name)?;
        let from = before.limit_sets.of_tier(old_tier).quota(old_index);
        Some((name.clone(), from, policy.limit_sets.of_tier(tier).quota(index)))
    });
    both.collect()
}

/// The quota of each consumer with quotas of its own, now or before.
fn of_consumers((old, before, old_index): OfPolicy<'_>, (new, policy, index): OfPolicy<'_>) -> Quotas {
    let own = |set: &Configuration, policy: &Policy, index: usize| -> Vec<(String, Option<Quota>)> {
        let list = set.rules.callers.consumers.list();
        let of = policy.limit_sets.of_consumers();
        of.filter_map(|(consumer, limits)| Some((list.get(consumer)?.name.to_string(), limits.quota(index))))
            .collect()
    };
    let (from, to) = (own(old, before, old_index), own(new, policy, index));
    let of = |all: &[(String, Option<Quota>)], name: &str| {
        all.iter().find(|(own, _)| own == name).and_then(|(_, quota)| *quota)
    };
    // Who has none of its own any more, or has only now, is told about the consumer.
    let both = to.iter().filter_map(|(name, quota)| Some((name.clone(), Some(of(&from, name)?), *quota)));
    both.collect()
}

/// How much a change of a quota matters, the change, and what follows. `None`: it stays.
fn quota_change(from: Option<Quota>, to: Option<Quota>) -> Option<(Severity, String, String)> {
    let (from, to) = (from?, to?);
    if from == to {
        return None;
    }
    let (was, is) = (size(from), size(to));
    let words = format!("quota is {}; before: {}", quota_words(to), quota_words(from));
    Some(if is < was {
        let follows = match to {
            Quota::Nothing => "each of their requests is rejected, at once".into(),
            Quota::Units(units) => {
                format!("callers who have already used {units} or more are rejected at once")
            }
            Quota::Unlimited => String::new(),
        };
        (Severity::Stricter, words, follows)
    } else {
        (Severity::Looser, words, "it applies at once, to what was already used".into())
    })
}

fn size(quota: Quota) -> u64 {
    match quota {
        Quota::Nothing => 0,
        Quota::Units(units) => units.get().into(),
        Quota::Unlimited => u64::MAX,
    }
}

fn quota_words(quota: Quota) -> String {
    match quota {
        Quota::Nothing => "0".into(),
        Quota::Units(units) => units.to_string(),
        Quota::Unlimited => "unlimited".into(),
    }
}

/// The window and the algorithm.
fn shape(
    pair: Pair<'_>,
    old_index: usize,
    index: usize,
    subject: &str,
    fate: Option<Fate>,
    changes: &mut Changes,
) {
    let ((_, before, old_value), (_, policy, new_value)) = (pair.old, pair.new);
    let Some((one, other)) = before.limits().get(old_index).zip(policy.limits().get(index)) else { return };
    let anew = match fate {
        Some(Fate::Anew(reason)) => Some(reason),
        Some(Fate::Kept | Fate::Partly(_) | Fate::New) | None => None,
    };
    let follows = if anew.is_some() { "its counts begin anew" } else { "its counts are kept" };
    if one.algorithm.kind() != other.algorithm.kind() {
        let what =
            format!("is counted otherwise: {}; before: {}", words(policy, index), words(before, old_index));
        changes.add(Severity::Anew, subject, what, follows);
        return;
    }
    let written = |value: &Value, index: usize| {
        let limits = super::entries(value.get("limits"));
        limits.get(index).and_then(|limit| limit.get(limit::WINDOW.name)).cloned()
    };
    let (from, to) = (written(old_value, old_index), written(new_value, index));
    let (was, is) = (in_words(one.window), in_words(other.window));
    if one.window != other.window && one.has_window() {
        let what = format!("its window is {is}; before: {was}");
        let (severity, why) = match (anew.is_some(), one.window < other.window) {
            (true, _) => (Severity::Anew, ""),
            (false, true) => {
                (Severity::Stricter, "; what had already left the shorter window does not come back")
            }
            (false, false) => (Severity::Looser, ""),
        };
        changes.add(severity, subject, what, format!("{follows}{why}"));
    } else if from != to && words(policy, index) != words(before, old_index) {
        let what = format!("is {}; before: {}", words(policy, index), words(before, old_index));
        changes.add(Severity::Anew, subject, what, follows);
    }
}
