//! Which requests a policy is about and who is asking: X-7.

use crate::harness::{Gateway, Setup, new_ip, new_key, per_key};

/// One request an hour for each address, on requests that match.
fn gateway_matching(rules: &str) -> Gateway {
    Setup::yaml(format!(
        "keys:
  client_ip: {{ client_ip: {{}} }}
policies:
  - name: ip
    key: client_ip
    match: [{rules}]
    limits: [{{ quota: 1, window: 1h }}]
"
    ))
    .start()
}

/// Whether a request counts: whether a second one of the same caller is rejected.
fn counts(gateway: &Gateway, method: &str, target: &str) -> bool {
    gateway.request(method, target).from(new_ip()).admitted_of(2) == 1
}

#[test]
fn x_7_a_policy_counts_the_requests_that_match_and_no_others() {
    let gateway = gateway_matching(r#"{ method: POST, path: "/v1/invoices/{id}/send" }"#);
    assert!(counts(&gateway, "POST", "/v1/invoices/42/send"));
    assert!(!counts(&gateway, "GET", "/v1/invoices/42/send"));
    assert!(!counts(&gateway, "POST", "/v1/invoices/42"));
    assert!(!counts(&gateway, "POST", "/v1/invoices/42/send/again"));
    assert!(!counts(&gateway, "POST", "/v1/invoices/send"));
    assert!(!counts(&gateway, "POST", "/v2/invoices/42/send"));
}

#[test]
fn x_7_method_and_path_are_each_optional_and_any_rule_is_enough() {
    let gateway = gateway_matching(r#"{ method: DELETE }, { path: "/exports" }"#);
    assert!(counts(&gateway, "DELETE", "/anything"));
    assert!(counts(&gateway, "GET", "/exports"));
    assert!(!counts(&gateway, "GET", "/anything"));
}

#[test]
fn x_7_one_star_is_one_segment_and_two_are_any_rest() {
    let gateway = gateway_matching(r#"{ path: "/one/*/end" }, { path: "/rest/**" }"#);
    assert!(counts(&gateway, "GET", "/one/x/end"));
    assert!(!counts(&gateway, "GET", "/one/x/y/end"));
    assert!(!counts(&gateway, "GET", "/one/end"));
    assert!(counts(&gateway, "GET", "/rest/x"));
    assert!(counts(&gateway, "GET", "/rest/x/y/z"));
    assert!(!counts(&gateway, "GET", "/restful"));
}

#[test]
fn x_7_the_query_is_no_part_of_the_path() {
    let gateway = gateway_matching(r#"{ path: "/v1/invoices" }"#);
    assert!(counts(&gateway, "GET", "/v1/invoices?limit=100"));
    assert!(counts(&gateway, "GET", "/v1/invoices?next=/v1/other"));
    assert!(!counts(&gateway, "GET", "/v1/other?path=/v1/invoices"));
}

#[test]
fn x_7_another_spelling_of_a_path_does_not_escape_its_limit() {
    let gateway = gateway_matching(r#"{ path: "/v1/invoices" }"#);
    let request = |target| gateway.get(target).from(std::net::Ipv4Addr::LOCALHOST);
    assert_eq!(request("/v1/invoices").send().status, 200);
    for spelling in
        ["/v1//invoices", "/v1/./invoices", "/v1/x/../invoices", "//v1/invoices", "/v1/%69nvoices"]
    {
        assert_eq!(request(spelling).send().status, 429, "{spelling}");
    }
}

#[test]
fn x_7_a_header_name_may_be_written_in_capitals() {
    let policy = per_key(1, "1h").replace("authorization", "AUTHORIZATION");
    let gateway = Setup::yaml(policy).start();
    let key = new_key();
    for (name, status) in [("Authorization", 200), ("authorization", 429), ("AUTHORIZATION", 429)] {
        let request = gateway.get("/").header(name, format!("Bearer {key}"));
        assert_eq!(request.send().status, status, "{name}");
    }
}

#[test]
fn x_7_of_repeated_authorization_headers_the_first_counts() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let (first, second) = (new_key(), new_key());
    let both = gateway.get("/").key(&first).key(&second);
    assert_eq!(both.send().status, 200);
    assert_eq!(both.send().status, 429);

    assert_eq!(gateway.get("/").key(&first).send().status, 429);
    assert_eq!(gateway.get("/").key(&second).send().status, 200);
    // A second header does not make a new caller either.
    let other = gateway.get("/").key(&first).key(new_key());
    assert_eq!(other.send().status, 429);
}

#[test]
fn x_7_of_other_repeated_key_headers_the_first_counts_too() {
    let gateway = Setup::yaml(per_key_in("X-Api-Key")).start();
    let both = gateway.get("/").header("x-api-key", "first").header("x-api-key", "second");
    assert_eq!(both.admitted_of(3), 1);
    assert_eq!(gateway.get("/").header("x-api-key", "first").send().status, 429);
    assert_eq!(gateway.get("/").header("x-api-key", "second").send().status, 200);
}

#[test]
fn x_7_a_first_authorization_header_without_a_key_is_no_key() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let key = new_key();
    let request = gateway.get("/").header("authorization", "Basic dXNlcjpwYXNz");
    assert_eq!(request.key(&key).admitted_of(3), 3);
    assert_eq!(gateway.get("/").key(&key).admitted_of(3), 1);
}

#[test]
fn x_7_a_header_without_a_scheme_is_the_key_as_it_stands() {
    let gateway = Setup::yaml(per_key_in("X-Api-Key")).start();
    let request = |key: &str| gateway.get("/").header("x-api-key", key);
    assert_eq!(request("Bearer a").admitted_of(2), 1);
    assert_eq!(request("a").admitted_of(2), 1);
    assert_eq!(request("").admitted_of(3), 3);
}

/// One request an hour for each value of a header.
fn per_key_in(header: &str) -> String {
    per_key(1, "1h").replace("authorization, scheme: Bearer", header)
}

#[test]
fn a_hundred_policies_by_one_key_hold_each_for_its_path() {
    let policy = |number: usize| {
        format!(
            "  - {{ name: p{number}, key: api_key, match: [{{ path: /p{number}/** }}], limits: [{{ quota: 2, window: 1h }}] }}\n"
        )
    };
    let policies: String = (0..100).map(policy).collect();
    let keys = "keys: { api_key: { header: authorization, scheme: Bearer } }";
    let gateway = Setup::yaml(format!("{keys}\npolicies:\n{policies}")).start();
    let key = new_key();
    // More limits than one record has room for: each policy has its own.
    for number in 0..100 {
        assert_eq!(gateway.get(&format!("/p{number}/x")).key(&key).admitted_of(3), 2, "{number}");
    }
}

/// How many of two requests with these header lines pass, by a new address.
fn passed_with(gateway: &Gateway, target: &str, lines: &[(&str, &str)]) -> usize {
    let request = gateway.get(target).from(new_ip());
    lines.iter().fold(request, |request, (name, value)| request.header(name, value)).admitted_of(2)
}

#[test]
fn values_of_headers_parameters_and_cookies_match_by_patterns() {
    let gateway = gateway_matching(
        r#"{ headers: { authorization: "Bearer sk_live_*" } }, { headers: { user-agent: "*bot*" } },
           { query: { export: "csv*" } }, { cookies: { beta: true } }"#,
    );
    let passed = |target: &str, lines: &[(&str, &str)]| passed_with(&gateway, target, lines);
    assert_eq!(passed("/", &[]), 2);
    assert_eq!(passed("/", &[("authorization", "Bearer sk_test_1")]), 2);
    assert_eq!(passed("/", &[("authorization", "Bearer sk_live_1")]), 1);
    assert_eq!(passed("/", &[("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")]), 1);
    assert_eq!(passed("/?export=pdf", &[]), 2);
    assert_eq!(passed("/?a=1&%65xport=%63sv2", &[]), 1);
    assert_eq!(passed("/?export=pdf&export=csv", &[]), 1);
    assert_eq!(passed("/", &[("cookie", "a=1; alphabeta=1")]), 2);
    assert_eq!(passed("/", &[("cookie", "a=1"), ("cookie", "beta=0")]), 1);
}

#[test]
fn no_repeated_line_escapes_a_match_or_becomes_exempt() {
    let gateway = gateway_matching(r#"{ headers: { x-version: "1*" } }"#);
    for lines in [&[("x-version", "2"), ("x-version", "1.0")], &[("x-version", "1.0"), ("x-version", "2")]] {
        assert_eq!(passed_with(&gateway, "/", lines), 1, "{lines:?}");
    }
    let policy = "keys: { client_ip: { client_ip: {} } }
exempt: [{ headers: { x-env: \"test*\" } }, { cookies: { env: \"test*\" } }, { query: { env: \"test*\" } }]
policies: [{ name: ip, key: client_ip, limits: [{ quota: 1, window: 1h }] }]
";
    let gateway = Setup::yaml(policy).start();
    assert_eq!(passed_with(&gateway, "/", &[("x-env", "test-1")]), 2);
    assert_eq!(passed_with(&gateway, "/", &[("x-env", "test-1"), ("x-env", "live")]), 1);
    assert_eq!(passed_with(&gateway, "/", &[("cookie", "env=test1")]), 2);
    assert_eq!(passed_with(&gateway, "/", &[("cookie", "env=test1"), ("cookie", "env=live")]), 1);
    assert_eq!(passed_with(&gateway, "/?env=test", &[]), 2);
    assert_eq!(passed_with(&gateway, "/?env=test&env=live", &[]), 1);
}

#[test]
fn hosts_match_by_the_same_patterns() {
    let gateway = gateway_matching(r#"{ host: "api-*" }, { host: "*-staging.example.com" }"#);
    let passed = |host: &str| gateway.get("/").host(host).from(new_ip()).admitted_of(2);
    for (host, expected) in [
        ("API-7.example.com", 1),
        ("a-staging.example.com:8443", 1),
        ("api.example.com", 2),
        ("staging.example.com", 2),
    ] {
        assert_eq!(passed(host), expected, "{host}");
    }
}

#[test]
fn addresses_and_ranges_are_left_out_wherever_their_requests_say_they_come_from() {
    let gateway = Setup::yaml(
        "keys:
  client_ip: { client_ip: {} }
  network: { client_ip: { ipv4_prefix: 30 } }
exempt:
  - client_ip: [127.9.0.0/24, '2001:db8::/32']
policies:
  - name: ip
    key: client_ip
    except: [{ client_ip: 127.9.1.7, path: /health }]
    limits: [{ quota: 2, window: 1h }]
  - name: network
    key: network
    match: [{ client_ip: 127.9.2.0/24 }]
    limits: [{ quota: 3, window: 1h }]
",
    )
    .start();
    let passing = |target: &str, ip: [u8; 4]| gateway.get(target).from(ip.into()).admitted_of(4);
    assert_eq!(passing("/", [127, 9, 0, 0]), 4, "the first address of the range");
    assert_eq!(passing("/", [127, 9, 0, 255]), 4, "its last one");
    assert_eq!(passing("/", [127, 9, 1, 0]), 2, "the first one behind it");
    assert_eq!(passing("/health", [127, 9, 1, 7]), 4, "one address, and one path");
    assert_eq!(passing("/", [127, 9, 1, 7]), 2, "any other path of it");
    // A header names no address for Envoy that trusts nobody.
    let forged = gateway.get("/").from([127, 9, 1, 8].into()).header("x-forwarded-for", "127.9.0.1");
    assert_eq!(forged.admitted_of(4), 2);
    // 127.9.2.4 to .7 are one network of 30 bits: 2 + 1 pass.
    assert_eq!(passing("/", [127, 9, 2, 4]), 2);
    assert_eq!(passing("/", [127, 9, 2, 7]), 1);
    assert_eq!(passing("/", [127, 9, 2, 8]), 2, "the next network");
}
