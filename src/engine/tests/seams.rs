//! What holds between parts: stated quotas, returns, credentials, bodies and trailers, together.

use super::*;

const STATED: &str = r#"{
    "keys": {"ip": {"client_ip": {}}, "rpm": {"metadata": ["auth", "rpm"]},
             "api_key": {"header": "x-key", "valid": {"unless": [401]}}, "who": {"first_of": ["api_key", "ip"]}},
    "policies": [{"name": "p", "key": "KEY", MORE "limits": [
        {"name": "minute", "algorithm": "ALGORITHM", "quota": QUOTA, WINDOW
         "quota_from": {"key": "rpm", "min": 2, "max": 2000000}}]}]
}"#;

fn stated(algorithm: &str, key: &str, quota: &str, more: &str) -> Fixture {
    let window = if algorithm == "concurrency" { "" } else { r#""window": "1h","# };
    let policy = STATED.replace("ALGORITHM", algorithm).replace("WINDOW", window).replace("MORE", more);
    Fixture::new(&policy.replace("KEY", key).replace("QUOTA", quota))
}

fn stating(quota: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with_metadata(MetadataPath::new(["auth", "rpm"]), quota)
}

fn left(fixture: &mut Fixture, request: &FakeRequest) -> u64 {
    fixture.decide(request).verdict(0, 0).unwrap().remaining
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejected_credential_is_counted_under_the_quota_that_its_request_has_stated() {
    for (algorithm, quota) in [("token_bucket", "3"), ("sliding_window", "3"), ("sliding_window", "0")] {
        let mut fixture = stated(algorithm, "who", quota, "");
        assert_eq!(fixture.passed(100, |_| stating("1000")), 100);
        assert!(fixture.served(&stating("1000").with("x-key", "made-up"), 401));
        assert_eq!(left(&mut fixture, &stating("1000")), 898, "{algorithm} {quota}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_unit_goes_back_under_the_quota_that_its_request_has_stated() {
    for (algorithm, quota) in
        [("token_bucket", "3"), ("sliding_window", "3"), ("sliding_window", "0"), ("stock", "0")]
    {
        let window = if algorithm == "stock" { "" } else { r#""window": "1h","# };
        let mut fixture = Fixture::new(
            &STATED
                .replace("ALGORITHM", algorithm)
                .replace("KEY", "ip")
                .replace("QUOTA", quota)
                .replace("WINDOW", window)
                .replace("MORE", r#""match": [{"method": "POST"}], "returns": [{"method": "DELETE"}], "#),
        );
        let create = || stating("1000").with(":method", "POST");
        for _ in 0..100 {
            assert!(fixture.served(&create(), 201));
        }
        assert!(fixture.served(&stating("1000").with(":method", "DELETE"), 204));
        assert_eq!(left(&mut fixture, &create()), 900, "{algorithm} {quota}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn units_kept_in_flight_under_a_large_quota_do_not_serve_a_small_one() {
    let mut fixture = stated("concurrency", "ip", "3", "");
    let mut large: Vec<Decision> = (0..3_000).map(|_| fixture.decide(&stating("200000"))).collect();
    let first = fixture.decide(&stating("1000"));
    assert!(first.rejected());
    large.iter_mut().for_each(|one| fixture.on_stream_end(one));
    assert!(fixture.passed(3_000, |_| stating("1000")) <= 1_000);
    let mut fixture = stated("concurrency", "ip", "3", "");
    let mut small = fixture.decide(&stating("1000"));
    let mut large: Vec<Decision> = (0..3_000).map(|_| fixture.decide(&stating("200000"))).collect();
    fixture.on_stream_end(&mut small);
    large.iter_mut().for_each(|one| fixture.on_stream_end(one));
    let passed = fixture.passed(3_000, |_| stating("1000"));
    assert!(passed <= 1_000, "{passed}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_in_the_body_of_a_response_whose_trailers_decide_is_settled() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "p", "key": "ip", "cost": 1, "count_on": ["2xx", "grpc:ok"],
             "cost_body": {"sum": [{"json": "/usage/total"}], "without": 7}, "limits": [{"quota": 20, "window": "1m"}]}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    let mut decision = fixture.decide(&request);
    fixture
        .on_response(&mut decision, &FakeResponse::of_upstream(200).with("content-type", "application/grpc"));
    fixture.on_trailers(&mut decision, &[("grpc-status", "0")]);
    fixture.on_stream_end(&mut decision);
    assert!(!decision.awaits_body());
    assert_eq!(left(&mut fixture, &request), 12);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_quota_of_0_for_callers_without_credentials_does_not_lock_a_consumer_out() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"api_key": {"header": "x-key", "valid": {"unless": [401]}}, "ip": {"client_ip": {}},
                     "who": {"first_of": ["api_key", "ip"]}},
            "tiers": {"names": ["anonymous", "known"], "default": "anonymous"},
            "consumers": [{"name": "anna", "keys": {"api_key": ["anna"]}, "tier": "known"}],
            "policies": [{"name": "p", "key": "who",
                          "limits": [{"quota": {"anonymous": 0, "known": 5}, "window": "60s"}]}]}"#,
    );
    let by = |key: &str| FakeRequest::from("192.0.2.1").with("x-key", key);
    assert!(!fixture.served(&by("made-up"), 200));
    assert!(fixture.served(&by("anna"), 200), "nothing could ever prove her credential");
    assert!((0..9).filter(|_| fixture.served(&by("anna"), 200)).count() == 4);
    assert!(!fixture.served(&FakeRequest::from("192.0.2.1"), 200));
}

/// Two workers, requests in flight, and an oracle: what is counted since the last reset and what is in flight since
/// then is never more than the quota, and a request is rejected only if it is that many.
struct Judge {
    tables: [crate::table::Table; 2],
    fixture: Fixture,
    open: Vec<(usize, u64, Decision)>,
    counted: Vec<u64>,
    reset: u64,
    /// The number of the operation.
    step: u64,
}

impl Judge {
    fn new(policy: &str) -> Judge {
        let fixture = Fixture::new(policy);
        let table = |id| {
            crate::table::Table::new(
                crate::identity::Seed::new([7; crate::identity::Seed::LEN]),
                fixture.engine.rules().table_size,
                crate::limiter::concurrency::WorkerId(id),
            )
        };
        Judge {
            tables: [table(1), table(2)],
            fixture,
            open: Vec::new(),
            counted: Vec::new(),
            reset: 0,
            step: 0,
        }
    }

    fn used(&self) -> usize {
        self.counted.iter().filter(|at| **at > self.reset).count()
            + self.open.iter().filter(|(_, since, _)| *since > self.reset).count()
    }

    fn act(&mut self, choice: u64, quota: usize, slack: usize) {
        self.step += 1;
        let Fixture { engine, store, now, .. } = &mut self.fixture;
        let worker = (choice >> 8) as usize % 2;
        now.mono += choice >> 16 & 0x3FF;
        now.wall += choice >> 16 & 0x3FF;
        match choice % 16 {
            0..9 => {
                let request = FakeRequest::from("192.0.2.1");
                let decision = engine.decide(&request, &mut self.tables[worker].begin(store, *now));
                let used = self.used();
                if decision.rejected() {
                    assert!(used + slack >= quota, "step {}: rejected at {used}", self.step);
                } else {
                    assert!(used < quota, "step {}: admitted at {used}", self.step);
                    self.open.push((worker, self.step, decision));
                }
            }
            9 => self.tables[worker].begin(store, *now).settle(),
            what if !self.open.is_empty() => {
                let at = (choice >> 40) as usize % self.open.len();
                let (worker, _, mut decision) = self.open.swap_remove(at);
                let status = if what == 10 && self.step.is_multiple_of(7) {
                    200
                } else if what < 12 {
                    401
                } else {
                    404
                };
                let mut transaction = self.tables[worker].begin(store, *now);
                engine.on_response(&mut decision, &FakeResponse::of_upstream(status), &mut transaction);
                match status {
                    200 => self.reset = self.step,
                    401 => self.counted.push(self.step),
                    _ => {}
                }
                if engine.awaits_stream_end(&decision) {
                    engine.on_stream_end(&mut decision, &mut transaction);
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[wasm_bindgen_test(unsupported = test)]
    fn resets_and_requests_in_flight_of_two_workers_are_judged_exactly(choices in proptest::collection::vec(any::<u64>(), 400), algorithm in 0..4_usize) {
        // An even bucket gives back what has not flowed in since: a moment less.
        let slack = usize::from(algorithm == 2);
        let algorithm = [r#""algorithm": "sliding_window""#, r#""algorithm": "fixed_window""#, r#""algorithm": "token_bucket""#, r#""algorithm": "token_bucket", "refill": "at_once""#][algorithm];
        let mut judge = Judge::new(&format!(r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [
            {{"name": "p", "key": "ip", "count_on": [401], "reset_on": [200], "limits": [{{"quota": 6, "window": "10h", {algorithm}}}]}}]}}"#));
        for choice in choices {
            judge.act(choice, 6, slack);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn leases_of_held_units_of_two_workers_never_pass_the_quota(choices in proptest::collection::vec(any::<u64>(), 3_000), slack in Just(140)) {
        let mut judge = Judge::new(r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "p", "key": "ip", "count_on": [401, 200], "limits": [{"quota": 1000, "window": "10h"}]}]}"#);
        for i in 0..900 { judge.act(i << 20, 1_000, slack); }
        for choice in choices {
            // 200 counts as well here.
            let before = judge.reset;
            judge.act(choice, 1_000, slack);
            if judge.reset != before { judge.reset = before; let step = judge.step; judge.counted.push(step); }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_states_a_small_quota_does_not_refill_a_bucket() {
    for more in
        [r#""count": "all", "#, r#""block_for": "1s", "#, r#""cost": 1, "cost_header": "x-cost", "#, ""]
    {
        for refill in ["at_once", "evenly"] {
            let algorithm = format!(r#"token_bucket", "refill": "{refill}"#);
            let mut fixture = stated(&algorithm, "ip", "3", more);
            let mut open = fixture.decide(&stating("1"));
            assert!(!open.rejected());
            assert_eq!(
                fixture.passed(5_000, |_| stating("5000")),
                4_999 - usize::from(refill == "evenly") * 2_499,
                "{more}{refill}"
            );
            fixture.passed(3, |_| stating("1"));
            fixture.on_response(&mut open, &FakeResponse::of_upstream(200).with("x-cost", "2"));
            fixture.on_stream_end(&mut open);
            fixture.wait(2);
            let passed = fixture.passed(5_000, |_| stating("5000"));
            assert!(passed < 10, "{more}{refill}: {passed}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_states_a_small_quota_does_not_empty_a_window() {
    for more in [
        r#""count": "all", "#,
        r#""block_for": "1s", "#,
        r#""block_for": "1s", "after_block": "resume", "reset_on": [500], "#,
        r#""cost": 1, "cost_header": "x-cost", "#,
        r#""refund_on": [200], "#,
        r#""count_on": [201], "#,
    ] {
        for algorithm in ["sliding_window", "sliding_counter", "fixed_window", "leaky_bucket"] {
            let mut fixture = stated(algorithm, "ip", "3", more);
            let mut open = fixture.decide(&stating("1"));
            let mut slow = fixture.decide(&stating("1200"));
            assert!(!open.rejected() && (!slow.rejected() || algorithm == "leaky_bucket"));
            let first = fixture.passed(1_200, |_| stating("1200"));
            fixture.passed(3, |_| stating("1"));
            fixture.on_response(&mut open, &FakeResponse::of_upstream(200).with("x-cost", "2"));
            fixture.on_stream_end(&mut open);
            fixture.on_response(&mut slow, &FakeResponse::of_upstream(200).with("x-cost", "2"));
            fixture.on_stream_end(&mut slow);
            fixture.wait(2);
            let passed = fixture.passed(1_200, |_| stating("1200"));
            assert!(first + passed < 1_210, "{more}{algorithm}: {first} {passed}");
        }
    }
}

/// Or a client has what it asked for and leaves just before the end.
#[wasm_bindgen_test(unsupported = test)]
fn to_leave_before_the_trailers_is_not_cheaper_than_to_stay() {
    for (without, stays, leaves) in [("refund", 0, 3), ("keep", 3, 3), ("7", 7, 7), ("1", 1, 3)] {
        let without = if without.len() > 1 { format!("\"{without}\"") } else { without.into() };
        for (trailers, cost) in [(Some(&[][..]), stays), (Some(&[("x-cost", "5")][..]), 5), (None, leaves)] {
            let mut fixture = Fixture::new(&format!(
                r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", "cost": 3,
                     "cost_header": {{"name": "x-cost", "in": "trailers", "without": {without}}},
                     "limits": [{{"quota": 20, "window": "1m"}}]}}]}}"#
            ));
            let request = FakeRequest::from("192.0.2.1");
            let mut decision = fixture.decide(&request);
            fixture.on_response(&mut decision, &FakeResponse::of_upstream(200));
            trailers.iter().for_each(|trailers| fixture.on_trailers(&mut decision, trailers));
            fixture.on_stream_end(&mut decision);
            assert_eq!(left(&mut fixture, &request), 17 - cost, "{without} {trailers:?}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_of_another_tollgate_with_a_status_of_success_is_one_everywhere() {
    for (rules, counted) in [
        (r#""count_on": [429]"#, 1),
        (r#""count_on": ["2xx"]"#, 0),
        (r#""refund_on": [429]"#, 0),
        (r#""refund_on": ["2xx"]"#, 1),
        (r#""reset_on": [429]"#, 0),
        (r#""reset_on": [200]"#, 2),
    ] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", {rules},
                 "limits": [{{"quota": 20, "window": "1m"}}]}}]}}"#
        ));
        let request = FakeRequest::from("192.0.2.1");
        let earlier = rules.contains("reset_on") && fixture.served(&request, 404);
        let mut decision = fixture.decide(&request);
        fixture.on_response(&mut decision, &FakeResponse::rejected_as(200));
        fixture.on_stream_end(&mut decision);
        assert_eq!(left(&mut fixture, &request), 19 - counted, "{rules} {earlier}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_access_log_names_a_policy_in_shadow_once() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"m": {"request": "match"}}, "access_log": true, "policies": [{"name": "p", "key": "m", "mode": "shadow",
            "match": [{"name": "login", "path": "/login"}, {"name": "rest"}],
            "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    fixture.decide(&FakeRequest::to("/LOGIN"));
    let decision = fixture.decide(&FakeRequest::to("/LOGIN"));
    assert!(fixture.replies.access_line(&decision).unwrap().ends_with(" shadow=p"));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejected_credential_counts_for_callers_without_one_whatever_else_the_policy_reads() {
    for (rules, counted) in [
        (r#""cost": 1"#, 1),
        (r#""count_on": [401]"#, 1),
        (r#""count_on": [404]"#, 0),
        (r#""refund_on": [503]"#, 1),
        (r#""refund_on": [401]"#, 0),
        (r#""reset_on": [200]"#, 1),
        (r#""cost_header": "x-cost""#, 4),
        (r#""cost_header": "x-other""#, 1),
        (r#""cost_body": {"sum": [{"json": "/usage"}]}"#, 1),
    ] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}, "api_key": {{"header": "x-key", "valid": {{"unless": [401]}}}},
                          "who": {{"first_of": ["api_key", "ip"]}}}},
                 "policies": [{{"name": "p", "key": "who", {rules}, "limits": [{{"quota": 20, "window": "1m"}}]}}]}}"#
        ));
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1").with("x-key", "made-up"));
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(401).with("x-cost", "4"));
        fixture.on_stream_end(&mut decision);
        assert_eq!(left(&mut fixture, &FakeRequest::from("192.0.2.1")), 19 - counted, "{rules}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn no_spelling_chooses_by_which_match_a_parameter_of_the_path_is_read() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"id": {"path": "id"}}, "policies": [{"name": "p", "key": "id",
            "match": [{"path": "/a/{id}/**"}, {"path": "/b/{id}"}],
            "limits": [{"quota": 3, "window": "1m"}]}]}"#,
    );
    assert_eq!(fixture.passed(3, |_| FakeRequest::to("/b/2")), 3);
    // Tomcat reads /b/2.
    assert_eq!(fixture.passed(9, |i| FakeRequest::to(&format!("/a/{i}/..;/..;/b/2"))), 0);
    assert_eq!(
        fixture.passed(9, |i| FakeRequest::to(&format!("/a/x{}/y", i % 3))),
        9,
        "others are not affected"
    );
}
