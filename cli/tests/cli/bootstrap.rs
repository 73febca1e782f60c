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
    for envoy in [demo, external] {
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
