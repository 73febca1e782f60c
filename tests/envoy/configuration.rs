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
