//! What responses and the ends of streams change.

use super::*;

/// A response, and what it says in `x-cost`.
pub(super) struct Answered {
    pub status: u16,
    pub cost: Option<&'static str>,
}

impl Response for Answered {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        (name == "x-cost").then_some(self.cost?.as_bytes().to_vec())
    }
}

impl Fixture {
    /// One request and its whole life: decided, answered with a status, ended. Answers whether it passed.
    fn served(&mut self, call: &Call, status: u16) -> bool {
        let mut decision = self.decide(call);
        let passed = !decision.rejected();
        if passed {
            self.answered(&mut decision, status);
        }
        self.ended(&mut decision);
        passed
    }

    fn answered(&mut self, decision: &mut Decision, status: u16) {
        self.answered_with(decision, &Answered { status, cost: None });
    }

    /// As in the filter: the engine hears of a response, and of a stream's end, only if it says that it waits for one.
    pub(super) fn answered_with(&mut self, decision: &mut Decision, response: &Answered) {
        if self.engine.follows_the_response(decision) {
            self.engine.answered(decision, response, &mut self.table, &self.store, self.now);
        }
    }

    pub(super) fn ended(&mut self, decision: &mut Decision) {
        if self.engine.follows_the_end(decision) {
            self.engine.ended(decision, &mut self.table, &self.store, self.now);
        }
    }
}

fn house(policies: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"client_ip": {{"client_ip": {{}}}}, "api_key": {{"header": "authorization", "scheme": "Bearer"}}}}, "policies": [{policies}]}}"#
    ))
}

fn call(method: &str, path: &str) -> Call {
    Call::from("192.0.2.1").key("one").with(":method", method).with(":path", path)
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_17_failed_logins_are_counted_by_their_responses_and_spend_nobody_elses_quota() {
    let mut house = house(
        r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 3, "window": "60s"}]},
           {"name": "key", "key": "api_key", "limits": [{"quota": 10, "window": "60s"}]}"#,
    );
    let bad = || Call::from("192.0.2.1").key("guess");
    for _ in 0..8 {
        assert!(house.served(&Call::from("192.0.2.1"), 200), "a good request is never counted");
    }
    for attempt in 0..3 {
        assert!(house.served(&bad(), 401), "failure {attempt}");
    }
    assert!(!house.served(&bad(), 401));
    assert!(!house.served(&Call::from("192.0.2.1"), 200), "later attempts of this client are rejected");
    assert!(house.served(&Call::from("192.0.2.2"), 200));
    let decision = house.decide(&Call::from("192.0.2.3").key("guess"));
    assert_eq!(decision.verdict(1, 0).unwrap().remaining, 10 - 4, "what was rejected cost the key nothing");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_17_a_policy_in_shadow_counts_by_its_responses_too() {
    let mut house = house(
        r#"{"name": "logins", "key": "client_ip", "mode": "shadow", "count_on": [401],
            "limits": [{"quota": 2, "window": "60s"}]}"#,
    );
    let mut would_reject = |status| {
        let mut decision = house.decide(&Call::from("192.0.2.1"));
        house.answered(&mut decision, status);
        decision.shadows()[0].rejected()
    };
    assert_eq!([200, 200, 401, 401, 200].map(&mut would_reject), [false, false, false, false, true]);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_18_a_stock_moves_by_what_responses_say() {
    let mut house = house(
        r#"{"name": "webhooks", "key": "api_key", "match": [{"method": "POST", "path": "/v1/webhook_endpoints"}],
            "limits": [{"algorithm": "stock", "quota": 2}], "refund_unless": [201],
            "returns": [{"method": "DELETE", "path": "/v1/webhook_endpoints/{id}"}]}"#,
    );
    let create = || call("POST", "/v1/webhook_endpoints");
    let delete = || call("DELETE", "/v1/webhook_endpoints/7");
    assert!(house.served(&delete(), 204), "what is below 0 is 0");
    assert!(house.served(&create(), 400) && house.served(&create(), 500), "nothing was created");
    assert!(house.served(&create(), 201) && house.served(&create(), 201));
    assert!(!house.served(&create(), 201), "two exist");
    assert!(house.served(&delete(), 404));
    assert!(!house.served(&create(), 201), "nothing was deleted");
    assert!(house.served(&delete(), 204));
    assert!(house.served(&create(), 201));
    house.wait(366 * 86_400);
    assert!(!house.served(&create(), 201), "a stock never expires");
    let mut unanswered = house.decide(&delete());
    house.ended(&mut unanswered);
    assert!(!house.served(&create(), 201), "no answer, nothing deleted");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_18_requests_at_the_same_time_can_not_pass_a_stock() {
    let mut house = house(
        r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "stock", "quota": 2}], "refund_unless": [201]}"#,
    );
    let call = Call::from("192.0.2.1").key("one");
    let mut open: Vec<_> = (0..3).map(|_| house.decide(&call)).collect();
    assert_eq!(open.iter().filter(|decision| !decision.rejected()).count(), 2);
    let mut failed = open.remove(0);
    house.answered(&mut failed, 409);
    house.ended(&mut failed);
    assert!(!house.decide(&call).rejected(), "nothing was created");
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_what_is_in_flight_is_counted_until_its_stream_ends() {
    let mut house =
        house(r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 2}]}"#);
    let call = Call::from("192.0.2.1").key("one");
    let (mut first, mut second) = (house.decide(&call), house.decide(&call));
    let rejected = house.decide(&call);
    assert!(!first.rejected() && !second.rejected() && rejected.rejected());
    assert_eq!(rejected.retry_after(), SECOND, "FP-14: a constant");
    house.answered(&mut first, 200);
    assert!(house.decide(&call).rejected(), "the response has begun, the stream has not ended");
    house.ended(&mut first);
    house.ended(&mut second);
    for round in 0..50 {
        assert!(house.served(&call, 200), "round {round} has leaked");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_a_rejected_request_holds_nothing() {
    let mut house = house(
        r#"{"name": "flight", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 2}]},
           {"name": "rate", "key": "client_ip", "limits": [{"quota": 1, "window": "1h"}]}"#,
    );
    let call = Call::from("192.0.2.1").key("one");
    assert!(house.served(&call, 200));
    for _ in 0..9 {
        assert!(!house.served(&call, 200));
    }
    let other = |ip: &str| Call::from(ip).key("one");
    let open = [house.decide(&other("192.0.2.2")), house.decide(&other("192.0.2.3"))];
    assert!(open.iter().all(|decision| !decision.rejected()));
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_a_long_stream_stays_counted_while_its_worker_lives_and_not_after() {
    let mut house =
        house(r#"{"name": "p", "key": "api_key", "limits": [{"algorithm": "concurrency", "quota": 1}]}"#);
    let call = Call::from("192.0.2.1").key("one");
    let _open = house.decide(&call);
    for _ in 0..600 {
        house.wait(1);
        house.table.begin(&house.store, house.now).settle();
        assert!(house.decide(&call).rejected());
    }
    let geometry = house.engine.rules().geometry;
    house.table = Table::new(Seed::new([7; Seed::LEN]), geometry, WorkerId(2));
    house.wait(15);
    assert!(house.decide(&call).rejected(), "the dead worker is still believed");
    house.wait(16);
    assert!(!house.decide(&call).rejected(), "and then no more");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_23_the_month_counts_whatever_was_answered_and_a_refund_is_an_option() {
    for (refund, left) in [("", 7), (r#""refund_on": ["5xx"], "#, 9)] {
        let mut house = house(&format!(
            r#"{{"name": "p", "key": "api_key", {refund}"limits": [{{"quota": 10, "window": "1h"}}]}}"#
        ));
        let call = Call::from("192.0.2.1").key("one");
        for status in [200, 500, 503] {
            house.served(&call, status);
        }
        assert_eq!(house.decide(&call).verdict(0, 0).unwrap().remaining, left - 1);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_6_pa_9_rejected_requests_count_or_do_not_as_configured() {
    for (count, passes_after_10_s) in [("accepted", true), ("all", false)] {
        let mut house = house(&format!(
            r#"{{"name": "p", "key": "api_key", "count": "{count}", "limits": [{{"quota": 2, "window": "10s"}}]}}"#
        ));
        let call = Call::from("192.0.2.1").key("one");
        assert!(house.served(&call, 200) && house.served(&call, 200));
        house.wait(9);
        assert!(!house.served(&call, 200) && !house.served(&call, 200));
        house.wait(1);
        assert_eq!(house.served(&call, 200), passes_after_10_s, "{count}");
    }
}

/// The headers of the response itself are sent after that.
#[wasm_bindgen_test(unsupported = test)]
fn fa_13_what_is_left_is_told_as_the_response_has_changed_it() {
    let mut house = house(
        r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 10, "window": "60s"}]},
           {"name": "key", "key": "api_key", "refund_on": [401],
            "limits": [{"quota": 10, "window": "60s"}, {"name": "open", "algorithm": "concurrency", "quota": 5}]}"#,
    );
    let call = call("GET", "/");
    for (status, logins, key) in [(200, 10, 9), (401, 9, 9), (401, 8, 9), (500, 8, 8)] {
        let mut decision = house.decide(&call);
        house.answered(&mut decision, status);
        let left = |policy, limit| decision.verdict(policy, limit).unwrap().remaining;
        assert_eq!([left(0, 0), left(1, 0), left(1, 1)], [logins, key, 4], "{status}");
        house.ended(&mut decision);
    }
}

const LOGINS: &str =
    r#"{"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 5, "window": "60s"}]}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a3_failed_logins_are_judged_by_those_in_flight_too() {
    let mut house = house(LOGINS);
    let guess = || Call::from("192.0.2.1");
    let mut passed: Vec<_> = (0..800).map(|_| house.decide(&guess())).filter(|one| !one.rejected()).collect();
    assert_eq!(passed.len(), 5);
    // Good ones give their place back, bad ones do not.
    house.answered(&mut passed[0], 200);
    house.answered(&mut passed[1], 401);
    assert!(!house.decide(&guess()).rejected() && house.decide(&guess()).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a3_a_failed_login_counts_from_its_answer_on() {
    let mut house = house(LOGINS);
    let mut slow: Vec<_> = (0..5).map(|_| house.decide(&Call::from("192.0.2.1"))).collect();
    house.wait(59);
    slow.iter_mut().for_each(|decision| house.answered(decision, 401));
    house.wait(59);
    assert!(house.decide(&Call::from("192.0.2.1")).rejected());
    house.wait(2);
    assert!(!house.decide(&Call::from("192.0.2.1")).rejected());
}

/// A response that Envoy makes in the upstream's place.
struct Envoys(u16, bool);

impl Response for Envoys {
    fn status(&self) -> u16 {
        self.0
    }

    fn is_upstreams(&self) -> bool {
        false
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        (self.1 && name == "grpc-status").then(|| b"14".to_vec())
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_what_envoy_answers_in_the_upstreams_place_is_no_answer_and_what_another_filter_does_is_one() {
    for (response, counts) in [
        (Envoys(504, false), true),
        (Envoys(503, false), true),
        (Envoys(408, false), true),
        (Envoys(200, true), true),
        (Envoys(403, false), false),
        (Envoys(200, false), false),
    ] {
        let mut house = house(LOGINS);
        for _ in 0..5 {
            let mut decision = house.decide(&Call::from("192.0.2.1"));
            house.engine.answered(&mut decision, &response, &mut house.table, &house.store, house.now);
            house.ended(&mut decision);
        }
        assert_eq!(house.decide(&Call::from("192.0.2.1")).rejected(), counts, "{}", response.0);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_a_policy_may_say_what_a_request_without_an_answer_costs() {
    for (unanswered, left) in [("\"keep\"", 8), ("\"refund\"", 10), ("1", 9), ("7", 3)] {
        let mut house = house(&format!(
            r#"{{"name": "p", "key": "client_ip", "cost": 2, "cost_header": "x-cost", "unanswered": {unanswered},
                 "limits": [{{"quota": 10, "window": "60s"}}]}}"#
        ));
        let mut decision = house.decide(&Call::from("192.0.2.1"));
        house.ended(&mut decision);
        let next = house.decide(&Call::from("192.0.2.1"));
        assert_eq!(next.verdict(0, 0).unwrap().remaining, left - 2, "{unanswered}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_another_policy_rejects_never_reached_the_upstream_and_holds_nothing() {
    let mut house = Fixture::new(
        r#"{"charge": "sequential", "keys": {"client_ip": {"client_ip": {}}}, "policies": [
            {"name": "stock", "key": "client_ip", "refund_unless": [201],
             "limits": [{"algorithm": "stock", "quota": 5}]},
            {"name": "logins", "key": "client_ip", "count_on": [401], "limits": [{"quota": 5, "window": "60s"}]},
            {"name": "plain", "key": "client_ip", "limits": [{"quota": 5, "window": "60s"}]},
            {"name": "one", "key": "client_ip", "limits": [{"quota": 1, "window": "60s"}]}]}"#,
    );
    assert!(house.served(&Call::from("192.0.2.1"), 201));
    for _ in 0..3 {
        assert!(!house.served(&Call::from("192.0.2.1"), 201));
    }
    let left = house.decide(&Call::from("192.0.2.1"));
    let left = |policy| left.verdict(policy, 0).unwrap().remaining;
    assert_eq!([left(0), left(1), left(2)], [3, 4, 0], "in order, what is plain is spent");
}

/// A response that Envoy makes although it had chosen an upstream.
struct BrokenOff(u16);

impl Response for BrokenOff {
    fn status(&self) -> u16 {
        self.0
    }

    fn is_upstreams(&self) -> bool {
        false
    }

    fn has_an_upstream(&self) -> bool {
        true
    }

    fn header(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_a_request_that_the_client_breaks_off_in_the_middle_gets_no_answer() {
    for status in [400, 413, 431] {
        let mut house = house(LOGINS);
        for _ in 0..5 {
            let mut decision = house.decide(&Call::from("192.0.2.1"));
            house.engine.answered(
                &mut decision,
                &BrokenOff(status),
                &mut house.table,
                &house.store,
                house.now,
            );
            house.ended(&mut decision);
        }
        assert!(house.decide(&Call::from("192.0.2.1")).rejected(), "{status}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_of_what_exists_is_about_the_stock_alone() {
    let mut house = house(
        r#"{"name": "p", "key": "client_ip", "cost_header": "x-cost", "stock_header": "x-cost",
            "limits": [{"name": "stock", "algorithm": "stock", "quota": 50}, {"name": "hour", "quota": 100, "window": "1h"}]}"#,
    );
    let mut decision = house.decide(&Call::from("192.0.2.1"));
    house.answered_with(&mut decision, &Answered { status: 200, cost: Some("10") });
    let next = house.decide(&Call::from("192.0.2.1"));
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
        let mut house = Fixture::new(&policy(r#""window": "1m""#));
        let mut slow: Vec<_> = (0..5).map(|_| house.decide(&Call::from("192.0.2.1"))).collect();
        let older = std::mem::replace(&mut house.engine, Fixture::new(&policy(newer)).engine);
        house.table.set_in_force(house.engine.rules().limits());
        let mut passed = 0;
        for decision in &mut slow {
            passed += (0..200).filter(|_| !house.decide(&Call::from("192.0.2.1")).rejected()).count();
            house.wait(if newer.contains("1h") { 70 } else { 0 });
            let response = Answered { status: 500, cost: None };
            older.answered(decision, &response, &mut house.table, &house.store, house.now);
            older.ended(decision, &mut house.table, &house.store, house.now);
        }
        assert!(passed <= 100, "{newer}: {passed} of 100");
    }
}
