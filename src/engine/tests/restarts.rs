//! `reset_on` and `after_block: restart`: counts that begin at zero again.

use super::*;

/// Failed logins by account and address, which a good one forgives.
const LOGINS: &str = r#"{"keys": {"ip": {"client_ip": {}}, "account": {"header": "x-account"}}, "policies": [
    {"name": "p", "key": ["account", "ip"], "count_on": [401], "reset_on": ["2xx"], "block_for": "10m",
     "limits": [{"quota": 5, "window": "1h"}]}]}"#;

fn caller() -> FakeRequest {
    FakeRequest::from("192.0.2.1").with("x-account", "one")
}

fn left(fixture: &mut Fixture, request: &FakeRequest) -> u64 {
    let mut decision = fixture.decide(request);
    let left = decision.verdict(0, 0).unwrap().remaining;
    fixture.on_stream_end(&mut decision);
    left
}

fn answered(fixture: &mut Fixture, request: &FakeRequest, statuses: &[u16]) {
    for status in statuses {
        let mut decision = fixture.decide(request);
        assert!(!decision.rejected(), "{statuses:?}");
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(*status));
        fixture.on_stream_end(&mut decision);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_good_login_clears_the_failed_ones_before_it() {
    let mut fixture = Fixture::new(LOGINS);
    for _ in 0..3 {
        answered(&mut fixture, &caller(), &[401, 401, 401, 401, 200]);
    }
    answered(&mut fixture, &caller(), &[401, 404, 401, 401, 401, 401]);
    assert!(fixture.decide(&caller()).rejected(), "five failed, and nothing else cleared them");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reset_is_of_the_caller_of_the_response_and_of_nobody_else() {
    let mut fixture = Fixture::new(LOGINS);
    let victim = FakeRequest::from("192.0.2.66").with("x-account", "victim");
    let own = FakeRequest::from("192.0.2.66").with("x-account", "attackers");
    for _ in 0..5 {
        answered(&mut fixture, &victim, &[401]);
        answered(&mut fixture, &own, &[200]);
    }
    assert!(fixture.decide(&victim).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn what_the_headers_say_is_left_after_a_reset_is_everything() {
    let mut fixture = Fixture::new(LOGINS);
    answered(&mut fixture, &caller(), &[401, 401]);
    let mut decision = fixture.decide(&caller());
    assert_eq!(decision.verdict(0, 0).unwrap().remaining, 2);
    fixture.on_response(&mut decision, &FakeResponse::of_upstream(204));
    assert_eq!(decision.verdict(0, 0).unwrap().remaining, 5);
}

/// Or an attacker with requests in flight gets as many more after each reset.
#[wasm_bindgen_test(unsupported = test)]
fn nothing_that_was_held_before_a_reset_is_given_back_after_it() {
    for (algorithm, counting, forgiven) in [
        ("sliding_window", "count_on", 404),
        ("fixed_window", "refund_on", 503),
        ("token_bucket", "refund_on", 503),
    ] {
        let statuses = if counting == "count_on" { "[401]" } else { "[503]" };
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [
                {{"name": "p", "key": "ip", "{counting}": {statuses}, "reset_on": [200],
                 "limits": [{{"algorithm": "{algorithm}", "quota": 5, "window": "1h"}}]}}]}}"#
        ));
        let request = FakeRequest::from("192.0.2.1");
        let mut slow: Vec<_> = (0..4).map(|_| fixture.decide(&request)).collect();
        answered(&mut fixture, &request, &[200]);
        let counted = if counting == "count_on" { 401 } else { 404 };
        answered(&mut fixture, &request, &[counted, counted, counted]);
        for decision in &mut slow {
            fixture.on_response(decision, &FakeResponse::of_upstream(forgiven));
            fixture.on_stream_end(decision);
        }
        let left = fixture.decide(&request).verdict(0, 0).unwrap().remaining;
        assert_eq!(left, 1, "{algorithm}: three are counted, and this one");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_held_after_a_reset_is_given_back_also_ten_minutes_and_more_after_it() {
    for since in [0, 1, 599, 600, 601, 1_199, 1_200, 1_201] {
        let mut fixture = Fixture::new(LOGINS);
        answered(&mut fixture, &caller(), &[401, 401, 200]);
        fixture.wait(since);
        let mut slow = fixture.decide(&caller());
        fixture.wait(60);
        fixture.on_response(&mut slow, &FakeResponse::of_upstream(404));
        fixture.on_stream_end(&mut slow);
        assert_eq!(left(&mut fixture, &caller()), 4, "{since}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_failed_login_that_was_under_way_counts_after_a_reset() {
    let mut fixture = Fixture::new(LOGINS);
    let mut slow: Vec<_> = (0..4).map(|_| fixture.decide(&caller())).collect();
    answered(&mut fixture, &caller(), &[200]);
    for decision in &mut slow {
        fixture.on_response(decision, &FakeResponse::of_upstream(401));
    }
    assert_eq!(left(&mut fixture, &caller()), 0, "four have failed, and one asks");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reset_ends_no_block_and_leaves_what_exists_counted() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "p", "key": "ip", "reset_on": [200], "refund_unless": [200], "block_for": "10m", "limits": [
                {"name": "window", "quota": 2, "window": "1h"},
                {"name": "open", "algorithm": "concurrency", "quota": 9},
                {"name": "stock", "algorithm": "stock", "quota": 9}]}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    let (mut one, mut other) = (fixture.decide(&request), fixture.decide(&request));
    fixture.on_response(&mut one, &FakeResponse::of_upstream(200));
    let remaining =
        |decision: &Decision| [0, 1, 2].map(|limit| decision.verdict(0, limit).unwrap().remaining);
    let mut third = fixture.decide(&request);
    assert_eq!(remaining(&third), [1, 6, 6], "all are open, one exists, two may");
    let mut fourth = fixture.decide(&request);
    assert!(fixture.decide(&request).rejected());
    for decision in [&mut other, &mut third, &mut fourth] {
        fixture.on_response(decision, &FakeResponse::of_upstream(200));
    }
    let blocked = fixture.decide(&request);
    assert_eq!(blocked.retry_after(), 600 * SECOND);
    fixture.wait(600);
    assert_eq!(remaining(&fixture.decide(&request)), [1, 4, 4]);
}

fn blocking(after: &str, count: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", "count": "{count}",
            "block_for": "10s", "after_block": "{after}", "limits": [{{"quota": 3, "window": "1h"}}]}}]}}"#
    ))
}

#[wasm_bindgen_test(unsupported = test)]
fn after_a_block_the_counts_begin_at_zero_if_they_restart() {
    for (after, count, wait) in [
        ("resume", "accepted", 3_600),
        ("restart", "accepted", 10),
        ("restart", "all", 10),
        ("resume", "all", 3_600),
    ] {
        let mut fixture = blocking(after, count);
        let request = || FakeRequest::from("192.0.2.1");
        assert_eq!(fixture.passed(3, |_| request()), 3);
        let told = fixture.decide(&request()).retry_after();
        assert_eq!(told, wait * SECOND, "{after} {count}");
        // What comes while it is blocked counts nowhere.
        for left in [9, 1] {
            fixture.wait(if left == 9 { 1 } else { 8 });
            let rejected = fixture.decide(&request());
            assert!(rejected.rejected());
            let expected = if after == "restart" { left } else { 0 };
            assert!(after == "resume" || rejected.retry_after() == expected * SECOND, "{after} {count}");
        }
        fixture.wait(1);
        let passed = fixture.passed(5, |_| request());
        assert_eq!(passed, if after == "restart" { 3 } else { 0 }, "{after} {count}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_counts_by_its_response_does_not_count_while_a_block_lasts_that_ends_in_zero() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip", "cost_header": "x-cost",
            "block_for": "10s", "after_block": "restart", "limits": [{"quota": 3, "window": "1h"}]}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    let mut slow: Vec<_> = (0..3).map(|_| fixture.decide(&request)).collect();
    assert!(fixture.decide(&request).rejected());
    fixture.wait(5);
    for decision in &mut slow {
        fixture.on_response(decision, &FakeResponse::of_upstream(200).with("x-cost", "3"));
    }
    fixture.wait(5);
    assert_eq!(fixture.decide(&request).verdict(0, 0).unwrap().remaining, 2);
}
