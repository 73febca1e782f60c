//! The filters that are measured, as Envoy's file has them.

use serde_json::{Value, json};
use std::path::Path;

fn http_filter(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}").into();
    json!({ "name": name, "typed_config": config })
}

/// A proxy-wasm module, with its configuration as text.
pub fn wasm(name: &str, module: &Path, configuration: &str) -> Value {
    let config = json!({
        "config": {
            "name": name,
            "vm_config": {
                "vm_id": name,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": module } },
            },
            "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
        },
    });
    http_filter(name, "wasm.v3.Wasm", config)
}

/// Envoy's own limiter: a token bucket for each value of the key's header, with Envoy's three limit headers.
pub fn local_ratelimit() -> Value {
    let bucket =
        json!({ "max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "60s" });
    let always = json!({ "default_value": { "numerator": 100, "denominator": "HUNDRED" } });
    let action = json!({ "request_headers": { "header_name": "authorization", "descriptor_key": "client" } });
    let config = json!({
        "stat_prefix": "local",
        "token_bucket": bucket,
        "filter_enabled": always,
        "filter_enforced": always,
        "rate_limits": [{ "actions": [action] }],
        "descriptors": [{ "entries": [{ "key": "client" }], "token_bucket": bucket }],
        "max_dynamic_descriptors": 20_000,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
    });
    http_filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", config)
}

/// Lua that adds three headers, and limits nothing.
pub fn lua() -> Value {
    let code = r#"
        function envoy_on_response(response)
          local headers = response:headers()
          headers:replace("x-ratelimit-limit", "300")
          headers:replace("x-ratelimit-remaining", "299")
          headers:replace("x-ratelimit-reset", "1763800000")
        end"#;
    http_filter("lua", "lua.v3.Lua", json!({ "default_source_code": { "inline_string": code } }))
}
