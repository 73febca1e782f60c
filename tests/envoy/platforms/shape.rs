//! What the tests of platforms share: objects as Kubernetes sees them, and an Envoy around a filter.

use serde_json::{Value, json};
use std::fs;
use tollgate_cli::document::{Document, Syntax, documents};

use crate::harness::{Gateway, Setup, in_repository, module, new_ip};

const TYPES: &str = "type.googleapis.com/";

/// The objects in a file of `deploy/`, as JSON.
pub fn objects(name: &str) -> Vec<Value> {
    let path = in_repository("deploy").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let all: Result<Vec<Document>, _> = documents(&text, Syntax::of(name, &text)).collect();
    let all = all.expect("documents");
    all.iter().map(|document| serde_json::from_str(&document.value.to_json()).expect("JSON")).collect()
}

/// A Wasm filter's configuration with its type.
pub fn wasm(config: &Value) -> Value {
    json!({ "@type": format!("{TYPES}envoy.extensions.filters.http.wasm.v3.Wasm"), "config": config })
}

/// A policy as platforms hand it over: as JSON text.
pub fn as_text(policy: &Value) -> Value {
    json!({ "@type": format!("{TYPES}google.protobuf.StringValue"), "value": policy.to_string() })
}

/// The module, as a file.
pub fn code() -> Value {
    json!({ "local": { "filename": module() } })
}

/// An Envoy with these filters, which answers 200 by itself.
pub fn envoy(filters: Vec<Value>) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": format!("{TYPES}envoy.extensions.filters.http.router.v3.Router") }
    });
    let filters: Vec<Value> = filters.into_iter().chain([router]).collect();
    let any_port = json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } });
    json!({
        "node": { "id": "gateway", "cluster": "gateway" },
        "admin": { "address": any_port },
        "static_resources": {
            "listeners": [{
                "name": "gateway",
                "address": any_port,
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": format!("{TYPES}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
                        "stat_prefix": "gateway",
                        "use_remote_address": true,
                        "http_filters": filters,
                        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
                            { "match": { "prefix": "/" }, "direct_response": { "status": 200 } }
                        ]}]}
                    }
                }]}]
            }],
            "clusters": []
        }
    })
}

/// Starts such an Envoy.
pub fn start(envoy: &Value) -> Gateway {
    Setup::whole(envoy.to_string()).start()
}

/// How many of `times` requests of one client pass.
pub fn passed(gateway: &Gateway, times: usize) -> usize {
    let address = new_ip();
    (0..times).filter(|_| gateway.get("/").from(address).send().status == 200).count()
}

/// Billium's first limit holds exactly, and with the body that the policy has.
pub fn assert_billium(gateway: &Gateway) {
    let address = new_ip();
    for number in 1..=50 {
        assert_eq!(gateway.get("/").from(address).send().status, 200, "request {number}");
    }
    let rejected = gateway.get("/").from(address).send();
    assert_eq!(rejected.status, 429);
    assert!(rejected.text().starts_with("{\"statusCode\":429,"), "{rejected:?}");
    assert_eq!(passed(gateway, 1), 1, "another client");
}
