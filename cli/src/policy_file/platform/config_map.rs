//! Files in a `ConfigMap` or a `Secret`: a policy or an Envoy configuration as the text of a key.

use super::{Context, Found, Object, base64, has_words_of_a_policy};
use crate::document::{Document, LineMap, Syntax, SyntaxError};
use crate::policy_file::place::{Lines, PolicyPlace};
use crate::policy_file::{PolicySource, envoy};
use tollgate::config::{Value, field_path};

pub(super) fn texts(context: &Context<'_>, found: &mut Found) {
    let is_secret = context.value.get("kind").and_then(Value::text) == Some("Secret");
    let (plain, encoded) = if is_secret { ("stringData", "data") } else { ("data", "binaryData") };
    for (name, text) in files(context, plain) {
        read(context, name, text, &field_path(&context.at(&[plain]), name), context.lines, found);
    }
    for (name, text) in files(context, encoded) {
        let Some(text) = base64::decode(text).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        // All of it stands in one line of the file.
        let at = field_path(&context.at(&[encoded]), name);
        read(context, name, &text, &at, &Lines::at(context.lines.of(&at)), found);
    }
}

/// The texts of a field, by their names.
fn files<'a>(context: &'a Context<'_>, field: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let files = match context.get(&[field]) {
        Some(Value::Object(files)) => files.as_slice(),
        Some(_) | None => &[],
    };
    files.iter().filter_map(|(name, text)| Some((name.as_str(), text.text()?)))
}

fn read(context: &Context<'_>, name: &str, text: &str, at: &str, lines: &Lines, found: &mut Found) {
    // Most texts have nothing to do with Envoy and need not be read.
    if !may_be_ours(text) {
        return;
    }
    let object = || Some(Object::new(&format!("{}, {name}", context.name)));
    let policies = match Document::read(text, Syntax::of(name, text)) {
        Ok(document) => of_document(document, text, at, lines),
        Err(error) if has_words_of_a_policy(text) => vec![broken(&error, at, lines)],
        Err(_) => Vec::new(),
    };
    found.policies.extend(policies.into_iter().map(|policy| PolicySource { object: object(), ..policy }));
}

fn may_be_ours(text: &str) -> bool {
    text.contains("policies") || text.contains("filters.http.wasm")
}

fn of_document(
    Document { value, lines }: Document,
    text: &str,
    at: &str,
    around: &Lines,
) -> Vec<PolicySource> {
    let lines = around.of_text(at, lines);
    let has = |field| value.get(field).is_some();
    if envoy::is_envoy(&value) {
        envoy::filters(&value, &lines)
    } else if has("policies") && (has("keys") || has_words_of_a_policy(text)) {
        vec![PolicySource::of(Ok(value), PolicyPlace::Value(String::new()), &lines)]
    } else {
        Vec::new()
    }
}

fn broken(error: &SyntaxError, at: &str, around: &Lines) -> PolicySource {
    let lines = around.of_text(at, LineMap::default()).or_at(error.line);
    PolicySource::of(Err(error.to_config_error()), PolicyPlace::Value(String::new()), &lines)
}
