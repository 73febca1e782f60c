//! A valid configuration with each object.

use crate::language::objects;
use serde_json::{Value as Json, json};
use tollgate::config::Rule;

/// A valid configuration with an object of this name, and the JSON pointer to that object.
pub(super) fn example(object: &str) -> (Json, String) {
    let pointer = match object {
        "configuration" => "",
        "tiers" => "/tiers",
        "access_log" => "/access_log",
        "metrics" => "/metrics",
        "retry_after" => "/retry_after",
        "table" => "/table",
        "fleet" => "/fleet",
        "paths" => "/paths",
        "key" => "/keys/k",
        "client_ip" => "/keys/ip/client_ip",
        "host" => "/keys/host/host",
        "valid" => "/keys/k/valid",
        "consumer" => "/consumers/0",
        "policy" => "/policies/0",
        "cost_from" => "/policies/0/cost_from",
        "quota_from" => "/policies/0/limits/0/quota_from",
        "cost_header" => "/policies/0/cost_header",
        "cost_body" => "/policies/0/cost_body",
        "cost_term" => "/policies/0/cost_body/sum/0",
        "cost_weights" => "/policies/0/cost_body/weights",
        "stock_header" => "/policies/0/stock_header",
        "match" => "/policies/0/match/0",
        "exception" => "/exempt/0",
        "return" => "/policies/0/returns/0",
        "span" => "/policies/0/schedule/0",
        "condition" => "/policies/0/match/0/query/page",
        "method-negation" => "/policies/0/match/0/method",
        "host-negation" => "/policies/0/match/0/host",
        "address-negation" => "/policies/0/match/0/client_ip",
        "route-negation" => "/policies/0/match/0/route",
        "limit" => "/policies/0/limits/0",
        "rejection" => "/reject",
        "headers" => "/headers",
        "names" => "/headers/names",
        other => panic!("no example of {other}"),
    };
    let mut configuration = json!({
        "keys": { "ip": { "client_ip": {} }, "k": { "header": "x-key" } },
        "policies": [{
            "name": "p",
            "key": ["ip", "k"],
            "match": [{ "path": "/v1" }],
            "limits": [{ "quota": 5, "window": "1m" }]
        }]
    });
    let more = match object {
        "tiers" => json!({ "tiers": { "names": ["free"], "default": "free" } }),
        "access_log" => json!({ "access_log": {} }),
        "metrics" => json!({ "metrics": {}, "consumers": [{ "name": "c", "keys": { "k": ["secret"] } }] }),
        "retry_after" => json!({ "retry_after": {} }),
        "table" => json!({ "table": {} }),
        "host" => {
            json!({ "keys": { "ip": { "client_ip": {} }, "k": { "header": "x-key" }, "host": { "host": {} } } })
        }
        "fleet" => json!({ "fleet": { "cluster": "tollgate-fleet" } }),
        "paths" => json!({ "paths": {} }),
        "consumer" => json!({ "consumers": [{ "name": "c", "keys": { "k": ["secret"] } }] }),
        "exception" => json!({ "exempt": [{ "path": "/health" }] }),
        "rejection" => json!({ "reject": {} }),
        "headers" => json!({ "headers": { "preset": "x-ratelimit" } }),
        "names" => json!({ "headers": { "preset": "x-ratelimit", "names": {} } }),
        _ => json!({}),
    };
    configuration = with(&configuration, "", &more);
    configuration = match object {
        "valid" => with(&configuration, "/keys/k", &json!({ "valid": { "metadata": ["filter", "name"] } })),
        "return" => with(&configuration, "/policies/0", &json!({ "returns": [{ "method": "DELETE" }] })),
        "span" => with(&configuration, "/policies/0", &json!({ "schedule": [{}] })),
        "condition" => {
            let page = json!({ "query": { "page": { "max": 999_999_999_999_999_u64 } } });
            with(&configuration, "/policies/0/match/0", &page)
        }
        "method-negation" => {
            with(&configuration, "/policies/0/match/0", &json!({ "method": { "not": "GET" } }))
        }
        "host-negation" => with(&configuration, "/policies/0/match/0", &json!({ "host": { "not": "a" } })),
        "address-negation" => {
            with(&configuration, "/policies/0/match/0", &json!({ "client_ip": { "not": "::1" } }))
        }
        "route-negation" => with(&configuration, "/policies/0/match/0", &json!({ "route": { "not": "a" } })),
        "cost_from" => {
            with(&configuration, "/policies/0", &json!({ "cost_from": { "key": "k", "max": u32::MAX } }))
        }
        "quota_from" => with(
            &configuration,
            "/policies/0/limits/0",
            &json!({ "quota_from": { "key": "k", "max": u32::MAX } }),
        ),
        "cost_header" => with(&configuration, "/policies/0", &json!({ "cost_header": { "name": "x-cost" } })),
        "cost_body" => with(&configuration, "/policies/0", &json!({ "cost_body": { "format": "openai" } })),
        "cost_term" => {
            with(&configuration, "/policies/0", &json!({ "cost_body": { "sum": [{ "json": "/cost" }] } }))
        }
        "cost_weights" => {
            let body = json!({ "cost_body": { "format": "openai", "weights": {} } });
            with(&configuration, "/policies/0", &body)
        }
        "stock_header" => {
            let limits = json!([{ "algorithm": "stock", "quota": 5 }]);
            let stock = json!({ "limits": limits, "stock_header": { "name": "x-stock" } });
            with(&configuration, "/policies/0", &stock)
        }
        _ => configuration,
    };
    (configuration, pointer.into())
}

/// The same, with the changes without which a field would not be valid.
pub(super) fn beside(object: &str, field: &str) -> (Json, String) {
    let (configuration, pointer) = example(object);
    let beside = match (object, field) {
        ("key", "names") => json!({ "header": null, "query": "k" }),
        ("key", "case" | "suffix") => json!({ "header": null, "path": "id" }),
        ("key", "index") => json!({ "separator": "," }),
        // So that it may describe all limits.
        ("headers", "describes") => json!({ "preset": null, "fields": { "x-{policy}": "{limit}" } }),
        ("condition", "not") => json!({ "max": null }),
        ("valid", "for") => json!({ "metadata": null, "unless": [401] }),
        ("limit", "burst" | "refill") => json!({ "algorithm": "token_bucket" }),
        ("limit", "retry_after" | "after") => json!({ "algorithm": "concurrency", "window": null }),
        ("limit", "time_zone") => json!({ "window": "month" }),
        ("cost_body", "weights") => json!({ "format": "openai" }),
        ("policy", "after_block") => json!({ "block_for": "1m" }),
        ("policy", "unanswered") => json!({ "count_on": [401] }),
        ("policy", "stock_header") => json!({ "limits": [{ "algorithm": "stock", "quota": 1 }] }),
        ("policy", "returns") => json!({ "match": [{ "method": "POST" }] }),
        ("policy", "on_outage") => json!({ "scope": "fleet" }),
        _ => json!({}),
    };
    let around = match (object, field) {
        ("limit", "quota") => json!({ "tiers": { "names": ["free"], "default": "free" } }),
        ("policy", "scope" | "on_outage") => json!({ "fleet": { "cluster": "tollgate-fleet" } }),
        ("key", "case" | "suffix") => json!({
            "policies": [{
                "name": "p",
                "key": "k",
                "match": [{ "path": "/v1/{id}" }],
                "limits": [{ "quota": 5, "window": "1m" }]
            }]
        }),
        _ => json!({}),
    };
    let configuration = with(&configuration, "", &around);
    let configuration = with(&configuration, &pointer, &without_alternatives(object, field));
    (with(&configuration, &pointer, &beside), pointer)
}

/// The fields that exclude this one, each as `null`.
fn without_alternatives(object: &str, field: &str) -> Json {
    let object = objects().into_iter().find(|one| one.name.get() == object).expect(object);
    let alternatives = object.rules.iter().find_map(|rule| match rule {
        Rule::ExactlyOne(names) if names.contains(&field) => Some(*names),
        Rule::ExactlyOne(_) | Rule::OnlyWith(..) | Rule::NotBoth(..) | Rule::ByWord(..) => None,
    });
    let others = alternatives.unwrap_or_default().iter().filter(|name| **name != field);
    Json::Object(others.map(|name| ((*name).to_string(), Json::Null)).collect())
}

/// A configuration with these fields added to the object at `pointer`; `null` removes one.
pub(super) fn with(configuration: &Json, pointer: &str, fields: &Json) -> Json {
    let mut configuration = configuration.clone();
    let object = configuration.pointer_mut(pointer).and_then(Json::as_object_mut).expect(pointer);
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    configuration
}

/// `/policies/0/limits` as in errors: `policies[0].limits`.
pub(super) fn error_path(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) if path.is_empty() => step.into(),
        Err(_) => format!("{path}.{step}"),
    })
}
