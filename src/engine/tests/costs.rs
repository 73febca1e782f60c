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

const ALGORITHMS: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];

/// The header's cost is charged in full, and as a hold that was too high is given back, at any size.
#[wasm_bindgen_test(unsupported = test)]
fn a_cost_of_any_size_is_charged_in_full() {
    for algorithm in ALGORITHMS {
        let limits =
            format!(r#""limits": [{{"algorithm": "{algorithm}", "quota": 150000000, "window": "300s"}}]"#);
        let mut fixture = fixture(&format!(r#""cost": 1000, "cost_header": "x-cost", {limits}"#));
        let mut served = |cost: &'static str| {
            let mut decision = fixture.decide(&request("/"));
            fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", cost));
            (decision.rejected(), left(&decision))
        };
        assert_eq!(served("149999000"), (false, 1_000), "{algorithm}");
        assert_eq!(served("0"), (false, 1_000), "{algorithm}");
        assert_eq!(served("4294967295"), (false, 0), "{algorithm}");
        assert_eq!(served("0"), (true, 0), "{algorithm}");
    }
}

/// With every algorithm a hold is settled by its response in both directions, also one from a lease.
#[wasm_bindgen_test(unsupported = test)]
fn a_hold_is_settled_by_its_response_exactly() {
    for algorithm in ALGORITHMS {
        for quota in [1_500_u64, 150_000] {
            let limits =
                format!(r#""limits": [{{"algorithm": "{algorithm}", "quota": {quota}, "window": "300s"}}]"#);
            let mut fixture = fixture(&format!(r#""cost": 100, "cost_header": "x-cost", {limits}"#));
            let mut open: Vec<Decision> = (0..quota / 100).map(|_| fixture.decide(&request("/"))).collect();
            assert!(open.iter().all(|one| !one.rejected()), "{algorithm}");
            assert!(fixture.decide(&request("/")).rejected(), "{algorithm}: all is held");
            // Half of them cost less than they held, and the others nothing, or twice as much.
            for (i, decision) in open.iter_mut().enumerate() {
                let cost = ["30", "0", "200"][i % 3];
                fixture.on_response(decision, &FakeResponse::of_upstream(200).with("x-cost", cost));
            }
            let spent = (0..quota / 100).map(|i| [30, 0, 200][i as usize % 3]).sum::<u64>();
            let next = fixture.decide(&request("/"));
            assert_eq!(left(&next), quota - spent - 100, "{algorithm}");
        }
    }
}

/// What has come back by itself is not given back again: the bucket is as full as if nothing had been held.
#[wasm_bindgen_test(unsupported = test)]
fn a_bucket_gives_back_what_has_not_come_back_by_itself() {
    for (later, missing) in [(0, 10), (5, 5), (10, 0), (60, 0)] {
        let limits =
            r#""limits": [{"algorithm": "token_bucket", "quota": 60, "burst": 100, "window": "60s"}]"#;
        let mut fixture = fixture(&format!(
            r#""cost": 50, "match": [{{"path": "/one", "cost": 1}}, {{}}], "cost_header": "x-cost", {limits}"#
        ));
        let mut decision = fixture.decide(&request("/"));
        fixture.wait(later);
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", "10"));
        assert_eq!(left(&fixture.decide(&request("/one"))), 100 - missing - 1, "{later}");
    }
}

/// Whatever a response settles, a credential that it rejects has cost nothing in its owner's name.
#[wasm_bindgen_test(unsupported = test)]
fn a_made_up_key_holds_nothing_of_whoever_shares_its_prefix() {
    for rule in [
        r#""cost_header": "x-cost""#,
        r#""cost_header": {"name": "x-cost", "without": 2}"#,
        r#""cost_header": {"name": "x-cost", "without": "refund"}"#,
        r#""refund_on": [500]"#,
        r#""refund_on": [401]"#,
        r#""refund_unless": [2xx]"#,
    ] {
        let rule = rule.replace("[2xx]", r#"["2xx"]"#);
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"k": {{"header": "x-key", "prefix": 4, "valid": {{"unless": [401]}}}}}}, "policies": [
                {{"name": "p", "key": "k", {rule}, "limits": [{{"quota": 5, "window": "1h"}}]}}]}}"#
        ));
        let with = |key: &str| FakeRequest::default().with("x-key", key);
        assert!(fixture.served(&with("vict-real"), 409), "{rule}");
        let before = left(&fixture.decide(&with("vict-real")));
        for i in 0..50 {
            assert!(fixture.served(&with(&format!("vict-made-up-{i}")), 401), "{rule}");
        }
        assert_eq!(left(&fixture.decide(&with("vict-real"))), before - 1, "{rule}");
    }
}

const PEEKS: &str = r#""match": [{"path": "/rate_limit", "cost": 0}, {}]"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_costs_nothing_is_not_counted_and_shows_what_is_left() {
    for algorithm in ALGORITHMS {
        let limits = format!(r#""limits": [{{"algorithm": "{algorithm}", "quota": 3, "window": "300s"}}]"#);
        let mut fixture = fixture(&format!("{PEEKS}, {limits}"));
        let peek = |fixture: &mut Fixture| {
            let decision = fixture.decide(&request("/rate_limit"));
            (decision.rejected(), left(&decision))
        };
        assert_eq!(peek(&mut fixture), (false, 3), "{algorithm}");
        assert!(fixture.store.pages().is_empty(), "{algorithm}: nothing is written");
        for left in [2, 1, 0] {
            assert!(!fixture.decide(&request("/")).rejected());
            assert_eq!(peek(&mut fixture), (false, left), "{algorithm}");
            assert_eq!(peek(&mut fixture), (false, left), "{algorithm}");
        }
        assert!(fixture.decide(&request("/")).rejected());
        assert_eq!(peek(&mut fixture), (false, 0), "{algorithm}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_block_does_not_reject_a_request_that_costs_nothing_and_is_not_begun_by_one() {
    let mut fixture =
        fixture(&format!(r#"{PEEKS}, "block_for": "1h", "limits": [{{"quota": 1, "window": "1m"}}]"#));
    assert!(!fixture.decide(&request("/")).rejected());
    assert!(!fixture.decide(&request("/rate_limit")).rejected());
    fixture.wait(61);
    assert!(!fixture.decide(&request("/")).rejected(), "no block has begun");
    assert!(fixture.decide(&request("/")).rejected());
    fixture.wait(61);
    let peek = fixture.decide(&request("/rate_limit"));
    assert_eq!((peek.rejected(), left(&peek), peek.retry_after()), (false, 0, 0));
    assert!(fixture.decide(&request("/")).rejected(), "the block still holds");
}

#[wasm_bindgen_test(unsupported = test)]
fn no_response_counts_a_request_that_costs_nothing() {
    for rule in [r#""cost_header": "x-cost""#, r#""count_on": [200]"#, r#""refund_on": [500]"#] {
        let mut fixture = fixture(&format!(r#"{PEEKS}, {rule}, "limits": [{{"quota": 9, "window": "1m"}}]"#));
        let mut decision = fixture.decide(&request("/rate_limit"));
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", "5"));
        fixture.on_stream_end(&mut decision);
        assert_eq!(left(&fixture.decide(&request("/rate_limit"))), 9, "{rule}");
    }
    let in_flight = format!(r#"{PEEKS}, "limits": [{{"algorithm": "concurrency", "quota": 1}}]"#);
    let mut fixture = fixture(&in_flight);
    let mut peek = fixture.decide(&request("/rate_limit"));
    let mut one = fixture.decide(&request("/"));
    fixture.on_stream_end(&mut peek);
    assert!(fixture.decide(&request("/")).rejected(), "its end releases nothing");
    fixture.on_stream_end(&mut one);
    assert!(!fixture.decide(&request("/")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn another_policy_may_reject_a_request_that_costs_nothing_here() {
    for charge in ["all_or_nothing", "sequential"] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "charge": "{charge}", "policies": [
                {{"name": "p", "key": "ip", "count": "all", {PEEKS}, "limits": [{{"quota": 5, "window": "1m"}}]}},
                {{"name": "all", "key": "ip", "limits": [{{"quota": 2, "window": "1m"}}]}}]}}"#
        ));
        for (path, passes, in_order) in
            [("/rate_limit", true, 5), ("/", true, 4), ("/rate_limit", false, 4), ("/", false, 3)]
        {
            let decision = fixture.decide(&request(path));
            assert_eq!((!decision.rejected(), left(&decision)), (passes, in_order), "{charge} {path}");
            assert_eq!(decision.policies().len(), 2);
        }
    }
}

/// An upstream that reads the path otherwise would serve a request that costs something.
#[wasm_bindgen_test(unsupported = test)]
fn no_spelling_of_a_free_path_makes_another_request_free() {
    let mut fixture = fixture(&format!(r#"{PEEKS}, "limits": [{{"quota": 9, "window": "1m"}}]"#));
    for path in
        ["/rate_limit;/../export", "/RATE_LIMIT", "/rate_limit/", "/rate_limit.json", "/rate%5Flimit;x"]
    {
        let before = left(&fixture.decide(&request("/rate_limit")));
        assert_eq!(left(&fixture.decide(&request(path))), before - 1, "{path}");
    }
}

/// A policy whose cost is the number in the header `n`, from 1 to 50 tens, else 2.
const STATED: &str = r#"{"keys": {"ip": {"client_ip": {}}, "n": {"header": "n"}, "size": {"header": "content-length"},
        "plan": {"metadata": ["auth", "n"]}}, "policies": [
        {"name": "p", "key": "ip", "cost": 2, "cost_from": {"key": "KEY", "divide_by": 10, "min": 1, "max": 50},
         "match": [{"path": "/own", "cost": 3}, {}], "limits": [{"quota": 100, "window": "1m"}]}]}"#;

fn stated(key: &str) -> Fixture {
    Fixture::new(&STATED.replace("KEY", key))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_costs_the_number_that_it_states() {
    for key in ["n", "size"] {
        let header = if key == "n" { "n" } else { "content-length" };
        for (number, cost) in [("0", 1), ("10", 1), ("11", 2), (" 499 ", 50), ("501", 50), ("", 2)] {
            let decision = stated(key).decide(&request("/").with(header, number));
            assert_eq!((left(&decision), decision.policies()[0].cost), (100 - cost, cost as u32), "{number}");
        }
    }
    assert_eq!(left(&stated("n").decide(&request("/"))), 98, "without the key, cost");
    assert_eq!(
        left(&stated("n").decide(&request("/own").with("n", "400"))),
        97,
        "the match's own comes first"
    );
}

/// A server may read thousands where Tollgate reads no number, or take the other one of two.
#[wasm_bindgen_test(unsupported = test)]
fn no_spelling_of_a_number_costs_a_client_less() {
    for number in [
        "5e3",
        "+5000",
        "-1",
        "5000.0",
        "0x1388",
        "5_000",
        "18446744073709551616",
        "99999999999999999999999",
        "5;6",
    ] {
        assert_eq!(left(&stated("n").decide(&request("/").with("n", number))), 50, "{number}");
    }
    let twice = request("/").with("n", "10").with("n", "5000");
    assert_eq!(left(&stated("n").decide(&twice)), 50, "several values");
    let hidden = request("/").with("n", "").with("n", "5000");
    assert_eq!(left(&stated("n").decide(&hidden)), 50, "behind an empty one");
    let listed = request("/").with("n", "10,5000");
    assert_eq!(left(&stated("n").decide(&listed)), 50, "a list");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_an_earlier_filter_states_is_believed() {
    let from = |value: &str| {
        let path = MetadataPath::new(["auth", "n"]);
        left(&stated("plan").decide(&request("/").with_metadata(path, value)))
    };
    assert_eq!(from("200"), 80);
    assert_eq!(from("12.5"), 98, "no whole number");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stated_cost_of_nothing_only_looks() {
    let mut fixture = Fixture::new(&STATED.replace("KEY", "n").replace(r#""min": 1"#, r#""min": 0"#));
    assert_eq!(left(&fixture.decide(&request("/").with("n", "0"))), 100);
    assert!(fixture.store.pages().is_empty());
}
