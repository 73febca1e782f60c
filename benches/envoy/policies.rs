//! The policies that Tollgate is measured with.

use crate::backend::FLEET;
use crate::filters::CLUSTER;
use crate::plenty::{PLENTY, value_of};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A policy file that ships, as it is: `name` is that of the file.
pub fn published(root: &Path, name: &str) -> Value {
    let path = root.join("envoy/policies").join(format!("{name}.yaml"));
    let text = fs::read_to_string(&path).expect("a policy file");
    value_of(&text)
}

/// The policy with three limit headers that tell of the policy `name`.
pub fn with_headers(mut policy: Value, name: &str) -> Value {
    policy["headers"] = json!({ "preset": "x-ratelimit", "describes": name });
    policy
}

/// One layer: the key.
pub fn one_layer() -> Value {
    json!({
        "keys": { "api_key": { "header": "authorization", "scheme": "Bearer", "prefix": 16 } },
        "policies": [{ "name": "key", "key": "api_key", "limits": [{ "quota": PLENTY, "window": "60s" }] }],
        "headers": { "preset": "x-ratelimit", "describes": "key" },
    })
}

/// A limit of tokens, which are read from the body if `reads`.
pub fn tokens(reads: bool) -> Value {
    let mut policy = one_layer();
    policy["policies"][0]["cost"] = 4.into();
    if reads {
        policy["policies"][0]["cost_body"] = json!({ "format": "openai" });
    }
    policy
}

/// An answer like OpenAI's, of 2 KB and 4 tokens.
pub fn answer() -> String {
    let usage = json!({ "prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4 });
    let choices =
        json!([{ "index": 0, "message": { "role": "assistant", "content": "\"word\" and ".repeat(150) } }]);
    json!({ "id": "chatcmpl-1", "object": "chat.completion", "choices": choices, "usage": usage }).to_string()
}

/// The same, counted for the whole fleet. What the service does not answer is rejected, so that it shows.
pub fn one_layer_of_fleet() -> Value {
    let mut policy = one_layer();
    policy["policies"][0]["scope"] = "fleet".into();
    policy["policies"][0]["on_outage"] = "deny".into();
    policy["fleet"] = json!({ "cluster": CLUSTER, "name": FLEET, "timeout": "1s" });
    policy
}

/// So many policies, each for a path of its own. A request for `/v1/service-N/…`, with the highest N, meets
/// the last.
pub fn of_many_paths(number: usize) -> Value {
    let policy = |n: usize| {
        json!({
            "name": format!("service-{n}"),
            "key": "api_key",
            "match": [{ "method": "GET", "path": format!("/v1/service-{n}/**") }],
            "limits": [{ "quota": PLENTY, "window": "60s" }],
        })
    };
    json!({
        "keys": { "api_key": { "header": "authorization", "scheme": "Bearer", "prefix": 16 } },
        "policies": (1..=number).map(policy).collect::<Vec<_>>(),
        "headers": { "preset": "x-ratelimit", "describes": "most_constrained" },
    })
}
