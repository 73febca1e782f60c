//! Envoy Gateway: a filter that is disabled, and enabled route by route; a `vm_id` with the position in the list;
//! the module by HTTP from Envoy Gateway itself, with its SHA-256; the policy as JSON text. A patch adds
//! `failure_policy`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::shape::{as_text, assert_billium, envoy, objects, start, wasm};
use crate::harness::{module, new_ip};

const FILTER: &str = "envoy.filters.http.wasm/envoyextensionpolicy/default/tollgate/wasm/0";

/// Answers every request with these bytes, as long as the test process lives.
fn serve(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let bytes = Arc::new(bytes);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let bytes = Arc::clone(&bytes);
            thread::spawn(move || answer(stream, &bytes));
        }
    });
    address
}

fn answer(mut stream: TcpStream, bytes: &[u8]) {
    let mut lines = BufReader::new(stream.try_clone().expect("the connection")).lines();
    while lines.by_ref().next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes));
}

/// What Envoy Gateway makes of the files, with the module from a server that sends these bytes.
fn translated(sent: Vec<u8>, sha256: &str) -> Value {
    let [policy, patch] = &objects("envoy-gateway/tollgate.yaml")[..] else { panic!("a policy and a patch") };
    let plugin = &policy["spec"]["wasm"][0];
    let address = serve(sent);
    let remote = json!({
        "http_uri": { "uri": "https://envoy-gateway:18002/tollgate.wasm", "cluster": "wasm_cluster", "timeout": "10s" },
        "sha256": sha256
    });
    let mut config = json!({
        "name": plugin["name"],
        "fail_open": plugin["failOpen"],
        "vm_config": {
            "vm_id": "envoyextensionpolicy/default/tollgate/wasm/0",
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "remote": remote }
        },
        "configuration": as_text(&plugin["config"])
    });
    let operation = &patch["spec"]["jsonPatches"][0]["operation"];
    let matches = "..http_filters[?match(@.name, 'envoy.filters.http.wasm/.*')].typed_config.config";
    assert_eq!((&operation["op"], &operation["jsonPath"]), (&json!("add"), &json!(matches)));
    let field = operation["path"].as_str().and_then(|path| path.strip_prefix('/')).expect("a field");
    config[field] = operation["value"].clone();
    let filter = json!({ "name": FILTER, "disabled": true, "typed_config": wasm(&config) });
    let mut file = envoy(vec![filter]);
    let (ip, port) = (address.ip().to_string(), address.port());
    let endpoint =
        json!({ "endpoint": { "address": { "socket_address": { "address": ip, "port_value": port } } } });
    file["static_resources"]["clusters"] = json!([{
        "name": "wasm_cluster",
        "load_assignment": { "cluster_name": "wasm_cluster", "endpoints": [{ "lb_endpoints": [endpoint] }] }
    }]);
    let chain = &mut file["static_resources"]["listeners"][0]["filter_chains"][0];
    let routes = &mut chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]["routes"];
    let enabled = json!({ FILTER: { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {} } });
    *routes = json!([
        { "match": { "prefix": "/free" }, "direct_response": { "status": 200 } },
        { "match": { "prefix": "/" }, "direct_response": { "status": 200 }, "typed_per_filter_config": enabled }
    ]);
    file
}

fn the_module() -> (Vec<u8>, String) {
    let bytes = fs::read(module()).expect("the module");
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes, digest)
}

#[test]
fn the_extension_policy_of_envoy_gateway_limits_the_routes_that_it_is_enabled_on() {
    let (bytes, digest) = the_module();
    let gateway = start(&translated(bytes, &digest));
    assert_billium(&gateway);
    let address = new_ip();
    for number in 1..=60 {
        assert_eq!(gateway.get("/free").from(address).send().status, 200, "request {number}");
    }
    let dump = gateway.admin().page("/config_dump");
    assert!(dump.contains("FAIL_RELOAD"), "the patch is not in force");
}

/// Whoever can change what is served cannot change what runs.
#[test]
fn another_module_than_the_one_with_this_sha256_does_not_run() {
    let (mut bytes, digest) = the_module();
    bytes.push(0);
    let gateway = start(&translated(bytes, &digest));
    let status = gateway.get("/").from(new_ip()).send().status;
    assert_ne!(status, 200, "a request passed without its limit");
}
