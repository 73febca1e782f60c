//! What replies never show: limits that no header describes, and variables that are always empty.

use super::Warning;
use super::unreachable::applies_whenever;
use tollgate::compile::Configuration;
use tollgate::reply::{Describes, Preset, Variable};
use tollgate::rules::Mode;

/// Entries of `headers.describes` after one that always applies when they do. A form that lists all limits
/// has none.
pub(super) fn warn_describes(set: &Configuration, warnings: &mut Vec<Warning>) {
    let Some(rules) = &set.replies.headers else { return };
    let Describes::Named(limits) = &rules.describes else { return };
    let lists_all = match rules.preset {
        Preset::Ietf => true,
        Preset::Fields(_) | Preset::Envoy | Preset::Secret => false,
    };
    // Limits of policies in shadow have a warning of their own.
    let in_shadow =
        |policy: usize| set.rules.policies.get(policy).is_some_and(|policy| policy.mode == Mode::Shadow);
    for (i, entry) in limits.iter().enumerate().filter(|(_, entry)| !in_shadow(entry.0)) {
        let earlier = || limits.iter().take(i);
        let shown_first = match lists_all {
            true => earlier().find(|other| *other == entry),
            false => earlier().find(|other| applies_whenever(set, other.0, entry.0)),
        };
        if let Some(other) = shown_first {
            let message = format!(
                "{} is never described: {} comes first and applies to all of its requests",
                reference(set, *entry),
                reference(set, *other)
            );
            warnings.push(Warning::new(format!("headers.describes[{i}]"), message));
        }
    }
}

fn reference(set: &Configuration, (policy, limit): (usize, usize)) -> &str {
    let limits = set.replies.policies.get(policy).map(|policy| policy.limits.as_slice());
    limits.and_then(|limits| limits.get(limit)).map_or("", |limit| &limit.reference)
}

/// `{consumer}` without consumers, and `{tier}` without tiers.
pub(super) fn warn_variables(set: &Configuration, warnings: &mut Vec<Warning>) {
    let callers = &set.rules.callers;
    let missing = [
        (
            Variable::Consumer,
            callers.consumers.list().is_empty(),
            "{consumer} is always empty: there are no consumers",
        ),
        (Variable::Tier, callers.tiers.is_none(), "{tier} is always empty: there are no tiers"),
    ];
    for (variable, _, message) in missing.into_iter().filter(|(_, missing, _)| *missing) {
        let mut warn = |path: String| warnings.push(Warning::new(path, message));
        let common = &set.replies.rejection;
        if common.mentions(variable) {
            warn("reject".into());
        }
        for (i, policy) in set.replies.policies.iter().enumerate() {
            if policy.rejection != *common
                && policy.rejection.mentions(variable)
                && !common.mentions(variable)
            {
                warn(format!("policies[{i}].reject"));
            }
            for (l, limit) in policy.limits.iter().enumerate() {
                if limit.message.as_ref().is_some_and(|message| message.mentions(variable)) {
                    warn(format!("policies[{i}].limits[{l}].message"));
                }
            }
        }
    }
}
