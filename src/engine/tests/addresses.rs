//! Consumers and tiers by address, and names of callers that are no consumer.

use super::*;

const PARTNERS: &str = r#"{
    "keys": {"ip": {"client_ip": {}}, "api_key": {"header": "x-key"}, "who": {"consumer": "name"},
             "plan": {"metadata": ["auth", "plan"]}, "caller": {"first_of": ["who", "ip"]}},
    "tiers": {"names": ["free", "office", "pro"], "default": "free", "from": "plan",
              "client_ip": {"office": ["198.51.100.0/24", "2001:db8:9::/48"], "pro": ["198.51.100.7"]}},
    "consumers": [
        {"name": "acme", "keys": {"ip": ["192.0.2.0/24", "2001:db8::/32"]}, "quotas": {"p": 7}},
        {"name": "branch", "keys": {"ip": ["192.0.2.128/25"], "api_key": ["b1"]}, "quotas": {"p": 8}},
        {"name": "tiered", "keys": {"ip": ["198.51.100.9"]}, "tier": "pro"}],
    "access_log": true,
    "policies": [{"name": "p", "key": "caller", "limits": [
        {"quota": {"free": 2, "office": 3, "pro": 4}, "window": "1m"}]}]}"#;

fn passed(fixture: &mut Fixture, address: &str) -> usize {
    fixture.passed(20, |_| FakeRequest::from(address))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_consumer_is_known_by_its_address_and_the_smallest_range_decides() {
    let mut fixture = Fixture::new(PARTNERS);
    assert_eq!(passed(&mut fixture, "192.0.2.1"), 7);
    assert_eq!(passed(&mut fixture, "192.0.2.2"), 0, "one consumer is one caller");
    assert_eq!(passed(&mut fixture, "[2001:db8::1]"), 0);
    assert_eq!(passed(&mut fixture, "192.0.2.200"), 8);
    assert_eq!(passed(&mut fixture, "::ffff:192.0.2.201"), 0);
    assert_eq!(passed(&mut fixture, "192.0.3.1"), 2);
    for unknown in ["", "/run/gateway.sock", "[::1"] {
        let request = FakeRequest::from_address(unknown);
        let decision = fixture.decide(&request);
        assert_eq!(decision.consumer(), None, "{unknown}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_credential_says_more_about_a_consumer_than_an_address() {
    let mut fixture = Fixture::new(PARTNERS);
    let from_acme = FakeRequest::from("192.0.2.1").with("x-key", "b1");
    let decision = fixture.decide(&from_acme);
    assert_eq!(fixture.replies.consumer_name(&decision), "branch");
    let unknown = fixture.decide(&FakeRequest::from("192.0.2.1").with("x-key", "made up"));
    assert_eq!(fixture.replies.consumer_name(&unknown), "acme", "which a client cannot shed");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_tier_is_the_consumers_else_that_of_from_else_that_of_the_address() {
    let mut fixture = Fixture::new(PARTNERS);
    let plan =
        |address, plan| FakeRequest::from(address).with_metadata(MetadataPath::new(["auth", "plan"]), plan);
    assert_eq!(passed(&mut fixture, "198.51.100.1"), 3);
    assert_eq!(passed(&mut fixture, "198.51.100.7"), 4, "the smallest range");
    assert_eq!(passed(&mut fixture, "198.51.100.9"), 4, "the consumer's own");
    assert_eq!(passed(&mut fixture, "[2001:db8:9:1::1]"), 7, "acme's");
    assert_eq!(fixture.passed(9, |_| plan("198.51.100.2", "free")), 2);
    assert_eq!(fixture.passed(9, |_| plan("198.51.100.3", "no tier")), 3);
    assert_eq!(fixture.passed(9, |_| plan("203.0.113.1", "pro")), 4);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_is_counted_by_each_match_that_some_server_may_see() {
    let json = r#"{"keys": {"ip": {"client_ip": {}}, "op": {"request": "match"}},
        "policies": [{"name": "p", "key": ["ip", "op"], "match": [
            {"name": "cheap", "path": "/cheap/**"}, {"name": "login", "path": "/login"}],
            "limits": [{"quota": 3, "window": "1m"}]}]}"#;
    let mut fixture = Fixture::new(json);
    let to = |path: &str| FakeRequest::from("192.0.2.1").with(":path", path);
    assert_eq!(fixture.passed(9, |_| to("/cheap/x")), 3);
    assert_eq!(fixture.passed(9, |_| to("/login")), 3);
    // Counted as cheap, it would be three more logins wherever parameters of segments are dropped.
    let mut fixture = Fixture::new(json);
    assert_eq!(fixture.passed(2, |_| to("/login")), 2);
    assert_eq!(fixture.passed(9, |_| to("/cheap/..;/login")), 1);
    assert_eq!(fixture.passed(9, |_| to("/cheap/x")), 2);
}

const NAMED: &str = r#"{
    "keys": {"sub": {"metadata": ["jwt", "sub"]}, "cert": {"certificate": "subject"},
             "who": {"first_of": ["sub", "cert"]}, "all": {"constant": "x"}},
    "consumers": [{"name": "acme", "keys": {"sub": ["user-1"]}}],
    "consumer_name": "who", "access_log": true,
    "reject": {"body": "{consumer}"},
    "policies": [{"name": "p", "key": "all", "limits": [{"quota": 1, "window": "1m"}]}]}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_that_is_no_consumer_is_shown_by_a_claim_that_is_safe_to_show() {
    let long = "x".repeat(100);
    for (claim, shown) in [
        ("user-1", "acme"),
        ("auth0|7", "auth0|7"),
        ("a b\r\nconsumer=\"acme\"\\", "a_b__consumer=_acme__"),
        ("é", "__"),
        (long.as_str(), &long[..64]),
        ("", ""),
    ] {
        let mut fixture = Fixture::new(NAMED);
        let request = FakeRequest::default().with_metadata(MetadataPath::new(["jwt", "sub"]), claim);
        let admitted = fixture.decide(&request);
        let line = fixture.replies.access_line(&admitted).unwrap();
        let named = if shown.is_empty() { String::new() } else { format!(" consumer={shown}") };
        assert!(line.ends_with(&format!("near=true{named}")), "{line}");
        let rejected = fixture.decide(&request);
        assert_eq!(fixture.reply(&rejected, &request).body, shown, "{claim}");
    }
    let mut fixture = Fixture::new(NAMED);
    let request = FakeRequest::default().with_certificate(crate::http::CertificateField::Subject, "CN=web");
    let decision = fixture.decide(&request);
    assert_eq!(fixture.replies.consumer_name(&decision), "CN=web");
}

/// How to count a claim of callers that are no consumer as the attribute of those that are.
#[wasm_bindgen_test(unsupported = test)]
fn the_claim_of_an_unlisted_caller_counts_as_the_attribute_of_a_consumer() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"api_key": {"header": "x-key"}, "company": {"consumer": "company"},
                     "claim": {"metadata": ["jwt", "org"], "same_as": "company"},
                     "caller": {"first_of": ["company", "claim"]}},
            "consumers": [{"name": "acme", "keys": {"api_key": ["a1"]}, "attributes": {"company": "c-7"}}],
            "policies": [{"name": "p", "key": "caller", "limits": [{"quota": 3, "window": "1m"}]}]}"#,
    );
    let org = |org| FakeRequest::default().with_metadata(MetadataPath::new(["jwt", "org"]), org);
    assert_eq!(fixture.passed(2, |_| FakeRequest::default().with("x-key", "a1")), 2);
    assert_eq!(fixture.passed(9, |_| org("c-7")), 1);
    assert_eq!(fixture.passed(9, |_| org("c-8")), 3);
    assert_eq!(fixture.passed(9, |_| org("c-8").with("x-key", "a1")), 0, "the consumer's own comes first");
}
