//! A value for each field, and what it needs beside it.

use serde_json::{Value as Json, json};
use tollgate::config::{Field, Need, Value};
use tollgate_cli::language;

/// A field's value to try.
pub struct Trial {
    pub value: Json,
    /// The JSON pointer of its object.
    pointer: String,
    /// What it needs beside it: pointers and values. `null` removes a field.
    beside: Vec<(String, Json)>,
}

impl Trial {
    pub fn needs_more(&self) -> bool {
        !self.beside.is_empty()
    }

    /// A configuration with what the field needs.
    pub fn beside(&self, base: &Json) -> Json {
        self.beside.iter().fold(base.clone(), |base, (pointer, value)| put(base, pointer, value))
    }

    pub fn with(&self, base: &Json, field: &str) -> Json {
        put(base.clone(), &format!("{}/{field}", self.pointer), &self.value)
    }
}

fn put(mut base: Json, pointer: &str, value: &Json) -> Json {
    let (object, field) = pointer.rsplit_once('/').unwrap();
    let object = base.pointer_mut(object).unwrap_or_else(|| panic!("{pointer}"));
    let object = object.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(field);
    } else {
        object.insert(field.into(), value.clone());
    }
    base
}

/// Why an object is not tried here.
pub fn elsewhere(object: &str) -> Option<&'static str> {
    Some(match object {
        "key" | "client_ip" | "valid" | "consumer" => "who is counted does not depend on how",
        "table" => "only a full table shows its size",
        "metrics" => "only counters",
        "fleet" => "only several proxies show what they share",
        "names" | "rejection" => "only texts",
        "tiers" => "its fields refer to each other",
        "condition" | "method-negation" | "host-negation" | "address-negation" | "route-negation" => {
            "a form of the fields of a match"
        }
        _ => return None,
    })
}

/// Where an object is, and what it needs.
fn place(object: &str) -> (&'static str, Vec<(&'static str, Json)>) {
    match object {
        "configuration" => ("", vec![]),
        "policy" => ("/policies/1", vec![]),
        "limit" => ("/policies/1/limits/0", vec![]),
        "match" => ("/policies/1/match/0", vec![("/policies/1/match", json!([{}]))]),
        "exception" => ("/policies/1/except/0", vec![("/policies/1/except", json!([{}]))]),
        "return" => (
            "/policies/1/returns/0",
            vec![("/policies/1/match", json!([{ "method": "POST" }])), ("/policies/1/returns", json!([{}]))],
        ),
        "cost_from" => (
            "/policies/1/cost_from",
            vec![
                ("/keys/n", json!({ "query": "n" })),
                ("/policies/1/cost_from", json!({ "key": "n", "max": 5 })),
            ],
        ),
        "quota_from" => (
            "/policies/1/limits/0/quota_from",
            vec![
                ("/keys/n", json!({ "query": "n" })),
                ("/policies/1/limits/0/quota_from", json!({ "key": "n", "max": 5 })),
            ],
        ),
        "cost_header" => {
            ("/policies/1/cost_header", vec![("/policies/1/cost_header", json!({ "name": "x-cost" }))])
        }
        "cost_body" => ("/policies/1/cost_body", vec![]),
        "cost_term" => (
            "/policies/1/cost_body/sum/0",
            vec![("/policies/1/cost_body", json!({ "sum": [{ "json": "/n" }] }))],
        ),
        "cost_weights" => (
            "/policies/1/cost_body/weights",
            vec![("/policies/1/cost_body", json!({ "format": "openai", "weights": {} }))],
        ),
        "stock_header" => {
            ("/policies/1/stock_header", vec![("/policies/1/stock_header", json!({ "name": "x-stock" }))])
        }
        "span" => ("/policies/1/schedule/0", vec![("/policies/1/schedule", json!([{}]))]),
        // What an entry does depends on the clock: src/engine/tests/forgiven.rs.
        "forgive" => ("/forgive/0", vec![]),
        "headers" => ("/headers", vec![]),
        "access_log" => ("/access_log", vec![("/access_log", json!({}))]),
        "retry_after" => ("/retry_after", vec![("/retry_after", json!({}))]),
        "paths" => (
            "/paths",
            vec![
                ("/paths", json!({})),
                ("/policies/1/match", json!([{ "path": "/v1/a" }])),
                ("/policies/0/match", json!([{ "path": "/none" }])),
            ],
        ),
        other => panic!("no place for {other}"),
    }
}

/// The values to try for a field. A field with words is tried with each of them but the default.
pub fn trials(object: &str, field: &Field) -> Vec<Trial> {
    let (pointer, mut beside) = place(object);
    let mut values = words(field);
    let more = |beside: &mut Vec<_>, pointer: &'static str, value: Json| beside.push((pointer, value));
    let value = match (object, field.name) {
        // They name or make up what is tried.
        (
            "configuration",
            "keys" | "consumers" | "consumer_name" | "policies" | "table" | "reject" | "retry_after"
            | "headers" | "paths" | "tiers" | "fleet" | "metrics" | "forgive",
        )
        | ("policy", "key" | "limits" | "name" | "reject" | "scope" | "on_outage")
        | ("forgive", _)
        | ("headers", "preset" | "fields" | "describes" | "names") => return Vec::new(),
        ("limit", "algorithm") => return Vec::new(),
        ("configuration", "exempt") => json!([{ "path": "/v1/b" }]),
        ("configuration", "exempt_preflight") => {
            more(&mut beside, "/policies/1/key", json!("ip"));
            json!(false)
        }
        ("configuration", "access_log") => json!(false),
        ("access_log", "format") => Json::Null,
        ("access_log", "caller") => json!(true),
        ("configuration", "shadow_header") => json!("x-would"),
        ("configuration", "charge") => {
            more(&mut beside, "/policies/1/match", json!([{ "method": "POST" }]));
            Json::Null
        }
        ("policy", "match") => json!([{ "path": "/v1/b" }]),
        ("policy", "except") => json!([{ "path": "/v1/b" }]),
        ("policy", "class") => {
            more(&mut beside, "/policies/0/class", json!("one"));
            json!("one")
        }
        ("policy", "cost") => json!(2),
        ("policy", "cost_from") => {
            more(&mut beside, "/keys/n", json!({ "query": "n" }));
            json!({ "key": "n", "max": 3 })
        }
        ("cost_from" | "quota_from", "key") => return Vec::new(),
        ("cost_from", "divide_by") => json!(3),
        ("cost_from", "round") => {
            more(&mut beside, "/policies/1/cost_from/divide_by", json!(2));
            Json::Null
        }
        ("cost_from", "min") => json!(2),
        ("cost_from", "max") => json!(2),
        ("limit", "quota_from") => {
            more(&mut beside, "/keys/n", json!({ "query": "n" }));
            json!({ "key": "n", "max": 9 })
        }
        ("quota_from", "min") => json!(4),
        ("quota_from", "max") => json!(1),
        ("cost_header", "in") => Json::Null,
        ("policy", "cost_header") => json!("x-cost"),
        ("policy", "cost_body") => json!({ "json": "/n" }),
        ("cost_body", field) => {
            let (beside_it, value) = match field {
                "format" => (json!({ "format": "openai" }), Json::Null),
                "json" => (json!({ "json": "/n" }), json!(["/m", "/none"])),
                "sum" => (json!({ "sum": [{ "json": "/n" }] }), json!([{ "json": "/m" }])),
                "weights" => (json!({ "format": "openai" }), json!({ "output": 2 })),
                "without" => {
                    values.retain(|value| *value != json!("keep"));
                    (json!({ "json": "/none" }), json!(2))
                }
                field => panic!("cost_body.{field} is new"),
            };
            more(&mut beside, "/policies/1/cost_body", beside_it);
            value
        }
        ("cost_term", "json") => json!("/m"),
        ("cost_term", "weight") => json!(0.5),
        ("cost_weights", _) => json!(2),
        ("policy", "count" | "on_contention" | "mode") => Json::Null,
        ("policy", "count_on") => json!([401]),
        ("policy", "refund_on") => json!([500]),
        ("policy", "refund_unless") => json!([201]),
        ("policy", "reset_on") => json!([500]),
        ("policy", "after_block") => {
            more(&mut beside, "/policies/1/block_for", json!("2s"));
            Json::Null
        }
        ("policy", "returns") => {
            more(&mut beside, "/policies/1/match", json!([{ "method": "POST" }]));
            json!([{ "method": "DELETE" }])
        }
        ("policy", "stock_header") => json!("x-stock"),
        ("policy", "unanswered") => {
            more(&mut beside, "/policies/1/refund_on", json!([500]));
            json!(2)
        }
        ("policy", "block_for") => json!(["2d", "3d"]),
        ("policy", "enforce") => json!("1%"),
        ("policy", "schedule") => json!([{ "from": "05:00", "to": "05:30" }]),
        ("span", "days") => json!(["tue"]),
        ("span", "from") => json!("05:30"),
        ("span", "to") => json!("05:07"),
        ("span", "time_zone") => {
            more(&mut beside, "/policies/1/schedule/0/from", json!("05:00"));
            more(&mut beside, "/policies/1/schedule/0/to", json!("06:00"));
            json!("Asia/Tokyo")
        }
        ("policy", "effective_from") => json!("2026-06-15T06:00:00Z"),
        ("limit", "quota") => {
            more(&mut beside, "/tiers", json!({ "names": ["free", "pro"], "default": "free" }));
            json!({ "free": 2, "pro": 9 })
        }
        ("limit", "window") => json!("20s"),
        ("limit", "name") => json!("another"),
        ("limit", "time_zone") => json!("Asia/Tokyo"),
        ("limit", "burst") => json!(1),
        ("limit", "refill") => Json::Null,
        ("limit", "retry_after") => json!("7s"),
        ("limit", "after") => json!("2s"),
        ("limit", "message") => json!("Wait."),
        ("match" | "exception" | "return", "method") => {
            json!(if object == "return" { "DELETE" } else { "GET" })
        }
        ("match" | "exception" | "return", "host") => json!("other.*"),
        ("match" | "exception" | "return", "route") => json!(["web", "api-*"]),
        ("match" | "exception" | "return", "client_ip") => json!("10.0.0.0/8"),
        ("match" | "exception" | "return", "path") => json!("/v1/b"),
        ("match" | "exception" | "return", "headers") => json!({ "x-a": ["1*", "none"] }),
        ("match" | "exception" | "return", "query") => json!({ "plan": "p*" }),
        ("match" | "exception" | "return", "cookies") => json!({ "beta": "*" }),
        ("match" | "exception" | "return", "keys") => {
            more(&mut beside, "/keys/plan", json!({ "query": "plan" }));
            json!({ "plan": "p*" })
        }
        ("match", "cost") => json!(2),
        ("match", "name") => {
            more(&mut beside, "/keys/operation", json!({ "request": "match" }));
            more(&mut beside, "/keys/either", json!({ "first_of": ["operation", "k"] }));
            more(&mut beside, "/policies/1/key", json!("either"));
            json!("reads")
        }
        ("cost_header" | "stock_header", "name") => json!("x-other"),
        ("cost_header" | "stock_header", "remove") => json!(true),
        ("cost_header", "without") => json!(2),
        ("return", "on") => json!([404]),
        ("headers", "reset_on_429") => {
            more(&mut beside, "/policies/0/limits", json!([{ "quota": 5, "window": "3d" }]));
            Json::Null
        }
        ("headers", "show" | "reset" | "format" | "upstream") => Json::Null,
        ("headers", "from") => json!("60%"),
        ("retry_after", "show") => Json::Null,
        ("retry_after", "min") => json!(86_000),
        ("retry_after", "max") => json!(1),
        ("retry_after", "jitter") => json!(3_600),
        ("paths", _) => Json::Null,
        (object, field) => panic!("{object}.{field} is new: which value shows its effect, and beside what?"),
    };
    values.extend(Some(value).filter(|value| !value.is_null()));
    let beside: Vec<_> = beside.into_iter().map(|(pointer, value)| (pointer.to_string(), value)).collect();
    let trial = |value| Trial { value, pointer: pointer.into(), beside: beside.clone() };
    values.into_iter().map(trial).collect()
}

/// The words of a field but its default.
fn words(field: &Field) -> Vec<Json> {
    let default = match field.need {
        Need::Default(literal) => serde_json::from_str(&Value::from(literal).to_json()).unwrap(),
        Need::Required | Need::Else(_) => Json::Null,
    };
    let words = language::words(&field.kind).into_iter().map(|(word, _)| json!(word));
    words.filter(|word| *word != default).collect()
}

/// Why a field may change nothing with an algorithm and is no error: what it chooses between is the same
/// there.
pub fn same_by_nature(object: &str, field: &str, value: &Json, algorithm: &str) -> Option<&'static str> {
    match (object, field, value.as_str().unwrap_or_default(), algorithm) {
        ("headers", "format", "epoch", _) => Some("the default of this preset"),
        ("cost_body", "format", "openai", _) => Some("it is beside it"),
        ("cost_header", "in", "either", _) => Some("the header is there"),
        ("limit", "window", "day", "calendar") => Some("it has this window"),
        ("headers", "reset", "next_slot", _) | ("headers", "reset_on_429", "after_wait", _) => {
            Some("the default")
        }
        ("headers", "from", _, "leaky_bucket") => Some("nothing is left after a request"),
        ("headers", "reset", _, "concurrency") => Some("nobody knows when: it is the announced wait"),
        ("headers", "reset", _, "leaky_bucket") => {
            Some("its units come one by one, so the next is all of them")
        }
        ("match", "name", _, "concurrency") => Some("no two callers are in flight together"),
        ("policy", "on_contention", "allow", "leaky_bucket") => Some("one at a time passes in any case"),
        _ => None,
    }
}
