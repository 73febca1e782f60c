//! Policies at start: an invalid one stops Envoy with its errors in the log, a valid one works as YAML and as
//! JSON.

use serde_json::json;

use crate::harness::{Rejection, Setup, new_key, per_key};

/// A policy with an error in each part of the language.
const INVALID: &str = r#"
keys:
  api_key: { header: authorization, schema: Bearer }
policies:
  - name: ip
    key: nobody
    limits: [{ quota: -1, window: 60s }]
  - name: key
    key: api_key
    match: [{ method: GET, path: "no/slash" }]
    limits:
      - { name: minute, quota: many, window: 60x }
      - { name: hour, algorithm: guess, quota: 5, window: 1h }
charge: sometimes
table: { pages: 0 }
"#;
/// The paths of its errors.
const PATHS: [&str; 9] = [
    "keys.api_key.schema",
    "policies[0].key",
    "policies[0].limits[0].quota",
    "policies[1].match[0].path",
    "policies[1].limits[0].quota",
    "policies[1].limits[0].window",
    "policies[1].limits[1].algorithm",
    "charge",
    "table.pages",
];

#[test]
fn an_invalid_policy_at_start_stops_envoy_and_all_its_errors_are_logged_at_once() {
    let rejection = Setup::yaml(INVALID).start_rejected();
    assert!(!rejection.status.success(), "{:?}", rejection.status);
    for path in PATHS {
        let line = error(&rejection, path);
        assert!(line.contains("; allowed: "), "{line}");
    }
    let line = error(&rejection, "policies[0].limits[0].quota");
    assert!(line.contains("found -1; allowed: a whole number from 0 to 4294967295, unlimited"), "{line}");
}

#[test]
fn the_same_errors_are_logged_if_the_policy_is_json_text() {
    let invalid = json!({
        "keys": { "api_key": { "header": "authorization" } },
        "policies": [{ "name": "key", "key": "api_key", "limits": [{ "quota": -1, "window": "60x" }] }],
    });
    let rejection = Setup::json(invalid.to_string()).start_rejected();
    assert!(!rejection.status.success(), "{:?}", rejection.status);
    error(&rejection, "policies[0].limits[0].quota");
    error(&rejection, "policies[0].limits[0].window");
}

#[test]
fn text_that_is_no_policy_at_all_stops_envoy() {
    for text in ["{", "[]", "null", "", "5"] {
        let rejection = Setup::json(text).start_rejected();
        assert!(!rejection.status.success(), "{text:?}: {:?}", rejection.status);
        assert!(rejection.log.contains("; allowed: "), "{text:?}: nothing says what is allowed");
    }
}

#[test]
fn an_error_in_a_field_of_an_algorithm_is_logged_with_what_is_allowed() {
    assert_errors(
        "limits[0].",
        |fields| format!("limits: [{{ {fields} }}]"),
        &[
            ("algorithm: leaky, quota: 5, window: 1h", "algorithm", "sliding_window, sliding_counter"),
            ("quota: 5, window: fortnight", "window", "a duration such as 60s"),
            ("quota: 5, window: month, time_zone: Europe/Madird", "time_zone", "Europe/Madrid"),
            ("quota: 5, window: 1h, time_zone: UTC", "time_zone", "only with algorithm calendar"),
            ("algorithm: calendar, quota: 5, window: 1h", "window", "day, week, month"),
            ("quota: 5, window: 1h, burst: 5", "burst", "only with algorithm token_bucket"),
            ("algorithm: token_bucket, quota: 5, window: 1h, burst: 0", "burst", "from 1 to 4294967295"),
            (
                "algorithm: concurrency, quota: 5, window: 1h",
                "window",
                "with algorithm concurrency only name, algorithm, quota, quota_from, retry_after, after or message",
            ),
            ("algorithm: stock, quota: 5, retry_after: 0s", "retry_after", "from 1s to 366d"),
            (
                "quota: 5, window: 1h, retry_after: 5s",
                "retry_after",
                "only with algorithm concurrency or stock",
            ),
            ("algorithm: stock, quota: 5, after: 5s", "after", "only with algorithm concurrency"),
        ],
    );
}

#[test]
fn an_error_in_what_a_policy_counts_is_logged_with_what_is_allowed() {
    assert_errors(
        "",
        |field| format!("limits: [{{ quota: 5, window: 1h }}], {field}"),
        &[
            ("count: some", "count", "accepted, all"),
            ("count_on: [600]", "count_on[0]", "from 100 to 599"),
            ("count_on: []", "count_on", "a list of statuses such as 401"),
            ("count: all, count_on: [401]", "count_on", "only one of them"),
            ("refund_on: [6xx]", "refund_on[0]", "1xx, 2xx, 3xx, 4xx, 5xx"),
            ("refund_unless: 201", "refund_unless", "a list of statuses such as 401"),
            ("returns: [{ method: delete }]", "returns[0].method", "an upper-case method"),
            (
                "returns: [{ paths: /x }]",
                "returns[0].paths",
                "method, path, host, client_ip, route, headers, query, cookies, keys, on",
            ),
            ("on_contention: pray", "on_contention", "bucket, deny, allow"),
        ],
    );
}

/// Starts Envoy with one policy for each of these invalid fields, and finds each error at its path, which
/// starts with `place`.
fn assert_errors(place: &str, fields: impl Fn(&str) -> String, invalid: &[(&str, &str, &str)]) {
    let policies = invalid
        .iter()
        .enumerate()
        .map(|(i, (text, ..))| format!("  - {{ name: policy-{i}, key: ip, {} }}\n", fields(text)));
    let policies: String = policies.collect();
    let rejection =
        Setup::yaml(format!("keys: {{ ip: {{ client_ip: {{}} }} }}\npolicies:\n{policies}")).start_rejected();
    for (i, (text, path, allowed)) in invalid.iter().enumerate() {
        let line = error(&rejection, &format!("policies[{i}].{place}{path}"));
        let said = line.split_once("; allowed: ").is_some_and(|(_, said)| said.contains(allowed));
        assert!(said, "{text}: {line}");
    }
}

#[test]
fn a_configuration_without_policies_stops_envoy() {
    let rejection = Setup::yaml("keys: {}\n").start_rejected();
    assert!(!rejection.status.success(), "{:?}", rejection.status);
    error(&rejection, "policies");
}

#[test]
fn the_same_policy_works_as_yaml_and_as_json_text() {
    let text = json!({
        "keys": { "api_key": { "header": "authorization", "scheme": "Bearer" } },
        "policies": [{ "name": "key", "key": "api_key", "limits": [{ "quota": 3, "window": "1h" }] }],
    });
    for setup in [Setup::json(text.to_string()), Setup::yaml(per_key(3, "1h"))] {
        let gateway = setup.start();
        assert_eq!(gateway.get("/").key(new_key()).admitted_of(10), 3);
    }
}

/// The log line of the error at `path`.
fn error<'a>(rejection: &'a Rejection, path: &str) -> &'a str {
    let start = format!("{path}: found ");
    let mut lines = rejection.log.lines();
    lines
        .find(|line| line.contains(&start))
        .unwrap_or_else(|| panic!("no line {start:?} in the log:\n{}", rejection.log))
}
