use super::envoy_files::envoy;
use super::*;

#[test]
fn a_valid_policy_is_described() {
    assert_eq!(
        tollgate(&["check", BILLIUM]).success(),
        r#"envoy/policies/billium.yaml: valid
  revision 2280708221
  ip         every request, counted by client_ip (the client's address, IPv6 by its first 64 bits)
             at most 50 in any 60 s
  key        every request that has it, counted by api_key (header authorization with scheme Bearer, its first 16 bytes)
             at most 300 in any 60 s
  charge     all policies that apply must admit a request; policies are asked in order, and a rejected request has spent its units at those before the one that rejects
  exempt     CORS preflights
  ipv6       each /64 network is a client of its own, and a /48 has 65536 of them; a second policy by `client_ip: { ipv6_prefix: 48 }` would limit them together
  rejection  429 with retry-after of 1 to 2147483 s, application/json: {"statusCode":429,"message":"ThrottlerException: Too Many Requests","error":"Too Many Requests"}
  headers    none
  table      at most 24576 KiB, room for about 320000 clients
"#
    );
}

#[test]
fn an_invalid_policy_fails_with_1_and_all_its_errors_with_their_lines() {
    let path = file("check-invalid.yaml", &policy("charge: sequentialy\nretry_after: { max: 0 }\n"));
    let ran = tollgate(&["check", path.to_str().unwrap()]);
    let name = path.display();
    assert_eq!(
        (ran.status, ran.stdout, ran.stderr.as_str()),
        (
            1,
            format!(
                "{name}:6: error: charge: found \"sequentialy\"; allowed: all_or_nothing, sequential; did you mean sequential?\n\
                 {name}:7: error: retry_after.max: found 0; allowed: a whole number from 1 to 31622400\n\
                 {name}: invalid, 2 errors\n"
            ),
            ""
        )
    );
}

#[test]
fn standard_input_may_be_yaml_or_json() {
    let valid = tollgate_reading(&["check", "-"], &policy(""));
    assert!(valid.success().starts_with("stdin: valid\n"));
    let json = r#"{"keys": {"ip": {"client_ip": {}}}, "policies":
        [{"name": "p", "key": "ip", "limits": [{"quota": 4294967296, "window": "1m"}]}]}"#;
    let ran = tollgate_reading(&["check", "-"], json);
    assert_eq!(
        ran.stdout,
        "stdin:2: error: policies[0].limits[0].quota: found 4294967296; allowed: a whole number from 0 to 4294967295, unlimited\n\
         stdin: invalid, 1 error\n"
    );
}

#[test]
fn a_repeated_name_is_an_error_in_json_too() {
    let path = file("check-twice.json", r#"{"keys": {}, "keys": {}, "policies": []}"#);
    let ran = tollgate(&["check", path.to_str().unwrap()]);
    assert!(
        ran.stdout.contains("keys: found the same name twice; allowed: each name once"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_file_that_is_not_there_fails_with_2() {
    let ran = tollgate(&["check", "no/such.yaml"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.starts_with("tollgate: no/such.yaml cannot be read: "), "{}", ran.stderr);
}

#[test]
fn warnings_are_shown_and_fail_only_with_deny_warnings() {
    let path = file("check-doubtful.yaml", &policy("table: { pages: 1 }\n"));
    let path = path.to_str().unwrap();
    let warning = format!(
        "{path}:6: warning: table: there is room for about 39 clients; if there are more, those that used least are forgotten\n"
    );
    let out = tollgate(&["check", path]).success();
    assert!(out.starts_with(&warning) && out.contains(": valid, 1 warning\n"), "{out}");
    assert_eq!(tollgate(&["check", "--quiet", path]).success(), warning);
    let denied = tollgate(&["check", "-q", "--deny-warnings", path]);
    assert_eq!((denied.status, denied.stdout), (1, warning));
}

#[test]
fn json_has_the_same_content() {
    let report = &json(&tollgate(&["check", "--json", BILLIUM]).success())[0];
    assert_eq!((&report["valid"], &report["errors"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(report["summary"]["policies"][0]["limits"][0], "at most 50 in any 60 s");
    let ran = tollgate(&["check", "--json", BILLIUM, "cli/tests/diagnostics/charge_word.yaml"]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        json(&ran.stdout)[1],
        serde_json::json!({
            "file": "cli/tests/diagnostics/charge_word.yaml",
            "subject": null,
            "filter": null,
            "valid": false,
            "errors": [{
                "path": "charge",
                "line": 8,
                "found": "\"sequentially\"",
                "allowed": "all_or_nothing, sequential",
                "did_you_mean": "sequential"
            }],
            "warnings": [],
            "revision": null,
            "summary": null
        })
    );
}

#[test]
fn yaml_json_text_and_a_struct_are_the_same_revision() {
    let revision = |name: &str, text: &str| {
        let path = file(name, text);
        let report = &json(&tollgate(&["check", "--json", path.to_str().unwrap()]).success())[0];
        report["revision"].as_u64().unwrap()
    };
    let yaml = policy("charge: sequential\n");
    let tree = serde_json::json!({
        "charge": "sequential",
        "policies": [{"limits": [{"window": "60s", "quota": 50}], "name": "ip", "key": "client_ip"}],
        "keys": {"client_ip": {"client_ip": {}}},
    });
    let own = revision("revision.yaml", &yaml);
    assert_eq!(own, revision("revision.json", &tree.to_string()));
    let kinds = [("StringValue", tree.to_string().into()), ("Struct", tree)];
    for (kind, value) in kinds {
        let kind = format!("type.googleapis.com/google.protobuf.{kind}");
        let configuration = serde_json::json!({ "@type": kind, "value": value });
        assert_eq!(
            own,
            revision("revision-envoy.yaml", &envoy("", "", &configuration.to_string())),
            "{kind}"
        );
    }
    assert_ne!(own, revision("other.yaml", &policy("charge: all_or_nothing\n")));
    let text = tollgate_reading(&["check", "-"], &yaml).success();
    assert!(text.starts_with(&format!("stdin: valid\n  revision {own}\n")), "{text}");
}

#[test]
fn a_policy_by_64_bits_of_ipv6_alone_is_mentioned_and_is_no_warning() {
    let check = |name: &str, policy: &str| {
        tollgate(&["check", "--deny-warnings", file(name, policy).to_str().unwrap()]).success()
    };
    let by = |prefixes: &[u8]| {
        let keys: String =
            prefixes.iter().map(|p| format!("  ip{p}: {{ client_ip: {{ ipv6_prefix: {p} }} }}\n")).collect();
        let policies: String = prefixes
            .iter()
            .map(|p| format!("  - {{ name: p{p}, key: ip{p}, limits: [{{ quota: 5, window: 1m }}] }}\n"))
            .collect();
        format!("keys:\n{keys}policies:\n{policies}")
    };
    for (prefixes, mentioned) in [(&[64][..], true), (&[128], true), (&[64, 48], false), (&[56], false)] {
        let out = check("check-ipv6.yaml", &by(prefixes));
        assert_eq!(out.contains("network is a client of its own"), mentioned, "{prefixes:?}: {out}");
    }
}

#[test]
fn a8_the_spellings_of_a_path_that_are_limited_are_described() {
    let of = |paths: &str| {
        let policy = format!(
            "keys: {{ ip: {{ client_ip: {{}} }} }}\n{paths}\npolicies:\n  - {{ name: p, key: ip, match: [{{ path: /login }}], limits: [{{ quota: 5, window: 1m }}] }}\n"
        );
        let out = tollgate(&["check", file("check-paths.yaml", &policy).to_str().unwrap()]).success();
        out.lines().find_map(|line| line.trim().strip_prefix("paths")).unwrap_or_default().trim().to_string()
    };
    assert_eq!(
        of(""),
        "also limited with a trailing slash, another case, ;parameters, a suffix such as .json"
    );
    assert_eq!(
        of("paths: { case: strict, suffix: strict }"),
        "also limited with a trailing slash, ;parameters; not limited with another case, a suffix such as .json"
    );
}

/// What errors say is allowed has the names of languages.
#[test]
fn an_error_with_a_line_feed_in_a_language_is_one_line() {
    let text = policy("")
        .replace("window: 60s", "window: 60s, message: { es: x, \"a\\nforged: line\": y, default: en }");
    let path = file("forged_line.yaml", &text);
    let ran = tollgate(&["check", path.to_str().unwrap()]);
    let all = ran.stdout + &ran.stderr;
    assert!(!all.lines().any(|line| line.starts_with("forged: line")), "{all}");
}

#[test]
fn check_says_what_is_counted_and_whose_429s_are() {
    let described = |counting: &str| {
        let policy = format!(
            "keys: {{ ip: {{ client_ip: {{}} }} }}
policies:
  - {{ name: api, key: ip, limits: [{{ quota: 5, window: 1m }}] }}
  - name: p
    key: ip
    limits: [{{ quota: 5, window: 1m }}]
    {counting}
"
        );
        tollgate_reading(&["check", "-"], &policy).success()
    };
    let own = "Tollgate's own 429s are not responses: they never count here";
    assert!(described("count_on: [401, 429]").contains(own));
    assert!(described("count_on: [4xx]").contains(own));
    assert!(!described("count_on: [401]").contains(own));
    let rejected = described("count: rejected");
    assert!(
        rejected.contains(
            "counts only requests that this policy would admit and another enforced policy rejects"
        )
    );
}

#[test]
fn a_check_says_that_a_claim_of_false_is_a_value_too_and_what_a_request_holds() {
    let policy = "keys: { ip: { client_ip: {} }, internal: { metadata: [auth, internal] } }
exempt: [{ keys: { internal: true } }, { keys: { internal: 'true' } }]
policies:
  - name: p
    key: ip
    cost_header: x-cost
    match: [{ path: /a, cost: 20 }, { path: /b, cost: 30 }]
    limits: [{ quota: 50, window: 1m }]
";
    let described = tollgate_reading(&["check", "-"], policy).success();
    for expected in [
        "any path with the key internal of any value, also false, any path with the key internal = true\n",
        "a request holds the cost of its match until its response",
    ] {
        assert!(described.contains(expected), "{described}");
    }
}

#[test]
fn check_describes_patterns_parameters_and_cookies() {
    let policy = "keys: { ip: { client_ip: {} } }
policies:
  - name: p
    key: ip
    match: [{ host: api-*, headers: { x-env: 'live*', x-a: '2\\*' }, query: { q: '*' }, cookies: { beta: true, old: false } }]
    limits: [{ quota: 5, window: 1m }]
";
    let described = tollgate_reading(&["check", "-"], policy).success();
    let expected =
        r"api-*/** with x-env: live* with x-a: 2\* with parameter q: * with cookie beta without cookie old";
    assert!(described.contains(expected), "{described}");
}
