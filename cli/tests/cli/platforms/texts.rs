//! Policies that are texts inside an object.

use super::*;

#[test]
fn texts_in_a_config_map_keep_their_lines() {
    let map = |name: &str, text: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: limits }}\ndata:\n  note: |\n    the policies of the shop\n  {name}: |\n{}",
            deeper(text, 4)
        )
    };
    assert!(
        check(&[], &map("policy.yaml", POLICY))
            .success()
            .starts_with("stdin, ConfigMap limits, policy.yaml: valid\n")
    );
    let wrong = POLICY.replace("quota: 5", "quota: -5");
    let ran = check(&[], &map("policy.yaml", &wrong));
    assert!(
        ran.stdout.starts_with(
            "stdin:9: error: ConfigMap limits, policy.yaml: policies[0].limits[0].quota: found -5"
        ),
        "{}",
        ran.stdout
    );
    let json =
        "{\n  \"keys\": { \"ip\": { \"client_ip\": {} } },\n  \"policies\": [\n    { \"name\": 5 }\n  ]\n}";
    let ran = check(&[], &map("policy.json", json));
    assert!(
        ran.stdout.contains("stdin:11: error: ConfigMap limits, policy.json: policies[0].name: found 5"),
        "{}",
        ran.stdout
    );
    // Empty lines before it are lines, too.
    let ran = check(&[], &map("policy.yaml", &format!("\n\n\n{wrong}")));
    assert!(ran.stdout.starts_with("stdin:12: error: "), "{}", ran.stdout);
    // A policy that lacks its keys is one.
    let lacking = "policies: [{ name: p, key: ip, limits: [{ quota: 5, window: 1m }] }]";
    assert!(check(&[], &map("policy.yaml", lacking)).stdout.contains("policy.yaml: keys: found nothing"));
    // What cannot be read is an error only if it is meant as a policy.
    let ran = check(&[], &map("policy.yaml", &POLICY.replace("limits: [{", "limits: [{{")));
    assert!(ran.status == 1 && ran.stdout.contains("text that is not YAML"), "{}", ran.stdout);
    let ran = check(&[], &map("policies.tpl", "policies: {{ nothing"));
    assert!(ran.stdout.contains("found an object without Tollgate"), "{}", ran.stdout);
}

#[test]
fn files_in_a_secret_or_in_base64_are_read() {
    let wrong = POLICY.replace("quota: 5", "quota: -5");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: limits }}\nstringData:\n  policy.yaml: |\n{}",
        deeper(&wrong, 4)
    );
    let ran = check(&[], &secret);
    assert!(
        ran.stdout
            .starts_with("stdin:7: error: Secret limits, policy.yaml: policies[0].limits[0].quota: found -5"),
        "{}",
        ran.stdout
    );
    // keys: 7, policies: []
    for (kind, field) in [("Secret", "data"), ("ConfigMap", "binaryData")] {
        let text = format!(
            "apiVersion: v1\nkind: {kind}\nmetadata: {{ name: limits }}\n{field}:\n  a.bin: //8=\n  policy.yaml: a2V5czogNwpwb2xpY2llczogW10K\n"
        );
        let ran = check(&[], &text);
        assert!(
            ran.stdout.starts_with(&format!("stdin:6: error: {kind} limits, policy.yaml: keys: found 7")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn an_envoy_configuration_in_a_config_map_is_read() {
    let envoy = "resources:\n  - \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig\n    name: tollgate\n    typed_config:\n      \
                 \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n      config:\n        configuration:\n          \
                 \"@type\": type.googleapis.com/google.protobuf.StringValue\n          value: |\n            {\n              \"keys\": 7\n            }\n";
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: limits }}\ndata:\n  envoy.yaml: |\n{}",
        deeper(envoy, 4)
    );
    let line = text.lines().position(|line| line.contains("\"keys\": 7")).unwrap() + 1;
    let ran = check(&[], &text);
    let expected = format!("stdin:{line}: error: ConfigMap limits, envoy.yaml: keys: found 7");
    assert!(ran.stdout.contains(&expected), "{expected}\n{}", ran.stdout);
}

#[test]
fn config_entries_of_consul_are_read_in_any_case() {
    let entry = |required: &str, configuration: &str| {
        format!(
            "{{\"Kind\": \"service-defaults\", \"name\": \"api\", \"envoy_extensions\": [{{\"Name\": \"builtin/lua\"}},\n\
             {{\"Name\": \"builtin/wasm\", {required}\"Arguments\": {{\"PluginConfig\": {{\"name\": \"tollgate\",\n\
             \"VmConfig\": {{\"VmID\": \"tollgate\"}}, \"Configuration\": {configuration}}}}}}}]}}"
        )
    };
    let policy = |quota: i64| {
        let text = serde_json::json!({
            "keys": { "ip": { "client_ip": {} } },
            "policies": [{ "name": "p", "key": "ip", "limits": [{ "quota": quota, "window": "1m" }] }]
        });
        serde_json::Value::from(text.to_string()).to_string()
    };
    let required = "\"Required\": true, ";
    assert!(
        check(&[], &entry(required, &policy(5)))
            .success()
            .starts_with("stdin, service-defaults api: valid\n")
    );
    let ran = check(&[], &entry(required, &policy(-5)));
    assert!(
        ran.stdout.contains("stdin:3: error: service-defaults api: policies[0].limits[0].quota: found -5"),
        "{}",
        ran.stdout
    );
    assert!(check(&["-q"], &entry("", &policy(5))).stdout.contains("not Required: "));
    let object = entry(required, "{\"keys\": {}, \"policies\": []}");
    assert!(check(&[], &object).stdout.contains("found an object; allowed: a text with the policy as JSON"));
}
