//! `block_for`: a policy rejects for a further period after the first excess.

use super::*;

/// Billium's, with the key layer blocking for five minutes.
fn billium_with_penalty() -> Fixture {
    Fixture::new(
        &BILLIUM.replace("\"name\": \"key\"", "\"name\": \"key\", \"block_for\": \"5m\"").replace("300", "2"),
    )
}

fn waits(house: &mut Fixture, call: &Call) -> u64 {
    house.decide(call).retry_after() / SECOND
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_key_above_its_limit_is_rejected_for_the_further_period_and_then_judged_again() {
    let mut house = billium_with_penalty();
    let call = || Call::from("192.0.2.1").key("one");
    assert_eq!(house.passed(3, |_| call()), 2);
    house.wait(100);
    assert_eq!(house.passed(5, |_| call()), 0, "the window has long passed");
    assert_eq!(waits(&mut house, &call()), 200);
    assert_eq!(house.passed(5, |_| Call::from("192.0.2.1").key("two")), 2, "another key is not blocked");
    house.wait(199);
    assert_eq!(waits(&mut house, &call()), 1);
    house.wait(1);
    assert_eq!(house.passed(5, |_| call()), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_without_block_for_the_window_alone_rejects() {
    let mut house = Fixture::new(&BILLIUM.replace("300", "2"));
    assert_eq!(house.passed(3, |_| Call::from("192.0.2.1").key("one")), 2);
    house.wait(60);
    assert_eq!(house.passed(3, |_| Call::from("192.0.2.1").key("one")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_rejection_by_the_ip_does_not_block_the_key() {
    let mut house = billium_with_penalty();
    house.passed(50, |_| Call::from("192.0.2.1"));
    assert_eq!(house.passed(5, |_| Call::from("192.0.2.1").key("one")), 0);
    assert_eq!(house.passed(5, |_| Call::from("192.0.2.2").key("one")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_of_a_blocked_policy_say_that_nothing_is_left_until_the_end() {
    let mut house = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}},
            "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 2, "window": "60s"}], "block_for": "5m"}],
            "headers": {"preset": "x-ratelimit", "describes": "p"}}"#,
    );
    let call = Call::from("192.0.2.1");
    house.passed(3, |_| Call::from("192.0.2.1"));
    house.wait(61);
    assert_eq!(
        house.headers(&call),
        ["x-ratelimit-limit: 2", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314300"]
    );
    house.wait(239);
    assert_eq!(house.headers(&call)[1], "x-ratelimit-remaining: 1");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_5_a_penalty_that_a_reload_takes_away_blocks_nobody_and_one_that_it_keeps_does() {
    let mut house = billium_with_penalty();
    let call = || Call::from("192.0.2.1").key("one");
    house.passed(3, |_| call());
    house.wait(60);
    let other = |json: &str| Engine::new(compile(&parse(json.as_bytes()).unwrap()).unwrap().rules);
    house.engine = other(&BILLIUM.replace("\"name\": \"key\"", "\"name\": \"key\", \"block_for\": \"2m\""));
    assert_eq!(waits(&mut house, &call()), 120);
    house.engine = other(BILLIUM);
    assert!(!house.decide(&call()).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_refund_ends_no_penalty_and_what_is_in_flight_blocks_too() {
    let mut house = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip", "block_for": "1m",
            "limits": [{"algorithm": "concurrency", "quota": 1}], "refund_on": ["5xx"]}]}"#,
    );
    let call = Call::from("192.0.2.1");
    let mut first = house.decide(&call);
    assert_eq!(waits(&mut house, &call), 60);
    house.answered_with(&mut first, &responses::Answered { status: 500, cost: None });
    house.ended(&mut first);
    assert_eq!(waits(&mut house, &call), 60);
    house.wait(60);
    assert!(!house.decide(&call).rejected());
}
