//! A fleet that no policy uses, and calendar quotas that a restart loses.

use super::{Warning, caller_groups, warn_by_group};
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::limiter::Limit;
use tollgate::rules::{LimitSet, Mode, Policy};
use tollgate::time::Period;

/// Without such a policy, the service is never asked.
pub(super) fn warn_unused(set: &Configuration, warnings: &mut Vec<Warning>) {
    let used = set.rules.policies.iter().any(|policy| policy.scope.is_fleet());
    if set.rules.fleet.is_some() && !used {
        let message =
            "no policy has scope: fleet, so every count stays in this Envoy and is lost at a restart";
        warnings.push(Warning::new("fleet", message));
    }
}

/// A calendar quota below this is taken for a promise to one customer. Above it, what a restart gives away is
/// rarely worth a service.
const MIN_LOST: u32 = 1_000;

/// Calendar quotas that are kept in one Envoy. Whoever writes `scope: proxy` has decided that they may be.
pub(super) fn warn_lost(set: &Configuration, value: &Value) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let written = match value.get("policies") {
        Some(Value::List(policies)) => policies.as_slice(),
        Some(_) | None => &[],
    };
    for (i, policy) in set.rules.policies.iter().enumerate() {
        let decided = written.get(i).is_some_and(|policy| policy.get("scope").is_some());
        if !decided && !policy.scope.is_fleet() && policy.mode != Mode::Shadow {
            warn_policy(set, policy, &format!("policies[{i}]"), &mut warnings);
        }
    }
    warnings
}

fn warn_policy(set: &Configuration, policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    let groups = caller_groups(set, policy);
    for i in 0..policy.limit_names.len() {
        let message = |limits: &LimitSet| lost(limits.limit(i)?);
        warn_by_group(&format!("{path}.limits[{i}]"), &groups, message, warnings);
    }
}

fn lost(limit: &Limit) -> Option<String> {
    let period = match limit.algorithm.parameters().period? {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
    };
    (limit.quota.get() < MIN_LOST).then(|| {
        format!(
            "the {period}'s count is lost at a restart of Envoy; use scope: fleet to keep it, or write scope: proxy to accept that"
        )
    })
}
