//! Files in a `ConfigMap`: a policy or an Envoy configuration as the text of a key.

use super::{Context, Found, Object};
use crate::document::{Document, LineMap, Syntax, SyntaxError};
use crate::policy_file::place::{Lines, PolicyPlace};
use crate::policy_file::{PolicySource, envoy};
use tollgate::config::{Value, field_path};

/// What a text has that is meant as a policy, even if it cannot be read.
const OF_A_POLICY: [&str; 3] = ["policies", "limits", "quota"];

pub(super) fn texts(context: &Context<'_>, found: &mut Found) {
    let Some(Value::Object(files)) = context.get(&["data"]) else { return };
    for (name, text) in files {
        // Most texts have nothing to do with Envoy and need not be read.
        let Some(text) = text.text().filter(|text| may_be_ours(text)) else { continue };
        let at = field_path(&context.at(&["data"]), name);
        let object = || Some(Object::new(&format!("{}, {name}", context.name)));
        let policies = match Document::read(text, Syntax::of(name, text)) {
            Ok(document) => of_document(document, &at, context.lines),
            Err(error) if OF_A_POLICY.iter().all(|word| text.contains(word)) => {
                vec![broken(&error, &at, context.lines)]
            }
            Err(_) => Vec::new(),
        };
        found.policies.extend(policies.into_iter().map(|policy| PolicySource { object: object(), ..policy }));
    }
}

fn may_be_ours(text: &str) -> bool {
    text.contains("policies") || text.contains("filters.http.wasm")
}

fn of_document(Document { value, lines }: Document, at: &str, around: &Lines) -> Vec<PolicySource> {
    let lines = around.of_text(at, lines);
    if envoy::is_envoy(&value) {
        envoy::filters(&value, &lines)
    } else if value.get("policies").is_some() && value.get("keys").is_some() {
        vec![PolicySource::of(Ok(value), PolicyPlace::Value(String::new()), &lines)]
    } else {
        Vec::new()
    }
}

fn broken(error: &SyntaxError, at: &str, around: &Lines) -> PolicySource {
    let lines = around.of_text(at, LineMap::default()).or_at(error.line);
    PolicySource::of(Err(error.to_config_error()), PolicyPlace::Value(String::new()), &lines)
}
