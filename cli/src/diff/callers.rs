//! What changes about who is counted: keys, tiers and consumers. Credentials are never shown.

use super::{Changes, Severity, Side, field, fields, named};
use crate::describe;
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::language::{configuration, consumer, key, tiers};
use tollgate::rules::Key;

pub(super) fn compare(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    keys(old, new, changes);
    let of = |side| field(side, configuration::TIERS.name);
    let (from, to) = (of(old), of(new));
    fields::compare(&tiers::OBJECT, (from, to), ("tiers", ""), &[], &|_| Severity::Other, changes);
    consumers(old, new, changes);
}

fn keys(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let of = |side| named(field(side, configuration::KEYS.name));
    let (before, after) = (of(old), of(new));
    for (name, value) in &after {
        let subject = format!("key {name}");
        match before.iter().find(|(own, _)| own == name) {
            None => {
                changes.add(Severity::Operators, &subject, format!("is new: {}", words(new.set, name)), "")
            }
            Some((_, was)) if was == value => {}
            Some((_, was)) => {
                let (from, to) = (words(old.set, name), words(new.set, name));
                let users = users(new.set, name);
                let follows = if users.is_empty() {
                    "no policy counts by it".to_owned()
                } else {
                    format!("callers of {} whose value is another one now are counted anew", users.join(", "))
                };
                if from == to {
                    let severity = |_: &str| Severity::Other;
                    fields::compare(
                        &key::OBJECT,
                        (Some(*was), Some(*value)),
                        (&subject, ""),
                        &[],
                        &severity,
                        changes,
                    );
                } else {
                    let severity = if users.is_empty() { Severity::Operators } else { Severity::Anew };
                    changes.add(severity, &subject, format!("is {to}; before: {from}"), follows);
                }
            }
        }
    }
    for (name, _) in before.iter().filter(|(name, _)| !after.iter().any(|(own, _)| own == name)) {
        changes.add(
            Severity::Operators,
            &format!("key {name}"),
            format!("is gone: {}", words(old.set, name)),
            "",
        );
    }
}

fn words(set: &Configuration, name: &str) -> String {
    let key = set.rules.callers.keys.iter().find(|key| key.name == *name);
    key.map_or_else(String::new, |key| describe::key(key, &set.rules.callers))
}

/// The policies that count by a key, alone or as one of several.
fn users<'a>(set: &'a Configuration, name: &str) -> Vec<&'a str> {
    let keys = &set.rules.callers.keys;
    let is_it = |index: &usize| keys.get(*index).is_some_and(|key| key.name == *name);
    let uses = |index: &usize| is_it(index) || Key::origins(keys, index).iter().any(is_it);
    let policies = set.rules.policies.iter().filter(|policy| policy.key.iter().any(uses));
    policies.map(|policy| policy.name.as_str()).collect()
}

fn consumers(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let of = |side| named(field(side, configuration::CONSUMERS.name));
    let (before, after) = (of(old), of(new));
    let old_by_name: std::collections::HashMap<&str, &Value> = before.iter().copied().collect();
    let new_by_name: std::collections::HashMap<&str, &Value> = after.iter().copied().collect();
    for (name, value) in &after {
        match old_by_name.get(name) {
            None => {
                let what = format!("is new{}", standing(value));
                changes.add(
                    Severity::Other,
                    &format!("consumer {name}"),
                    what,
                    "its callers were unknown before",
                );
            }
            Some(was) if was == value => {}
            Some(was) => changed(name, was, value, changes),
        }
    }
    for (name, value) in before.iter().filter(|(name, _)| !new_by_name.contains_key(name)) {
        let what = format!("is gone{}", standing(value));
        changes.add(
            Severity::Other,
            &format!("consumer {name}"),
            what,
            "its callers are unknown now, and have the default quotas",
        );
    }
    let order = |all: &[(&str, &Value)], other: &std::collections::HashMap<&str, &Value>| -> Vec<String> {
        all.iter().filter(|(name, _)| other.contains_key(name)).map(|(name, _)| (*name).to_owned()).collect()
    };
    if order(&before, &new_by_name) != order(&after, &old_by_name) {
        changes.add(Severity::Operators, "consumers", "stand in another order", "which changes nothing");
    }
}

/// The tier and the quotas of a consumer.
fn standing(value: &Value) -> String {
    let tier = value.get(consumer::TIER.name).map(|tier| format!("tier {}", fields::shown(tier)));
    let quotas = value.get(consumer::QUOTAS.name).map(|quotas| format!("quotas {}", fields::shown(quotas)));
    let all: Vec<String> = tier.into_iter().chain(quotas).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
}

fn changed(name: &str, was: &Value, value: &Value, changes: &mut Changes) {
    let subject = format!("consumer {name}");
    let of = |value: &Value, field: &str| value.get(field).filter(|value| **value != Value::Null).cloned();
    if of(was, consumer::KEYS.name) != of(value, consumer::KEYS.name) {
        changes.add(
            Severity::Other,
            &subject,
            "has other credentials",
            "who presents one that is no longer listed is unknown; a caller who is counted by its credential begins anew",
        );
    }
    let (from, to) = (of(was, consumer::TIER.name), of(value, consumer::TIER.name));
    if from != to {
        let words =
            |tier: Option<Value>| tier.as_ref().map_or_else(|| "none of its own".into(), fields::shown);
        let what = format!("its tier is {}; before: {}", words(to), words(from));
        changes.add(
            Severity::Other,
            &subject,
            what,
            "the other quotas apply at once, to what was already used",
        );
    }
    let attributes =
        |field: &str| if field == consumer::ATTRIBUTES.name { Severity::Anew } else { Severity::Other };
    let told = [consumer::NAME.name, consumer::KEYS.name, consumer::TIER.name];
    fields::compare(&consumer::OBJECT, (Some(was), Some(value)), (&subject, ""), &told, &attributes, changes);
}
