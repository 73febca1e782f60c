//! Rules that free more requests than they seem to: by values that clients leave out, and by the end of a path.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::config::field_path;
use tollgate::rules::{Key, NamedPattern, RequestMatch};

/// Warns of rules that free requests and that clients can make fit.
pub(super) fn warn_freeing(set: &Configuration, warnings: &mut Vec<Warning>) {
    for (i, rule) in set.rules.exempt.iter().enumerate() {
        warn_rule(set, rule, &format!("exempt[{i}]"), warnings);
    }
    for (p, policy) in set.rules.policies.iter().enumerate() {
        for (i, rule) in policy.except.iter().enumerate() {
            warn_rule(set, rule, &format!("policies[{p}].except[{i}]"), warnings);
        }
        // A request that costs nothing is never rejected. If all of them do, there is another warning.
        let costs =
            |cost: &Option<u32>| cost.unwrap_or(if policy.cost_from.is_some() { 1 } else { policy.cost });
        let any_costs = policy.matches.iter().any(|(_, cost)| costs(cost) > 0);
        for (i, (rule, cost)) in policy.matches.iter().enumerate() {
            if any_costs && costs(cost) == 0 {
                warn_rule(set, rule, &format!("policies[{p}].match[{i}]"), warnings);
            }
        }
    }
}

fn warn_rule(set: &Configuration, rule: &RequestMatch, at: &str, warnings: &mut Vec<Warning>) {
    let keys = &set.rules.callers.keys;
    let mut before = None;
    for NamedPattern { field, name, is_negated, .. } in rule.patterns(keys) {
        // A list has several patterns of one name.
        let again = before.replace((field, name)) == Some((field, name));
        if is_negated && !again && is_clients(keys, field, name) {
            let message = format!(
                "not also holds without a value, so any client can free itself by leaving {name} out; name the values that are free"
            );
            warnings.push(Warning::new(field_path(&format!("{at}.{field}"), name), message));
        }
    }
    if let Some(path) = rule.path().filter(|path| path.is_deep()) {
        let message = format!(
            "{path} fits at any depth, and many upstreams answer /login/x.css as /login, so clients can free other requests; name the \
             folder, as in /static/*.css"
        );
        warnings.push(Warning::new(format!("{at}.path"), message));
    }
}

/// Whether clients decide if a request has the value.
fn is_clients(keys: &[Key], field: &str, name: &str) -> bool {
    let key = || keys.iter().position(|key| key.name == name);
    let is_written = |key: &usize| keys.get(*key).is_some_and(|key| key.source.kind().client_supplied);
    match field {
        "headers" | "query" | "cookies" => true,
        "keys" => key().is_some_and(|key| Key::origins(keys, &key).iter().any(is_written)),
        _ => false,
    }
}
