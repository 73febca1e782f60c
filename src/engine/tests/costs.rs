//! Requests that cost more than a unit.

use super::responses::Answered;
use super::*;

fn house(policy: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", {policy}}}]}}"#
    ))
}

fn call(path: &'static str) -> Call {
    Call::from("192.0.2.1").with(":method", "GET").with(":path", path)
}

fn left(decision: &Decision) -> u64 {
    decision.verdict(0, 0).unwrap().remaining
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_can_cost_more_than_its_policy_says() {
    let mut house = house(
        r#""cost": 2, "match": [{"path": "/export", "cost": 5}, {}], "limits": [{"quota": 10, "window": "1m"}]"#,
    );
    assert_eq!(left(&house.decide(&call("/"))), 8);
    assert_eq!(left(&house.decide(&call("/export"))), 3);
    let rejected = house.decide(&call("/export"));
    assert!(rejected.rejected());
    assert_eq!(left(&rejected), 3);
    assert_eq!(left(&house.decide(&call("/"))), 1);
    assert!(house.decide(&call("/")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_response_can_say_what_its_request_has_cost() {
    let mut house = house(r#""cost": 3, "cost_header": "X-Cost", "limits": [{"quota": 20, "window": "1m"}]"#);
    let mut served = |cost: Option<&'static str>| {
        let mut decision = house.decide(&call("/"));
        house.answered_with(&mut decision, &Answered { status: 200, cost });
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
    let mut house = house(r#""cost": 3, "limits": [{"algorithm": "concurrency", "quota": 7}]"#);
    let mut one = house.decide(&call("/"));
    let mut other = house.decide(&call("/"));
    assert_eq!(left(&other), 1);
    assert!(house.decide(&call("/")).rejected());
    for decision in [&mut one, &mut other] {
        house.ended(decision);
    }
    assert_eq!(left(&house.decide(&call("/"))), 4);
}
