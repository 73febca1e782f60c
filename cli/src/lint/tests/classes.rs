//! Warnings about what never applies: policies of a class, alternatives of a key.

use super::{NOTHING, warnings};

/// Two policies of one class, with these fields beside their limits, and the keys that they may have.
fn classes(first: &str, second: &str) -> Vec<String> {
    warnings(&format!(
        "keys:
  ip: {{ client_ip: {{}} }}
  api_key: {{ header: x-key }}
  all: {{ constant: everyone }}
  caller: {{ first_of: [api_key, ip] }}
  either: {{ first_of: [api_key, session] }}
  session: {{ cookie: session }}
policies:
  - {{ name: first, class: c, {first}, limits: [{{ quota: 5, window: 1m }}] }}
  - {{ name: second, class: c, {second}, limits: [{{ quota: 5, window: 1m }}] }}
  - {{ name: users, key: [caller, either, all], limits: [{{ quota: 5, window: 1m }}] }}
"
    ))
}

const NEVER_APPLIES: [&str; 1] =
    ["policies[1]: it never applies: first of the same class comes first for all of its requests"];

#[test]
fn a_policy_whose_class_always_has_an_earlier_one_is_warned_about() {
    let ip = |more: &str| format!("key: ip{more}");
    assert_eq!(classes(&ip(""), &ip("")), NEVER_APPLIES);
    assert_eq!(classes(&ip(""), &ip(", match: [{ path: /v1 }]")), NEVER_APPLIES);
    assert_eq!(
        classes(&ip(", match: [{ path: /v1/** }]"), &ip(", match: [{ path: '/v1/{id}' }]")),
        NEVER_APPLIES
    );
    assert_eq!(
        classes(&ip(", match: [{ path: '/v1/{id}' }]"), &ip(", match: [{ path: /v1/** }]")),
        NOTHING,
        "the wider one is later: that is what classes are for"
    );
    assert_eq!(
        classes(
            &ip(", match: [{ method: [GET, PUT], host: '*.example.com' }, { path: /v1 }]"),
            &ip(", match: [{ path: /v1 }, { method: PUT, host: api.example.com, path: /v2 }]")
        ),
        NEVER_APPLIES,
        "each of its matches by one of the others"
    );
    assert_eq!(classes(&ip(", match: [{ headers: { x: true } }]"), &ip("")), NOTHING);
}

#[test]
fn it_is_not_if_the_earlier_one_leaves_requests_to_it() {
    assert_eq!(classes("key: api_key", "key: ip"), NOTHING, "those without a key");
    assert_eq!(classes("key: ip, except: [{ path: /v1 }]", "key: ip"), NOTHING);
    assert_eq!(
        classes("key: ip, except: [{ path: /v1 }]", "key: ip, except: [{ path: /v1/** }]"),
        NEVER_APPLIES,
        "what it excludes the later one excludes too"
    );
}

#[test]
fn a_request_with_one_key_may_always_have_another() {
    for (first, second) in [
        ("all", "api_key"),
        ("caller", "session"),
        ("either", "session"),
        ("either", "either"),
        ("[ip, api_key]", "[api_key, all]"),
    ] {
        assert_eq!(
            classes(&format!("key: {first}"), &format!("key: {second}")),
            NEVER_APPLIES,
            "{first} {second}"
        );
    }
    for (first, second) in [("either", "caller"), ("[api_key, session]", "api_key")] {
        assert_eq!(classes(&format!("key: {first}"), &format!("key: {second}")), NOTHING, "{first} {second}");
    }
}

#[test]
fn one_in_shadow_does_not_keep_an_enforced_one_from_applying() {
    let of = |mode: &str| format!("key: ip, {mode}");
    let (enforced, shadow) = (of("mode: enforce"), of("mode: shadow"));
    let from = |year: u32| of(&format!("effective_from: {year}-01-01T00:00:00Z"));
    for (first, second) in
        [(&enforced, &shadow), (&shadow, &shadow), (&enforced, &from(2026)), (&from(2026), &from(2027))]
    {
        assert_eq!(classes(first, second), NEVER_APPLIES, "{first}; {second}");
    }
    for (first, second) in [(&shadow, &enforced), (&from(2026), &enforced), (&from(2027), &from(2026))] {
        assert_eq!(classes(first, second), NOTHING, "{first}; {second}");
    }
}

#[test]
fn an_alternative_after_one_that_every_request_has_is_warned_about() {
    let found = warnings(
        "keys:
  ip: { client_ip: {} }
  api_key: { header: x-key }
  all: { constant: everyone }
  caller: { first_of: [ip, api_key, all] }
policies: [{ name: p, key: caller, limits: [{ quota: 5, window: 1m }] }]
",
    );
    assert_eq!(
        found,
        [
            "keys.caller.first_of[1]: api_key is never used: every request has ip",
            "keys.caller.first_of[2]: all is never used: every request has ip"
        ]
    );
}
