//! Consul: the extension `builtin/wasm` puts the filter before the router, with the policy as the text that it
//! was given, and without a word for what happens after a trap but `fail_open`.

use serde_json::{Value, json};

use super::shape::{assert_billium, code, envoy, objects, start, wasm};

/// A field by its name in small letters: Consul reads names in any case.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let fields = value.as_object().expect("an object");
    let (_, value) = fields.iter().find(|(own, _)| own.to_ascii_lowercase() == name).expect(name);
    value
}

/// What Consul makes of an extension.
fn translated(extension: &Value) -> Value {
    assert_eq!(field(extension, "name"), "builtin/wasm");
    let arguments = field(extension, "arguments");
    assert_eq!(
        (field(arguments, "protocol"), field(arguments, "listenertype")),
        (&json!("http"), &json!("inbound"))
    );
    let plugin = field(arguments, "pluginconfig");
    let vm = field(plugin, "vmconfig");
    assert_eq!(field(field(field(vm, "code"), "local"), "filename"), "/etc/tollgate/tollgate.wasm");
    let text = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": field(plugin, "configuration")
    });
    let config = json!({
        "name": field(plugin, "name"),
        "vm_config": {
            "vm_id": field(vm, "vmid"),
            "runtime": format!("envoy.wasm.runtime.{}", field(vm, "runtime").as_str().expect("a name")),
            "code": code()
        },
        "configuration": text,
        "fail_open": !field(extension, "required").as_bool().expect("a flag")
    });
    json!({ "name": "envoy.filters.http.wasm", "typed_config": wasm(&config) })
}

#[test]
fn the_service_defaults_of_consul_limit() {
    let entry = &objects("consul/service-defaults.json")[0];
    assert_billium(&start(&envoy(vec![translated(&entry["EnvoyExtensions"][0])])));
}

#[test]
fn the_proxy_defaults_of_consul_on_kubernetes_limit() {
    let object = &objects("consul/proxy-defaults.yaml")[0];
    assert_billium(&start(&envoy(vec![translated(&object["spec"]["envoyExtensions"][0])])));
}
