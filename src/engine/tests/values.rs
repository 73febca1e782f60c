//! Values of earlier filters that are no text, matches by keys, and parts of values.

use super::*;
use crate::http::{Elements, MetadataValue};
use crate::testing::compiled;

fn claim() -> MetadataPath {
    MetadataPath::new(["auth", "claim"])
}

fn with(value: MetadataValue) -> FakeRequest {
    FakeRequest::from("192.0.2.7").with_value(claim(), value)
}

fn text(text: &str) -> MetadataValue {
    MetadataValue::Text(text.into())
}

fn list(texts: &[&str]) -> MetadataValue {
    let mut elements = Elements::default();
    texts.iter().for_each(|text| elements.push(text.as_bytes()));
    MetadataValue::List(elements)
}

/// A policy by the key `k`, two requests per caller, with these further fields of the file.
fn by(key: &str, more: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"k": {key}, "ip": {{"client_ip": {{}}}}}}, {more}
            "policies": [{{"name": "p", "key": "k", "limits": [{{"quota": 2, "window": "1m"}}]}}]}}"#
    ))
}

fn by_claim() -> Fixture {
    by(r#"{"metadata": ["auth", "claim"]}"#, "")
}

/// How many of two requests pass if two with the other value have passed: none if both are one caller.
fn apart(one: &MetadataValue, other: &MetadataValue) -> bool {
    let mut fixture = by_claim();
    assert_eq!(fixture.passed(3, |_| with(one.clone())), 2);
    fixture.passed(2, |_| with(other.clone())) == 2
}

#[wasm_bindgen_test(unsupported = test)]
fn a_value_of_any_kind_is_one_caller_and_reads_as_its_text() {
    let same = [
        (MetadataValue::Number(3.0), text("3")),
        (MetadataValue::Number(-0.0), text("0")),
        (MetadataValue::Number(2.5), text("2.5")),
        (MetadataValue::Number(-9_007_199_254_740_991.0), text("-9007199254740991")),
        (MetadataValue::Flag(true), text("true")),
        (MetadataValue::Flag(false), text("false")),
        (MetadataValue::Number(1e300), MetadataValue::Number(1e300)),
        (list(&["a"]), text("a")),
        (list(&["a", "b"]), list(&["b", "a"])),
    ];
    for (one, other) in &same {
        assert!(!apart(one, other), "{one:?} {other:?}");
    }
    let different = [
        (MetadataValue::Number(3.0), MetadataValue::Text(3_f64.to_le_bytes().into())),
        (MetadataValue::Flag(true), MetadataValue::Text(vec![1])),
        (MetadataValue::Number(3.0), MetadataValue::Number(4.0)),
        (MetadataValue::Number(1e300), MetadataValue::Number(1e301)),
        (list(&["a", "b"]), list(&["a", "c"])),
        (list(&["a", "b"]), text("[\"a\",\"b\"]")),
    ];
    for (one, other) in &different {
        assert!(apart(one, other), "{one:?} {other:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_cannot_tell_callers_apart_is_no_value_and_is_reported_once() {
    let many: Vec<String> = (0..65).map(|number| format!("g{number}")).collect();
    let many = list(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for value in [MetadataValue::Object { is_empty: false }, MetadataValue::Number(f64::NAN), many] {
        let mut fixture = by_claim();
        assert_eq!(fixture.passed(15, |_| with(value.clone())), 15);
        assert_eq!(fixture.engine.report_unreadable(), (15, vec![0]));
        fixture.passed(1, |_| with(value.clone()));
        assert_eq!(fixture.engine.report_unreadable(), (1, vec![]), "each key is named once");
    }
    for value in [text(""), list(&[]), MetadataValue::Object { is_empty: true }] {
        let mut fixture = by_claim();
        assert_eq!(fixture.passed(15, |_| with(value.clone())), 15, "absent");
        assert_eq!(fixture.engine.report_unreadable(), (0, vec![]));
    }
}

const TIERS: &str = r#""tiers": {"names": ["1", "3", "gold"], "default": "1", "from": "plan"},"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_tier_may_be_a_number_or_in_a_list() {
    let mut fixture = Fixture::new(&format!(
        r#"{{"keys": {{"all": {{"constant": "x"}}, "plan": {{"metadata": ["auth", "claim"]}}}}, {TIERS}
            "policies": [{{"name": "p", "key": "all", "limits": [
                {{"quota": {{"1": 10, "3": 30, "gold": 99}}, "window": "1m"}}]}}]}}"#
    ));
    let mut quota = |value| fixture.decide(&with(value)).verdict(0, 0).unwrap().quota;
    assert_eq!(quota(MetadataValue::Number(3.0)), 30);
    assert_eq!(quota(text("gold")), 99);
    assert_eq!(quota(list(&["x", "gold", "3"])), 30, "the first of the names that is in it");
    let many: Vec<String> = (0..100).map(|number| format!("g{number}")).chain(["gold".into()]).collect();
    assert_eq!(quota(list(&many.iter().map(String::as_str).collect::<Vec<_>>())), 99);
    for value in [MetadataValue::Number(3.5), MetadataValue::Flag(true), list(&["x"]), list(&[])] {
        assert_eq!(quota(value.clone()), 10, "{value:?}");
    }
    assert_eq!(quota(MetadataValue::Object { is_empty: false }), 10);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_consumer_is_known_by_the_digits_of_a_number() {
    let consumers = r#""consumers": [{"name": "acme", "keys": {"id": ["42"]}}],"#;
    let mut fixture = Fixture::new(&format!(
        r#"{{"keys": {{"id": {{"metadata": ["auth", "claim"]}}, "who": {{"consumer": "name"}}}}, {consumers}
            "policies": [{{"name": "p", "key": "who", "limits": [{{"quota": 1, "window": "1m"}}]}}]}}"#
    ));
    assert_eq!(fixture.decide(&with(MetadataValue::Number(42.0))).policies().len(), 1);
    assert_eq!(fixture.decide(&with(list(&["42"]))).policies().len(), 1);
    assert_eq!(fixture.decide(&with(MetadataValue::Number(43.0))).policies().len(), 0);
    assert_eq!(fixture.decide(&with(list(&["42", "43"]))).policies().len(), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_credential_is_valid_by_any_value_but_false_and_empty_ones() {
    let key = r#"{"header": "x-key", "valid": {"metadata": ["auth", "claim"]}}"#;
    let valid = |value| by(key, "").decide(&with(value).with("x-key", "k")).policies().len() == 1;
    for value in [
        MetadataValue::Flag(true),
        text("yes"),
        text("\0"),
        MetadataValue::Number(1.0),
        MetadataValue::Number(0.0),
        list(&["a"]),
        MetadataValue::Object { is_empty: false },
    ] {
        assert!(valid(value.clone()), "{value:?}");
    }
    for value in [MetadataValue::Flag(false), text(""), list(&[]), MetadataValue::Object { is_empty: true }] {
        assert!(!valid(value.clone()), "{value:?}");
    }
}

/// A policy by address whose match, except or exempt asks for keys.
fn asking(place: &str, keys: &str) -> Fixture {
    let rule = format!(r#"[{{"keys": {keys}}}]"#);
    let (policy, file) = match place {
        "exempt" => (String::new(), format!(r#""exempt": {rule},"#)),
        field => (format!(r#""{field}": {rule},"#), String::new()),
    };
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}, "roles": {{"metadata": ["auth", "claim"]}},
                "q": {{"query": "q"}}, "who": {{"consumer": "name"}},
                "either": {{"first_of": ["roles", "q"]}}}},
            "consumers": [{{"name": "acme", "keys": {{"q": ["k1"]}}}}], {file}
            "policies": [{{"name": "p", "key": "ip", {policy} "limits": [{{"quota": 1, "window": "1m"}}]}}]}}"#
    ))
}

/// Whether the policy judges the request.
fn judged(fixture: &mut Fixture, request: &FakeRequest) -> bool {
    !fixture.decide(request).policies().is_empty()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_asks_whether_a_list_has_an_element() {
    for (keys, fits, fits_not) in [
        (r#"{"roles": "admin"}"#, list(&["user", "admin"]), list(&["user", "administrator"])),
        (r#"{"roles": "admin"}"#, text("admin"), text("user")),
        (r#"{"roles": true}"#, list(&["user"]), list(&[])),
        (r#"{"roles": false}"#, text(""), text("user")),
        (r#"{"roles": "3"}"#, MetadataValue::Number(3.0), MetadataValue::Number(30.0)),
        (r#"{"roles": "true"}"#, MetadataValue::Flag(true), MetadataValue::Flag(false)),
        (r#"{"either": "admin"}"#, list(&["admin"]), list(&["user"])),
    ] {
        for (place, fitting_is_judged) in [("match", true), ("except", false), ("exempt", false)] {
            let mut fixture = asking(place, keys);
            assert_eq!(judged(&mut fixture, &with(fits.clone())), fitting_is_judged, "{place} {keys}");
            assert_eq!(judged(&mut fixture, &with(fits_not.clone())), !fitting_is_judged, "{place} {keys}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_conflicting_values_fit_what_limits_and_never_what_frees() {
    let to = |query: &str| FakeRequest::from("192.0.2.7").with(":path", format!("/?{query}"));
    for keys in
        [r#"{"q": "k1"}"#, r#"{"q": true}"#, r#"{"q": false}"#, r#"{"who": "acme"}"#, r#"{"either": "k1"}"#]
    {
        for query in ["q=k1&q=x", "q=x&q=k1"] {
            for place in ["match", "except", "exempt"] {
                assert!(judged(&mut asking(place, keys), &to(query)), "{place} {keys} {query}");
            }
        }
    }
    assert!(judged(&mut asking("match", r#"{"who": "acme"}"#), &to("q=k1")));
    assert!(!judged(&mut asking("exempt", r#"{"who": true}"#), &to("q=k1")));
    assert!(judged(&mut asking("exempt", r#"{"who": true}"#), &to("q=k2")));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_match_by_conflicting_values_keeps_no_other_policy_of_its_class_away() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "q": {"query": "q"}}, "policies": [
            {"name": "large", "key": "ip", "class": "c", "match": [{"keys": {"q": "pro"}}, {"cost": 1, "method": "PUT"}],
             "limits": [{"quota": 9, "window": "1m"}]},
            {"name": "small", "key": "ip", "class": "c", "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    let mut policies =
        |query: &str| fixture.decide(&FakeRequest::from("192.0.2.7").with(":path", query)).policies().len();
    assert_eq!((policies("/?q=pro"), policies("/?q=pro&q=x"), policies("/?q=x")), (1, 2, 1));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_whole_header_counts_with_its_commas_and_lines() {
    let agent = |name: &str| {
        FakeRequest::default().with(
            "user-agent",
            format!("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36{name}"),
        )
    };
    let mut usual = by(r#"{"header": "user-agent"}"#, "");
    assert_eq!((usual.passed(2, |_| agent("")), usual.passed(2, |_| agent(" Edg/131.0"))), (2, 0));
    let mut whole = by(r#"{"header": "user-agent", "whole": true}"#, "");
    assert_eq!((whole.passed(3, |_| agent("")), whole.passed(3, |_| agent(" Edg/131.0"))), (2, 2));
    let two_lines = || FakeRequest::default().with("user-agent", " a").with("user-agent", "b ");
    assert_eq!(whole.passed(3, |_| two_lines()), 2);
    assert_eq!(whole.passed(1, |_| FakeRequest::default().with("user-agent", "a,b")), 0);
    assert_eq!(whole.passed(9, |_| FakeRequest::default().with("user-agent", " ")), 9, "absent");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_element_of_a_header_counts() {
    let key = r#"{"header": "x-hops", "separator": ",", "index": -1}"#;
    let from = |hops: &str| FakeRequest::default().with("x-hops", hops);
    let mut fixture = by(key, "");
    assert_eq!(fixture.passed(2, |i| from(&format!("made-up-{i}, 10.0.0.7"))), 2);
    for hops in ["10.0.0.7", "x,10.0.0.7 ", "x , ,10.0.0.7,, "] {
        assert!(fixture.decide(&from(hops)).rejected(), "{hops}");
    }
    assert!(fixture.decide(&from("x").with("x-hops", "10.0.0.7")).rejected(), "all lines count");
    assert!(!fixture.decide(&from("10.0.0.7, 10.0.0.8")).rejected());
    assert!(fixture.decide(&from(" , ,")).policies().is_empty(), "no element, no key");
}

#[wasm_bindgen_test(unsupported = test)]
fn parameters_cookies_credentials_and_claims_have_elements_too() {
    let cases = [
        (r#"{"query": "k", "separator": ":", "index": 0}"#, (":path", "/?k=a%3Ab"), (":path", "/?k=a:c")),
        (r#"{"cookie": "k", "separator": ".", "index": 1}"#, ("cookie", "k=x.a.y"), ("cookie", "k=z.a")),
        (
            r#"{"header": "authorization", "scheme": "Bearer", "separator": ".", "index": 0}"#,
            ("authorization", "Bearer id.secret1"),
            ("authorization", "bearer id.secret2"),
        ),
    ];
    for (key, one, same) in cases {
        let mut fixture = by(key, "");
        assert_eq!(fixture.passed(3, |_| FakeRequest::default().with(one.0, one.1)), 2, "{key}");
        assert_eq!(fixture.passed(3, |_| FakeRequest::default().with(same.0, same.1)), 0, "{key}");
    }
    let mut fixture = by(r#"{"metadata": ["auth", "claim"], "separator": "|", "index": 0}"#, "");
    assert_eq!(fixture.passed(3, |i| with(text(&format!("auth0|{i}")))), 2);
    assert_eq!(fixture.passed(1, |_| with(list(&["a|b", "c"]))), 1, "a list stays a list");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_text_with_a_separator_is_a_list() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "scope": {"metadata": ["auth", "claim"], "separator": " "}},
            "policies": [{"name": "p", "key": "ip", "match": [{"keys": {"scope": "write"}}],
                "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    assert!(judged(&mut fixture, &with(text("read write"))));
    assert!(!judged(&mut fixture, &with(text("read writer"))));
}

#[wasm_bindgen_test(unsupported = test)]
fn an_empty_value_beside_a_real_one_hides_no_caller() {
    let sources = [
        (
            r#""query": "k""#,
            ":path",
            ["/?k=&k=abc", "/?k=abc&k=", "/?k&k=abc", "/?k=;k=abc", "/?k=abc&k=%20"],
        ),
        (
            r#""cookie": "k""#,
            "cookie",
            ["k=; k=abc", "k=abc; k=", "k; k=abc", "k=\"\"; k=abc", "k=abc;k=\"\""],
        ),
    ];
    for (source, name, values) in sources {
        for repeated in ["reject", "first", "last"] {
            let mut fixture = by(&format!(r#"{{{source}, "repeated": "{repeated}"}}"#), "");
            assert_eq!(
                fixture.passed(2, |_| FakeRequest::default()
                    .with(name, if name == "cookie" { "k=abc" } else { "/?k=abc" })),
                2
            );
            for value in &values[..4] {
                let decision = fixture.decide(&FakeRequest::default().with(name, value));
                assert!(decision.rejected(), "{source} {repeated} {value}: the caller abc has no units left");
            }
        }
    }
    for repeated in ["reject", "first", "last"] {
        let mut fixture = by(&format!(r#"{{"header": "x-key", "repeated": "{repeated}"}}"#), "");
        assert_eq!(fixture.passed(2, |_| FakeRequest::default().with("x-key", "abc")), 2);
        let lines = FakeRequest::default().with("x-key", "abc").with("x-key", "");
        assert!(fixture.decide(&lines).rejected(), "{repeated}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policies_without_metadata_ask_for_none() {
    let mut fixture = Fixture::new(BILLIUM);
    let request = FakeRequest::from("192.0.2.1").key("k");
    fixture.decide(&request);
    assert_eq!(request.metadata_reads.get(), 0);
    assert!(compiled(BILLIUM).rules.exempt.is_empty());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_credential_that_no_response_has_proved_exempts_nobody() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "k": {"header": "x-key", "valid": {"unless": [401]}}},
            "exempt": [{"keys": {"k": true}}],
            "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 2, "window": "1m"}]}]}"#,
    );
    let with_key = |key: &str| FakeRequest::from("192.0.2.7").with("x-key", key);
    assert_eq!((0..5).filter(|i| fixture.served(&with_key(&format!("made-up-{i}")), 401)).count(), 2);
    fixture.wait(60);
    assert!(fixture.served(&with_key("good"), 200));
    assert_eq!((0..9).filter(|_| fixture.served(&with_key("good"), 200)).count(), 9);
}

/// Values of `count` different elements, in an order of their own for each `turn`.
fn long_list(count: usize, turn: u32) -> String {
    let mut elements: Vec<String> = (0..count).map(|i| format!("e{i}")).collect();
    elements.rotate_left(turn as usize % count);
    elements.join(",")
}

/// No client may escape by what it writes: a list that is too long to be compared is rejected.
#[wasm_bindgen_test(unsupported = test)]
fn a_list_that_a_client_makes_too_long_lets_nobody_escape() {
    type Send = fn(String) -> FakeRequest;
    let sources: [(&str, Send); 3] = [
        (r#""header": "x-k""#, |value| FakeRequest::default().with("x-k", value)),
        (r#""query": "k""#, |value| FakeRequest::to(&format!("/?k={value}"))),
        (r#""cookie": "k""#, |value| FakeRequest::default().with("cookie", format!("k={value}"))),
    ];
    for (source, send) in sources {
        let key = format!(r#"{{{source}, "separator": ","}}"#);
        for count in [65, 66, 20_000] {
            assert_eq!(by(&key, "").passed(5, |i| send(long_list(count, i))), 0, "{source} {count}");
        }
        assert_eq!(by(&key, "").passed(5, |i| send(long_list(64, i))), 2, "{source}");
        let mut one = by(&key, "");
        assert_eq!(one.passed(5, |i| send("a,".repeat(60 + i as usize * 9))), 2, "{source}: one element");
        assert_eq!(one.engine.report_unreadable(), (0, vec![]));
    }
    let key = r#"{"first_of": ["list", "ip"]}"#;
    let more = r#""list": {"header": "x-k", "separator": ","}"#;
    let mut fixture = Fixture::new(&format!(
        r#"{{"keys": {{{more}, "ip": {{"client_ip": {{}}}}, "k": {key}}}, "exempt": [{{"keys": {{"list": "e3"}}}}],
            "policies": [{{"name": "p", "key": "k", "limits": [{{"quota": 2, "window": "1m"}}]}}]}}"#
    ));
    let long = |i| FakeRequest::from("192.0.2.7").with("x-k", long_list(65, i));
    assert_eq!(fixture.passed(3, long), 0, "neither another key nor an exemption");
}

/// An exemption of requests without a key is none of requests with one that is still to be proved: the
/// response to an exempt request is not looked at, so it would never be.
#[wasm_bindgen_test(unsupported = test)]
fn an_exemption_of_requests_without_a_key_frees_no_key_that_is_unproved() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"k": {"header": "x-key", "valid": {"unless": [401]}}}, "exempt": [{"keys": {"k": false}}],
            "policies": [{"name": "p", "key": "k", "limits": [{"quota": 2, "window": "1m"}]}]}"#,
    );
    let request = || FakeRequest::from("192.0.2.7").with("x-key", "good");
    assert_eq!((0..9).filter(|_| fixture.served(&request(), 200)).count(), 2);
    let without = || FakeRequest::from("192.0.2.7");
    assert_eq!((0..9).filter(|_| fixture.served(&without(), 200)).count(), 9);
}

/// How many of two requests pass with each of these values of a header.
fn passed_with(key: &str, values: &[&str]) -> Vec<usize> {
    let mut fixture = by(key, "");
    let request = |value: &str| FakeRequest::to("/").with("x-k", value).with(":authority", value);
    values.iter().map(|value| fixture.passed(2, |_| request(value))).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn callers_are_told_apart_by_the_part_after_and_before_a_text() {
    let key = r#"{"header": "x-k", "after": "/ns/", "before": "/"}"#;
    assert_eq!(passed_with(key, &["s://a/ns/x/1", "s://b/ns/x/2", "/ns/y/"]), [2, 0, 2]);
    // The element is chosen first.
    let key = r#"{"header": "x-k", "separator": ",", "index": -1, "before": ":"}"#;
    assert_eq!(passed_with(key, &["b:1, a:1", "a:9", "b:1"]), [2, 0, 2]);
    // Of a list, each element is cut.
    let key = r#"{"header": "x-k", "separator": " ", "after": "org:"}"#;
    assert_eq!(passed_with(key, &["org:a org:b", "b a", "org:a"]), [2, 0, 2]);
    // A host has one spelling, whatever the policy's is.
    assert_eq!(
        passed_with(r#"{"host": {}, "before": ".API."}"#, &["a.api.x", "A.Api.y", "b.api.x"]),
        [2, 0, 2]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn leaving_the_text_out_is_no_escape() {
    let key = r#"{"header": "x-k", "after": "-", "before": "."}"#;
    assert_eq!(passed_with(key, &["acme", "acme", "-", "-.", "x-."]), [2, 0, 2, 2, 2], "each is a caller");
    let mut fixture = by(key, "");
    assert_eq!(fixture.passed(9, |_| FakeRequest::to("/").with("x-k", "acme")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn consumers_are_known_by_the_part_that_counts() {
    let more = r#""consumers": [{"name": "acme", "keys": {"k": ["acme"]}, "quotas": {"p": 3}}],"#;
    let mut fixture = by(r#"{"header": "x-k", "after": "org-"}"#, more);
    assert_eq!(fixture.passed(9, |_| FakeRequest::to("/").with("x-k", "org-acme")), 3);
    assert_eq!(fixture.passed(9, |_| FakeRequest::to("/").with("x-k", "org-other")), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_path_and_its_parameter_have_parts_in_every_spelling() {
    let policy = |key: &str, path: &str| {
        Fixture::new(&format!(
            r#"{{"keys": {{"k": {key}}}, "policies": [{{"name": "p", "key": "k", "match": [{{"path": "{path}"}}],
                "limits": [{{"quota": 2, "window": "1m"}}]}}]}}"#
        ))
    };
    let mut fixture = policy(r#"{"path": "id", "case": "ignore", "after": "INV-"}"#, "/v1/{id}");
    assert_eq!(
        ["/v1/inv-7", "/v1/Inv-7", "/v1/7"].map(|path| fixture.passed(2, |_| FakeRequest::to(path))),
        [2, 0, 0]
    );
    let mut fixture = policy(r#"{"request": "path", "after": "/V1/", "before": "/"}"#, "/**");
    let paths = ["/v1/a/x", "/V1/A/y", "/v1/b", "/v2/a"];
    assert_eq!(paths.map(|path| fixture.passed(2, |_| FakeRequest::to(path))), [2, 0, 2, 2]);
}
