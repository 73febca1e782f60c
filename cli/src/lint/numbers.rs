//! Numbers that clients write into their requests, and so choose.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::rules::{CostFrom, Key, Policy};

/// A quota or a cost that clients choose, or a cost that they avoid by leaving a header out.
pub(super) fn warn_numbers(set: &Configuration, policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    for from in &policy.quotas_from {
        let Some(key) = clients_key(set, from.key) else { continue };
        let message = format!(
            "clients write {} themselves, and so choose their quota, up to {}; use metadata of an earlier filter",
            key.name, from.max
        );
        warnings.push(Warning::new(format!("{path}.limits[{}].quota_from.key", from.limit), message));
    }
    if let Some(from) = &policy.cost_from {
        let message = clients_key(set, from.key).and_then(|key| cost_message(key, from, policy.cost));
        warnings.extend(message.map(|message| Warning::new(format!("{path}.cost_from.key"), message)));
    }
}

/// A key, or one of its alternatives, that clients write themselves.
fn clients_key(set: &Configuration, index: usize) -> Option<&Key> {
    set.rules.callers.origins(index).find(|key| key.can_be_made_up())
}

fn cost_message(key: &Key, from: &CostFrom, otherwise: u32) -> Option<String> {
    if is_length(key) {
        // A client may send a body without its length, but not a wrong length.
        return (otherwise < from.max).then(|| {
            let max = from.max;
            format!("a client that leaves content-length out, as HTTP allows, costs {otherwise}; set cost to {max}")
        });
    }
    Some(format!(
        "clients write {} themselves, and so choose what they cost; use metadata of an earlier filter, or raise min",
        key.name
    ))
}

fn is_length(key: &Key) -> bool {
    key.source.header() == Some("content-length")
}
