//! Quotas that are `unlimited` or 0, for a tier or for a consumer.

use super::*;
use crate::reply::Reply;

/// Four tiers of one policy with two limits and a block, and a policy for everybody.
const PLANS: &str = r#"{
    "keys": {"api_key": {"header": "x-key"}, "plan": {"header": "x-plan"}},
    "tiers": {"names": ["free", "pro", "internal", "none"], "default": "free", "from": "plan"},
    "consumers": [{"name": "anna", "keys": {"api_key": ["anna"]}, "quotas": {"api/minute": "unlimited"}},
                  {"name": "bert", "keys": {"api_key": ["bert"]}, "tier": "internal", "quotas": {"api/day": 0}}],
    "policies": [
        {"name": "api", "key": "api_key", "block_for": "1h", "limits": [
            {"name": "minute", "quota": {"free": 2, "pro": "unlimited", "internal": "unlimited", "none": 0}, "window": "60s"},
            {"name": "day", "quota": {"free": 3, "pro": 5, "internal": "unlimited", "none": 7}, "window": "1d"}]},
        {"name": "all", "key": "api_key", "count": "all", "limits": [{"quota": 100, "window": "60s"}]},
        {"name": "ban", "key": "api_key", "count": "rejected", "limits": [{"quota": 100, "window": "60s"}]}
    ],
    "reject": {"body": "{policy} {limit_name} {limit} {remaining} {retry_after} {reset}", "content_type": "text/plain"},
    "headers": {"preset": "ietf"}
}"#;

fn by(key: &str, plan: &str) -> FakeRequest {
    FakeRequest::default().with("x-key", key).with("x-plan", plan)
}

fn header<'r>(reply: &'r Reply<'_>, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_ref())
}

#[wasm_bindgen_test(unsupported = test)]
fn an_unlimited_quota_leaves_the_other_limits_and_their_names_as_they_are() {
    let mut fixture = Fixture::new(PLANS);
    assert_eq!(fixture.passed(10, |_| by("a", "free")), 2);
    assert_eq!(
        fixture.headers(&by("b", "pro"))[0],
        r#"ratelimit-policy: "api/day";q=5;w=86400, "all";q=100;w=60, "ban";q=100;w=60"#
    );
    assert_eq!(fixture.passed(10, |_| by("b", "pro")), 4);
    let decision = fixture.decide(&by("b", "pro"));
    assert!(fixture.reply(&decision, &FakeRequest::default()).body.starts_with("api day 5 0 "));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_without_any_limit_is_never_rejected_and_has_no_record() {
    let policy = PLANS.replace(r#""count": "all", "#, r#""match": [{"path": "/other"}], "#);
    let mut fixture = Fixture::new(&policy);
    let request = || by("c", "internal").with(":path", "/");
    let decision = fixture.decide(&request());
    assert!(decision.policies().iter().all(|one| one.policy == 2), "only the ban asks");
    assert_eq!(decision.unlimited(), [0]);
    assert_eq!(fixture.passed(10_000, |_| request()), 10_000);
    assert_eq!(fixture.store.writes.get(), 0, "and it counts nothing");
    assert_eq!(fixture.headers(&request())[0], r#"ratelimit-policy: "ban";q=100;w=60"#);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_quota_of_0_rejects_every_request_before_anything_is_counted() {
    let mut fixture = Fixture::new(PLANS);
    for _ in 0..1_000 {
        let decision = fixture.decide(&by("d", "none"));
        assert!(decision.rejected() && decision.is_excluded() && !decision.unavailable());
    }
    assert_eq!(fixture.store.reads.get(), 0, "neither by its policy nor by others, and it starts no block");
    assert_eq!(fixture.passed(10, |_| by("d", "free")), 2, "another plan is unaffected");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_by_a_quota_of_0_announces_neither_wait_nor_reset() {
    let mut fixture = Fixture::new(PLANS);
    let decision = fixture.decide(&by("d", "none"));
    let reply = fixture.reply(&decision, &FakeRequest::default());
    assert_eq!((reply.status, &*reply.body), (429, "api minute 0 0 0 0"));
    assert_eq!(header(&reply, "retry-after"), None);
    let headers = fixture.replies.limit_headers(&decision);
    let values: Vec<&str> = headers.iter().map(|(_, value)| &**value).collect();
    assert_eq!(values, [r#""api/minute";q=0;w=60"#, r#""api/minute";r=0"#]);

    let grpc = FakeRequest::default().with("content-type", "application/grpc");
    let reply = fixture.reply(&decision, &grpc);
    assert_eq!(header(&reply, "grpc-retry-pushback-ms"), Some("-1"), "a gRPC client must not retry");
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_with_a_single_limit_show_0_of_0_and_no_reset() {
    let policy = PLANS.replace(r#""preset": "ietf""#, r#""preset": "x-ratelimit", "describes": "violated""#);
    let mut fixture = Fixture::new(&policy);
    assert_eq!(fixture.headers(&by("d", "none")), ["x-ratelimit-limit: 0", "x-ratelimit-remaining: 0"]);
    assert_eq!(fixture.headers(&by("e", "free")).len(), 3);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_named_limit_that_is_unlimited_gives_way_to_the_next_one() {
    let describes = r#""preset": "x-ratelimit", "describes": ["api/minute", "api/day"]"#;
    let mut fixture = Fixture::new(&PLANS.replace(r#""preset": "ietf""#, describes));
    assert_eq!(fixture.headers(&by("a", "free"))[0], "x-ratelimit-limit: 2");
    assert_eq!(fixture.headers(&by("b", "pro"))[0], "x-ratelimit-limit: 5");
    assert_eq!(fixture.headers(&by("c", "internal")), [""; 0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_consumers_own_quota_may_be_unlimited_or_0() {
    let mut fixture = Fixture::new(PLANS);
    assert_eq!(fixture.passed(10, |_| by("anna", "none")), 3, "its own quota, else that of the default tier");
    let decision = fixture.decide(&by("bert", "free"));
    let reply = fixture.reply(&decision, &FakeRequest::default());
    assert_eq!(&*reply.body, "api day 0 0 0 0");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policy_in_shadow_with_a_quota_of_0_only_says_so() {
    let mut fixture = Fixture::new(&PLANS.replace(r#""block_for": "1h""#, r#""mode": "shadow""#));
    let decision = fixture.decide(&by("d", "none"));
    assert!(!decision.rejected());
    assert!(decision.shadows()[0].rejected());
    assert_eq!(fixture.passed(10, |_| by("d", "none")), 10);
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_class_a_policy_without_limits_for_the_caller_is_the_one_that_applies() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"plan": {"header": "x-plan"}},
            "tiers": {"names": ["free", "vip"], "default": "free", "from": "plan"},
            "policies": [
                {"name": "export", "key": "plan", "class": "one",
                 "limits": [{"quota": {"free": 1, "vip": "unlimited"}, "window": "60s"}]},
                {"name": "rest", "key": "plan", "class": "one", "limits": [{"quota": 2, "window": "60s"}]}]}"#,
    );
    assert_eq!(fixture.passed(10, |_| FakeRequest::default().with("x-plan", "vip")), 10);
    assert_eq!(fixture.passed(10, |_| FakeRequest::default().with("x-plan", "free")), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn conflicting_credentials_are_no_way_to_a_default_tier_without_limits() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"api_key": {"query": "key"}},
            "tiers": {"names": ["inside", "outside"], "default": "inside"},
            "consumers": [{"name": "shop", "keys": {"api_key": ["s"]}, "tier": "outside"}],
            "policies": [{"name": "p", "key": "api_key",
                          "limits": [{"quota": {"inside": "unlimited", "outside": 1}, "window": "60s"}]}]}"#,
    );
    assert_eq!(fixture.passed(5, |_| FakeRequest::to("/?key=other")), 5);
    assert_eq!(fixture.passed(5, |_| FakeRequest::to("/?key=s")), 1);
    assert_eq!(fixture.passed(5, |_| FakeRequest::to("/?key=s&key=other")), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_made_up_credential_is_no_way_past_a_quota_of_0_for_callers_without_one() {
    let policy = |anonymous: &str| {
        format!(
            r#"{{"keys": {{"api_key": {{"header": "x-key", "valid": {{"unless": [401]}}}}, "ip": {{"client_ip": {{}}}},
                     "who": {{"first_of": ["api_key", "ip"]}}, "plan": {{"header": "x-plan"}}}},
            "tiers": {{"names": ["anonymous", "known"], "default": "anonymous", "from": "plan"}},
            "policies": [{{"name": "p", "key": "who",
                           "limits": [{{"quota": {{"anonymous": {anonymous}, "known": 5}}, "window": "60s"}}]}}]}}"#
        )
    };
    let made_up = |i: u32| FakeRequest::from("192.0.2.1").with("x-key", format!("made-up-{i}"));
    assert_eq!(Fixture::new(&policy("0")).passed(50, made_up), 0);
    assert_eq!(Fixture::new(&policy("2")).passed(50, made_up), 2);
    assert_eq!(Fixture::new(&policy("0")).passed(50, |_| made_up(1).with("x-plan", "known")), 5);
}

#[wasm_bindgen_test(unsupported = test)]
fn responses_change_nothing_for_a_caller_without_limits() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"plan": {"header": "x-plan"}},
            "tiers": {"names": ["free", "vip"], "default": "free", "from": "plan"},
            "policies": [{"name": "items", "key": "plan", "match": [{"method": "POST"}], "refund_unless": ["2xx"],
                          "returns": [{"method": "DELETE"}],
                          "limits": [{"quota": {"free": 3, "vip": "unlimited"}, "algorithm": "stock"},
                                     {"name": "flight", "quota": {"free": 3, "vip": "unlimited"}, "algorithm": "concurrency"}]}]}"#,
    );
    let request = |method, plan| FakeRequest::default().with(":method", method).with("x-plan", plan);
    for _ in 0..10 {
        assert!(fixture.served(&request("POST", "vip"), 201));
        assert!(fixture.served(&request("DELETE", "vip"), 204));
    }
    assert_eq!(fixture.store.reads.get(), 0);
    let passed = (0..5).filter(|_| fixture.served(&request("POST", "free"), 201)).count();
    assert_eq!(passed, 3);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_change_of_plan_keeps_the_counts_of_the_limits_that_both_have() {
    let mut fixture = Fixture::new(PLANS);
    assert_eq!(fixture.passed(2, |_| by("a", "free")), 2);
    assert_eq!(fixture.passed(10, |_| by("a", "pro")), 3, "5 a day, of which 2 are used");
    fixture.wait(3_601); // the block has ended
    assert_eq!(fixture.passed(10, |_| by("a", "internal")), 10);
    assert_eq!(fixture.passed(10, |_| by("a", "free")), 0, "the day's 3 are used");
}
