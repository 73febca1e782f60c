//! Requests in flight whose real cost is known only from their response.

use super::Warning;
use tollgate::rules::{CostBody, Policy, UnknownCost};

/// A request that holds one unit leaves room for as many others as the quota has units, whatever they will
/// cost.
pub(super) fn warn_hold(policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    if let Some(cost) = policy.response.cost.as_ref().filter(|_| holds(policy).any(|hold| hold == 1)) {
        warnings.push(Warning::new(
            format!("{path}.cost_header"),
            format!(
                "a request holds 1 unit until its response: requests in flight can overshoot a quota by in flight × ({} − 1); set cost near the largest usual cost",
                cost.header.name
            ),
        ));
    }
    if let Some(body) = &policy.response.body {
        warn_body(policy, body, &format!("{path}.cost_body"), warnings);
    }
}

/// What requests hold.
fn holds(policy: &Policy) -> impl Iterator<Item = u32> {
    let common = policy.matches.is_empty().then_some(policy.cost);
    common.into_iter().chain(policy.matches.iter().map(|(_, cost)| cost.unwrap_or(policy.cost)))
}

fn warn_body(policy: &Policy, body: &CostBody, path: &str, warnings: &mut Vec<Warning>) {
    if holds(policy).any(|hold| hold == 1) {
        warnings.push(Warning::new(
            path,
            "a request holds 1 unit until its response's body has ended: requests in flight can overshoot a quota by in flight × (real cost − 1); set cost so that nine in ten requests cost no more",
        ));
    }
    let is_cheaper = match body.without {
        UnknownCost::Keep => false,
        UnknownCost::Refund => true,
        UnknownCost::Costs(units) => holds(policy).any(|hold| units < hold),
    };
    if is_cheaper {
        warnings.push(Warning::new(
            format!("{path}.without"),
            "a request costs less than it holds if its response's body cannot be read: a client that asks for a compressed response, or for a stream without numbers, may bring that about; use keep, or a number not below cost",
        ));
    }
}
