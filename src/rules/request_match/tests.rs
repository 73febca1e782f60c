use super::*;
use crate::config::{ConfigErrors, Vocabulary, parse};
use crate::http::Spellings;
use crate::language::exception;
use crate::testing::{FakeRequest, compiled};
use std::cell::RefCell;
use wasm_bindgen_test::wasm_bindgen_test;

/// Keys `a`, whose values may be flags, `b`, whose values may be credentials, and `c`, of which neither is so.
fn keys() -> Vec<Key> {
    let json = r#"{
        "keys": {"a": {"metadata": ["f", "a"]}, "b": {"query": "b"}, "c": {"consumer": "c"}},
        "consumers": [{"name": "x", "attributes": {"c": "1"}, "keys": {"b": ["1"]}}],
        "policies": [{"name": "p", "key": "a", "limits": [{"quota": 1, "window": "1s"}]}]}"#;
    compiled(json).rules.callers.keys
}

fn rule(json: &str) -> RequestMatch {
    let value = parse(json.as_bytes()).unwrap();
    let errors = RefCell::new(ConfigErrors::default());
    let fields = Reader::root(&value, &errors).fields(&exception::OBJECT).unwrap();
    let (keys, names) = (keys(), Vocabulary::new(vec!["a", "b", "c"]));
    let known = KnownKeys { keys: Some(&keys), names: Some(&names) };
    RequestMatch::read(&fields, known).unwrap_or_else(|| panic!("{json}: {}", errors.borrow()))
}

fn matches(rule: &RequestMatch, request: &FakeRequest) -> bool {
    rule.matches(&RequestCache::new(request))
}

/// One rule for each form of each condition on the request itself, and what it is in words.
const OF_REQUESTS: &[(&str, &str)] = &[
    (r#"{"method": "POST"}"#, "POST any path"),
    (r#"{"method": ["PUT", "PATCH"]}"#, "PUT/PATCH any path"),
    (r#"{"path": "/v1/{id}/x/*"}"#, "/v1/{id}/x/*"),
    (r#"{"path": "/v1/**"}"#, "/v1/**"),
    (r#"{"host": "api.example.com"}"#, "api.example.com/**"),
    (r#"{"host": "*.example.com"}"#, "*.example.com/**"),
    (r#"{"host": "api-*", "path": "/v1"}"#, "api-*/v1"),
    (r#"{"method": {"not": ["TRACE", "GET"]}}"#, "not TRACE/GET any path"),
    (r#"{"path": "/v*/**/*.php"}"#, "/v*/**/*.php"),
    (
        r#"{"host": ["b.example.com", "*.example.org", "a.example.com"]}"#,
        "any path with host a.example.com or b.example.com or *.example.org",
    ),
    (r#"{"route": "api"}"#, "any path on route api"),
    (r#"{"route": ["api-*", "web"], "path": "/v1"}"#, "/v1 on route web or api-*"),
    (r#"{"client_ip": "10.0.0.0/8"}"#, "any path from 10.0.0.0/8"),
    (
        r#"{"client_ip": ["2001:db8::/32", "192.0.2.7", "10.0.0.0/8"], "path": "/v1"}"#,
        "/v1 from 2001:db8::/32 or 192.0.2.7 or 10.0.0.0/8",
    ),
    (r#"{"headers": {"X-A": true}}"#, "any path with x-a"),
    (r#"{"headers": {"x-a": "b*"}}"#, "any path with x-a: b*"),
    (r#"{"headers": {"x-a": ["b", "c*"]}}"#, "any path with x-a: b or c*"),
    (r#"{"query": {"a": {"min": 1, "max": 5}}}"#, "any path with parameter a: 1 to 5"),
    (
        r#"{"query": {"a": {"min": 1}, "b": {"max": 5}}}"#,
        "any path with parameter a: at least 1 with parameter b: at most 5",
    ),
    (r#"{"query": {"a": true}}"#, "any path with parameter a"),
    (r#"{"query": {"a": "*b", "c": "*"}}"#, "any path with parameter a: *b with parameter c: *"),
    (r#"{"cookies": {"a": true}}"#, "any path with cookie a"),
    (
        r#"{"method": "GET", "cookies": {"a": "b", "c": "d"}}"#,
        "GET any path with cookie a: b with cookie c: d",
    ),
];

#[wasm_bindgen_test(unsupported = test)]
fn every_condition_holds_for_its_sample_and_not_for_another_request() {
    let other = FakeRequest::to("/").with(":method", "TRACE");
    for (json, _) in OF_REQUESTS {
        let rule = rule(json);
        let sample = rule.sample();
        assert!(matches(&rule, &sample), "{json}");
        assert!(rule.matches_as_written(&RequestCache::new(&sample)), "{json}");
        assert!(!matches(&rule, &other), "{json}");
    }
    let every = RequestMatch::default();
    assert!(matches(&every, &other) && every == rule("{}") && !every.asks_for_caller());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_condition_on_what_is_absent_holds_for_a_request_without_it() {
    for (json, words, request) in [
        (r#"{"headers": {"x-a": false}}"#, "any path without x-a", FakeRequest::to("/").with("x-a", "1")),
        (r#"{"query": {"a": false}}"#, "any path without parameter a", FakeRequest::to("/?a=1")),
        (
            r#"{"query": {"a": {"not": ["1", "2*"]}}}"#,
            "any path unless parameter a: 1 or 2*",
            FakeRequest::to("/?a=1"),
        ),
        (
            r#"{"cookies": {"a": false}}"#,
            "any path without cookie a",
            FakeRequest::to("/").with("cookie", "a=1"),
        ),
    ] {
        let rule = rule(json);
        assert!(matches(&rule, &rule.sample()) && !matches(&rule, &request), "{json}");
        assert_eq!(rule.describe(&keys()), words);
    }
}

/// What a rule says, and whether it holds for a request where it limits and where it frees.
fn for_both(json: &str, request: &FakeRequest) -> (bool, bool) {
    let holds = |purpose| {
        let mut rule = rule(json);
        rule.set_purpose(purpose, Spellings::default());
        matches(&rule, request)
    };
    (holds(Purpose::Limits), holds(Purpose::Exempts))
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_there_limits_whoever_may_be_another_and_frees_only_who_surely_is() {
    let to = || FakeRequest::to("/").with(":method", "GET");
    let (yes, no, limits) = ((true, true), (false, false), (true, false));
    let host = |host: &str| to().with(":authority", host);
    let from = |ip: &str| FakeRequest::from(ip).with(":path", "/");
    let on = |name: &str| {
        let mut request = to();
        request.route = Some(name.into());
        request
    };
    let (hosts, ranges) = (
        r#"{"host": {"not": ["a.example.com", "*.internal"]}}"#,
        r#"{"client_ip": {"not": ["10.0.0.0/8", "::1"]}}"#,
    );
    let routes = r#"{"route": {"not": ["web", "public-*"]}}"#;
    for (json, request, expected) in [
        (r#"{"method": {"not": "GET"}}"#, to(), no),
        (r#"{"method": {"not": ["PUT", "GET"]}}"#, to(), no),
        (r#"{"method": {"not": "POST"}}"#, to(), yes),
        // Some servers take it for GET.
        (r#"{"method": {"not": "GET"}}"#, FakeRequest::to("/").with(":method", "get"), limits),
        (hosts, host("b.example.com"), yes),
        (hosts, host("A.example.com.:80"), no),
        (hosts, host("x.internal"), no),
        // A server may take a host of its own.
        (hosts, to(), limits),
        (ranges, from("192.0.2.7"), yes),
        (ranges, from("10.1.2.3"), no),
        (ranges, from("::1"), no),
        (ranges, FakeRequest::to("/"), limits),
        (routes, on("api"), yes),
        (routes, on("web"), no),
        (routes, on("public-1"), no),
        (routes, on(""), limits),
        (routes, to(), limits),
        (r#"{"route": ["web", "public-*"]}"#, on("public-"), yes),
        (r#"{"route": ["web", "public-*"]}"#, on("api"), no),
        (r#"{"route": "*"}"#, to(), no),
    ] {
        assert_eq!(for_both(json, &request), expected, "{json}");
    }
    for (json, request, as_written) in [
        (r#"{"method": {"not": "GET"}}"#, FakeRequest::to("/").with(":method", "get"), false),
        (r#"{"method": {"not": "GET"}}"#, FakeRequest::to("/").with(":method", "PUT"), true),
        (hosts, to(), false),
        (hosts, host("b.example.com"), true),
    ] {
        assert_eq!(rule(json).matches_as_written(&RequestCache::new(&request)), as_written, "{json}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_is_described_by_its_conditions() {
    for (json, words) in OF_REQUESTS {
        assert_eq!(rule(json).describe(&keys()), *words, "{json}");
    }
    for (asked, words) in [
        (r#""a": true"#, "with the key a of any value, also false"),
        (r#""b": true"#, "with the key b"),
        (r#""b": false"#, "without the key b"),
        (r#""b": "sk_*""#, "with a certain b"),
        (r#""c": "x*""#, "with the key c = x*"),
        (r#""c": ["x", "y"]"#, "with the key c = x or y"),
        (r#""c": {"min": 3}"#, "with the key c = at least 3"),
        (r#""c": {"not": "x"}"#, "unless the key c = x"),
        (r#""b": {"not": "sk_*"}"#, "without a certain b"),
    ] {
        let rule = rule(&format!(r#"{{"keys": {{{asked}}}}}"#));
        assert_eq!(rule.describe(&keys()), format!("any path {words}"));
        assert!(rule.asks_for_caller());
    }
    assert_eq!(RequestMatch::default().describe(&keys()), "every request");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_first_condition_that_does_not_hold_says_why() {
    for (json, request, why) in [
        (r#"{"method": ["PUT", "PATCH"], "path": "/a"}"#, "/b", "the method is not PUT or PATCH"),
        (r#"{"host": "a", "path": "/a"}"#, "/b", "the path is not /a"),
        (r#"{"host": "*.a", "path": "/b"}"#, "/b", "the host is not *.a"),
        (r#"{"method": {"not": ["GET", "PUT"]}}"#, "/b", "the method is GET or PUT"),
        (r#"{"route": "api"}"#, "/b", "the route is not api"),
        (r#"{"query": {"a": true}}"#, "/b", "the request is not any path with parameter a"),
        (r#"{"keys": {"b": true}}"#, "/b", "the request is not any path with the key b"),
    ] {
        let request = FakeRequest::to(request).with(":method", "GET");
        assert_eq!(rule(json).why_not(&RequestCache::new(&request), &keys()), why);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_tells_its_patterns_and_which_keys_it_leaves_open() {
    let rule = rule(
        r#"{"headers": {"X-A": "1", "x-b": true}, "query": {"q": "2"}, "cookies": {"c": "3"},
            "keys": {"a": "4*", "b": {"not": "5"}, "c": false}, "route": ["6", "7*"]}"#,
    );
    let keys = keys();
    let patterns = rule.patterns(&keys);
    let patterns: Vec<_> =
        patterns.iter().map(|one| (one.field, one.name, one.pattern.text(), one.is_decoded)).collect();
    assert_eq!(
        patterns,
        [
            ("route", "", "6", false),
            ("route", "", "7", false),
            ("headers", "x-a", "1", false),
            ("query", "q", "2", true),
            ("cookies", "c", "3", true),
            ("keys", "a", "4", false),
            ("keys", "b", "5", true)
        ]
    );
    assert_eq!(rule.keys().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(rule.open_keys().collect::<Vec<_>>(), [0, 1]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_covers_another_if_it_matches_all_that_the_other_does() {
    let covering = [
        ("{}", r#"{"path": "/a"}"#),
        (
            "{}",
            r#"{"method": {"not": "GET"}, "host": {"not": "a"}, "client_ip": {"not": "::/0"}, "route": {"not": "a"}}"#,
        ),
        (r#"{"method": {"not": "GET"}}"#, r#"{"method": {"not": ["GET", "PUT"]}}"#),
        (r#"{"method": {"not": "GET"}}"#, r#"{"method": ["PUT", "POST"]}"#),
        (r#"{"host": ["a", "*.b"]}"#, r#"{"host": ["a", "x.b"]}"#),
        (r#"{"host": {"not": "x.b"}}"#, r#"{"host": {"not": ["*.b", "c"]}}"#),
        (r#"{"host": {"not": "*.b"}}"#, r#"{"host": ["b", "c"]}"#),
        (r#"{"client_ip": {"not": "10.1.0.0/16"}}"#, r#"{"client_ip": {"not": ["10.0.0.0/8", "::1"]}}"#),
        (r#"{"client_ip": {"not": "10.1.0.0/16"}}"#, r#"{"client_ip": ["10.2.0.0/16", "::1"]}"#),
        (r#"{"route": "api*"}"#, r#"{"route": ["api-1", "api"]}"#),
        (r#"{"route": {"not": "api-1"}}"#, r#"{"route": {"not": "api*"}}"#),
        (r#"{"route": {"not": "api*"}}"#, r#"{"route": "web"}"#),
        (r#"{"path": "/a/{id}"}"#, r#"{"path": "/a/b"}"#),
        (r#"{"path": "/a/**"}"#, r#"{"path": "/a"}"#),
        (r#"{"path": "/a/**"}"#, r#"{"path": "/a/"}"#),
        (r#"{"path": "/**"}"#, r#"{"path": "/a/*/**"}"#),
        (r#"{"path": "/**/*.php"}"#, r#"{"path": "/v*/a.php"}"#),
        (r#"{"host": "*.example.com"}"#, r#"{"host": "api.example.com"}"#),
        (r#"{"host": "*.example.com"}"#, r#"{"host": "*.eu.example.com"}"#),
        (r#"{"method": ["GET", "POST"]}"#, r#"{"method": "POST"}"#),
        (r#"{"headers": {"x": true}}"#, r#"{"headers": {"x": "1"}}"#),
        (r#"{"headers": {"x": "a*"}}"#, r#"{"headers": {"x": "ab"}}"#),
        (r#"{"query": {"x": "a*"}}"#, r#"{"query": {"x": "ab*"}}"#),
        (r#"{"keys": {"a": "a*"}}"#, r#"{"keys": {"a": "ab*"}, "path": "/"}"#),
        (r#"{"host": "api-*"}"#, r#"{"host": "api-7.example.com"}"#),
        (r#"{"host": "api*"}"#, r#"{"host": "api-*"}"#),
    ];
    for (one, other) in covering {
        assert!(rule(one).covers(&rule(other)) && rule(one).covers(&rule(one)), "{one} {other}");
        assert!(!rule(other).covers(&rule(one)), "{other} {one}");
    }
    assert!(rule(r#"{"path": "/a/*"}"#).covers(&rule(r#"{"path": "/a/{id}"}"#)));
    let unrelated = [
        (r#"{"path": "/a/*"}"#, r#"{"path": "/a/"}"#),
        (r#"{"path": "/a/*"}"#, r#"{"path": "/a/**"}"#),
        (r#"{"path": "/a/*/c"}"#, r#"{"path": "/a/b/d"}"#),
        (r#"{"host": "example.com"}"#, r#"{"host": "*.example.com"}"#),
        (r#"{"host": "*.example.com"}"#, r#"{"host": "*.ample.com"}"#),
        (r#"{"method": "GET"}"#, "{}"),
        (r#"{"method": {"not": "GET"}}"#, "{}"),
        (r#"{"method": "PUT"}"#, r#"{"method": {"not": "GET"}}"#),
        (r#"{"method": {"not": "GET"}}"#, r#"{"method": ["PUT", "GET"]}"#),
        (r#"{"host": {"not": "a"}}"#, "{}"),
        (r#"{"host": {"not": "a.b"}}"#, r#"{"host": "*.b"}"#),
        (r#"{"host": "a"}"#, r#"{"host": {"not": "b"}}"#),
        (r#"{"client_ip": {"not": "10.0.0.0/8"}}"#, "{}"),
        (r#"{"client_ip": {"not": "10.0.0.0/8"}}"#, r#"{"client_ip": "10.1.0.0/16"}"#),
        (r#"{"client_ip": {"not": "10.1.0.0/16"}}"#, r#"{"client_ip": "10.0.0.0/8"}"#),
        (r#"{"client_ip": "10.0.0.0/8"}"#, r#"{"client_ip": {"not": "::/0"}}"#),
        (r#"{"route": {"not": "a"}}"#, "{}"),
        (r#"{"route": {"not": "ab"}}"#, r#"{"route": "a*"}"#),
        (r#"{"headers": {"x": false}}"#, r#"{"headers": {"x": true}}"#),
        (r#"{"headers": {"x": true}}"#, r#"{"query": {"x": true}}"#),
        (r#"{"headers": {"x": "a*"}}"#, r#"{"headers": {"x": "*a"}}"#),
        (r#"{"headers": {"x": true}}"#, "{}"),
        (r#"{"keys": {"a": true}}"#, r#"{"keys": {"b": true}}"#),
    ];
    for (one, other) in unrelated {
        assert!(!rule(one).covers(&rule(other)), "{one} {other}");
    }
}
