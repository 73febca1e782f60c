//! Limit headers that are never sent, and credentials that anybody can read.

use super::{Warning, header_path};
use tollgate::compile::Configuration;
use tollgate::config::{Value, field_path};
use tollgate::rules::Mode;

/// Headers that describe a policy in shadow are never sent.
pub(super) fn warn_headers(set: &Configuration, warnings: &mut Vec<Warning>) {
    for rules in &set.replies.headers {
        for (policy, _) in rules.describes.named() {
            let policy = set.rules.policies.get(*policy);
            if let Some(policy) = policy.filter(|policy| policy.mode == Mode::Shadow) {
                warnings.push(Warning::new(
                    header_path(rules, "describes"),
                    format!("{} is in shadow, so no response describes its limit", policy.name),
                ));
            }
        }
    }
}

/// Credentials in clear text, in a file that is copied and committed.
pub(super) fn warn_credentials(set: &Configuration, value: &Value) -> Vec<Warning> {
    let is_secret = |name: &str| {
        let key = set.rules.callers.keys.iter().find(|key| key.name == name);
        key.is_some_and(|key| key.source.kind().secret)
    };
    let mut warnings = Vec::new();
    for (i, consumer) in entries(value.get("consumers")).iter().enumerate() {
        let Some(Value::Object(keys)) = consumer.get("keys") else { continue };
        for (name, values) in keys.iter().filter(|(name, _)| is_secret(name)) {
            let at = field_path(&format!("consumers[{i}].keys"), name);
            for (k, one) in entries(Some(values)).iter().enumerate() {
                if matches!(one, Value::Text(text) if !text.starts_with("sha256:")) {
                    let message =
                        "a credential in clear text; use the digest that tollgate hash prints instead";
                    warnings.push(Warning::new(format!("{at}[{k}]"), message));
                }
            }
        }
    }
    warnings
}

fn entries(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(list)) => list,
        Some(_) | None => &[],
    }
}
