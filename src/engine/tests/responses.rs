//! What responses and the ends of streams change.

mod not_the_upstreams;

use super::*;
use crate::http::Response;
use crate::identity::Seed;
use crate::limiter::concurrency::WorkerId;
use crate::table::Table;

fn fixture(policies: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"client_ip": {{"client_ip": {{}}}}, "api_key": {{"header": "authorization", "scheme": "Bearer"}}}}, "policies": [{policies}]}}"#
    ))
}

fn request(method: &str, path: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").key("one").with(":method", method).with(":path", path)
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_17_failed_logins_are_counted_by_their_responses_and_spend_nobody_elses_quota() {
    let mut fixture = fixture(
        r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 3, "window": "60s"}]},
           {"name": "key", "key": "api_key", "limits": [{"quota": 10, "window": "60s"}]}"#,
    );
    let bad = || FakeRequest::from("192.0.2.1").key("guess");
    for _ in 0..8 {
        assert!(fixture.served(&FakeRequest::from("192.0.2.1"), 200), "a good request is never counted");
    }
    for attempt in 0..3 {
        assert!(fixture.served(&bad(), 401), "failure {attempt}");
    }
    assert!(!fixture.served(&bad(), 401));
    assert!(
        !fixture.served(&FakeRequest::from("192.0.2.1"), 200),
        "later attempts of this client are rejected"
    );
    assert!(fixture.served(&FakeRequest::from("192.0.2.2"), 200));
    let decision = fixture.decide(&FakeRequest::from("192.0.2.3").key("guess"));
    assert_eq!(decision.verdict(1, 0).unwrap().remaining, 10 - 4, "what was rejected cost the key nothing");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_17_a_policy_in_shadow_counts_by_its_responses_too() {
    let mut fixture = fixture(
        r#"{"name": "logins", "key": "client_ip", "mode": "shadow", "count_on": [401],
            "limits": [{"quota": 2, "window": "60s"}]}"#,
    );
    let mut would_reject = |status| {
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(status));
        decision.shadows()[0].rejected()
    };
    assert_eq!([200, 200, 401, 401, 200].map(&mut would_reject), [false, false, false, false, true]);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_18_a_stock_moves_by_what_responses_say() {
    let mut fixture = fixture(
        r#"{"name": "webhooks", "key": "api_key", "match": [{"method": "POST", "path": "/v1/webhook_endpoints"}],
            "limits": [{"algorithm": "stock", "quota": 2}], "refund_unless": [201],
            "returns": [{"method": "DELETE", "path": "/v1/webhook_endpoints/{id}"}]}"#,
    );
    let create = || request("POST", "/v1/webhook_endpoints");
    let delete = || request("DELETE", "/v1/webhook_endpoints/7");
    assert!(fixture.served(&delete(), 204), "what is below 0 is 0");
    assert!(fixture.served(&create(), 400) && fixture.served(&create(), 500), "nothing was created");
    assert!(fixture.served(&create(), 201) && fixture.served(&create(), 201));
    assert!(!fixture.served(&create(), 201), "two exist");
    assert!(fixture.served(&delete(), 404));
    assert!(!fixture.served(&create(), 201), "nothing was deleted");
    assert!(fixture.served(&delete(), 204));
    assert!(fixture.served(&create(), 201));
    fixture.wait(366 * 86_400);
    assert!(!fixture.served(&create(), 201), "a stock never expires");
    let mut unanswered = fixture.decide(&delete());
    fixture.on_stream_end(&mut unanswered);
    assert!(!fixture.served(&create(), 201), "no answer, nothing deleted");
}

/// A policy for creates, of which deletes return a unit, with this limit.
fn creates(limit: &str) -> Fixture {
    fixture(&format!(
        r#"{{"name": "p", "key": "api_key", "match": [{{"method": "POST"}}], "limits": [{limit}],
            "returns": [{{"method": "DELETE"}}]}}"#
    ))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_return_gives_the_newest_unit_back_with_every_algorithm() {
    for limit in [
        r#"{"quota": 3, "window": "60s"}"#,
        r#"{"algorithm": "sliding_counter", "quota": 3, "window": "60s"}"#,
        r#"{"algorithm": "fixed_window", "quota": 3, "window": "60s"}"#,
        r#"{"algorithm": "token_bucket", "quota": 3, "window": "1h"}"#,
        r#"{"algorithm": "stock", "quota": 3}"#,
        r#"{"quota": 3, "window": "day"}"#,
        r#"{"quota": 3, "window": "60s"}, {"name": "open", "algorithm": "concurrency", "quota": 3}"#,
    ] {
        let mut fixture = creates(limit);
        let (create, delete) = (request("POST", "/"), request("DELETE", "/"));
        assert!(fixture.served(&delete, 204), "{limit}: what is below 0 is 0");
        for _ in 0..3 {
            assert!(fixture.served(&create, 201), "{limit}");
            fixture.wait(2);
        }
        assert!(!fixture.served(&create, 201), "{limit}");
        assert!(fixture.served(&delete, 404) && !fixture.served(&create, 201), "{limit}: not deleted");
        assert!(fixture.served(&delete, 204) && fixture.served(&delete, 204), "{limit}");
        assert!(fixture.served(&create, 201) && fixture.served(&create, 201), "{limit}: two are back");
        assert!(!fixture.served(&create, 201), "{limit}: and no more");
        for _ in 0..9 {
            fixture.served(&delete, 204);
        }
        let passed = (0..9).filter(|_| fixture.served(&create, 201)).count();
        assert_eq!(passed, 3, "{limit}: never more than all");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_sliding_window_the_newest_unit_goes_back_and_the_oldest_still_leaves_in_time() {
    let mut fixture = creates(r#"{"quota": 2, "window": "60s"}"#);
    let (create, delete) = (request("POST", "/"), request("DELETE", "/"));
    fixture.served(&create, 201);
    fixture.wait(40);
    fixture.served(&create, 201);
    fixture.served(&delete, 204);
    // The first unit leaves at 60 s. If it had been given back, the second would stay until 100 s.
    fixture.wait(21);
    assert!(fixture.served(&create, 201) && fixture.served(&create, 201) && !fixture.served(&create, 201));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_return_of_units_that_have_left_gives_nothing_back() {
    for (limit, wait) in [
        (r#"{"quota": 2, "window": "10s"}"#, 10),
        (r#"{"algorithm": "sliding_counter", "quota": 2, "window": "10s"}"#, 20),
        (r#"{"algorithm": "fixed_window", "quota": 2, "window": "10s"}"#, 10),
        (r#"{"algorithm": "token_bucket", "quota": 2, "window": "10s"}"#, 10),
    ] {
        let mut fixture = creates(limit);
        let (create, delete) = (request("POST", "/"), request("DELETE", "/"));
        assert!(fixture.served(&create, 201) && fixture.served(&create, 201));
        fixture.wait(wait);
        assert!(fixture.served(&delete, 204) && fixture.served(&delete, 204));
        assert!(fixture.served(&create, 201) && fixture.served(&create, 201), "{limit}");
        assert!(!fixture.served(&create, 201), "{limit}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_18_requests_at_the_same_time_can_not_pass_a_stock() {
    let mut fixture = fixture(
        r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "stock", "quota": 2}], "refund_unless": [201]}"#,
    );
    let request = FakeRequest::from("192.0.2.1").key("one");
    let mut open: Vec<_> = (0..3).map(|_| fixture.decide(&request)).collect();
    assert_eq!(open.iter().filter(|decision| !decision.rejected()).count(), 2);
    let mut failed = open.remove(0);
    fixture.on_response(&mut failed, &FakeResponse::of_upstream(409));
    fixture.on_stream_end(&mut failed);
    assert!(!fixture.decide(&request).rejected(), "nothing was created");
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_what_is_in_flight_is_counted_until_its_stream_ends() {
    let mut fixture =
        fixture(r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 2}]}"#);
    let request = FakeRequest::from("192.0.2.1").key("one");
    let (mut first, mut second) = (fixture.decide(&request), fixture.decide(&request));
    let rejected = fixture.decide(&request);
    assert!(!first.rejected() && !second.rejected() && rejected.rejected());
    assert_eq!(rejected.retry_after(), SECOND, "FP-14: a constant");
    fixture.on_response(&mut first, &FakeResponse::of_upstream(200));
    assert!(fixture.decide(&request).rejected(), "the response has begun, the stream has not ended");
    fixture.on_stream_end(&mut first);
    fixture.on_stream_end(&mut second);
    for round in 0..50 {
        assert!(fixture.served(&request, 200), "round {round} has leaked");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_a_rejected_request_holds_nothing() {
    let mut fixture = fixture(
        r#"{"name": "flight", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 2}]},
           {"name": "rate", "key": "client_ip", "limits": [{"quota": 1, "window": "1h"}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1").key("one");
    assert!(fixture.served(&request, 200));
    for _ in 0..9 {
        assert!(!fixture.served(&request, 200));
    }
    let other = |ip: &str| FakeRequest::from(ip).key("one");
    let open = [fixture.decide(&other("192.0.2.2")), fixture.decide(&other("192.0.2.3"))];
    assert!(open.iter().all(|decision| !decision.rejected()));
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_a_long_stream_stays_counted_while_its_worker_lives_and_not_after() {
    let mut fixture =
        fixture(r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 1}]}"#);
    let request = FakeRequest::from("192.0.2.1").key("one");
    let _open = fixture.decide(&request);
    for _ in 0..600 {
        fixture.wait(1);
        fixture.table.begin(&fixture.store, fixture.now).settle();
        assert!(fixture.decide(&request).rejected());
    }
    let table_size = fixture.engine.rules().table_size;
    fixture.table = Table::new(Seed::new([7; Seed::LEN]), table_size, WorkerId(2));
    fixture.wait(15);
    assert!(fixture.decide(&request).rejected(), "the dead worker is still believed");
    fixture.wait(16);
    assert!(!fixture.decide(&request).rejected(), "and then no more");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_23_the_month_counts_whatever_was_answered_and_a_refund_is_an_option() {
    for (refund, left) in [("", 7), (r#""refund_on": ["5xx"], "#, 9)] {
        let mut fixture = fixture(&format!(
            r#"{{"name": "p", "key": "api_key", {refund}"limits": [{{"quota": 10, "window": "1h"}}]}}"#
        ));
        let request = FakeRequest::from("192.0.2.1").key("one");
        for status in [200, 500, 503] {
            fixture.served(&request, status);
        }
        assert_eq!(fixture.decide(&request).verdict(0, 0).unwrap().remaining, left - 1);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_6_pa_9_rejected_requests_count_or_do_not_as_configured() {
    for (count, passes_after_10_s) in [("accepted", true), ("all", false)] {
        let mut fixture = fixture(&format!(
            r#"{{"name": "p", "key": "api_key", "count": "{count}", "limits": [{{"quota": 2, "window": "10s"}}]}}"#
        ));
        let request = FakeRequest::from("192.0.2.1").key("one");
        assert!(fixture.served(&request, 200) && fixture.served(&request, 200));
        fixture.wait(9);
        assert!(!fixture.served(&request, 200) && !fixture.served(&request, 200));
        fixture.wait(1);
        assert_eq!(fixture.served(&request, 200), passes_after_10_s, "{count}");
    }
}

/// The headers of the response itself are sent after that.
#[wasm_bindgen_test(unsupported = test)]
fn fa_13_what_is_left_is_told_as_the_response_has_changed_it() {
    let mut fixture = fixture(
        r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 10, "window": "60s"}]},
           {"name": "key", "key": "api_key", "refund_on": [401],
            "limits": [{"quota": 10, "window": "60s"}, {"name": "open", "algorithm": "concurrency", "quota": 5}]}"#,
    );
    let request = request("GET", "/");
    for (status, logins, key) in [(200, 10, 9), (401, 9, 9), (401, 8, 9), (500, 8, 8)] {
        let mut decision = fixture.decide(&request);
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(status));
        let left = |policy, limit| decision.verdict(policy, limit).unwrap().remaining;
        assert_eq!([left(0, 0), left(1, 0), left(1, 1)], [logins, key, 4], "{status}");
        fixture.on_stream_end(&mut decision);
    }
}

const LOGINS: &str =
    r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 5, "window": "60s"}]}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a3_failed_logins_are_judged_by_those_in_flight_too() {
    let mut fixture = fixture(LOGINS);
    let guess = || FakeRequest::from("192.0.2.1");
    let mut passed: Vec<_> =
        (0..800).map(|_| fixture.decide(&guess())).filter(|one| !one.rejected()).collect();
    assert_eq!(passed.len(), 5);
    // Good ones give their place back, bad ones do not.
    fixture.on_response(&mut passed[0], &FakeResponse::of_upstream(200));
    fixture.on_response(&mut passed[1], &FakeResponse::of_upstream(401));
    assert!(!fixture.decide(&guess()).rejected() && fixture.decide(&guess()).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a3_a_failed_login_counts_from_its_answer_on() {
    let mut fixture = fixture(LOGINS);
    let mut slow: Vec<_> = (0..5).map(|_| fixture.decide(&FakeRequest::from("192.0.2.1"))).collect();
    fixture.wait(59);
    slow.iter_mut().for_each(|decision| fixture.on_response(decision, &FakeResponse::of_upstream(401)));
    fixture.wait(59);
    assert!(fixture.decide(&FakeRequest::from("192.0.2.1")).rejected());
    fixture.wait(2);
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.1")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_of_what_exists_is_about_the_stock_alone() {
    let mut fixture = fixture(
        r#"{"name": "p", "key": "client_ip", "cost_header": "x-cost", "stock_header": "x-cost",
            "limits": [{"name": "stock", "algorithm": "stock", "quota": 50}, {"name": "hour", "quota": 100, "window": "1h"}]}"#,
    );
    let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1"));
    fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", "10"));
    let next = fixture.decide(&FakeRequest::from("192.0.2.1"));
    assert_eq!([0, 1].map(|limit| next.verdict(0, limit).unwrap().remaining), [39, 89]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stream_that_ends_under_a_newer_policy_takes_nothing_from_what_that_has_counted() {
    let policy = |limit: &str| {
        format!(
            r#"{{"keys": {{"client_ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "client_ip",
                 "refund_on": [500], "limits": [{{"quota": 100, {limit}}}]}}]}}"#
        )
    };
    for newer in [r#""window": "1h""#, r#""window": "1m", "algorithm": "fixed_window""#] {
        let mut fixture = Fixture::new(&policy(r#""window": "1m""#));
        let mut slow: Vec<_> = (0..5).map(|_| fixture.decide(&FakeRequest::from("192.0.2.1"))).collect();
        let older = std::mem::replace(&mut fixture.engine, Fixture::new(&policy(newer)).engine);
        fixture.table.set_in_force(fixture.engine.rules().limits());
        let mut passed = 0;
        for decision in &mut slow {
            passed +=
                (0..200).filter(|_| !fixture.decide(&FakeRequest::from("192.0.2.1")).rejected()).count();
            fixture.wait(if newer.contains("1h") { 70 } else { 0 });
            let response = FakeResponse::of_upstream(500);
            older.on_response(decision, &response, &mut fixture.table.begin(&fixture.store, fixture.now));
            older.on_stream_end(decision, &mut fixture.table.begin(&fixture.store, fixture.now));
        }
        assert!(passed <= 100, "{newer}: {passed} of 100");
    }
}
