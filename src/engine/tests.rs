use crate::decision::Decision;
use crate::http::MetadataPath;
use crate::testing::{FakeRequest, FakeResponse, Fixture};
use crate::time::{Now, SECOND};
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

mod access_log;
mod addresses;
mod bans;
mod callers;
mod costs;
mod forgiven;
mod language;
mod penalty;
mod plans;
mod quotas;
mod replies;
mod responses;
mod restarts;
mod seams;
mod selection;
mod stated_quotas;
mod told;
mod trailers;
mod values;
mod when;

/// Billium's own file, as JSON would carry it.
const BILLIUM: &str = r#"{
    "keys": {"client_ip": {"client_ip": {}}, "api_key": {"header": "authorization", "scheme": "Bearer", "prefix": 16}},
    "policies": [
        {"name": "ip", "key": "client_ip", "limits": [{"quota": 50, "window": "60s"}]},
        {"name": "key", "key": "api_key", "limits": [{"quota": 300, "window": "60s"}]}
    ],
    "charge": "sequential",
    "headers": {"preset": "x-ratelimit", "describes": "ip", "reset": "next_slot"}
}"#;

#[wasm_bindgen_test(unsupported = test)]
fn bi_4_one_ip_never_reaches_300_and_six_ips_with_one_key_do() {
    let mut one = Fixture::new(BILLIUM);
    assert_eq!(one.passed(400, |_| FakeRequest::from("192.0.2.1").key("0123456789abcdefX")), 50);
    let mut seven = Fixture::new(BILLIUM);
    assert_eq!(
        seven.passed(700, |i| FakeRequest::from(&format!("192.0.2.{}", i % 7)).key("0123456789abcdefX")),
        300
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_3_keys_share_a_budget_exactly_when_they_share_16_characters() {
    let mut fixture = Fixture::new(BILLIUM);
    let ip = |i: u32| format!("198.51.100.{}", i % 20);
    assert_eq!(fixture.passed(350, |i| FakeRequest::from(&ip(i)).key(&format!("0123456789abcdef{i}"))), 300);
    assert_eq!(fixture.passed(100, |i| FakeRequest::from(&ip(i)).key("0123456789abcdeX")), 100);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_11_without_a_key_only_the_ip_counts() {
    let mut fixture = Fixture::new(BILLIUM);
    assert_eq!(fixture.decide(&FakeRequest::from("192.0.2.1")).policies().len(), 1);
    assert_eq!(fixture.decide(&FakeRequest::from("192.0.2.1").key("abc")).policies().len(), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_12_of_two_rejections_the_larger_wait_is_told() {
    let mut fixture = Fixture::new(BILLIUM);
    let from = |ip: u32| move |_| FakeRequest::from(&format!("192.0.2.{ip}")).key("one");
    for ip in 2..7 {
        fixture.passed(50, from(ip));
    }
    fixture.wait(20);
    fixture.passed(50, from(1));
    fixture.wait(1);
    // The IP's first slot frees in 59 s, the key's in 39 s.
    let decision = fixture.decide(&FakeRequest::from("192.0.2.1").key("one"));
    assert_eq!(decision.policies().iter().filter(|answer| answer.rejected()).count(), 2);
    let reply = fixture.reply(&decision, &FakeRequest::default());
    assert_eq!(reply.headers.last().unwrap(), &("retry-after", "59".into()));
    assert_eq!(reply.details, "tollgate_refused_by_ip");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_2_after_the_wait_and_not_a_second_before_the_request_passes() {
    let mut fixture = Fixture::new(BILLIUM);
    let request = FakeRequest::from("192.0.2.1");
    fixture.passed(60, |_| FakeRequest::from("192.0.2.1"));
    fixture.wait(17);
    let decision = fixture.decide(&request);
    assert_eq!(decision.retry_after(), 43 * SECOND);
    fixture.wait(42);
    assert!(fixture.decide(&request).rejected());
    fixture.wait(1);
    assert!(!fixture.decide(&request).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn x_4_a_preflight_is_exempt_and_a_plain_options_is_not() {
    let mut fixture = Fixture::new(BILLIUM);
    let options = || FakeRequest::from("192.0.2.1").with(":method", "OPTIONS");
    let preflight = || options().with("access-control-request-method", "POST");
    assert_eq!(fixture.passed(100, |_| preflight()), 100);
    assert_eq!(fixture.passed(100, |_| options()), 50);
    assert!(fixture.decide(&preflight().with(":method", "GET")).policies().is_empty());
    let forged =
        FakeRequest::from("192.0.2.1").with(":method", "GET").with("access-control-request-method", "POST");
    assert!(fixture.decide(&forged).rejected(), "the header alone exempts nobody");
    let authorized = preflight().with("authorization", "Basic Og==");
    assert!(fixture.decide(&authorized).rejected(), "a browser's preflight has no credentials");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_7_a_path_matches_without_its_query() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip",
            "match": [{"method": "POST", "path": "/v1/invoices/{id}/send"}], "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    let request =
        |method: &str, path: &str| FakeRequest::from("192.0.2.1").with(":method", method).with(":path", path);
    assert!(fixture.decide(&request("POST", "/v1/invoices/7")).policies().is_empty());
    assert!(fixture.decide(&request("GET", "/v1/invoices/7/send")).policies().is_empty());
    assert!(!fixture.decide(&request("POST", "/v1/invoices/7/send?a=/b")).rejected());
    assert!(fixture.decide(&request("POST", "/v1/invoices/8/send#x")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_10_fa_13_headers_tell_the_quota_what_is_left_and_when_a_slot_frees() {
    let mut fixture = Fixture::new(BILLIUM);
    let request = FakeRequest::from("192.0.2.1");
    assert_eq!(
        fixture.headers(&request),
        ["x-ratelimit-limit: 50", "x-ratelimit-remaining: 49", "x-ratelimit-reset: 1747314060"]
    );
    fixture.wait(10);
    fixture.passed(60, |_| FakeRequest::from("192.0.2.1"));
    assert_eq!(
        fixture.headers(&request),
        ["x-ratelimit-limit: 50", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314060"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_4_reset_waits_for_the_rejecting_limit_even_if_it_describes_another() {
    let mut fixture = Fixture::new(
        &BILLIUM.replace("\"quota\": 300", "\"quota\": 1").replace("\"quota\": 50", "\"quota\": 2"),
    );
    let request = || FakeRequest::from("192.0.2.1").key("one");
    fixture.decide(&FakeRequest::from("192.0.2.1"));
    fixture.wait(30);
    fixture.decide(&FakeRequest::from("192.0.2.2").key("one"));
    // The IP's first slot frees in 30 s, the key's in 60 s.
    assert_eq!(fixture.headers(&request()).last().unwrap(), "x-ratelimit-reset: 1747314090");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_10_no_byte_of_a_key_is_kept_in_the_table() {
    let mut fixture = Fixture::new(BILLIUM);
    fixture.decide(&FakeRequest::from("192.0.2.1").key("sk_live_4242424242424242"));
    for page in fixture.store.pages() {
        let bytes = fixture.store.page(page);
        assert!(!bytes.windows(4).any(|window| b"sk_live_42424242".windows(4).any(|part| part == window)));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_without_anything_is_served_and_counted_as_one_client() {
    let mut fixture = Fixture::new(BILLIUM);
    assert_eq!(fixture.passed(60, |_| FakeRequest::default()), 50);
    assert_eq!(fixture.passed(60, |_| FakeRequest::from_address("@internal")), 50);
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_request_can_make_it_panic(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 4),
        ip in "\\PC{0,30}",
    ) {
        let mut fixture = Fixture::new(BILLIUM);
        let names = ["authorization", ":method", ":path", "access-control-request-method"];
        let request = names.into_iter().zip(values).fold(FakeRequest::from_address(&ip), |request, (name, value)| request.with(name, value));
        let decision = fixture.decide(&request);
        prop_assert!(!decision.rejected());
        fixture.replies.limit_headers(&decision);
    }
}
