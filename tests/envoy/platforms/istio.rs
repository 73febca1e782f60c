//! Istio: a `WasmPlugin` becomes a resource of ECDS without a `vm_id`, and its configuration JSON text. An
//! `EnvoyFilter` puts its value into the list of filters as it is.

use serde_json::{Value, json};
use std::fs;

use super::shape::{as_text, assert_billium, code, envoy, objects, passed, start, wasm};
use crate::harness::{Files, Gateway, assert_more_pass, new_ip};

/// What Istio makes of a plugin. An update of the object changes the version in the VM's environment.
fn resource(name: &str, policy: &Value, version: usize) -> Value {
    let environment =
        json!({ "key_values": { "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": version.to_string() } });
    let vm =
        json!({ "runtime": "envoy.wasm.runtime.v8", "code": code(), "environment_variables": environment });
    let config = json!({
        "name": name,
        "failure_policy": "FAIL_RELOAD",
        "vm_config": vm,
        "configuration": as_text(policy)
    });
    json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": name,
        "typed_config": wasm(&config)
    })
}

/// Puts a resource into its file, by moving it there.
fn publish(files: &Files, name: &str, policy: &Value, version: usize) -> String {
    let (next, file) = (files.file(&format!("{name}.next")), files.file(&format!("{name}.json")));
    fs::write(&next, json!({ "resources": [resource(name, policy, version)] }).to_string()).expect("a file");
    fs::rename(next, &file).expect("the file in its place");
    file.display().to_string()
}

/// An Envoy with these plugins, one after the other.
fn with_plugins(files: &Files, plugins: &[(&str, &Value)]) -> Gateway {
    let filter = |(name, policy): &(&str, &Value)| {
        let path = publish(files, name, policy, 1);
        json!({ "name": name, "config_discovery": {
            "config_source": { "path_config_source": { "path": path }, "resource_api_version": "V3" },
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]
        }})
    };
    start(&envoy(plugins.iter().map(filter).collect()))
}

/// A policy with this quota for each address, in the table of this name.
fn per_address(quota: u32, table: Option<&str>) -> Value {
    let mut policy = json!({
        "keys": { "ip": { "client_ip": {} } },
        "policies": [{ "name": "p", "key": "ip", "limits": [{ "quota": quota, "window": "1h" }] }]
    });
    if let Some(name) = table {
        policy["table"] = json!({ "name": name });
    }
    policy
}

#[test]
fn the_wasm_plugin_of_istio_limits() {
    let files = Files::new();
    let plugin = &objects("istio/tollgate.yaml")[0];
    assert_eq!(plugin["spec"]["failStrategy"], "FAIL_RELOAD");
    assert_billium(&with_plugins(&files, &[("istio-system.tollgate", &plugin["spec"]["pluginConfig"])]));
}

/// Each request passes both plugins. If they share their counts it spends two units of one quota.
#[test]
fn two_plugins_without_a_vm_id_share_counts_only_if_their_tables_have_the_same_name() {
    let cases = [
        (None, None, 2),
        (Some("ingress"), Some("ingress"), 2),
        (Some("ingress"), Some("orders"), 4),
        (Some("ingress"), None, 4),
    ];
    for (first, second, expected) in cases {
        let files = Files::new();
        let (first, second) = (per_address(4, first), per_address(4, second));
        let gateway = with_plugins(&files, &[("shop.first", &first), ("shop.second", &second)]);
        assert_eq!(passed(&gateway, 20), expected, "{first} and {second}");
    }
}

#[test]
fn tables_of_two_plugins_may_have_different_sizes_if_they_have_names() {
    let files = Files::new();
    let (large, mut small) = (per_address(9, Some("large")), per_address(4, Some("small")));
    small["table"]["pages"] = json!(64);
    assert_eq!(passed(&with_plugins(&files, &[("shop.large", &large), ("shop.small", &small)]), 20), 4);
}

/// The new version is another VM, since its environment is another one.
#[test]
fn an_update_of_a_plugin_keeps_its_counts() {
    let files = Files::new();
    let gateway = with_plugins(&files, &[("shop.tollgate", &per_address(5, Some("shop")))]);
    let address = new_ip();
    let pass = || gateway.get("/").from(address).send().status == 200;
    assert_eq!((0..20).filter(|_| pass()).count(), 5);
    publish(&files, "shop.tollgate", &per_address(8, Some("shop")), 2);
    assert_more_pass(3, pass);
}

#[test]
fn the_envoy_filter_of_istio_limits() {
    let object = &objects("envoyfilter/tollgate.yaml")[0];
    let patch = &object["spec"]["configPatches"][0]["patch"];
    assert_eq!(patch["operation"], "INSERT_BEFORE");
    let mut filter = patch["value"].clone();
    filter["typed_config"]["config"]["vm_config"]["code"] = code();
    assert_billium(&start(&envoy(vec![filter])));
}
