//! Policies with quotas that reject nothing, for both benches.

#![allow(clippy::expect_used, reason = "a bench may fail")]

use serde_json::Value;
use tollgate_cli::document::{Document, Syntax};

/// Of a limit that rejects nothing.
pub const PLENTY: u32 = 1_000_000_000;

/// A policy file as it is written.
pub fn value_of(text: &str) -> Value {
    let document = Document::read(text, Syntax::Yaml).expect("a policy file in YAML");
    serde_json::from_str(&document.value.to_json()).expect("JSON as it was just written")
}

/// The policy with quotas that reject nothing.
pub fn with_plenty(mut policy: Value) -> Value {
    raise(&mut policy);
    policy
}

fn raise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "quota" | "quotas" => raise_all(value),
                    _ => raise(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(raise),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn raise_all(quotas: &mut Value) {
    match quotas {
        Value::Object(fields) => fields.values_mut().for_each(raise_all),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            *quotas = PLENTY.into();
        }
    }
}
