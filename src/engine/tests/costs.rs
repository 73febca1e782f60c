//! Requests that cost more than a unit.

use super::*;

fn fixture(policy: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", {policy}}}]}}"#
    ))
}

fn request(path: &'static str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with(":method", "GET").with(":path", path)
}

fn left(decision: &Decision) -> u64 {
    decision.verdict(0, 0).unwrap().remaining
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_can_cost_more_than_its_policy_says() {
    let mut fixture = fixture(
        r#""cost": 2, "match": [{"path": "/export", "cost": 5}, {}], "limits": [{"quota": 10, "window": "1m"}]"#,
    );
    assert_eq!(left(&fixture.decide(&request("/"))), 8);
    assert_eq!(left(&fixture.decide(&request("/export"))), 3);
    let rejected = fixture.decide(&request("/export"));
    assert!(rejected.rejected());
    assert_eq!(left(&rejected), 3);
    assert_eq!(left(&fixture.decide(&request("/"))), 1);
    assert!(fixture.decide(&request("/")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_response_can_say_what_its_request_has_cost() {
    let mut fixture =
        fixture(r#""cost": 3, "cost_header": "X-Cost", "limits": [{"quota": 20, "window": "1m"}]"#);
    let mut served = |cost: Option<&'static str>| {
        let mut decision = fixture.decide(&request("/"));
        let response = FakeResponse::of_upstream(200);
        let response = cost.into_iter().fold(response, |response, cost| response.with("x-cost", cost));
        fixture.on_response(&mut decision, &response);
        left(&decision)
    };
    assert_eq!(served(Some("7")), 13);
    assert_eq!(served(Some("1")), 12);
    assert_eq!(served(None), 9);
    assert_eq!(served(Some("0")), 9);
    assert_eq!(served(Some("1000")), 0);
    // One that was rejected has no response of the upstream.
    assert_eq!(served(Some("0")), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_in_flight_comes_back_with_all_that_it_cost() {
    let mut fixture = fixture(r#""cost": 3, "limits": [{"algorithm": "concurrency", "quota": 7}]"#);
    let mut one = fixture.decide(&request("/"));
    let mut other = fixture.decide(&request("/"));
    assert_eq!(left(&other), 1);
    assert!(fixture.decide(&request("/")).rejected());
    for decision in [&mut one, &mut other] {
        fixture.on_stream_end(decision);
    }
    assert_eq!(left(&fixture.decide(&request("/"))), 4);
}
