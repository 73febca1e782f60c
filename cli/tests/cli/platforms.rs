//! `tollgate check` on what is applied to Kubernetes or Consul: many documents, and policies inside objects.

mod texts;

use super::*;

const POLICY: &str =
    "keys: { ip: { client_ip: {} } }\npolicies: [{ name: p, key: ip, limits: [{ quota: 5, window: 1m }] }]";

/// Text with two more spaces before each line.
fn deeper(text: &str, spaces: usize) -> String {
    text.lines().map(|line| format!("{:spaces$}{line}\n", "")).collect()
}

fn deployment(name: &str) -> String {
    format!(
        "# Source: shop/templates/{name}.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name} }}\n"
    )
}

fn wasm_plugin(name: &str, more: &str, policy: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name}, namespace: shop }}\n\
         spec:\n  url: oci://registry.example.com/module:1\n{more}  pluginConfig:\n{}",
        deeper(policy, 4)
    )
}

fn extension_policy(more: &str) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {{ name: limits }}\nspec:\n  \
         wasm:\n    - name: tollgate\n{more}      config:\n{}",
        deeper(POLICY, 8)
    )
}

fn joined(documents: &[String]) -> String {
    documents.iter().map(|document| format!("---\n{document}")).collect()
}

fn check(arguments: &[&str], text: &str) -> Ran {
    tollgate_reading(&[&["check"], arguments, &["-"]].concat(), text)
}

const RELOAD: &str = "  failStrategy: FAIL_RELOAD\n";

#[test]
fn documents_without_tollgate_are_skipped_and_counted() {
    let named = format!("table: {{ name: shop }}\n{POLICY}");
    let text = joined(&[
        deployment("web"),
        wasm_plugin("tollgate", RELOAD, &named),
        "# only a comment\n".into(),
        deployment("db"),
    ]);
    let out = check(&[], &text).success();
    assert!(out.starts_with("stdin, document 2, WasmPlugin shop/tollgate: valid\n"), "{out}");
    assert!(out.ends_with("stdin: 3 documents, 2 without Tollgate\n"), "{out}");
    assert_eq!(check(&["-q"], &text).success(), "");
}

#[test]
fn an_error_names_the_document_and_its_line_in_the_whole_stream() {
    let wrong = format!("table: {{ name: shop }}\n{}", POLICY.replace("quota: 5", "quota: -5"));
    let text = joined(&[deployment("web"), wasm_plugin("tollgate", RELOAD, &wrong)]);
    let line = text.lines().position(|line| line.contains("quota: -5")).unwrap() + 1;
    let ran = check(&[], &text);
    assert_eq!(ran.status, 1);
    let expected = format!(
        "stdin:{line}: error: document 2, WasmPlugin shop/tollgate: policies[0].limits[0].quota: found -5; allowed: "
    );
    assert!(ran.stdout.starts_with(&expected), "{}", ran.stdout);
    assert!(ran.stdout.contains("stdin, document 2, WasmPlugin shop/tollgate: invalid, 1 error\n"));
}

#[test]
fn a_stream_without_tollgate_is_an_error() {
    let ran = check(&[], &joined(&[deployment("web"), deployment("db")]));
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("found 2 documents without Tollgate; allowed: "), "{}", ran.stdout);
}

#[test]
fn a_wasm_plugin_is_warned_about_what_istio_does_around_it() {
    let ran = check(&["-q"], &wasm_plugin("tollgate", "", POLICY));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [reload, table] = lines[..] else { panic!("{}", ran.stdout) };
    assert!(
        reload.starts_with("stdin:4: warning: WasmPlugin shop/tollgate: spec.failStrategy: not FAIL_RELOAD")
    );
    assert!(
        table.starts_with("stdin:6: warning: WasmPlugin shop/tollgate: spec.pluginConfig: no table.name: ")
    );
    let by_http = wasm_plugin("tollgate", RELOAD, POLICY).replace("oci://", "https://");
    assert!(check(&["-q"], &by_http).stdout.contains("spec.sha256: no sha256: "));
}

#[test]
fn which_wasm_plugins_are_tollgates() {
    // By its configuration alone.
    let out = check(&["-q"], &wasm_plugin("limits", RELOAD, POLICY));
    assert!(
        out.stdout.contains("WasmPlugin shop/limits: spec.pluginConfig: no table.name"),
        "{}",
        out.stdout
    );
    // By its name alone.
    let other = "mode: strict";
    let named = check(&[], &wasm_plugin("tollgate", RELOAD, other));
    assert_eq!(named.status, 1);
    assert!(named.stdout.contains("mode: found an unknown field"), "{}", named.stdout);
    // By neither.
    let text = joined(&[wasm_plugin("auth", RELOAD, other), wasm_plugin("tollgate", RELOAD, POLICY)]);
    let out = check(&[], &text).success();
    assert!(out.ends_with("stdin: 2 documents, 1 without Tollgate\n") && !out.contains("note"), "{out}");
    // Perhaps: it is named in words.
    let maybe = joined(&[wasm_plugin("auth", RELOAD, "keys: []"), wasm_plugin("tollgate", RELOAD, POLICY)]);
    let out = check(&[], &maybe).success();
    assert!(
        out.contains(
            "stdin:2: note: document 1, WasmPlugin shop/auth: passed over, because it may not be Tollgate's: "
        ),
        "{out}"
    );
    let all = check(&["--all"], &maybe);
    assert!(
        all.status == 1 && all.stdout.contains("document 1, WasmPlugin shop/auth: keys: "),
        "{}",
        all.stdout
    );
}

#[test]
fn a_plugin_that_is_called_tollgate_needs_a_policy() {
    let text = wasm_plugin("tollgate", RELOAD, "").replace("  pluginConfig:\n", "");
    let ran = check(&[], &text);
    assert!(ran.stdout.contains("found a plugin without a configuration; allowed: "), "{}", ran.stdout);
}

#[test]
fn an_extension_policy_needs_the_patch_that_reloads() {
    let ran = check(&["-q"], &extension_policy(""));
    let missing = "EnvoyExtensionPolicy limits: spec.wasm[0]: no EnvoyPatchPolicy here sets failure_policy to FAIL_RELOAD";
    assert!(ran.stdout.starts_with(&format!("stdin:6: warning: {missing}")), "{}", ran.stdout);
    let patch = |value: &str| {
        format!(
            "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyPatchPolicy\nmetadata: {{ name: reload }}\nspec:\n  \
             jsonPatches: [{{ operation: {{ op: add, path: /a/b/failure_policy, value: {value} }} }}]\n"
        )
    };
    // In any order.
    let text = joined(&[patch("FAIL_RELOAD"), extension_policy("")]);
    assert_eq!(check(&["-q"], &text).success(), "");
    assert!(check(&[], &text).success().contains("document 2, EnvoyExtensionPolicy limits: valid\n"));
    let text = joined(&[extension_policy(""), patch("FAIL_CLOSED")]);
    assert!(check(&["-q"], &text).stdout.contains("no EnvoyPatchPolicy here"));
    assert!(
        check(&["-q"], &extension_policy("      failOpen: true\n"))
            .stdout
            .contains("every request passes without limits")
    );
}

#[test]
fn an_envoy_filter_is_an_envoy_configuration() {
    let object = |vm: &str| {
        format!(
            "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{ name: limits }}\nspec:\n  configPatches:\n    \
             - applyTo: HTTP_FILTER\n      patch:\n        value:\n          name: tollgate\n          typed_config:\n            \
             \"@type\": type.googleapis.com/udpa.type.v1.TypedStruct\n            \
             type_url: type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n            value:\n              config:\n                \
             failure_policy: FAIL_RELOAD\n                vm_config: {{ {vm} }}\n                configuration:\n                  \
             \"@type\": type.googleapis.com/google.protobuf.Struct\n                  value:\n{}",
            deeper(POLICY, 20)
        )
    };
    assert!(
        check(&[], &object("vm_id: a"))
            .success()
            .starts_with("stdin, EnvoyFilter limits, filter tollgate: valid\n")
    );
    let ran = check(&["-q"], &object(""));
    assert!(
        ran.stdout.contains("stdin:16: warning: EnvoyFilter limits: ") && ran.stdout.contains("no vm_id"),
        "{}",
        ran.stdout
    );
    let named = object("").replace("keys:", "table: { name: a }\n                    keys:");
    assert_eq!(check(&["-q"], &named).success(), "", "a table of its own is as good as a vm_id");
}

/// An HTTP filter, as a resource of its own, with this wrapped or bare configuration.
fn resource(name: &str, filter: &str) -> String {
    format!(
        "resources:\n- \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig\n  name: {name}\n  \
         typed_config:\n{}",
        deeper(filter, 4)
    )
}

/// A Wasm filter with this as the configuration of its plugin.
fn filter(configuration: &str) -> String {
    format!(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\nconfig:\n  failure_policy: FAIL_RELOAD\n  \
         vm_config: {{ vm_id: a }}\n{}",
        deeper(configuration, 2)
    )
}

const WRONG_JSON: &str = r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip", "limits": [{"quota": -5, "window": "1m"}]}]}"#;

#[test]
fn every_wrapping_and_type_that_envoy_reads_is_checked() {
    let value = |kind: &str, value: &str| {
        format!("configuration:\n  \"@type\": type.googleapis.com/google.protobuf.{kind}\n  value: {value}")
    };
    let text = value("StringValue", &format!("'{WRONG_JSON}'"));
    for wrapper in ["udpa.type.v1", "xds.type.v3"] {
        let wrapped = format!(
            "\"@type\": type.googleapis.com/{wrapper}.TypedStruct\n\
             type_url: type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\nvalue:\n{}",
            deeper(&filter(&text), 2).replacen("\"@type\"", "other", 1)
        );
        let ran = check(&[], &resource("limits", &wrapped));
        assert!(ran.stdout.contains("error: policies[0].limits[0].quota: found -5"), "{}", ran.stdout);
    }
    // {"keys": 7, "policies": []}
    let bytes = value("BytesValue", "eyJrZXlzIjogNywgInBvbGljaWVzIjogW119");
    let ran = check(&[], &resource("limits", &filter(&bytes)));
    assert!(ran.stdout.contains("stdin:11: error: keys: found 7"), "{}", ran.stdout);
    let ran = check(&[], &resource("tollgate", &filter(&value("BytesValue", "'*'"))));
    assert!(ran.stdout.contains("found bytes that are not base64 of text"), "{}", ran.stdout);
    // Another plugin's are none of ours.
    let other = check(&[], &resource("auth", &filter(&value("BytesValue", "'*'"))));
    assert!(other.stdout.contains("without a Tollgate filter"), "{}", other.stdout);
}

#[test]
fn a_filter_whose_policy_cannot_be_read_is_an_error_beside_others() {
    let good = resource(
        "tollgate",
        &filter(
            "configuration:\n  \"@type\": type.googleapis.com/google.protobuf.StringValue\n  value: '{\"keys\": {\"ip\": {\"client_ip\": {}}}, \
             \"policies\": [{\"name\": \"p\", \"key\": \"ip\", \"limits\": [{\"quota\": 5, \"window\": \"1m\"}]}]}'",
        ),
    );
    check(&[], &good).success();
    let beside = |name: &str, configuration: &str| {
        let other = resource(name, &filter(configuration));
        check(&[], &format!("{good}{}", other.trim_start_matches("resources:\n")))
    };
    let cut = format!(
        "configuration:\n  \"@type\": type.googleapis.com/google.protobuf.StringValue\n  value: '{}'",
        WRONG_JSON.trim_end_matches('}')
    );
    for (name, configuration, found) in [
        ("limits", cut.as_str(), "text that is not JSON"),
        ("tollgate-2", "configuration: null", "a filter without a configuration"),
        ("tollgate-2", "", "a filter without a configuration"),
        (
            "tollgate-2",
            "configuration: { \"@type\": type.googleapis.com/google.protobuf.Value, value: 5 }",
            "a configuration of another type",
        ),
    ] {
        let ran = beside(name, configuration);
        assert_eq!(ran.status, 1, "{found}: {}", ran.stdout);
        assert!(ran.stdout.contains(&format!("found {found}")), "{found}: {}", ran.stdout);
    }
    check(&[], &good).success();
    beside("auth", "").success();
}

/// What names say is data: no terminal follows it, and no line of the report is theirs.
#[test]
fn names_of_objects_and_filters_are_shown_without_control_characters() {
    let named = "table: { name: shop }\n".to_owned() + POLICY;
    let plugin = wasm_plugin("\"tollgate\\e]0;title\\a\\nstdin:1: error: made up\"", RELOAD, &named);
    let doubtful = wasm_plugin("\"auth\\e[2J\\n\"", RELOAD, "keys: []");
    let out = check(&[], &joined(&[plugin, doubtful])).success();
    assert!(
        out.contains(
            "WasmPlugin shop/tollgate\u{FFFD}]0;title\u{FFFD}\u{FFFD}stdin:1: error: made up: valid\n"
        ),
        "{out}"
    );
    assert!(out.contains("WasmPlugin shop/auth\u{FFFD}[2J\u{FFFD}: passed over"), "{out}");
    assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{out:?}");
}

/// `kubectl get -o yaml` prints a list.
#[test]
fn a_list_has_its_objects() {
    let item = |text: String| deeper(&text, 4).replacen("    ", "  - ", 1);
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}",
        item(wasm_plugin("tollgate", "", POLICY)),
        item(wasm_plugin("other", "", "mode: strict"))
    );
    let ran = check(&[], &list);
    assert!(
        ran.stdout.contains("stdin:7: warning: WasmPlugin shop/tollgate: items[0].spec.failStrategy: "),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.matches(": valid").count(), 1);
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"WasmPluginList\", \"items\": [{\"apiVersion\": \"extensions.istio.io/v1alpha1\",\n\
                \"kind\": \"WasmPlugin\", \"metadata\": {\"name\": \"tollgate\"}, \"spec\": {\"pluginConfig\": {\n\"policies\": 5}}}]}";
    assert!(check(&[], json).stdout.contains("stdin:3: error: WasmPlugin tollgate: policies: found 5"));
}

/// Files that are put together without a line `---` are one document, of which Kubernetes sees the end.
#[test]
fn a_missing_separator_is_an_error() {
    let text = wasm_plugin("tollgate", RELOAD, POLICY) + &deployment("web");
    let ran = check(&[], &text);
    assert!(
        ran.stdout.contains(
            "apiVersion: found the same name twice; allowed: each name once, and --- between documents"
        ),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_document_that_cannot_be_read_is_one_more_error() {
    let text = joined(&[wasm_plugin("tollgate", RELOAD, POLICY), "a: [".into()]);
    let ran = check(&[], &text);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("document 1, WasmPlugin shop/tollgate: valid"), "{}", ran.stdout);
    assert!(ran.stdout.contains("error: document 2: $: found text that is not YAML"), "{}", ran.stdout);
}

/// Unlike Envoy, Kubernetes takes these for numbers, before the module gets the policy as JSON.
#[test]
fn numbers_are_read_as_kubernetes_reads_them() {
    let named = format!("table: {{ name: shop }}\n{POLICY}");
    for quota in ["5.0", "1_000", "5e2"] {
        let policy = named.replace("quota: 5", &format!("quota: {quota}"));
        check(&["-q"], &wasm_plugin("tollgate", RELOAD, &policy)).success();
        assert_eq!(check(&["-q"], &policy).status, 1, "Envoy takes {quota} for a text");
    }
}

#[test]
fn objects_explain_requests_and_are_no_policies_for_bootstrap() {
    let path = file("platforms-explain.yaml", &wasm_plugin("tollgate", RELOAD, POLICY));
    let path = path.to_str().unwrap();
    assert!(tollgate(&["explain", path, "GET /"]).success().contains("applies, counted for"));
    let ran = tollgate(&["bootstrap", path]);
    assert!(ran.status == 2 && ran.stderr.contains("is an Envoy configuration already"), "{}", ran.stderr);
}

/// Each of these takes a moment, and none much memory.
#[test]
fn large_and_hostile_streams_are_read_or_stopped_at_a_bound() {
    let plugin = wasm_plugin("tollgate", RELOAD, &format!("table: {{ name: shop }}\n{POLICY}"));
    let with_plugin = |object: &str| format!("apiVersion: v1\nkind: A\n{object}\n---\n{plugin}");
    let filler = |number: usize| {
        format!("---\n{}data: {{ a: [1, 2, 3], b: text }}\n", deployment(&number.to_string()))
    };
    let text = (0..2_000).map(filler).collect::<String>() + "---\n" + &plugin;
    assert!(check(&[], &text).success().ends_with("stdin: 2001 documents, 2000 without Tollgate\n"));
    let values = with_plugin(&format!("a: [{}]", "1,".repeat(1_000_001)));
    assert!(check(&["-q"], &values).stdout.contains("more than 1000000 values"));
    // The path of each value would be as long as the name.
    let long = with_plugin(&format!("? {}\n: [{}]", "k".repeat(1_000_000), "1,".repeat(100_000)));
    assert_eq!(check(&["-q"], &long).success(), "");
    let fields: String = (0..50_000).map(|number| format!("\n  f{number}: 1")).collect();
    assert_eq!(check(&["-q"], &with_plugin(&format!("spec:{fields}"))).success(), "");
    let merged = with_plugin(&format!("a: &a{fields}\nb:\n  <<: *a\n  f1: 2"));
    assert_eq!(check(&["-q"], &merged).success(), "");
    // A bomb in each of many documents.
    let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    (1..5).for_each(|i| {
        bomb += &format!("a{i}: &a{i} [{}]\n", [format!("*a{}", i - 1).as_str(); 10].join(","))
    });
    let bombs = format!("apiVersion: v1\nkind: A\n{bomb}---\n").repeat(1_000);
    assert!(check(&["-q"], &bombs).stdout.contains("with aliases followed"));
    // Each anchor keeps all that is below it.
    let nested = format!("a: {}[{}]{}", "&a [".repeat(90), "1,".repeat(100_000), "]".repeat(90));
    assert!(check(&["-q"], &with_plugin(&nested)).stdout.contains("with aliases followed"));
}
