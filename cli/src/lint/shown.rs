//! What is shown that should not be, and what is not shown that should.

use super::Doubt;
use tollgate::compile::Configuration;
use tollgate::config::{Value, field_path};
use tollgate::reply::Describes;
use tollgate::rules::Mode;
use tollgate::rules::Source;

/// Headers about a policy that is not enforced: they are not sent.
pub(super) fn doubt_headers(set: &Configuration, doubts: &mut Vec<Doubt>) {
    let Some(rules) = &set.replies.headers else { return };
    let Describes::Named(places) = &rules.describes else { return };
    for (policy, _) in places {
        if let Some(policy) = set.rules.policies.get(*policy).filter(|policy| policy.mode == Mode::Shadow) {
            doubts.push(Doubt::new(
                "headers.describes",
                format!("{} is in shadow, so no response tells its limit", policy.name),
            ));
        }
    }
}

/// Credentials of consumers in clear text, in a file that is copied and committed.
pub(super) fn doubt_credentials(set: &Configuration, value: &Value) -> Vec<Doubt> {
    let secret = |name: &str| {
        let key = set.rules.callers.keys.iter().find(|key| key.name == name);
        key.is_some_and(|key| {
            matches!(key.source, Source::Header { .. } | Source::Query(_) | Source::Cookie(_))
        })
    };
    let mut doubts = Vec::new();
    for (i, consumer) in entries(value.get("consumers")).iter().enumerate() {
        let Some(Value::Object(keys)) = consumer.get("keys") else { continue };
        for (name, values) in keys.iter().filter(|(name, _)| secret(name)) {
            let at = field_path(&format!("consumers[{i}].keys"), name);
            for (k, one) in entries(Some(values)).iter().enumerate() {
                if matches!(one, Value::Text(text) if !text.starts_with("sha256:")) {
                    let says = "a credential in clear text; tollgate hash prints what to write in its place";
                    doubts.push(Doubt::new(format!("{at}[{k}]"), says));
                }
            }
        }
    }
    doubts
}

fn entries(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(list)) => list,
        Some(_) | None => &[],
    }
}
