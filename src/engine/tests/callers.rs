//! Who is asking: consumers, tiers, quotas of their own, and credentials that an upstream rejects.

use super::*;

const PLANS: &str = r#"
    "keys": {
        "api_key": {"header": "authorization", "scheme": "Bearer"},
        "company": {"consumer": "company"},
        "plan": {"metadata": ["auth", "plan"]}
    },
    "tiers": {"names": ["free", "pro"], "default": "free", "from": "plan"},
    "consumers": [
        {"name": "acme", "keys": {"api_key": ["a1", "a2"]}, "tier": "pro", "attributes": {"company": "c1"}},
        {"name": "big", "keys": {"api_key": ["sha256:0b5ad12684c9cd50688003294a9afdfb378ce46604e8505d2cf9772777204783"]},
         "tier": "pro", "quotas": {"api/minute": 5}},
        {"name": "lone", "keys": {"api_key": ["l1"]}, "attributes": {"company": "c1"}}
    ],
    "policies": [{"name": "api", "key": "api_key", "limits": [
        {"name": "minute", "quota": {"free": 2, "pro": 3}, "window": "1m"},
        {"name": "day", "quota": 100, "window": "1d"}]}]"#;

fn key(key: &str) -> FakeRequest {
    FakeRequest::default().key(key)
}

fn of_ten(fixture: &mut Fixture, request: impl Fn() -> FakeRequest) -> usize {
    fixture.passed(10, |_| request())
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_2_a_key_has_its_tier_the_default_one_or_a_quota_of_its_own() {
    let mut fixture = Fixture::new(&format!("{{{PLANS}}}"));
    assert_eq!(of_ten(&mut fixture, || key("unknown")), 2);
    assert_eq!(of_ten(&mut fixture, || key("a1")), 3);
    assert_eq!(of_ten(&mut fixture, || key("l1")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_8_a_consumer_can_have_a_quota_of_its_own() {
    let mut fixture = Fixture::new(&format!("{{{PLANS}}}"));
    assert_eq!(of_ten(&mut fixture, || key("big-key")), 5);
    let decision = fixture.decide(&key("big-key"));
    assert_eq!(fixture.engine.rules().callers.consumers.list()[decision.consumer().unwrap()].name, "big");
    // The other limit is its tier's.
    assert_eq!(decision.policies()[0].outcome.verdicts[1].quota, 100);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_change_of_tier_moves_the_cap_and_keeps_the_count() {
    let mut fixture = Fixture::new(&format!("{{{PLANS}}}"));
    let with_plan = |plan| key("someone").with_metadata(MetadataPath::new(["auth", "plan"]), plan);
    assert_eq!(of_ten(&mut fixture, || with_plan("free")), 2);
    assert_eq!(of_ten(&mut fixture, || with_plan("pro")), 1);
    // Down again: nothing is left, and never less than nothing.
    let decision = fixture.decide(&with_plan("free"));
    assert!(decision.rejected());
    assert_eq!((decision.verdict(0, 0).unwrap().quota, decision.verdict(0, 0).unwrap().remaining), (2, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_18_two_keys_of_one_company_share_a_budget_of_the_company() {
    let policies = PLANS.replace("\"key\": \"api_key\"", "\"key\": \"company\"");
    let mut fixture = Fixture::new(&format!("{{{policies}}}"));
    assert_eq!(fixture.passed(4, |_| key("a1")), 3);
    assert_eq!(fixture.passed(4, |_| key("a2")), 0);
    // Another consumer of the same company, in a lower tier: the count is one.
    assert_eq!(fixture.passed(4, |_| key("l1")), 0);
    assert_eq!(fixture.passed(4, |_| key("nobody")), 4);
}

/// A key that the upstream judges, 3 a minute, and 2 a minute by address without one.
const JUDGED: &str = r#"{
    "keys": {
        "ip": {"client_ip": {}},
        "api_key": {"header": "authorization", "scheme": "Bearer", "prefix": 4,
                    "valid": {"unless": [401], "for": "10m"}}
    },
    "policies": [
        {"name": "key", "class": "who", "key": "api_key", "limits": [{"quota": 3, "window": "1m"}]},
        {"name": "ip", "class": "who", "key": "ip", "limits": [{"quota": 2, "window": "1m"}]}
    ]}"#;

fn judged(fixture: &mut Fixture, key: &str, status: u16) -> Option<usize> {
    judged_from(fixture, "192.0.2.1", key, status)
}

fn judged_from(fixture: &mut Fixture, ip: &str, key: &str, status: u16) -> Option<usize> {
    let mut decision = fixture.decide(&FakeRequest::from(ip).key(key));
    let policy = decision.policies()[0].policy;
    fixture.on_response(&mut decision, &FakeResponse::of_upstream(status));
    (!decision.rejected()).then_some(policy)
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_a_key_that_the_upstream_rejected_is_no_key_for_a_while() {
    let mut fixture = Fixture::new(JUDGED);
    assert_eq!(judged(&mut fixture, "bogus", 401), Some(0));
    // That one counts by the address after all: one of two is left there.
    assert_eq!(judged(&mut fixture, "bogus", 401), Some(1));
    assert_eq!(judged(&mut fixture, "bogus", 401), None);
    fixture.now.mono += 600 * SECOND;
    fixture.now.wall += 600 * SECOND;
    assert_eq!(judged(&mut fixture, "bogus", 200), Some(0));
    assert_eq!(judged(&mut fixture, "bogus", 200), Some(0));
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_a_rejected_key_takes_no_other_with_it() {
    let mut fixture = Fixture::new(JUDGED);
    assert_eq!(judged(&mut fixture, "bogus-1", 401), Some(0));
    // They count together, but each is valid by itself.
    assert_eq!(judged(&mut fixture, "bogus-2", 200), Some(0));
    assert_eq!(judged(&mut fixture, "bogus-1", 200), Some(1));
    // Other statuses reject no key.
    for (address, status) in [("192.0.2.2", 403), ("192.0.2.3", 500), ("192.0.2.4", 200)] {
        assert_eq!(judged_from(&mut fixture, address, "good", status), Some(0));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a3_no_more_made_up_keys_are_in_flight_than_a_caller_without_a_key_has_requests() {
    let mut fixture = Fixture::new(JUDGED);
    let request = |i: u32| FakeRequest::from("192.0.2.1").key(&format!("{i:04}-made-up"));
    let in_flight: Vec<_> =
        (0..50).map(|i| fixture.decide(&request(i))).filter(|one| !one.rejected()).collect();
    assert_eq!(in_flight.len(), 2);
    let rejected = fixture.decide(&request(50));
    assert_eq!(rejected.policies().iter().map(|one| one.policy).collect::<Vec<_>>(), [1], "as without a key");
    // Who shows no key has requests of its own.
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.1")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn a2_made_up_keys_that_hang_up_before_they_are_rejected_stay_counted() {
    let mut fixture = Fixture::new(JUDGED);
    let hang_up = |fixture: &mut Fixture, i: u32| {
        let mut decision = fixture.decide(&FakeRequest::from("192.0.2.1").key(&format!("{i:04}-made-up")));
        fixture.on_stream_end(&mut decision);
        !decision.rejected()
    };
    assert_eq!((0..50).filter(|i| hang_up(&mut fixture, *i)).count(), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn a3_made_up_keys_hold_their_units_whatever_the_answer_is_unless_it_is_a_good_one() {
    for (status, pass) in [(404, 2), (400, 2), (500, 2), (302, 2), (200, 50)] {
        let mut fixture = Fixture::new(JUDGED);
        let checked = (0..50).filter(|i| judged(&mut fixture, &format!("{i:04}-made-up"), status).is_some());
        assert_eq!(checked.count(), pass, "{status}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_trial_that_rejects_in_sequence_leaves_nothing_in_flight() {
    let sequential = JUDGED.replacen('{', r#"{"charge": "sequential","#, 1);
    let concurrency = r#""limits": [{"algorithm": "concurrency", "quota": 3}]"#;
    let mut fixture =
        Fixture::new(&sequential.replacen(r#""limits": [{"quota": 3, "window": "1m"}]"#, concurrency, 1));
    for i in 0..2 {
        let mut left = fixture.decide(&FakeRequest::from("192.0.2.1").key(&format!("{i:04}-made-up")));
        fixture.on_stream_end(&mut left);
    }
    for _ in 0..8 {
        let mut rejected = fixture.decide(&FakeRequest::from("192.0.2.1").key("honest"));
        assert!(rejected.rejected());
        fixture.on_stream_end(&mut rejected);
    }
    assert!(
        !fixture.decide(&FakeRequest::from("198.51.100.1").key("honest")).rejected(),
        "nothing is in flight"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn of_several_credentials_an_answer_proves_none() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "a": {"header": "x-a", "valid": {"unless": [401]}},
                     "b": {"header": "x-b", "valid": {"unless": [401]}}},
            "policies": [{"name": "a", "class": "who", "key": "a", "limits": [{"quota": 50, "window": "1m"}]},
                         {"name": "b", "class": "who", "key": "b", "limits": [{"quota": 50, "window": "1m"}]},
                         {"name": "ip", "class": "who", "key": "ip", "limits": [{"quota": 2, "window": "1m"}]}]}"#,
    );
    let request = || FakeRequest::from("192.0.2.1").with("x-b", "made-up");
    let mut both = fixture.decide(&request().with("x-a", "valid"));
    fixture.on_response(&mut both, &FakeResponse::of_upstream(200));
    let in_flight = (0..20).map(|_| fixture.decide(&request())).filter(|one| !one.rejected());
    assert_eq!(in_flight.count(), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_made_up_key_that_is_rejected_spends_nothing_of_whoever_shares_its_prefix() {
    let mut fixture = Fixture::new(JUDGED);
    for i in 0..2 {
        assert_eq!(judged_from(&mut fixture, "198.51.100.1", &format!("good-{i}"), 401), Some(0));
    }
    for _ in 0..3 {
        assert_eq!(judged(&mut fixture, "good-one", 200), Some(0));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_a_key_that_an_answer_has_proved_has_all_its_requests_at_once() {
    let mut fixture = Fixture::new(JUDGED);
    assert_eq!(judged(&mut fixture, "good", 200), Some(0));
    let request = FakeRequest::from("192.0.2.1").key("good");
    let in_flight: Vec<_> = (0..5).map(|_| fixture.decide(&request)).filter(|one| !one.rejected()).collect();
    assert_eq!(in_flight.len(), 2, "two of three are left, and nothing is held elsewhere");
    // Its address has as many as before for new keys and for none.
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.1").key("next")).rejected());
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.1")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn of_two_consumers_the_one_of_the_first_key_by_name_is_taken_in_whatever_order_they_are_written() {
    let a = r#""a": {"header": "x-a"}"#;
    let b = r#""b": {"header": "x-b"}"#;
    let (of_a, of_b) =
        (r#"{"name": "anna", "keys": {"a": ["1"]}}"#, r#"{"name": "bert", "keys": {"b": ["1"]}}"#);
    for (first, second, one, other) in [(a, b, of_a, of_b), (b, a, of_b, of_a)] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{{first}, {second}, "who": {{"consumer": "name"}}}}, "consumers": [{one}, {other}],
                "policies": [{{"name": "p", "key": "who", "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
        ));
        let decision = fixture.decide(&FakeRequest::default().with("x-a", "1").with("x-b", "1"));
        assert_eq!(fixture.replies.consumer_name(&decision), "anna");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_flood_of_keys_that_the_upstream_rejects_leaves_room_for_others() {
    let mut fixture = Fixture::new(&JUDGED.replacen('{', r#"{"table": {"pages": 1},"#, 1));
    let known = |fixture: &mut Fixture| judged(fixture, "known", 200);
    for _ in 0..3 {
        assert_eq!(known(&mut fixture), Some(0));
    }
    // From one address only so many made-up keys are checked as a caller without a key has requests.
    let checked = (0..200)
        .filter(|i| judged_from(&mut fixture, "198.51.100.1", &format!("{i:04}-made-up"), 401).is_some());
    assert_eq!(checked.count(), 2);
    assert_eq!(fixture.table.take_stats().overflow, 0);
    assert_eq!(known(&mut fixture), None, "a spent quota is still spent");
    for _ in 0..3 {
        assert_eq!(judged(&mut fixture, "honest", 200), Some(0));
    }
    assert_eq!(judged(&mut fixture, "honest", 200), None);
}
