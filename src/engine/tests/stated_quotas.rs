//! Quotas that requests state.

use super::*;

const POLICY: &str = r#"{
    "keys": {"ip": {"client_ip": {}}, "rpm": {"metadata": ["auth", "rpm"]}, "plan": {"metadata": ["auth", "plan"]},
             "asked": {"header": "x-quota"}},
    "tiers": {"names": ["free", "pro"], "default": "free", "from": "plan"},
    "policies": [{"name": "p", "key": "ip", MORE "limits": [
        {"name": "minute", "algorithm": "ALGORITHM", "quota": {"free": 3, "pro": 5}, WINDOW
         "quota_from": {"key": "KEY", "min": 2, "max": 2000000}}]}]
}"#;

fn policy(algorithm: &str, more: &str) -> String {
    let window = if algorithm == "concurrency" { "" } else { r#""window": "1h","# };
    let policy = POLICY.replace("ALGORITHM", algorithm).replace("WINDOW", window).replace("MORE", more);
    policy.replace("KEY", "rpm")
}

fn stating(quota: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with_metadata(MetadataPath::new(["auth", "rpm"]), quota)
}

const ALGORITHMS: [&str; 5] =
    ["sliding_window", "sliding_counter", "fixed_window", "token_bucket", "concurrency"];

#[wasm_bindgen_test(unsupported = test)]
fn the_quota_is_the_number_that_a_request_states_within_bounds() {
    for algorithm in ALGORITHMS {
        let passed = |quota: &str| Fixture::new(&policy(algorithm, "")).passed(3_000, |_| stating(quota));
        for (quota, passes) in [("7", 7), (" 1200 ", 1_200), ("1", 2), ("0", 2)] {
            assert_eq!(passed(quota), passes, "{algorithm} {quota}");
        }
        let most = |quota: &str| {
            let decision = Fixture::new(&policy(algorithm, "")).decide(&stating(quota));
            decision.verdict(0, 0).unwrap().quota
        };
        for quota in ["2000001", "4294967296", "99999999999999999999999999"] {
            assert_eq!(most(quota), 2_000_000, "{algorithm} {quota}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn without_a_readable_number_the_quota_of_the_plan_holds() {
    let plan = |request: FakeRequest, plan| request.with_metadata(MetadataPath::new(["auth", "plan"]), plan);
    for quota in ["", "-5", "5.0", "1e3", "many", "5,6"] {
        let passed = |of: &'static str| {
            Fixture::new(&policy("sliding_window", "")).passed(9, |_| plan(stating(quota), of))
        };
        assert_eq!((passed("free"), passed("pro")), (3, 5), "{quota}");
    }
    let client = policy("sliding_window", "").replace(r#""key": "rpm""#, r#""key": "asked""#);
    let asking = |second: &'static str| {
        let request = FakeRequest::from("192.0.2.1").with("x-quota", "9").with("x-quota", second);
        Fixture::new(&client).passed(20, |_| request.clone())
    };
    assert_eq!(asking("8"), 3, "of several numbers, none is believed");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_quota_that_changes_from_request_to_request_keeps_what_is_counted() {
    for algorithm in ["sliding_window", "sliding_counter", "fixed_window"] {
        let mut fixture = Fixture::new(&policy(algorithm, ""));
        assert_eq!(fixture.passed(2_000, |_| stating("2000")), 2_000, "{algorithm}");
        assert_eq!(fixture.passed(10, |_| stating("1000")), 0, "{algorithm}");
        assert_eq!(fixture.passed(10, |_| stating("2005")), 5, "{algorithm}");
        assert_eq!(fixture.passed(10, |_| FakeRequest::from("192.0.2.1")), 0, "{algorithm}");
    }
}

/// A worker takes units of a large quota ahead. They are no way past a small one.
#[wasm_bindgen_test(unsupported = test)]
fn units_taken_ahead_under_a_large_quota_do_not_serve_a_small_one() {
    let mut fixture = Fixture::new(&policy("sliding_window", ""));
    let mut step = |quota: &str| {
        fixture.now.mono += 1_000;
        fixture.passed(1, |_| stating(quota))
    };
    assert_eq!((0..5_000).map(|_| step("2000000")).sum::<usize>(), 5_000);
    let in_turn: Vec<usize> = (0..200).map(|i| step(["5000", "2000000"][i % 2])).collect();
    assert!(in_turn.chunks(2).all(|pair| pair == [0, 1]), "{in_turn:?}");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_in_flight_under_a_stated_quota_is_released() {
    let mut fixture = Fixture::new(&policy("concurrency", ""));
    let mut open: Vec<Decision> = (0..4).map(|_| fixture.decide(&stating("4"))).collect();
    assert!(open.iter().all(|one| !one.rejected()) && fixture.decide(&stating("4")).rejected());
    assert!(!fixture.decide(&stating("6")).rejected());
    open.iter_mut().for_each(|one| fixture.on_stream_end(one));
    assert_eq!(fixture.passed(9, |_| stating("4")), 3);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_response_settles_a_request_under_the_quota_that_it_has_stated() {
    let mut fixture = Fixture::new(&policy("sliding_window", r#""cost": 2, "cost_header": "x-cost", "#));
    let mut decision = fixture.decide(&stating("100"));
    fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", "60"));
    let verdict = decision.verdict(0, 0).unwrap();
    assert_eq!((verdict.quota, verdict.remaining), (100, 40));
    assert_eq!(fixture.passed(30, |_| stating("100")), 20);
}

#[wasm_bindgen_test(unsupported = test)]
fn limit_headers_show_the_quota_that_a_request_has_stated() {
    let mut fixture = Fixture::new(&policy("sliding_window", "").replacen(
        '{',
        r#"{"headers": {"preset": "x-ratelimit", "describes": "p"}, "#,
        1,
    ));
    let headers = fixture.headers(&stating("77"));
    assert_eq!(headers[..2], ["x-ratelimit-limit: 77", "x-ratelimit-remaining: 76"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_quota_of_0_is_only_for_those_who_state_none() {
    let policy = policy("sliding_window", "").replace(r#""free": 3"#, r#""free": 0"#);
    assert_eq!(Fixture::new(&policy).passed(9, |_| FakeRequest::from("192.0.2.1")), 0);
    assert_eq!(Fixture::new(&policy).passed(9, |_| stating("4")), 4);
}
