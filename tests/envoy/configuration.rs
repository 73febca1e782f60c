//! Policies at start: a wrong one stops Envoy and says why, a right one comes in either wrapping.

use serde_json::json;

use crate::harness::{Refusal, Setup, new_key, per_key};

/// A fault in each part of the language, with the path that names it.
const FAULTY: &str = r#"
keys:
  api_key: { header: authorization, schema: Bearer }
policies:
  - name: ip
    key: nobody
    limits: [{ quota: 0, window: 60s }]
  - name: key
    key: api_key
    match: [{ method: GET, path: "no/slash" }]
    limits:
      - { name: minute, quota: many, window: 60x }
      - { name: hour, algorithm: guess, quota: 5, window: 1h }
charge: sometimes
table: { pages: 0 }
"#;
const FAULTS: [&str; 9] = [
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
fn a_faulty_policy_at_start_stops_envoy_and_has_every_fault_named_at_once() {
    let refusal = Setup::yaml(FAULTY).start_refused();
    assert!(!refusal.status.success(), "{:?}", refusal.status);
    for path in FAULTS {
        let line = fault(&refusal, path);
        assert!(line.contains("; allowed: "), "{line}");
    }
    let line = fault(&refusal, "policies[0].limits[0].quota");
    assert!(line.contains("found 0; allowed: a whole number from 1 to 4294967295"), "{line}");
}

#[test]
fn the_same_faults_are_named_when_the_policy_is_json_text() {
    let faulty = json!({
        "keys": { "api_key": { "header": "authorization" } },
        "policies": [{ "name": "key", "key": "api_key", "limits": [{ "quota": 0, "window": "60x" }] }],
    });
    let refusal = Setup::json(faulty.to_string()).start_refused();
    assert!(!refusal.status.success(), "{:?}", refusal.status);
    fault(&refusal, "policies[0].limits[0].quota");
    fault(&refusal, "policies[0].limits[0].window");
}

#[test]
fn text_that_is_no_policy_at_all_stops_envoy() {
    for text in ["{", "[]", "null", "", "5"] {
        let refusal = Setup::json(text).start_refused();
        assert!(!refusal.status.success(), "{text:?}: {:?}", refusal.status);
        assert!(refusal.log.contains("; allowed: "), "{text:?}: nothing says what is allowed");
    }
}

#[test]
fn a_fault_in_an_algorithms_field_is_named_with_what_is_allowed() {
    assert_faults(
        "limits[0].",
        |fields| format!("limits: [{{ {fields} }}]"),
        &[
            ("algorithm: leaky, quota: 5, window: 1h", "algorithm", "sliding_window, sliding_counter"),
            ("quota: 5, window: fortnight", "window", "a length of time such as 60s"),
            ("quota: 5, window: month, time_zone: Europe/Madird", "time_zone", "Europe/Madrid"),
            ("quota: 5, window: 1h, time_zone: UTC", "time_zone", "only with algorithm calendar"),
            ("algorithm: calendar, quota: 5, window: 1h", "window", "day, week, month"),
            ("quota: 5, window: 1h, burst: 5", "burst", "only with algorithm token_bucket"),
            ("algorithm: token_bucket, quota: 5, window: 1h, burst: 0", "burst", "from 1 to 4294967295"),
            (
                "algorithm: concurrency, quota: 5, window: 1h",
                "window",
                "no window with algorithm concurrency",
            ),
            ("algorithm: stock, quota: 5, retry_after: 0s", "retry_after", "from 1s to 366d"),
            (
                "quota: 5, window: 1h, retry_after: 5s",
                "retry_after",
                "only with algorithm concurrency or stock",
            ),
        ],
    );
}

#[test]
fn a_fault_in_what_a_policy_counts_is_named_with_what_is_allowed() {
    assert_faults(
        "",
        |field| format!("limits: [{{ quota: 5, window: 1h }}], {field}"),
        &[
            ("count: some", "count", "accepted, all"),
            ("count_on: [600]", "count_on[0]", "from 100 to 599"),
            ("count_on: []", "count_on", "a list of statuses such as 401"),
            ("count: all, count_on: [401]", "count_on", "one of them"),
            ("refund_on: [6xx]", "refund_on[0]", "1xx, 2xx, 3xx, 4xx, 5xx"),
            ("refund_unless: 201", "refund_unless", "a list of statuses such as 401"),
            ("returns: [{ method: delete }]", "returns[0].method", "a method in capitals"),
            ("returns: [{ paths: /x }]", "returns[0].paths", "method, host, path, headers, on"),
            ("on_contention: pray", "on_contention", "bucket, deny, allow"),
        ],
    );
}

/// Starts Envoy with one policy for each faulty text, and finds each fault at its path, which begins with `place`.
fn assert_faults(place: &str, fields: impl Fn(&str) -> String, faulty: &[(&str, &str, &str)]) {
    let policies = faulty
        .iter()
        .enumerate()
        .map(|(i, (text, ..))| format!("  - {{ name: policy-{i}, key: ip, {} }}\n", fields(text)));
    let policies: String = policies.collect();
    let refusal =
        Setup::yaml(format!("keys: {{ ip: {{ client_ip: {{}} }} }}\npolicies:\n{policies}")).start_refused();
    for (i, (text, path, allowed)) in faulty.iter().enumerate() {
        let line = fault(&refusal, &format!("policies[{i}].{place}{path}"));
        let said = line.split_once("; allowed: ").is_some_and(|(_, said)| said.contains(allowed));
        assert!(said, "{text}: {line}");
    }
}

#[test]
fn a_policy_without_policies_stops_envoy() {
    let refusal = Setup::yaml("keys: {}\n").start_refused();
    assert!(!refusal.status.success(), "{:?}", refusal.status);
    fault(&refusal, "policies");
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

/// The log line of the fault at `path`.
fn fault<'a>(refusal: &'a Refusal, path: &str) -> &'a str {
    let start = format!("{path}: found ");
    let mut lines = refusal.log.lines();
    lines
        .find(|line| line.contains(&start))
        .unwrap_or_else(|| panic!("no line {start:?} in the log:\n{}", refusal.log))
}
