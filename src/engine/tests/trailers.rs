//! Responses whose trailers have the real cost or the gRPC status.

use super::*;

fn fixture(policy: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [
            {{"name": "p", "key": "ip", {policy}, "limits": [{{"quota": 20, "window": "1m"}}]}}]}}"#
    ))
}

fn request() -> FakeRequest {
    FakeRequest::from("192.0.2.1").with(":method", "POST").with(":path", "/")
}

fn grpc() -> FakeResponse {
    FakeResponse::of_upstream(200).with("content-type", "application/grpc+proto")
}

/// The units that a request has cost after its response with this head and these trailers; `None`: it breaks
/// off.
fn cost(policy: &str, head: &FakeResponse, trailers: Option<&[(&str, &str)]>) -> u64 {
    let mut fixture = fixture(&format!(r#""match": [{{"path": "/peek", "cost": 0}}, {{}}], {policy}"#));
    let spent = |fixture: &mut Fixture| {
        let peek = fixture.decide(&FakeRequest::from("192.0.2.1").with(":path", "/peek"));
        20 - peek.verdict(0, 0).unwrap().remaining
    };
    let mut decision = fixture.decide(&request());
    let held = spent(&mut fixture);
    fixture.on_response(&mut decision, head);
    assert!(!decision.awaits_trailers() || spent(&mut fixture) == held, "it holds its cost until then");
    if let Some(trailers) = trailers {
        fixture.on_trailers(&mut decision, trailers);
    }
    fixture.on_stream_end(&mut decision);
    spent(&mut fixture)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_is_read_where_the_policy_says_and_settled_once() {
    let head = FakeResponse::of_upstream(200).with("x-cost", "5");
    let none = FakeResponse::of_upstream(200);
    let trailers = Some(&[("x-cost", "7")][..]);
    for (place, head, trailers, expected) in [
        ("headers", &head, trailers, 5),
        ("trailers", &head, trailers, 7),
        ("either", &head, trailers, 5),
        ("headers", &none, trailers, 3),
        ("either", &none, trailers, 7),
        ("trailers", &none, Some(&[("x-cost", "0")][..]), 0),
        ("trailers", &head, Some(&[("other", "7")][..]), 3),
        ("trailers", &head, Some(&[("x-cost", "7.5")][..]), 3),
        ("trailers", &head, None, 3),
        ("either", &none, None, 3),
    ] {
        let policy = format!(r#""cost": 3, "cost_header": {{"name": "x-cost", "in": "{place}"}}"#);
        assert_eq!(cost(&policy, head, trailers), expected, "{place} {trailers:?}");
    }
    let free = r#""cost": 3, "cost_header": {"name": "x-cost", "in": "trailers", "without": "refund"}"#;
    assert_eq!(cost(free, &none, Some(&[])), 0);
    assert_eq!(cost(free, &none, None), 3, "whoever leaves before them does not save by it");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_grpc_status_decides_wherever_it_comes() {
    let failed = grpc().with("grpc-status", "5");
    let trailers: fn(&'static str) -> [(&'static str, &'static str); 1] = |status| [("grpc-status", status)];
    for (policy, ok, not_found, unavailable) in [
        (r#""refund_on": ["grpc:not_found"]"#, 1, 0, 1),
        (r#""refund_on": ["grpc:5", "5xx"]"#, 1, 0, 1),
        (r#""refund_unless": ["grpc:ok"]"#, 1, 0, 0),
        (r#""count_on": ["grpc:ok", "grpc:not_found"]"#, 1, 1, 0),
        // HTTP's 200 is not a gRPC response's status here, but is elsewhere.
        (r#""count_on": ["2xx", "grpc:not_found"]"#, 0, 1, 0),
        (r#""count_on": ["2xx"]"#, 1, 1, 1),
    ] {
        for (status, expected) in [("0", ok), ("5", not_found), ("14", unavailable)] {
            assert_eq!(cost(policy, &grpc(), Some(&trailers(status))), expected, "{policy} {status}");
        }
        assert_eq!(cost(policy, &failed, None), not_found, "{policy}, in the head");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_grpc_response_without_a_status_is_of_an_unknown_one_and_a_broken_one_of_none() {
    let unknown = r#""refund_on": ["grpc:unknown"]"#;
    assert_eq!(cost(unknown, &grpc(), Some(&[])), 0);
    assert_eq!(cost(unknown, &grpc(), Some(&[("grpc-status", "99")])), 0);
    // Whoever leaves before the trailers spends what it holds, unless the policy says otherwise.
    assert_eq!(cost(unknown, &grpc(), None), 1);
    assert_eq!(cost(r#""count_on": ["grpc:ok"]"#, &grpc(), None), 1);
    assert_eq!(cost(r#""count_on": ["grpc:ok"], "unanswered": "refund""#, &grpc(), None), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_no_grpc_response_has_the_status_of_http() {
    let policy = r#""refund_on": ["grpc:ok", 503]"#;
    for (head, expected) in [
        (FakeResponse::of_upstream(200), 1),
        (FakeResponse::of_upstream(503), 0),
        (FakeResponse::of_upstream(200).with("content-type", "application/grpc-web"), 1),
        (FakeResponse::of_upstream(503).with("content-type", "application/grpc"), 0),
        (FakeResponse::of_upstream(200).with("content-type", "text/plain").with("grpc-status", "0"), 1),
    ] {
        assert_eq!(cost(policy, &head, None), expected);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_header_that_a_policy_reads_counts_although_the_trailers_decide() {
    let policy = r#""cost": 3, "cost_header": "x-cost", "count_on": ["grpc:ok"]"#;
    let head = grpc().with("x-cost", "6");
    assert_eq!(cost(policy, &head, Some(&[("grpc-status", "0")])), 6);
    assert_eq!(cost(policy, &head, Some(&[("grpc-status", "3")])), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policy_beside_one_that_waits_is_settled_by_the_head() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "head", "key": "ip", "cost_header": "x-cost", "limits": [{"quota": 20, "window": "1m"}]},
            {"name": "end", "key": "ip", "refund_on": ["grpc:aborted"], "limits": [{"quota": 20, "window": "1m"}]}]}"#,
    );
    let mut decision = fixture.decide(&request());
    fixture.on_response(&mut decision, &grpc().with("x-cost", "9"));
    let left = |decision: &Decision| [0, 1].map(|policy| decision.verdict(policy, 0).unwrap().remaining);
    assert_eq!(left(&decision), [11, 19]);
    fixture.on_trailers(&mut decision, &[("grpc-status", "10"), ("x-cost", "15")]);
    assert_eq!(left(&fixture.decide(&request())), [10, 19]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_grpc_status_rejects_credentials() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "key": {"header": "x-key", "valid": {"unless": [401, "grpc:unauthenticated"]}}},
            "policies": [{"name": "known", "key": "key", "limits": [{"quota": 20, "window": "1m"}]},
                         {"name": "others", "key": "ip", "except": [{"keys": {"key": true}}], "limits": [{"quota": 3, "window": "1m"}]}]}"#,
    );
    let with = |key: &str| request().with("x-key", key);
    let mut called = |key: &str, status: Option<&'static str>| {
        let mut decision = fixture.decide(&with(key));
        let passed = !decision.rejected();
        if passed {
            fixture.on_response(&mut decision, &grpc());
            if let Some(status) = status {
                fixture.on_trailers(&mut decision, &[("grpc-status", status)]);
            }
        }
        fixture.on_stream_end(&mut decision);
        (passed, decision.policies().iter().map(|one| one.policy).collect::<Vec<_>>())
    };
    assert_eq!(called("good", Some("0")), (true, vec![0]));
    assert_eq!(called("made-up", Some("16")), (true, vec![0]));
    assert_eq!(called("made-up", Some("16")), (true, vec![1]), "it counts as absent now");
    for i in 0..20 {
        called(&format!("made-up-{i}"), if i % 2 == 0 { Some("16") } else { None });
    }
    assert!(
        !called("made-up-x", Some("16")).0,
        "nor do others pass, or those that leave before the trailers"
    );
    assert_eq!(called("good", Some("0")), (true, vec![0]), "who is proved is not held up");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_grpc_status_gives_a_unit_back() {
    let mut fixture =
        fixture(r#""match": [{"path": "/add"}], "returns": [{"path": "/remove", "on": ["grpc:ok"]}]"#);
    let to = |path: &str| FakeRequest::from("192.0.2.1").with(":method", "POST").with(":path", path);
    let left = |fixture: &mut Fixture| fixture.decide(&to("/add")).verdict(0, 0).unwrap().remaining;
    assert_eq!(left(&mut fixture), 19);
    for (status, expected) in [("5", 18), ("0", 18)] {
        let mut decision = fixture.decide(&to("/remove"));
        fixture.on_response(&mut decision, &grpc());
        fixture.on_trailers(&mut decision, &[("grpc-status", status)]);
        assert_eq!(left(&mut fixture), expected, "{status}");
    }
}
