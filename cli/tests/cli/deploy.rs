//! What `deploy/` has for platforms: each file is what its platform accepts, and has the policy that it names.

use super::*;
use serde_json::{Value, json};
use std::path::Path;
use tollgate_cli::document::{Syntax, documents};

const SCHEMAS: &str = "tests/data/schemas";

/// Files that are Envoy's own: a real Envoy starts with them in the end-to-end tests.
const OF_ENVOY: [&str; 2] = ["ecds/envoy.yaml", "ecds/tollgate.yaml"];

/// The documents of a text, as Kubernetes converts them to JSON.
fn objects(name: &str, text: &str) -> Vec<Value> {
    let document = |document: Result<tollgate_cli::document::Document, _>| {
        serde_json::from_str(&document.expect("YAML or JSON").value.to_json()).expect("JSON")
    };
    documents(text, Syntax::of(name, text)).map(document).collect()
}

/// What is wrong with an object, by the schema of its kind.
fn faults(object: &Value) -> Vec<String> {
    let kind = object.get("kind").or_else(|| object.get("Kind")).and_then(Value::as_str).expect("a kind");
    let schema = match kind {
        "service-defaults" => "consul-service-defaults",
        kind => kind,
    };
    let text = read(&format!("{SCHEMAS}/{schema}.json"));
    let schema = serde_json::from_str(&text).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of all platforms, by their names in `deploy/`.
fn files() -> Vec<String> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut files = Vec::new();
    for folder in ["istio", "envoyfilter", "envoy-gateway", "consul", "ecds"] {
        for entry in std::fs::read_dir(deploy.join(folder)).expect("a folder of deploy/") {
            let name = entry.expect("a file").file_name().into_string().expect("a name");
            if name.ends_with(".yaml") || name.ends_with(".json") {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn each_file_is_what_its_platform_accepts() {
    let files = files();
    assert!(files.len() >= 8, "{files:?}");
    for name in files.iter().filter(|name| !OF_ENVOY.contains(&name.as_str())) {
        let objects = objects(name, &read(&format!("deploy/{name}")));
        assert!(!objects.is_empty(), "{name}");
        for object in objects {
            assert_eq!(faults(&object), Vec::<String>::new(), "{name}");
        }
    }
}

/// Each of these is what a person might write.
#[test]
fn a_file_that_its_platform_would_not_accept_is_noticed() {
    let wrong = [
        ("istio/tollgate.yaml", "failStrategy: FAIL_RELOAD", "failStrategy: RELOAD"),
        ("istio/tollgate.yaml", "failStrategy:", "failurePolicy:"),
        ("istio/tollgate.yaml", "phase: STATS", "phase: AUTH"),
        ("istio/tollgate.yaml", "  url: oci", "  uri: oci"),
        ("envoyfilter/tollgate.yaml", "operation: INSERT_BEFORE", "operation: BEFORE"),
        (
            "envoyfilter/tollgate.yaml",
            "workloadSelector:\n    labels:",
            "workloadSelector:\n    matchLabels:",
        ),
        ("envoyfilter/tollgate.yaml", "        listener:\n", "        cluster: {}\n        listener:\n"),
        ("envoy-gateway/tollgate.yaml", "type: Image", "type: HTTP"),
        ("envoy-gateway/tollgate.yaml", "failOpen: false", "failOpen: no thanks"),
        (
            "envoy-gateway/tollgate.yaml",
            "kind: Gateway\n      name: eg\n  wasm",
            "kind: Service\n      name: eg\n  wasm",
        ),
        ("envoy-gateway/tollgate.yaml", "op: add", "op: set"),
        ("envoy-gateway/tollgate.yaml", "type: JSONPatch", "type: Merge"),
        ("envoy-gateway/proxy.yaml", "type: Merge", "type: JSONPatch"),
        ("envoy-gateway/proxy.yaml", "prometheus:", "promotheus:"),
        ("consul/proxy-defaults.yaml", "name: global", "name: api"),
        ("consul/proxy-defaults.yaml", "listenerType: inbound", "listenerType: in"),
        ("consul/proxy-defaults.yaml", "required: true", "failOpen: false"),
        ("consul/service-defaults.json", "\"Local\": {", "\"Remote\": {}, \"Local\": {"),
        ("consul/service-defaults.json", "\"VmID\"", "\"VMID\""),
    ];
    for (name, right, slip) in wrong {
        let text = read(&format!("deploy/{name}"));
        assert!(text.contains(right), "{name} has no {right:?}");
        let objects = objects(name, &text.replacen(right, slip, 1));
        assert!(objects.iter().any(|object| !faults(object).is_empty()), "{name} with {slip:?}");
    }
}

#[test]
fn each_file_has_the_policy_that_ships_and_no_warning() {
    let shipped = json(&tollgate(&["check", "--json", BILLIUM]).success())[0]["summary"].clone();
    let without = |summary: &Value, label: &str| {
        let mut summary = summary.clone();
        summary.as_object_mut().and_then(|fields| fields.remove(label));
        summary
    };
    for name in files() {
        if ["envoy-gateway/proxy.yaml", "ecds/envoy.yaml"].contains(&name.as_str()) {
            continue;
        }
        let reports = json(&tollgate(&["check", "--json", &format!("deploy/{name}")]).success());
        let [report] = reports.as_array().expect("a list").as_slice() else { panic!("{name}: {reports}") };
        assert_eq!(report["warnings"], json!([]), "{name}");
        assert_eq!(without(&report["summary"], "table"), without(&shipped, "table"), "{name}");
    }
}

#[test]
fn the_policy_of_each_file_is_the_shipped_one_field_by_field() {
    let shipped = &objects(BILLIUM, &read(BILLIUM))[0];
    let policy_of = |name: &str| -> Value {
        let object = &objects(name, &read(&format!("deploy/{name}")))[0];
        let text = |value: &Value| serde_json::from_str(value.as_str().expect("a text")).expect("JSON");
        match name {
            "istio/tollgate.yaml" => object["spec"]["pluginConfig"].clone(),
            "envoyfilter/tollgate.yaml" => {
                object["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]["config"]["configuration"]["value"].clone()
            }
            "envoy-gateway/tollgate.yaml" => object["spec"]["wasm"][0]["config"].clone(),
            "ecds/tollgate.yaml" => {
                object["resources"][0]["typed_config"]["config"]["configuration"]["value"].clone()
            }
            "consul/proxy-defaults.yaml" => {
                text(&object["spec"]["envoyExtensions"][0]["arguments"]["pluginConfig"]["configuration"])
            }
            "consul/service-defaults.json" => {
                text(&object["EnvoyExtensions"][0]["Arguments"]["PluginConfig"]["Configuration"])
            }
            name => panic!("{name}"),
        }
    };
    for name in files() {
        if ["envoy-gateway/proxy.yaml", "ecds/envoy.yaml"].contains(&name.as_str()) {
            continue;
        }
        let mut policy = policy_of(&name);
        policy.as_object_mut().expect("an object").remove("table");
        assert_eq!(policy, *shipped, "{name}");
    }
}

/// Labels of metrics are the same wherever an Envoy is configured.
#[test]
fn the_labels_of_metrics_are_those_that_bootstrap_prints() {
    let printed = tollgate(&["bootstrap", BILLIUM]).success();
    let tags = |text: &str| -> Vec<String> {
        text.split('\'').filter(|quoted| quoted.starts_with("^wasmcustom")).map(str::to_owned).collect()
    };
    let expected = tags(&printed);
    assert!(!expected.is_empty(), "{printed}");
    for name in ["deploy/envoy-gateway/proxy.yaml", "deploy/ecds/envoy.yaml"] {
        assert_eq!(tags(&read(name)), expected, "{name}");
    }
}

/// Where systemd is, it reads the unit without a complaint; a unit with a slip gets one.
#[test]
fn the_unit_is_what_systemd_accepts() {
    let unit = read("deploy/systemd/tollgate.service");
    assert!(unit.contains("/usr/bin/envoy "));
    // The program has to exist.
    let unit = unit.replace("/usr/bin/envoy ", "/bin/sh ");
    let complaints = |name: &str, unit: &str| {
        let path = file(name, unit);
        let run = Command::new("systemd-analyze").arg("verify").arg(path).output().ok()?;
        Some((run.status.success(), String::from_utf8_lossy(&run.stderr).into_owned()))
    };
    let Some(found) = complaints("tollgate.service", &unit) else { return };
    assert_eq!(found, (true, String::new()));
    let slip = unit.replace("ProtectSystem=strict", "ProtectSystm=strict");
    assert!(
        complaints("tollgate-slip.service", &slip).is_some_and(|(_, said)| said.contains("ProtectSystm"))
    );
}
