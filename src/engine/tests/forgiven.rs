//! Callers that get a fresh start.

use super::*;
use crate::config::{ConfigErrors, parse};
use crate::engine::Engine;
use crate::rules::Digest;

/// An instant of the fixtures' wall clock, in seconds after they begin: 2025-05-15T13:00:00Z.
fn at(seconds: u64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("2025-05-{:02}T{:02}:{minutes:02}:{seconds:02}Z", 15 + (13 + hours) / 24, (13 + hours) % 24)
}

const KEYS: &str =
    r#""keys": {"ip": {"client_ip": {}}, "key": {"header": "authorization", "scheme": "Bearer"}}"#;

fn with(policies: &str, entries: &str) -> String {
    format!(r#"{{{KEYS}, "policies": [{policies}], "forgive": [{entries}]}}"#)
}

fn of_key(key: &str, more: &str, before: u64) -> String {
    let digest: String =
        Digest::of(key.as_bytes()).bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(r#"{{"key": "key", "sha256": "sha256:{digest}", {more} "before": "{}"}}"#, at(before))
}

/// A live update: another configuration in the same worker.
fn reload(fixture: &mut Fixture, json: &str) {
    let rules = crate::testing::compiled(json).rules;
    fixture.table.set_in_force(rules.limits());
    fixture.table.set_forgiving(rules.callers.forgive.is_some());
    fixture.engine = Engine::new(rules);
}

fn caller(key: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").key(key)
}

fn passed(fixture: &mut Fixture, key: &str) -> usize {
    fixture.passed(20, |_| caller(key))
}

fn policy(limits: &str) -> String {
    format!(r#"{{"name": "p", "key": "key", "limits": [{limits}]}}"#)
}

const WINDOWED: [&str; 6] =
    ["sliding_window", "sliding_counter", "fixed_window", "token_bucket", "leaky_bucket", "calendar"];

fn limit_of(algorithm: &str) -> String {
    let window = match algorithm {
        "calendar" => r#""window": "month", "time_zone": "UTC""#,
        _ => r#""window": "30d""#,
    };
    format!(r#"{{"name": "l", "quota": 5, {window}, "algorithm": "{algorithm}"}}"#)
}

/// A leaky bucket passes its units one after the other.
fn quota_of(algorithm: &str) -> usize {
    if algorithm == "leaky_bucket" { 1 } else { 5 }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_forgiven_caller_has_its_quota_once_more_and_no_reload_gives_it_again() {
    for algorithm in WINDOWED {
        let (policy, quota) = (policy(&limit_of(algorithm)), quota_of(algorithm));
        let mut fixture = Fixture::new(&with(&policy, ""));
        assert_eq!(passed(&mut fixture, "a"), quota, "{algorithm}");
        assert_eq!(passed(&mut fixture, "b"), quota, "{algorithm}");
        fixture.wait(60);
        let forgiving = with(&policy, &of_key("a", "", 60));
        reload(&mut fixture, &forgiving);
        assert_eq!(passed(&mut fixture, "a"), quota, "{algorithm}: as if it were new");
        assert_eq!(passed(&mut fixture, "b"), 0, "{algorithm}: nobody else");
        for (json, why) in [
            (forgiving.clone(), "the same file again"),
            (with(&policy, ""), "the entry is removed"),
            (forgiving.clone(), "and comes back"),
            (with(&policy, &of_key("a", "", 30)), "an older one"),
        ] {
            fixture.wait(1);
            reload(&mut fixture, &json);
            assert_eq!(passed(&mut fixture, "a"), 0, "{algorithm}: {why}");
        }
        reload(&mut fixture, &with(&policy, &of_key("a", "", 61)));
        assert_eq!(passed(&mut fixture, "a"), quota, "{algorithm}: a later entry");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn it_has_no_effect_before_its_instant_nor_two_windows_after_it() {
    let policy = policy(r#"{"quota": 3, "window": "1h"}"#);
    let mut fixture = Fixture::new(&with(&policy, &of_key("a", "", 600)));
    assert_eq!(passed(&mut fixture, "a"), 3);
    fixture.wait(599);
    assert_eq!(passed(&mut fixture, "a"), 0);
    fixture.wait(1);
    assert_eq!(passed(&mut fixture, "a"), 3, "now it is time");
    fixture.wait(3_000);
    assert_eq!(passed(&mut fixture, "a"), 0);
    // An entry that was written long before it was loaded.
    let mut fixture = Fixture::new(&with(&policy, ""));
    fixture.wait(7_200 + 600);
    assert_eq!(passed(&mut fixture, "a"), 3);
    reload(&mut fixture, &with(&policy, &of_key("a", "", 600)));
    assert_eq!(passed(&mut fixture, "a"), 0, "what was counted before has left its window by itself");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_block_ends_and_the_row_of_blocks_with_it() {
    let policy = r#"{"name": "p", "key": "key", "block_for": ["1h", "10h"], "limits": [{"quota": 2, "window": "1m"}]}"#;
    let mut fixture = Fixture::new(&with(policy, ""));
    assert_eq!(passed(&mut fixture, "a"), 2);
    fixture.wait(3_600);
    assert_eq!(passed(&mut fixture, "a"), 2);
    assert_eq!(fixture.decide(&caller("a")).retry_after(), 36_000 * SECOND, "the second block");
    reload(&mut fixture, &with(policy, &of_key("a", "", 3_600)));
    assert_eq!(passed(&mut fixture, "a"), 2);
    assert_eq!(fixture.decide(&caller("a")).retry_after(), 3_600 * SECOND, "a first block again");
}

#[wasm_bindgen_test(unsupported = test)]
fn one_limit_of_one_policy_can_be_forgiven_alone() {
    let policies = r#"{"name": "p", "key": "key", "limits": [
            {"name": "day", "quota": 4, "window": "1d"}, {"name": "hour", "quota": 4, "window": "1h"}]},
        {"name": "other", "key": "key", "limits": [{"quota": 6, "window": "1d"}]}"#;
    let mut fixture = Fixture::new(&with(policies, ""));
    assert_eq!(passed(&mut fixture, "a"), 4);
    reload(&mut fixture, &with(policies, &of_key("a", r#""policy": "p", "limit": "day","#, 0)));
    assert_eq!(passed(&mut fixture, "a"), 0, "the hour is spent all the same");
    fixture.wait(3_600);
    assert_eq!(passed(&mut fixture, "a"), 2, "and then the other policy's day");
    reload(&mut fixture, &with(policies, &of_key("a", r#""policy": "other","#, 3_600)));
    assert_eq!(passed(&mut fixture, "a"), 2, "of the first policy's day");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_exists_is_not_forgiven() {
    let policies = r#"{"name": "open", "key": "key", "limits": [
            {"name": "now", "quota": 2, "algorithm": "concurrency"}, {"name": "day", "quota": 9, "window": "1d"}]},
        {"name": "stock", "key": "key", "limits": [{"quota": 3, "algorithm": "stock"}]}"#;
    let mut fixture = Fixture::new(&with(policies, ""));
    assert_eq!(passed(&mut fixture, "a"), 2);
    reload(&mut fixture, &with(policies, &of_key("a", "", 0)));
    let left = |fixture: &mut Fixture| {
        let decision = fixture.decide(&caller("a"));
        (0..3)
            .map(|limit| decision.verdict(limit / 2, limit % 2).map(|verdict| verdict.remaining))
            .collect::<Vec<_>>()
    };
    assert_eq!(left(&mut fixture), [Some(0), Some(9), Some(1)], "the streams are open, the items are there");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_unit_from_before_does_not_come_back_afterwards() {
    for algorithm in ["sliding_window", "fixed_window", "token_bucket"] {
        let policy = format!(
            r#"{{"name": "p", "key": "key", "refund_on": ["5xx"], "limits": [{}]}}"#,
            limit_of(algorithm)
        );
        let mut fixture = Fixture::new(&with(&policy, ""));
        let mut before: Vec<Decision> = (0..5).map(|_| fixture.decide(&caller("a"))).collect();
        reload(&mut fixture, &with(&policy, &of_key("a", "", 0)));
        let mut after: Vec<Decision> = (0..5).map(|_| fixture.decide(&caller("a"))).collect();
        assert!(after.iter().all(|decision| !decision.rejected()), "{algorithm}");
        let mut fails = |decision: &mut Decision| {
            fixture.on_response(decision, &FakeResponse::of_upstream(500));
            fixture.on_stream_end(decision);
            passed(&mut fixture, "a")
        };
        assert_eq!(before.iter_mut().map(&mut fails).sum::<usize>(), 0, "{algorithm}");
        assert_eq!(
            after.iter_mut().map(&mut fails).sum::<usize>(),
            5,
            "{algorithm}: those from afterwards do"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_value_is_that_of_whichever_key_of_its_kind_the_request_has() {
    let json = |entries: &str| {
        format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{"ipv6_prefix": 48}}}},
                "key": {{"header": "authorization", "scheme": "Bearer", "prefix": 4}},
                "q": {{"query": "key", "prefix": 4, "same_as": "key"}}, "any": {{"first_of": ["key", "q", "ip"]}}}},
            "policies": [{{"name": "p", "key": ["any", "ip"], "limits": [{{"quota": 2, "window": "1d"}}]}}],
            "forgive": [{entries}]}}"#
        )
    };
    let by_query = || FakeRequest::from("192.0.2.1").with(":path", "/?key=keys-and-more");
    let from = |address: &str| FakeRequest::from(address);
    let mut fixture = Fixture::new(&json(""));
    assert_eq!(fixture.passed(9, |_| by_query()), 2);
    assert_eq!(fixture.passed(9, |_| from("[2001:db8:7::1]")), 2);
    reload(&mut fixture, &json(&of_key("keys-and-more", "", 0)));
    assert_eq!(
        fixture.passed(9, |_| FakeRequest::from("192.0.2.1").key("keys-and-less")),
        0,
        "another value"
    );
    assert_eq!(fixture.passed(9, |_| by_query()), 2);
    let entry = format!(r#"{{"key": "ip", "value": "2001:db8:7:8::9", "before": "{}"}}"#, at(0));
    reload(&mut fixture, &json(&entry));
    assert_eq!(fixture.passed(9, |_| from("[2001:db8:7::2]")), 2, "an address of the same network");
    assert_eq!(fixture.passed(9, |_| by_query()), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_same_value_of_another_key_is_not_forgiven() {
    let with = |entries: &str| {
        format!(
            r#"{{"keys": {{"one": {{"header": "x-one"}}, "other": {{"header": "x-other"}}}}, "policies": [
                {{"name": "p", "key": "one", "limits": [{{"quota": 9, "window": "1d"}}]}},
                {{"name": "q", "key": "other", "limits": [{{"quota": 2, "window": "1d"}}]}}],
            "forgive": [{entries}]}}"#
        )
    };
    let request = |_| FakeRequest::from("192.0.2.1").with("x-one", "same").with("x-other", "same");
    let entries = |one: &str, other: &str| {
        let entry =
            |key: &str, value| of_key(value, "", 0).replace(r#""key": "key""#, &format!(r#""key": "{key}""#));
        [entry("one", one), entry("other", other)].join(",")
    };
    let mut fixture = Fixture::new(&with(""));
    assert_eq!(fixture.passed(5, request), 2);
    reload(&mut fixture, &with(&entries("same", "another")));
    assert_eq!(fixture.passed(5, request), 0);
    reload(&mut fixture, &with(&entries("another", "same")));
    assert_eq!(fixture.passed(5, request), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn nothing_that_a_request_says_forgives_anything() {
    let policy = policy(r#"{"quota": 2, "window": "1d"}"#);
    let entry = of_key("a", "", 60);
    let mut fixture = Fixture::new(&with(&policy, &entry));
    assert_eq!(passed(&mut fixture, "b"), 2);
    fixture.wait(60);
    for (name, value) in
        [("x-forgive", "b"), ("tollgate-forgive", &entry), ("date", "Thu, 15 May 2025 13:01:00 GMT")]
    {
        assert_eq!(fixture.passed(5, |_| caller("b").with(name, value)), 0, "{name}");
    }
    let digest = Digest::of(b"a").bytes().to_vec();
    assert_eq!(
        fixture.passed(5, |_| FakeRequest::from("192.0.2.1").key("b").with("authorization", &digest)),
        0
    );
}

fn errors(json: &str) -> ConfigErrors {
    crate::compile::compile(&parse(json.as_bytes()).unwrap()).unwrap_err()
}

#[wasm_bindgen_test(unsupported = test)]
fn no_error_shows_a_value() {
    let policy = policy(r#"{"quota": 2, "window": "1d"}"#);
    for entry in [
        r#""s3cret""#,
        r#"{"key": "key", "sha256": "s3cret", "before": "2025-05-15T13:00:00Z"}"#,
        r#"{"key": "key", "value": ["s3cret"], "before": "2025-05-15T13:00:00Z"}"#,
        r#"{"key": "key", "value": {"a": "s3cret"}, "before": "2025-05-15T13:00:00Z"}"#,
        r#"{"key": "ip", "value": "s3cret", "before": "2025-05-15T13:00:00Z"}"#,
        r#"{"key": "ip", "sha256": "s3cret", "before": "2025-05-15T13:00:00Z"}"#,
    ] {
        let errors = errors(&with(&policy, entry));
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(!shown.is_empty() && !shown.concat().contains("s3cret"), "{shown:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn at_most_a_thousand_entries() {
    let policy = policy(r#"{"quota": 2, "window": "1d"}"#);
    let entries =
        |number: usize| (0..number).map(|i| of_key(&format!("k{i}"), "", 0)).collect::<Vec<_>>().join(",");
    let mut fixture = Fixture::new(&with(&policy, &entries(1_000)));
    assert_eq!(passed(&mut fixture, "k999"), 2);
    assert_eq!(errors(&with(&policy, &entries(1_001))).iter().len(), 1);
}

/// A bucket may be empty for longer than two windows: a burst of many quotas, or what responses have cost.
#[wasm_bindgen_test(unsupported = test)]
fn a_bucket_that_is_empty_for_long_is_forgiven_whenever_its_caller_comes() {
    for (limits, first) in [
        (r#""limits": [{"quota": 2, "window": "1m", "algorithm": "token_bucket", "burst": 100}]"#, 100),
        (
            r#""cost_header": "x-cost", "limits": [{"quota": 2, "window": "1m", "algorithm": "token_bucket"}]"#,
            2,
        ),
        (
            r#""cost_header": "x-cost", "limits": [{"quota": 2, "window": "1m", "algorithm": "leaky_bucket"}]"#,
            1,
        ),
    ] {
        let policy = format!(r#"{{"name": "p", "key": "key", {limits}}}"#);
        let mut fixture = Fixture::new(&with(&policy, ""));
        let cost = if limits.contains("cost_header") { "500" } else { "1" };
        let mut decisions: Vec<_> = (0..first).map(|_| fixture.decide(&caller("a"))).collect();
        for decision in &mut decisions {
            fixture.on_response(decision, &FakeResponse::of_upstream(200).with("x-cost", cost));
            fixture.on_stream_end(decision);
        }
        let all = |fixture: &mut Fixture| fixture.passed(200, |_| caller("a"));
        assert_eq!(all(&mut fixture), 0, "{limits}");
        // The caller waits, as it is told.
        let forgiving = with(&policy, &of_key("a", "", 0));
        reload(&mut fixture, &forgiving);
        fixture.wait(600);
        assert_eq!(all(&mut fixture), first, "{limits}");
        reload(&mut fixture, &forgiving);
        assert_eq!(all(&mut fixture), 0, "{limits}: once");
    }
}
