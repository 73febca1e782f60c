//! Which policies apply: classes, exceptions, hosts, headers, and those that are only checked out.

use super::*;

fn fixture(policies: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}, "key": {{"header": "x-key"}}}}, "policies": [{policies}]}}"#
    ))
}

/// A policy by the address, with one request an hour and these fields.
fn one(name: &str, fields: &str) -> String {
    format!(
        r#"{{"name": "{name}", "key": "ip", "limits": [{{"quota": 1, "window": "1h"}}]{}{fields}}}"#,
        if fields.is_empty() { "" } else { ", " }
    )
}

fn get(path: &'static str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with(":method", "GET").with(":path", path)
}

fn post(path: &'static str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with(":method", "POST").with(":path", path)
}

/// How many of three requests pass.
fn of_three(fixture: &mut Fixture, request: impl Fn() -> FakeRequest) -> usize {
    fixture.passed(3, |_| request())
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_4_of_a_class_the_first_policy_that_applies_counts_and_no_other() {
    let policies = [
        one("detail", r#""class": "kind", "match": [{"method": "GET", "path": "/v2/invoices/{id}"}]"#),
        one("list", r#""class": "kind", "match": [{"method": "GET"}]"#),
        one("write", r#""class": "kind""#),
    ];
    let mut fixture = fixture(&policies.join(","));
    // Each has its own counter: were one request counted twice, the next class would be used up.
    assert_eq!(of_three(&mut fixture, || get("/v2/invoices/7")), 1);
    assert_eq!(of_three(&mut fixture, || get("/v2/invoices")), 1);
    assert_eq!(of_three(&mut fixture, || post("/v2/invoices")), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_who_lacks_the_first_policys_key_is_the_next_ones_in_its_class() {
    let keyed = r#"{"name": "key", "class": "who", "key": "key", "limits": [{"quota": 2, "window": "1h"}]}"#;
    let mut fixture = fixture(&[keyed.to_string(), one("ip", r#""class": "who""#)].join(","));
    assert_eq!(fixture.passed(3, |_| get("/").with("x-key", "k")), 2);
    assert_eq!(of_three(&mut fixture, || get("/")), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_10_exempt_and_excepted_requests_are_not_limited() {
    let mut fixture = Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "exempt": [{{"path": "/webhooks/**"}}],
            "policies": [{}]}}"#,
        one("p", r#""except": [{"method": "GET", "path": "/health"}]"#)
    ));
    assert_eq!(of_three(&mut fixture, || post("/webhooks/7")), 3);
    assert_eq!(of_three(&mut fixture, || get("/health")), 3);
    assert_eq!(of_three(&mut fixture, || post("/health")), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_can_ask_for_methods_a_host_and_headers() {
    let rule = r#""match": [{"method": ["PUT", "PATCH"], "host": "*.example.com",
                   "headers": {"X-Mode": "live", "x-debug": false, "x-app": true}}]"#;
    let mut fixture = fixture(&one("p", rule));
    let request = |method: &'static str, host: &'static str| {
        let request = FakeRequest::from("192.0.2.1").with(":method", method).with(":authority", host);
        request.with(":path", "/").with("x-app", "").with("x-mode", "live")
    };
    assert_eq!(of_three(&mut fixture, || request("GET", "a.example.com")), 3);
    assert_eq!(of_three(&mut fixture, || request("PUT", "example.org")), 3);
    assert_eq!(of_three(&mut fixture, || request("PUT", "a.example.com").with("x-debug", "1")), 3);
    assert_eq!(of_three(&mut fixture, || request("PUT", "A.Example.com.:8443")), 1);
    assert_eq!(of_three(&mut fixture, || request("PATCH", "a.b.example.com")), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_19_a_path_parameter_is_a_key() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"key": {"header": "x-key"}, "invoice": {"path": "id"}},
            "policies": [{"name": "send", "key": ["key", "invoice"], "limits": [{"quota": 1, "window": "10m"}],
                          "match": [{"method": "POST", "path": "/v1/invoices/{id}/send"}]}]}"#,
    );
    assert_eq!(of_three(&mut fixture, || post("/v1/invoices/7/send").with("x-key", "k")), 1);
    assert_eq!(of_three(&mut fixture, || post("/v1/invoices/%37/send?again").with("x-key", "k")), 0);
    assert_eq!(of_three(&mut fixture, || post("/v1/invoices/8/send").with("x-key", "k")), 1);
    assert_eq!(of_three(&mut fixture, || post("/v1/invoices/7/send").with("x-key", "l")), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policy_in_shadow_judges_and_rejects_nothing() {
    let mut fixture = fixture(&one("checked", r#""mode": "shadow""#));
    let shadows: Vec<bool> = (0..3)
        .map(|_| {
            let decision = fixture.decide(&get("/"));
            assert!(!decision.rejected());
            assert_eq!(decision.retry_after(), 0);
            assert!(fixture.replies.limit_headers(&decision).is_empty());
            decision.shadows()[0].rejected()
        })
        .collect();
    assert_eq!(shadows, [false, true, true]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policy_in_shadow_spends_nothing_of_an_enforced_one_and_counts_only_what_passes() {
    let shadow =
        r#"{"name": "checked", "key": "ip", "mode": "shadow", "limits": [{"quota": 3, "window": "1h"}]}"#;
    let mut fixture = fixture(&[one("enforced", ""), shadow.to_string()].join(","));
    assert_eq!(of_three(&mut fixture, || get("/")), 1);
    let decision = fixture.decide(&get("/"));
    // Only the one that passed was counted.
    assert_eq!(decision.shadows()[0].outcome.verdicts[0].remaining, 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policy_in_shadow_takes_no_place_in_its_class() {
    let checked = one("checked", r#""class": "c", "mode": "shadow""#);
    let enforced = r#"{"name": "p", "class": "c", "key": "ip", "limits": [{"quota": 2, "window": "1h"}]}"#;
    let mut fixture = fixture(&[checked, enforced.to_string()].join(","));
    assert_eq!(of_three(&mut fixture, || get("/")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_3_a_policy_is_enforced_from_its_instant_on() {
    // 2025-05-15T13:00:00Z is the fixture's clock.
    let mut fixture = fixture(&one("p", r#""effective_from": "2025-05-15T15:01:00+02:00""#));
    assert_eq!(of_three(&mut fixture, || get("/")), 3);
    fixture.now.mono += 59 * SECOND;
    fixture.now.wall += 59 * SECOND;
    assert_eq!(of_three(&mut fixture, || get("/")), 3);
    fixture.now.mono += SECOND;
    fixture.now.wall += SECOND;
    // What was counted in shadow counts.
    assert_eq!(of_three(&mut fixture, || get("/")), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_asterisk_in_a_header_value_is_a_pattern() {
    let rule = r#""match": [{"headers": {"authorization": "Bearer sk_live_*"}}]"#;
    let mut fixture = fixture(&one("p", rule));
    assert_eq!(of_three(&mut fixture, || get("/").key("sk_test_1")), 3);
    assert_eq!(of_three(&mut fixture, || get("/").key("sk_live_1")), 1);
    assert_eq!(of_three(&mut fixture, || get("/").with("authorization", b"Bearer sk_live_\xFF\xFE")), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_can_ask_for_query_parameters_and_cookies() {
    let rule = r#""match": [{"query": {"export": "csv*", "dry_run": false}, "cookies": {"beta": true}}]"#;
    let mut fixture = fixture(&one("p", rule));
    let beta = |path| get(path).with("cookie", "a=1; beta=0");
    assert_eq!(of_three(&mut fixture, || get("/?export=csv")), 3);
    assert_eq!(of_three(&mut fixture, || beta("/?export=pdf")), 3);
    assert_eq!(of_three(&mut fixture, || beta("/?export=csv&dry_run=1")), 3);
    assert_eq!(of_three(&mut fixture, || beta("/?a=1&export=%63sv2")), 1);
    assert_eq!(of_three(&mut fixture, || beta("/?export=pdf&export=csv")), 0, "repeating is no escape");
}

#[wasm_bindgen_test(unsupported = test)]
fn nobody_becomes_exempt_by_repeating_or_encoding() {
    let mut fixture = Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
            "exempt": [{{"headers": {{"x-env": "test*"}}}}, {{"query": {{"env": "test*"}}}}],
            "policies": [{}]}}"#,
        one("p", r#""except": [{"cookies": {"env": "test*"}}]"#)
    ));
    for free in [get("/").with("x-env", "test1"), get("/?env=test1"), get("/").with("cookie", "env=test1")] {
        assert_eq!(fixture.passed(3, |_| free.clone()), 3);
    }
    assert_eq!(of_three(&mut fixture, || get("/")), 1);
    for limited in [
        get("/").with("x-env", "test1").with("x-env", "live"),
        get("/?env=test1&env=live"),
        get("/?env=live&env=test1"),
        get("/?env=test1;env=live"),
        get("/?env=test1&ENV=live"),
        get("/").with("cookie", "env=test1; env=live"),
        get("/").with("cookie", "env=test1; ENV=live"),
    ] {
        assert_eq!(fixture.passed(3, |_| limited.clone()), 0);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_repeated_value_does_not_keep_the_next_policy_of_a_class_from_applying() {
    let policies = [
        one("paid", r#""class": "plan", "match": [{"query": {"plan": "paid"}}]"#)
            .replace("\"quota\": 1", "\"quota\": 9"),
        one("free", r#""class": "plan""#),
    ];
    let mut fixture = fixture(&policies.join(","));
    assert_eq!(of_three(&mut fixture, || get("/?plan=paid")), 3);
    assert_eq!(of_three(&mut fixture, || get("/?plan=paid&plan=free")), 1, "both apply");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_path_that_servers_read_in_two_ways_does_not_keep_the_next_policy_of_a_class_from_applying() {
    let policies = [
        one("cheap", r#""class": "c", "match": [{"path": "/cheap/**"}]"#)
            .replace("\"quota\": 1", "\"quota\": 9"),
        one("login", r#""class": "c", "match": [{"path": "/login"}]"#),
    ];
    let mut fixture = fixture(&policies.join(","));
    assert_eq!(of_three(&mut fixture, || get("/cheap/%61;b")), 3, "one reading of it is no other policy's");
    assert_eq!(of_three(&mut fixture, || get("/cheap/..;/login")), 1, "both apply");
}
