//! What replies never show: limits that no header describes, and variables that are always empty.

use super::unreachable::applies_whenever;
use super::{Warning, header_path};
use tollgate::compile::Configuration;
use tollgate::reply::{Describes, HeaderForm, HeaderRules, Variable};
use tollgate::rules::Mode;

/// Entries of `headers.describes` after one that always applies when they do. A form that lists all limits
/// has none.
pub(super) fn warn_describes(set: &Configuration, warnings: &mut Vec<Warning>) {
    set.replies.headers.iter().for_each(|rules| warn_set(set, rules, warnings));
}

fn warn_set(set: &Configuration, rules: &HeaderRules, warnings: &mut Vec<Warning>) {
    let limits = rules.describes.named();
    // The first place of such a list is taken.
    let before = usize::from(matches!(rules.describes, Describes::ViolatedElse(_)));
    // Limits of policies in shadow have a warning of their own.
    let in_shadow =
        |policy: usize| set.rules.policies.get(policy).is_some_and(|policy| policy.mode == Mode::Shadow);
    for (i, entry) in limits.iter().enumerate().filter(|(_, entry)| !in_shadow(entry.0)) {
        let earlier = || limits.iter().take(i);
        let shown_first = match rules.lists_limits() {
            true => earlier().find(|other| *other == entry),
            false => earlier().find(|other| applies_whenever(set, other.0, entry.0)),
        };
        if let Some(other) = shown_first {
            let message = format!(
                "{} is never described: {} comes first and applies to all of its requests",
                reference(set, *entry),
                reference(set, *other)
            );
            let path = format!("{}[{}]", header_path(rules, "describes"), i + before);
            warnings.push(Warning::new(path, message));
        }
    }
}

fn reference(set: &Configuration, (policy, limit): (usize, usize)) -> &str {
    let limits = set.replies.policies.get(policy).map(|policy| policy.limits.as_slice());
    limits.and_then(|limits| limits.get(limit)).map_or("", |limit| &limit.reference)
}

/// Variables that are always empty, since the configuration lacks what they show.
pub(super) fn warn_variables(set: &Configuration, warnings: &mut Vec<Warning>) {
    for variable in Variable::ALL {
        if let Some(field) = variable.needs().filter(|field| !has(set, field)) {
            let message = format!("{{{}}} is always empty: there are no {field}", variable.word());
            warn_variable(set, *variable, &message, warnings);
        }
    }
}

/// Whether the configuration has something in this field.
fn has(set: &Configuration, field: &str) -> bool {
    let callers = &set.rules.callers;
    match field {
        "consumers" => !callers.consumers.list().is_empty() || set.rules.consumer_name.is_some(),
        "tiers" => callers.tiers.is_some(),
        _ => true,
    }
}

/// One warning for each text that uses the variable.
fn warn_variable(set: &Configuration, variable: Variable, message: &str, warnings: &mut Vec<Warning>) {
    let mut warn = |path: String| warnings.push(Warning::new(path, message));
    for rules in &set.replies.headers {
        let HeaderForm::Fields(fields) = &rules.form else { continue };
        if fields.iter().any(|field| field.value().mentions(variable)) {
            warn(header_path(rules, "fields"));
        }
    }
    let common = &set.replies.rejection;
    if common.mentions(variable) {
        warn("reject".into());
    }
    for (i, policy) in set.replies.policies.iter().enumerate() {
        if policy.rejection != *common && policy.rejection.mentions(variable) && !common.mentions(variable) {
            warn(format!("policies[{i}].reject"));
        }
        for (l, limit) in policy.limits.iter().enumerate() {
            if limit.message.as_ref().is_some_and(|message| message.mentions(variable)) {
                warn(format!("policies[{i}].limits[{l}].message"));
            }
        }
    }
}
