//! Whether a page in a browser can read a rejection: warnings about CORS around a Tollgate filter.

use super::envoy::either;
use crate::lint::Warning;
use tollgate::compile::Configuration;
use tollgate::config::{Value, field_path};
use tollgate::reply::{HeaderRules, ReplyRules};

const FILTER: &str = "filters.http.cors.v3.Cors";
const POLICY: &str = "filters.http.cors.v3.CorsPolicy";

/// `config` is the plugin's, and `path` and `manager` are those of its connection manager.
pub(super) fn warn_cors(
    set: &Configuration,
    config: &Value,
    (path, manager): (&str, &Value),
    warnings: &mut Vec<Warning>,
) {
    let Some(Value::List(filters)) = either(manager, "http_filters", "httpFilters") else { return };
    let typed = |filter: &Value| either(filter, "typed_config", "typedConfig").cloned();
    let is_ours = |filter: &Value| {
        typed(filter).is_some_and(|typed| typed.get("config").is_some_and(|own| own == config))
    };
    let is_cors = |filter: &Value| typed(filter).is_some_and(|typed| is_of_type(&typed, FILTER));
    let (ours, cors) = (filters.iter().position(is_ours), filters.iter().position(is_cors));
    let (Some(ours), Some(cors)) = (ours, cors) else { return };
    if cors > ours {
        warnings.push(Warning::new(
            format!("{}[{cors}]", field_path(path, "http_filters")),
            "the cors filter comes after Tollgate, so a rejection has no CORS headers and a page in a browser \
             sees a network error; put it before Tollgate",
        ));
        return;
    }
    let shown = shown(&set.replies);
    each_policy(manager, path, &mut |path, policy| {
        let exposed =
            either(policy, "expose_headers", "exposeHeaders").and_then(Value::text).unwrap_or_default();
        let exposes = |name: &&&str| {
            exposed.split(',').map(str::trim).any(|own| own == "*" || own.eq_ignore_ascii_case(name))
        };
        let hidden: Vec<&str> = shown.iter().filter(|name| !exposes(name)).copied().collect();
        if !hidden.is_empty() {
            warnings.push(Warning::new(
                field_path(path, "expose_headers"),
                format!(
                    "a page in a browser cannot read {}, because they are not exposed",
                    hidden.join(", ")
                ),
            ));
        }
    });
}

/// The headers that inform a client about its limits.
fn shown(replies: &ReplyRules) -> Vec<&str> {
    let limits = replies.headers.iter().flat_map(HeaderRules::header_names);
    replies.retry_after.shown.then_some("retry-after").into_iter().chain(limits).collect()
}

fn is_of_type(value: &Value, name: &str) -> bool {
    value.get("@type").and_then(Value::text).is_some_and(|found| found.ends_with(name))
}

/// Shows each CORS policy below a value, with its path.
fn each_policy(value: &Value, path: &str, show: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(_) if is_of_type(value, POLICY) => show(path, value),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| each_policy(value, &field_path(path, name), show));
        }
        Value::List(entries) => {
            let entries = entries.iter().enumerate();
            entries.for_each(|(i, value)| each_policy(value, &format!("{path}[{i}]"), show));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}
