//! The filters that are measured, and clusters, as Envoy's file has them.

use serde_json::{Value, json};
use std::net::SocketAddr;
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

/// Envoy's own global limit: it asks the rate limit service at the cluster about each value of the key's header, with
/// Envoy's three limit headers.
pub fn ratelimit() -> Value {
    let action = json!({ "request_headers": { "header_name": "authorization", "descriptor_key": "client" } });
    let config = json!({
        "domain": "bench",
        "rate_limits": [{ "actions": [action] }],
        "rate_limit_service": {
            "grpc_service": { "envoy_grpc": { "cluster_name": CLUSTER } },
            "transport_api_version": "V3",
        },
        // What is not answered in a second must show as failed.
        "timeout": "1s",
        "failure_mode_deny": true,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
    });
    http_filter("ratelimit", "ratelimit.v3.RateLimit", config)
}

/// Answers each request, after all filters before it.
pub fn answer() -> Value {
    let always = json!({ "numerator": 100, "denominator": "HUNDRED" });
    http_filter(
        "answer",
        "fault.v3.HTTPFault",
        json!({ "abort": { "http_status": 200, "percentage": always } }),
    )
}

/// The cluster of the service that a filter asks.
pub const CLUSTER: &str = "service";

/// The cluster of a route whose requests are answered before.
pub const NOWHERE: &str = "nowhere";

pub fn cluster(name: &str, address: SocketAddr) -> Value {
    let endpoint =
        json!({ "address": { "socket_address": { "address": address.ip(), "port_value": address.port() } } });
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": { options: {
            "@type": format!("type.googleapis.com/{options}"),
            "explicit_http_config": { "http2_protocol_options": {} },
        } },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": endpoint }] }],
        },
    })
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
