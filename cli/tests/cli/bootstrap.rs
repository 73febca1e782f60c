use super::*;

fn made(arguments: &[&str]) -> String {
    tollgate(&[&["bootstrap"], arguments].concat()).good()
}

#[test]
fn the_policy_goes_in_as_it_is_written_and_comes_out_the_same() {
    let envoy = made(&[BILLIUM]);
    let written =
        fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(BILLIUM)).unwrap();
    for line in written.lines() {
        assert!(envoy.contains(line), "{line}");
    }
    let told = |text: &str| {
        let out = tollgate_reading(&["check", "-"], text).good();
        out.split_once('\n').unwrap().1.to_string()
    };
    assert_eq!(told(&envoy), told(&written));
    assert!(tollgate_reading(&["check", "-"], &envoy).good().starts_with("stdin, filter tollgate: sound\n"));
}

#[test]
fn no_word_of_the_template_is_left_and_only_one_upstream() {
    let demo = made(&[BILLIUM]);
    assert!(
        !demo.contains('@')
            || demo.lines().filter(|line| line.contains('@')).all(|line| line.contains("\"@type\""))
    );
    assert!(demo.contains("cluster: demo") && !demo.contains("external"));
    let external = made(&[BILLIUM, "--upstream", "[::1]:3000"]);
    assert!(external.contains("cluster: external") && !external.contains("demo"));
    assert!(external.contains(r#"socket_address: { address: "::1", port_value: 3000 }"#));
    for envoy in [demo, external] {
        assert!(!envoy.contains(": begin\n    # demo") && !envoy.contains("\n\n\n"), "{envoy}");
    }
}

#[test]
fn ports_module_and_id_are_as_asked() {
    let envoy =
        made(&[BILLIUM, "--port", "80", "--admin-port", "81", "--wasm", "/a\"b\\c.wasm", "--vm-id", "no"]);
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
fn json_goes_in_as_one_text() {
    let text = r#"{"keys": {"ip": {"client_ip": {}}},
	"policies": [{"name": "p", "key": "ip", "limits": [{"quota": 4000000000, "window": "1m"}]}]}"#;
    let path = file("bootstrap.json", text);
    let envoy = made(&[path.to_str().unwrap()]);
    assert!(envoy.contains("google.protobuf.StringValue") && !envoy.contains("google.protobuf.Struct"));
    assert!(tollgate_reading(&["check", "-"], &envoy).good().contains("at most 4000000000 in any 60 s"));
}

#[test]
fn the_marks_of_a_document_stay_out() {
    let text = format!("%YAML 1.2\n---\n# mine\n{}...\n", policy("reject:\n  body: |\n    a\n\n      b\n"));
    let envoy = tollgate_reading(&["bootstrap", "-"], &text).good();
    assert!(!envoy.contains("---") && !envoy.contains("%YAML") && envoy.contains("# mine"));
    assert!(
        tollgate_reading(&["check", "-"], &envoy).good().contains("text/plain; charset=utf-8: a\n\n  b\n")
    );
}

#[test]
fn a_invalid_policy_gives_no_file() {
    let ran = tollgate(&["bootstrap", "cli/tests/zoo/charge_word.yaml"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(
        ran.complaint.starts_with("cli/tests/zoo/charge_word.yaml:8: error: charge: "),
        "{}",
        ran.complaint
    );
}

#[test]
fn what_can_not_be_meant_is_rejected() {
    for upstream in ["localhost", ":80", "a b:80", "localhost:0", "localhost:65536", "[::1]", "::1:", "[x]:1"]
    {
        let ran = tollgate(&["bootstrap", BILLIUM, "--upstream", upstream]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{upstream}");
        assert!(ran.complaint.contains("not HOST:PORT, such as localhost:3000"), "{}", ran.complaint);
    }
    assert_eq!(tollgate(&["bootstrap", BILLIUM, "--port", "7", "--admin-port", "7"]).status, 2);
    let envoy = made(&[BILLIUM]);
    assert_eq!(tollgate_reading(&["bootstrap", "-"], &envoy).status, 2, "it is an Envoy file already");
}
