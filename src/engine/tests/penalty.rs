//! `block_for`: a policy rejects for a further period after the first excess.

use super::*;
use crate::engine::Engine;
use crate::testing::compiled;

/// Billium's, with the key layer blocking for five minutes.
fn billium_with_penalty() -> Fixture {
    Fixture::new(
        &BILLIUM.replace("\"name\": \"key\"", "\"name\": \"key\", \"block_for\": \"5m\"").replace("300", "2"),
    )
}

fn waits(fixture: &mut Fixture, request: &FakeRequest) -> u64 {
    fixture.decide(request).retry_after() / SECOND
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_key_above_its_limit_is_rejected_for_the_further_period_and_then_judged_again() {
    let mut fixture = billium_with_penalty();
    let request = || FakeRequest::from("192.0.2.1").key("one");
    assert_eq!(fixture.passed(3, |_| request()), 2);
    fixture.wait(100);
    assert_eq!(fixture.passed(5, |_| request()), 0, "the window has long passed");
    assert_eq!(waits(&mut fixture, &request()), 200);
    assert_eq!(
        fixture.passed(5, |_| FakeRequest::from("192.0.2.1").key("two")),
        2,
        "another key is not blocked"
    );
    fixture.wait(199);
    assert_eq!(waits(&mut fixture, &request()), 1);
    fixture.wait(1);
    assert_eq!(fixture.passed(5, |_| request()), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_without_block_for_the_window_alone_rejects() {
    let mut fixture = Fixture::new(&BILLIUM.replace("300", "2"));
    assert_eq!(fixture.passed(3, |_| FakeRequest::from("192.0.2.1").key("one")), 2);
    fixture.wait(60);
    assert_eq!(fixture.passed(3, |_| FakeRequest::from("192.0.2.1").key("one")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_rejection_by_the_ip_does_not_block_the_key() {
    let mut fixture = billium_with_penalty();
    fixture.passed(50, |_| FakeRequest::from("192.0.2.1"));
    assert_eq!(fixture.passed(5, |_| FakeRequest::from("192.0.2.1").key("one")), 0);
    assert_eq!(fixture.passed(5, |_| FakeRequest::from("192.0.2.2").key("one")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_of_a_blocked_policy_say_that_nothing_is_left_until_the_end() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}},
            "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 2, "window": "60s"}], "block_for": "5m"}],
            "headers": {"preset": "x-ratelimit", "describes": "p"}}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    fixture.passed(3, |_| FakeRequest::from("192.0.2.1"));
    fixture.wait(61);
    assert_eq!(
        fixture.headers(&request),
        ["x-ratelimit-limit: 2", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314300"]
    );
    fixture.wait(239);
    assert_eq!(fixture.headers(&request)[1], "x-ratelimit-remaining: 1");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_5_a_penalty_that_a_reload_takes_away_blocks_nobody_and_one_that_it_keeps_does() {
    let mut fixture = billium_with_penalty();
    let request = || FakeRequest::from("192.0.2.1").key("one");
    fixture.passed(3, |_| request());
    fixture.wait(60);
    let other = |json: &str| Engine::new(compiled(json).rules);
    fixture.engine = other(&BILLIUM.replace("\"name\": \"key\"", "\"name\": \"key\", \"block_for\": \"2m\""));
    assert_eq!(waits(&mut fixture, &request()), 120);
    fixture.engine = other(BILLIUM);
    assert!(!fixture.decide(&request()).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_refund_ends_no_penalty_and_what_is_in_flight_blocks_too() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip", "block_for": "1m",
            "limits": [{"algorithm": "concurrency", "quota": 1}, {"name": "stock", "algorithm": "stock", "quota": 9}],
            "refund_on": ["5xx"]}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    let mut first = fixture.decide(&request);
    assert_eq!(waits(&mut fixture, &request), 60);
    fixture.on_response(&mut first, &FakeResponse::of_upstream(500));
    fixture.on_stream_end(&mut first);
    assert_eq!(waits(&mut fixture, &request), 60);
    fixture.wait(60);
    assert!(!fixture.decide(&request).rejected());
}

/// 429s at first, and for those who go on a ban that grows from 2 minutes to 3 days.
const GROWING: &str = r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
    {"name": "p", "key": "ip", "limits": [{"quota": 1, "window": "1s"}], "block_for": ["2m", "1h", "3d"]}]}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_who_comes_back_too_fast_each_time_is_blocked_for_longer_each_time() {
    let mut fixture = Fixture::new(GROWING);
    let request = FakeRequest::from("192.0.2.1");
    for length in [120, 3_600, 3 * 86_400, 3 * 86_400] {
        assert!(!fixture.decide(&request).rejected());
        assert_eq!(waits(&mut fixture, &request), length);
        fixture.wait(length / 2);
        assert_eq!(
            waits(&mut fixture, &request),
            length - length / 2,
            "what comes while blocked adds nothing"
        );
        fixture.wait(length - length / 2);
    }
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.2")).rejected());
    assert_eq!(waits(&mut fixture, &FakeRequest::from("192.0.2.2")), 120, "nobody else's row");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_pause_as_long_as_the_last_block_ends_the_row_and_a_second_less_does_not() {
    for (pause, next) in [(3_599, 3 * 86_400), (3_600, 120)] {
        let mut fixture = Fixture::new(GROWING);
        let request = FakeRequest::from("192.0.2.1");
        for length in [120, 3_600] {
            fixture.decide(&request);
            assert_eq!(waits(&mut fixture, &request), length);
            fixture.wait(length);
        }
        fixture.wait(pause);
        assert!(!fixture.decide(&request).rejected());
        assert_eq!(waits(&mut fixture, &request), next);
    }
}
