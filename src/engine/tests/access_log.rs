//! The line of an access log as JSON, and the caller's pseudonym.

use super::*;
use crate::http::MetadataPath;
use crate::identity::Seed;
use crate::limiter::concurrency::WorkerId;
use crate::table::Table;
use serde_json::{Value as Json, json};

const KEYS: &str = r#""keys": {"ip": {"client_ip": {}}, "sub": {"metadata": ["jwt", "sub"]}},
    "consumers": [{"name": "acme", "keys": {"sub": ["acme"]}}], "consumer_name": "sub",
    "tiers": {"names": ["free", "pro"], "default": "free"},
    "policies": [
        {"name": "ip", "key": "ip", "limits": [{"name": "minute", "quota": 2, "window": "60s"}]},
        {"name": "sub", "key": "sub", "limits": [{"quota": {"free": 5, "pro": 9}, "window": "60s"}]},
        {"name": "a", "key": "ip", "mode": "shadow", "limits": [{"quota": 1, "window": "60s"}]},
        {"name": "b", "key": "ip", "mode": "shadow", "limits": [{"quota": 1, "window": "60s"}]}
    ]"#;

fn fixture(access_log: &str) -> Fixture {
    Fixture::new(&format!(r#"{{{KEYS}, "access_log": {access_log}}}"#))
}

fn request(claim: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with_metadata(MetadataPath::new(["jwt", "sub"]), claim)
}

fn line(fixture: &mut Fixture, request: &FakeRequest) -> String {
    let decision = fixture.decide(request);
    fixture.replies.access_line(&decision).unwrap()
}

fn json_line(fixture: &mut Fixture, request: &FakeRequest) -> Json {
    let line = line(fixture, request);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_line_of_json_says_what_a_line_of_words_says() {
    let (mut words, mut json) =
        (fixture(r#"{"caller": true}"#), fixture(r#"{"format": "json", "caller": true}"#));
    for _ in 0..4 {
        let (words, json) = (line(&mut words, &request("acme")), json_line(&mut json, &request("acme")));
        let mut from_words = serde_json::Map::new();
        for (name, word) in words.split(' ').map(|word| word.split_once('=').unwrap()) {
            let is_text = ["decision", "policy", "limit", "consumer", "tier", "caller"].contains(&name);
            let value = match name {
                "shadow" => word.split(',').collect::<Vec<_>>().into(),
                _ if is_text => word.into(),
                _ => serde_json::from_str(word).unwrap(),
            };
            from_words.insert(name.into(), value);
        }
        assert_eq!(json, Json::Object(from_words), "{words}");
    }
    let mut rejected = json_line(&mut json, &request("acme"));
    rejected.as_object_mut().unwrap().remove("caller");
    assert_eq!(
        rejected,
        json!({
            "decision": "refused", "policy": "ip", "limit": "minute", "quota": 2, "remaining": 0, "retry_after": 60,
            "near": false, "consumer": "acme", "tier": "free", "shadow": ["a", "b"],
        })
    );
    let preflight = FakeRequest::from("192.0.2.1").with(":method", "OPTIONS");
    let preflight = preflight.with("access-control-request-method", "GET");
    assert_eq!(line(&mut json, &preflight), r#"{"decision":"admitted","near":false}"#);
}

#[wasm_bindgen_test(unsupported = test)]
fn without_its_fields_the_object_is_true() {
    for (object, flag) in [("{}", "true"), (r#"{"format": "text", "caller": false}"#, "true")] {
        assert_eq!(line(&mut fixture(object), &request("x")), line(&mut fixture(flag), &request("x")));
    }
    let mut silent = fixture("false");
    let decision = silent.decide(&request("x"));
    assert_eq!(silent.replies.access_line(&decision), None);
}

/// What an admitted line of words says about the caller.
fn caller(fixture: &mut Fixture, request: &FakeRequest) -> String {
    let line = line(fixture, request);
    line.rsplit_once(" caller=").unwrap_or_else(|| panic!("{line}")).1.to_string()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_pseudonym_is_the_callers_in_each_worker_and_another_process_has_another_one() {
    let with_caller = || fixture(r#"{"caller": true}"#);
    let from = |address: &str| FakeRequest::from(address);
    let (mut one, mut other) = (with_caller(), with_caller());
    let own = caller(&mut one, &from("192.0.2.1"));
    assert!(
        own.len() == 16 && own.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)),
        "{own}"
    );
    assert_eq!(own, caller(&mut one, &from("192.0.2.1")));
    assert_eq!(own, caller(&mut other, &from("192.0.2.1")), "another worker");
    // Rejected, too.
    assert_eq!(own, caller(&mut one, &from("192.0.2.1")));
    assert_ne!(own, caller(&mut one, &from("192.0.2.2")));
    other.table = Table::new(Seed::new([8; Seed::LEN]), one.engine.rules().table_size, WorkerId(1));
    assert_ne!(own, caller(&mut other, &from("192.0.2.1")), "after a restart");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_pseudonym_is_that_of_the_policy_that_is_described() {
    let mut fixture = fixture(r#"{"caller": true}"#);
    let by_address = caller(&mut fixture, &request("x"));
    // The two requests of this address are used up, those of the claim are not.
    let elsewhere =
        |address: &str| FakeRequest::from(address).with_metadata(MetadataPath::new(["jwt", "sub"]), "x");
    assert_ne!(by_address, caller(&mut fixture, &elsewhere("192.0.2.9")));
    for number in 0..3 {
        fixture.decide(&elsewhere(&format!("198.51.100.{number}")));
    }
    let [one, other] =
        ["203.0.113.1", "203.0.113.2"].map(|address| caller(&mut fixture, &elsewhere(address)));
    assert_eq!(one, other, "rejected by the claim's policy, from whatever address");
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn x_whatever_a_caller_sends_a_line_is_one_json_object_with_no_field_of_its_own(claim in any::<String>()) {
        let mut fixture = fixture(r#"{"format": "json", "caller": true}"#);
        let text = line(&mut fixture, &request(&claim));
        prop_assert!(!text.contains('\n'));
        let line: Json = serde_json::from_str(&text).unwrap();
        let names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["decision", "policy", "limit", "quota", "remaining", "near", "consumer", "tier", "caller", "shadow"];
        prop_assert!(names.iter().all(|name| known.contains(name)), "{}", text);
        prop_assert_eq!(text.matches("\"decision\"").count(), 1);
    }
}
