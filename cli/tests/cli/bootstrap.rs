use super::*;

fn bootstrap(arguments: &[&str]) -> String {
    tollgate(&[&["bootstrap"], arguments].concat()).success()
}

#[test]
fn the_policy_is_included_unchanged_and_means_the_same() {
    let envoy = bootstrap(&[BILLIUM]);
    let written =
        fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(BILLIUM)).unwrap();
    for line in written.lines() {
        assert!(envoy.contains(line), "{line}");
    }
    let described = |text: &str| {
        let out = tollgate_reading(&["check", "-"], text).success();
        out.split_once('\n').unwrap().1.to_string()
    };
    assert_eq!(described(&envoy), described(&written));
    assert!(
        tollgate_reading(&["check", "-"], &envoy).success().starts_with("stdin, filter tollgate: valid\n")
    );
}

#[test]
fn no_placeholder_is_left_and_only_one_upstream() {
    let demo = bootstrap(&[BILLIUM]);
    assert!(
        !demo.contains('@')
            || demo.lines().filter(|line| line.contains('@')).all(|line| line.contains("\"@type\""))
    );
    assert!(demo.contains("cluster: demo") && !demo.contains("external"));
    let external = bootstrap(&[BILLIUM, "--upstream", "[::1]:3000"]);
    assert!(external.contains("cluster: external") && !external.contains("demo"));
    assert!(external.contains(r#"socket_address: { address: "::1", port_value: 3000 }"#));
    let http2 = bootstrap(&[BILLIUM, "--upstream", "[::1]:3000", "--upstream-http2"]);
    assert!(http2.contains("cluster: external_http2 }") && !http2.contains("name: external\n"));
    for envoy in [demo, external, http2] {
        assert!(!envoy.contains(": begin\n    # demo") && !envoy.contains("\n\n\n"), "{envoy}");
    }
}

#[test]
fn ports_module_and_id_are_those_of_the_arguments() {
    let envoy = bootstrap(&[
        BILLIUM,
        "--port",
        "80",
        "--admin-port",
        "81",
        "--wasm",
        "/a\"b\\c.wasm",
        "--vm-id",
        "no",
    ]);
    for line in [
        "socket_address: { address: 127.0.0.1, port_value: 80 }",
        "socket_address: { address: 127.0.0.1, port_value: 81 }",
        r#"local: { filename: "/a\"b\\c.wasm" }"#,
        r#"vm_id: "no""#,
    ] {
        assert!(envoy.contains(line), "{line}");
    }
}

#[test]
fn json_is_included_as_one_string() {
    let text = r#"{"keys": {"ip": {"client_ip": {}}},
	"policies": [{"name": "p", "key": "ip", "limits": [{"quota": 4000000000, "window": "1m"}]}]}"#;
    let path = file("bootstrap.json", text);
    let envoy = bootstrap(&[path.to_str().unwrap()]);
    assert!(envoy.contains("google.protobuf.StringValue") && !envoy.contains("google.protobuf.Struct"));
    assert!(tollgate_reading(&["check", "-"], &envoy).success().contains("at most 4000000000 in any 60 s"));
}

#[test]
fn the_markers_of_a_document_are_left_out() {
    let text = format!("%YAML 1.2\n---\n# mine\n{}...\n", policy("reject:\n  body: |\n    a\n\n      b\n"));
    let envoy = tollgate_reading(&["bootstrap", "-"], &text).success();
    assert!(!envoy.contains("---") && !envoy.contains("%YAML") && envoy.contains("# mine"));
    assert!(
        tollgate_reading(&["check", "-"], &envoy).success().contains("text/plain; charset=utf-8: a\n\n  b\n")
    );
}

#[test]
fn an_invalid_policy_gives_no_output() {
    let ran = tollgate(&["bootstrap", "cli/tests/diagnostics/charge_word.yaml"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.starts_with("cli/tests/diagnostics/charge_word.yaml:8: error: charge: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn invalid_arguments_are_rejected() {
    for arguments in [&["--address", "localhost"][..], &["--address", "1.2.3.4:80"], &["--upstream-http2"]] {
        let ran = tollgate(&[&["bootstrap", BILLIUM], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    for upstream in ["localhost", ":80", "a b:80", "localhost:0", "localhost:65536", "[::1]", "::1:", "[x]:1"]
    {
        let ran = tollgate(&["bootstrap", BILLIUM, "--upstream", upstream]);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{upstream}");
        assert!(ran.stderr.contains("not HOST:PORT, such as localhost:3000"), "{}", ran.stderr);
    }
    assert_eq!(tollgate(&["bootstrap", BILLIUM, "--port", "7", "--admin-port", "7"]).status, 2);
    let envoy = bootstrap(&[BILLIUM]);
    assert_eq!(tollgate_reading(&["bootstrap", "-"], &envoy).status, 2, "it is an Envoy file already");
}

#[test]
fn the_listener_is_at_the_address_that_is_asked_for_and_the_admin_interface_is_not() {
    for (address, written) in [
        ("0.0.0.0", "address: 0.0.0.0, port_value: 10000"),
        ("::", "address: \"::\", ipv4_compat: true, port_value: 10000"),
        ("2001:db8::7", "address: \"2001:db8::7\", port_value: 10000"),
    ] {
        let envoy = bootstrap(&[BILLIUM, "--address", address]);
        assert!(envoy.contains(written), "{address}");
        assert!(envoy.contains("socket_address: { address: 127.0.0.1, port_value: 9901 }"), "{address}");
    }
    assert!(bootstrap(&[BILLIUM]).contains("{ address: 127.0.0.1, port_value: 10000 }"), "the default");
}

#[test]
fn the_access_log_is_only_there_if_asked_for_and_the_policy_then_has_its_line() {
    assert!(!bootstrap(&[BILLIUM]).contains("access_log"));
    let json = r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "ip", "key": "ip", "limits": [{"quota": 5, "window": "1m"}]}]}"#;
    let flow = policy("")
        .replacen("keys:", "{ keys:", 1)
        .replace("\npolicies:\n", ", policies: [")
        .replace("  - name: ip\n    key: client_ip\n    limits", "{ name: ip, key: client_ip, limits");
    let flow = flow.trim_end().to_string() + " }] }\n";
    for (name, text) in [
        ("access.yaml", policy("")),
        ("access-set.yaml", policy("access_log: true\n")),
        ("access-start.yaml", format!("# mine\n\n---\n{}", policy(""))),
        ("access-indented.yaml", policy("").lines().map(|line| format!("   {line}\n")).collect()),
        ("access-flow.yaml", flow),
        ("access.json", json.to_string()),
    ] {
        let path = file(name, &text);
        let envoy = bootstrap(&[path.to_str().unwrap(), "--access-log"]);
        assert!(envoy.contains("%FILTER_STATE(wasm.tollgate:PLAIN)%"), "{name}");
        let written = regex_lite::Regex::new(r#"access_log\\?"?: true"#).unwrap();
        assert_eq!(written.find_iter(&envoy).count(), 1, "{name}: {envoy}");
        assert!(tollgate_reading(&["check", "-"], &envoy).success().contains("at most"), "{name}");
    }
    let path = file("access-off.yaml", &policy("access_log: false\n"));
    let ran = tollgate(&["bootstrap", path.to_str().unwrap(), "--access-log"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--access-log needs access_log: true in "), "{}", ran.stderr);
}

#[test]
fn each_configuration_has_the_tags_that_make_labels_of_names() {
    let path = file("bootstrap-tags.yaml", IN_A_FLEET);
    for options in [&[][..], &["--stats-tags"], &["--upstream", "localhost:80"], &["--access-log"]] {
        for policy in [BILLIUM, path.to_str().unwrap()] {
            let envoy = bootstrap(&[&[policy], options].concat());
            assert_eq!(envoy.matches("\nstats_config:\n  stats_tags:\n").count(), 1, "{options:?}");
            for tag in ["policy", "limit", "tier", "consumer"] {
                let begin = format!("    - {{ tag_name: {tag}, regex: '^wasmcustom\\.tollgate\\.policy\\.");
                assert_eq!(envoy.matches(&begin).count(), 1, "{tag} with {options:?}");
            }
        }
    }
    assert!(!tollgate(&["bootstrap", "--help"]).success().contains("--stats-tags"), "nobody needs it");
}

const IN_A_FLEET: &str = "keys: { ip: { client_ip: {} } }
policies: [{ name: ip, key: ip, scope: fleet, limits: [{ quota: 5, window: 1m }] }]
fleet: { cluster: counts }
";

#[test]
fn a_policy_with_a_fleet_gets_the_cluster_of_its_service_and_a_time_limit_for_what_pauses() {
    let path = file("bootstrap-fleet.yaml", IN_A_FLEET);
    let path = path.to_str().unwrap();
    let envoy = bootstrap(&[path, "--fleet", "[::1]:80"]);
    for line in [
        "                request_timeout: 30s\n",
        "    - name: \"counts\"\n",
        "        cluster_name: \"counts\"\n",
        "socket_address: { address: \"::1\", port_value: 80 }\n",
    ] {
        assert!(envoy.contains(line), "{line}\n{envoy}");
    }
    for word in ["credential_injector", "secrets:", "token: begin", "cluster: end", "@FLEET"] {
        assert!(!envoy.contains(word), "{word}\n{envoy}");
    }
    assert!(bootstrap(&[path]).contains("{ address: \"127.0.0.1\", port_value: 7070 }"));
    let without = bootstrap(&[BILLIUM]);
    assert!(!without.contains("request_timeout:") && !without.contains("7070"), "{without}");
}

#[test]
fn with_a_token_envoy_reads_it_from_its_file_and_sends_it_to_the_service() {
    let path = file("bootstrap-fleet-token.yaml", IN_A_FLEET);
    let envoy = bootstrap(&[path.to_str().unwrap(), "--fleet-token-file", "/etc/\"x"]);
    for line in [
        "  secrets:\n",
        "      generic_secret: { secret: { filename: \"/etc/\\\"x\" } }\n",
        "credential: { name: tollgate_fleet_token }\n",
    ] {
        assert!(envoy.contains(line), "{line}\n{envoy}");
    }
    let failed = tollgate(&["bootstrap", BILLIUM, "--fleet-token-file", "/x"]);
    assert_eq!(failed.status, 2);
    assert!(failed.stderr.contains("--fleet-token-file needs fleet in"), "{}", failed.stderr);
}

#[test]
fn an_operator_gets_a_socket_of_its_own_with_the_same_policy_and_vm() {
    let json = file(
        "operator.json",
        r#"{"keys":{"ip":{"client_ip":{}}},"policies":[{"name":"a","key":"ip","limits":[{"quota":1,"window":"1m"}]}]}"#,
    );
    for policy in [BILLIUM, "envoy/policies/facturapi.yaml", &json.display().to_string()] {
        let plain = bootstrap(&[policy, "--vm-id", "v"]);
        let envoy = bootstrap(&[policy, "--vm-id", "v", "--operator-socket", "/run/a\"b.sock"]);
        assert!(!plain.contains("tollgate_operator"), "only if it is asked for");
        assert!(envoy.contains(r#"pipe: { path: "/run/a\"b.sock", mode: 384 }"#), "{envoy}");
        let twice = |text: &str| envoy.matches(text).count() == 2 * plain.matches(text).count();
        assert!(twice("vm_id: \"v\"") && twice("local: {"), "{envoy}");
        let described = tollgate_reading(&["check", "-"], &envoy).success();
        assert!(described.contains("stdin, filter tollgate_operator: valid"), "{described}");
        assert_eq!(described.matches("operator: it limits nobody").count(), 1, "{described}");
    }
    let refused = |arguments: &[&str]| {
        let ran = tollgate(&[&["bootstrap"], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
        ran.stderr
    };
    assert!(refused(&[BILLIUM, "--operator-socket", "relative.sock"]).contains("absolute"));
    assert!(
        refused(&["envoy/policies/kitchen-sink.yaml", "--operator-socket", "/run/a"])
            .contains("without role")
    );
}
