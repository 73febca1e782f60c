//! Responses that are not the upstream's: Envoy's own, another filter's, and none at all.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn a2_what_envoy_answers_in_the_upstreams_place_is_no_answer_and_what_another_filter_does_is_one() {
    let before_upstream = FakeResponse::before_upstream;
    for (response, counts) in [
        (before_upstream(504), true),
        (before_upstream(503), true),
        (before_upstream(408), true),
        (before_upstream(200).with("grpc-status", "14"), true),
        (before_upstream(403), false),
        (before_upstream(200), false),
    ] {
        let mut fixture = fixture(LOGINS);
        for _ in 0..5 {
            let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
            fixture.engine.on_response(
                &mut decision,
                &response,
                &mut fixture.table.begin(&fixture.store, fixture.now),
            );
            fixture.on_stream_end(&mut decision);
        }
        assert_eq!(
            fixture.decide(&FakeRequest::from("192.0.2.1")).rejected(),
            counts,
            "{}",
            response.status()
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_a_policy_may_say_what_a_request_without_an_answer_costs() {
    for (unanswered, left) in [("\"keep\"", 8), ("\"refund\"", 10), ("1", 9), ("7", 3)] {
        let mut fixture = fixture(&format!(
            r#"{{"name": "p", "key": "client_ip", "cost": 2, "cost_header": "x-cost", "unanswered": {unanswered},
                 "limits": [{{"quota": 10, "window": "60s"}}]}}"#
        ));
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
        fixture.on_stream_end(&mut decision);
        let next = fixture.decide(&FakeRequest::from("192.0.2.1"));
        assert_eq!(next.verdict(0, 0).unwrap().remaining, left - 2, "{unanswered}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_a_request_that_the_client_breaks_off_in_the_middle_gets_no_answer() {
    for status in [400, 413, 431] {
        let mut fixture = fixture(LOGINS);
        for _ in 0..5 {
            let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
            fixture.engine.on_response(
                &mut decision,
                &FakeResponse::instead_of_upstream(status),
                &mut fixture.table.begin(&fixture.store, fixture.now),
            );
            fixture.on_stream_end(&mut decision);
        }
        assert!(fixture.decide(&FakeRequest::from("192.0.2.1")).rejected(), "{status}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_another_policy_rejects_never_reached_the_upstream_and_holds_nothing() {
    let mut fixture = Fixture::new(
        r#"{"charge": "sequential", "keys": {"client_ip": {"client_ip": {}}}, "policies": [
            {"name": "stock", "key": "client_ip", "refund_unless": [201],
             "limits": [{"algorithm": "stock", "quota": 5}]},
            {"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 5, "window": "60s"}]},
            {"name": "plain", "key": "client_ip", "limits": [{"quota": 5, "window": "60s"}]},
            {"name": "one", "key": "client_ip", "limits": [{"quota": 1, "window": "60s"}]}]}"#,
    );
    assert!(fixture.served(&FakeRequest::from("192.0.2.1"), 201));
    for _ in 0..3 {
        assert!(!fixture.served(&FakeRequest::from("192.0.2.1"), 201));
    }
    let left = fixture.decide(&FakeRequest::from("192.0.2.1"));
    let left = |policy| left.verdict(policy, 0).unwrap().remaining;
    assert_eq!([left(0), left(1), left(2)], [3, 4, 0], "in order, what is plain is spent");
}

/// It never reached the upstream, so nobody has guessed and nothing exists that did not before.
#[wasm_bindgen_test(unsupported = test)]
fn the_rejection_of_another_tollgate_is_an_answer_with_its_own_status() {
    let policy = |counting: &str| {
        format!(
            r#"{{"name": "p", "key": "client_ip", {counting}, "limits": [{{"quota": 5, "window": "60s"}}]}}"#
        )
    };
    let left_after = |counting: &str, rejection, seen_as| {
        let mut fixture = fixture(&policy(counting));
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
        fixture.on_response(&mut decision, &FakeResponse::rejected_with(rejection, seen_as));
        fixture.on_stream_end(&mut decision);
        decision.verdict(0, 0).unwrap().remaining
    };
    // As an HTTP caller and as a gRPC caller sees it.
    for (rejection, seen_as) in [(429, 429), (429, 200), (503, 503), (503, 200)] {
        for nothing in [r#""count_on": [401]"#, r#""refund_on": [429, 503]"#, r#""refund_unless": ["2xx"]"#] {
            assert_eq!(left_after(nothing, rejection, seen_as), 5, "{nothing} {rejection} as {seen_as}");
        }
        for one in [r#""count_on": [429, 503]"#, r#""refund_on": [404]"#, r#""cost_header": "x-cost""#] {
            assert_eq!(left_after(one, rejection, seen_as), 4, "{one} {rejection} as {seen_as}");
        }
    }
}

/// GraphQL APIs reject with 200. The upstream has not seen the request all the same.
#[wasm_bindgen_test(unsupported = test)]
fn the_rejection_of_another_tollgate_is_no_success_whatever_its_status() {
    let left_after = |counting: &str, response: &FakeResponse| {
        let mut fixture = fixture(&format!(
            r#"{{"name": "p", "key": "client_ip", {counting}, "limits": [{{"quota": 5, "window": "60s"}}]}}"#
        ));
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
        fixture.on_response(&mut decision, response);
        fixture.on_stream_end(&mut decision);
        decision.verdict(0, 0).unwrap().remaining
    };
    for status in [200, 201, 302] {
        let (own, other) = (FakeResponse::of_upstream(status), FakeResponse::rejected_as(status));
        for counting in [r#""count_on": ["2xx", "3xx"]"#, r#""refund_unless": ["2xx", "3xx"]"#] {
            assert_eq!(left_after(counting, &own), 4, "{counting} {status}");
            assert_eq!(left_after(counting, &other), 5, "{counting} {status}");
        }
    }
}

/// Otherwise a client could have its deletions rejected to get units back.
#[wasm_bindgen_test(unsupported = test)]
fn a_rejected_deletion_returns_no_unit_whatever_its_status() {
    let mut fixture = fixture(
        r#"{"name": "hooks", "key": "client_ip", "match": [{"method": "POST"}], "returns": [{"method": "DELETE"}],
            "limits": [{"algorithm": "stock", "quota": 1}]}"#,
    );
    let request = |method: &str| FakeRequest::from("192.0.2.1").with(":method", method).with(":path", "/");
    assert!(fixture.served(&request("POST"), 201));
    for (response, passes) in
        [(FakeResponse::rejected_as(200), false), (FakeResponse::of_upstream(200), true)]
    {
        let mut decision = fixture.decide(&request("DELETE"));
        fixture.on_response(&mut decision, &response);
        fixture.on_stream_end(&mut decision);
        assert_eq!(fixture.served(&request("POST"), 201), passes);
    }
}
