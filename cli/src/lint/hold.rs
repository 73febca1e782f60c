//! Requests in flight whose real cost is known only from their response.

use super::Warning;
use tollgate::rules::{CostHeader, Policy};

/// A request that holds one unit leaves room for as many others as the quota has units, whatever they will
/// cost.
pub(super) fn warn_hold(policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    let Some(CostHeader { header, .. }) = &policy.response.cost else { return };
    let mut holds = policy.matches.iter().map(|(_, cost)| cost.unwrap_or(policy.cost));
    let holds_one = if policy.matches.is_empty() { policy.cost == 1 } else { holds.any(|hold| hold == 1) };
    if holds_one {
        warnings.push(Warning::new(
            format!("{path}.cost_header"),
            format!(
                "a request holds 1 unit until its response: requests in flight can overshoot a quota by in flight × ({} − 1); set cost near the largest usual cost",
                header.name
            ),
        ));
    }
}
