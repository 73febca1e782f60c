use super::*;
use crate::config::{ConfigErrors, parse};
use crate::http::AUTHORIZATION;
use crate::testing::FakeRequest;
use proptest::prelude::*;
use std::cell::RefCell;
use wasm_bindgen_test::wasm_bindgen_test;

const PRESENT: ValueMatch = ValueMatch::Presence(Presence::Present);
const ABSENT: ValueMatch = ValueMatch::Presence(Presence::Absent);

fn fits(text: &str) -> ValueMatch {
    ValueMatch::Fits(Pattern::parse(text).unwrap())
}

fn any_of(texts: &[&str]) -> AnyOf<Pattern> {
    AnyOf::new(texts.iter().map(|text| Pattern::parse(text).unwrap()))
}

fn one_of(texts: &[&str]) -> ValueMatch {
    ValueMatch::OneOf(Box::new(any_of(texts)))
}

fn condition(json: &str) -> ValueMatch {
    let value = parse(json.as_bytes()).unwrap();
    let errors = RefCell::new(ConfigErrors::default());
    ValueMatch::read(&Reader::root(&value, &errors), true)
        .unwrap_or_else(|| panic!("{json}: {}", errors.borrow()))
}

fn not(text: &str) -> ValueMatch {
    condition(&format!(r#"{{"not": "{text}"}}"#))
}

fn within(min: i64, max: i64) -> ValueMatch {
    condition(&format!(r#"{{"min": {min}, "max": {max}}}"#))
}

/// Whether it holds where limits are added, and where they are taken away.
fn in_query(rule: &ValueMatch, query: &str) -> (bool, bool) {
    let request = FakeRequest::to(&format!("/x{query}"));
    let request = RequestCache::new(&request);
    let holds = |purpose| rule.holds_in_query(&request, "plan", purpose);
    (holds(Purpose::Limits), holds(Purpose::Exempts))
}

fn in_cookies(rule: &ValueMatch, cookies: &str) -> (bool, bool) {
    let request = FakeRequest::default().with("cookie", cookies);
    let request = RequestCache::new(&request);
    let holds = |purpose| rule.holds_in_cookies(&request, "plan", purpose);
    (holds(Purpose::Limits), holds(Purpose::Exempts))
}

fn in_header(rule: &ValueMatch, lines: &[&str]) -> (bool, bool) {
    let request = lines.iter().fold(FakeRequest::default(), |request, line| request.with("x-plan", line));
    let request = RequestCache::new(&request);
    let holds = |purpose| rule.holds_in_header(&request, "x-plan", purpose);
    (holds(Purpose::Limits), holds(Purpose::Exempts))
}

const YES: (bool, bool) = (true, true);
const NO: (bool, bool) = (false, false);
/// Only where it adds limits.
const LIMITS: (bool, bool) = (true, false);

#[wasm_bindgen_test(unsupported = test)]
fn a_query_parameter_is_matched_decoded_and_in_every_spelling() {
    for (rule, query, expected) in [
        (PRESENT, "?plan=pro", YES),
        (PRESENT, "?plan", YES),
        (PRESENT, "?a=1", NO),
        (PRESENT, "?Plan=pro", LIMITS),
        (PRESENT, "?a=1;plan=pro", LIMITS),
        (ABSENT, "", YES),
        (ABSENT, "?plan=pro", NO),
        (ABSENT, "?plan=", LIMITS),
        (ABSENT, "?PLAN=pro", LIMITS),
        (ABSENT, "?a=1;plan=pro", LIMITS),
        (fits("pro*"), "?plan=pro_1", YES),
        (fits("pro*"), "?%70lan=%70ro_1", YES),
        (fits("pro x"), "?plan=pro+x", YES),
        (fits("pro*"), "?plan=free", NO),
        (fits("pro*"), "?plan=free&plan=pro", LIMITS),
        (fits("pro*"), "?plan=pro&plan=free", LIMITS),
        (fits("pro*"), "?plan=pro&plan=pro2", YES),
        (fits("pro*"), "?plan=pro&plan[]=free", LIMITS),
        (fits("pro*"), "?plan=pro&Plan=free", LIMITS),
        (fits("pro*"), "?plan=pro;plan=free", LIMITS),
        (fits("pro*"), "?Plan=pro", LIMITS),
        (fits("pro*"), "?plan=pro%zz", LIMITS),
        (fits("*"), "?plan=", NO),
        (fits("*"), "?plan=x", YES),
    ] {
        assert_eq!(in_query(&rule, query), expected, "{rule:?} {query}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cookie_is_matched_without_quotes_and_in_every_spelling() {
    for (rule, cookies, expected) in [
        (PRESENT, "a=1; plan=pro", YES),
        (PRESENT, "a=1", NO),
        (ABSENT, "a=1", YES),
        (ABSENT, "plan=", LIMITS),
        (ABSENT, "plan=x", NO),
        (fits("pro*"), "plan=pro1", YES),
        (fits("pro*"), "plan=%70ro1", YES),
        (fits("pro*"), "plan=free; plan=pro", LIMITS),
        (fits("pro*"), "plan=pro; plan=free", LIMITS),
        (fits("pro*"), "plan=pro,plan=free", YES),
        (fits("pro*"), "plan=\"pro\"", LIMITS),
        (fits("pro*"), "PLAN=pro", LIMITS),
    ] {
        assert_eq!(in_cookies(&rule, cookies), expected, "{rule:?} {cookies}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_repeated_header_fits_if_any_line_does_and_exempts_only_if_all_do() {
    for (rule, lines, expected) in [
        (PRESENT, &["pro"][..], YES),
        (PRESENT, &[], NO),
        (ABSENT, &[], YES),
        (ABSENT, &["pro"], NO),
        (ABSENT, &["", ""], NO),
        (fits("pro*"), &[" pro1 "], YES),
        (fits("pro*"), &["free"], NO),
        (fits("pro*"), &["Pro"], NO),
        (fits("pro*"), &["free", "pro"], LIMITS),
        (fits("pro*"), &["pro", "free"], LIMITS),
        (fits("pro*"), &["pro", "pro2"], YES),
        (fits("pro*"), &["free, pro"], LIMITS),
        (fits("Mozilla*"), &["Mozilla/5.0 (KHTML, like Gecko)"], YES),
        (fits("*Googlebot*"), &["Mozilla/5.0 (KHTML, like Gecko; Googlebot/2.1)"], YES),
        (fits("*"), &[""], NO),
    ] {
        assert_eq!(in_header(&rule, lines), expected, "{rule:?} {lines:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_list_of_patterns_one_has_to_fit_every_value_that_a_server_may_read() {
    let rule = one_of(&["pro", "team*", "basic"]);
    for (query, expected) in [
        ("?plan=pro", YES),
        ("?plan=basic", YES),
        ("?plan=team7", YES),
        ("?plan=pro2", NO),
        ("", NO),
        ("?plan=pro&plan=team", YES),
        ("?plan=pro&plan=free", LIMITS),
        ("?PLAN=pro", LIMITS),
    ] {
        assert_eq!(in_query(&rule, query), expected, "{query}");
    }
    assert_eq!(condition(r#"["pro", "team*", "basic"]"#), rule);
}

/// A client may not shed a rule that limits by writing what only some servers take for a value that fits, nor
/// gain one that frees by writing what some servers take for another value.
#[wasm_bindgen_test(unsupported = test)]
fn a_negation_holds_if_one_server_may_find_another_value_and_frees_only_if_none_finds_one_that_fits() {
    for (query, expected) in [
        ("", YES),
        ("?plan=free", YES),
        ("?plan=", YES),
        ("?plan=pro", NO),
        ("?%70lan=pro", NO),
        ("?plan=pro&plan=free", LIMITS),
        ("?plan=free&plan=pro", LIMITS),
        ("?plan=free&plan=basic", YES),
        ("?plan=pro&plan=pro", NO),
        ("?Plan=pro", LIMITS),
        ("?plan[]=pro", LIMITS),
        ("?a=1;plan=pro", LIMITS),
        ("?plan=pro%zz", LIMITS),
    ] {
        assert_eq!(in_query(&not("pro*"), query), expected, "{query}");
    }
    for (cookies, expected) in [
        ("a=1", YES),
        ("plan=pro", NO),
        ("plan=\"pro\"", LIMITS),
        ("plan=x", YES),
        ("plan=x; plan=pro", LIMITS),
    ] {
        assert_eq!(in_cookies(&not("pro"), cookies), expected, "{cookies}");
    }
    for (lines, expected) in [
        (&[][..], YES),
        (&["free"], YES),
        (&["pro"], NO),
        (&[" pro1 "], NO),
        (&["pro", "free"], LIMITS),
        (&["free", "pro"], LIMITS),
        (&["free, pro"], LIMITS),
        // What has commas by its nature is one value, unless a part of it would be another one.
        (&["pro/5.0 (KHTML, like Gecko)"], NO),
        (&["free, basic"], YES),
    ] {
        assert_eq!(in_header(&not("pro*"), lines), expected, "{lines:?}");
    }
    let request = FakeRequest::default().with(AUTHORIZATION, "Bearer sk_live_1,Bearer sk_test_1");
    let request = RequestCache::new(&request);
    let rule = not("Bearer sk_live_*");
    assert!(rule.holds_in_header(&request, AUTHORIZATION, Purpose::Limits), "Envoy has joined its lines");
    assert!(!rule.holds_in_header(&request, AUTHORIZATION, Purpose::Exempts));
    let several = condition(r#"{"not": ["a", "b*"]}"#);
    assert_eq!(["?plan=a", "?plan=bc", "?plan=c"].map(|query| in_query(&several, query)), [NO, NO, YES]);
}

/// `"+5"` must not escape a rule for 5 to 10, nor `"0x5"`, whatever the server makes of it.
#[wasm_bindgen_test(unsupported = test)]
fn a_number_that_servers_may_read_in_several_ways_is_in_every_range_and_frees_nobody() {
    let rule = within(101, 500);
    for (query, expected) in [
        ("?plan=101", YES),
        ("?plan=500", YES),
        ("?plan=100", NO),
        ("?plan=501", NO),
        ("?plan=0", NO),
        ("", NO),
        ("?plan=", NO),
        ("?plan", NO),
        ("?plan=2147483647", NO),
        ("?plan=101&plan=5", LIMITS),
        ("?plan=5&plan=101", LIMITS),
        ("?plan=5&plan=6", NO),
        ("?Plan=200", LIMITS),
        ("?plan=%31%30%31", YES),
        // Of these, nobody knows what a server reads.
        ("?plan=+200", LIMITS),
        ("?plan=%20200", LIMITS),
        ("?plan=%2B200", LIMITS),
        ("?plan=200.0", LIMITS),
        ("?plan=0200", LIMITS),
        ("?plan=0xC8", LIMITS),
        ("?plan=2e2", LIMITS),
        ("?plan=200x", LIMITS),
        ("?plan=200%00", LIMITS),
        ("?plan=2_00", LIMITS),
        ("?plan=-0", LIMITS),
        ("?plan=%EF%BC%92%EF%BC%90%EF%BC%90", LIMITS),
        ("?plan=many", LIMITS),
        // As an unsigned number it is a huge one, and in SQL the limit -1 is none.
        ("?plan=-1", LIMITS),
        // Of 32 bits, 200 is left.
        ("?plan=4294967496", LIMITS),
        ("?plan=99999999999999999999999999999999999999", LIMITS),
    ] {
        assert_eq!(in_query(&rule, query), expected, "{query}");
    }
    for (lines, expected) in [
        (&[" 200 "][..], YES),
        (&["5"], NO),
        (&["5", "200"], LIMITS),
        (&["200", "5"], LIMITS),
        (&["5, 200"], LIMITS),
        (&["200", "300"], YES),
    ] {
        assert_eq!(in_header(&rule, lines), expected, "{lines:?}");
    }
    let negative = within(-5, 5);
    assert_eq!(["?plan=-5", "?plan=-6", "?plan="].map(|query| in_query(&negative, query)), [YES, NO, LIMITS]);
    let large = condition(r#"{"min": 1700000000000}"#);
    let values = ["?plan=1700000000000", "?plan=1600000000000", "?plan=9999999999999999"];
    assert_eq!(values.map(|query| in_query(&large, query)), [YES, NO, LIMITS]);
    assert_eq!(["?plan=5", "?plan=7"].map(|query| in_query(&condition(r#"{"max": 5}"#), query)), [YES, NO]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_condition_covers_another_if_it_holds_whenever_the_other_does() {
    let json = |json: &str| condition(json);
    for (one, other) in [
        ("true", r#"["a", "b"]"#),
        ("true", r#"{"min": 1}"#),
        (r#""a*""#, r#"["a", "ab"]"#),
        (r#"["a*", "b"]"#, r#""ab""#),
        (r#"["a*", "b"]"#, r#"["ab*", "b"]"#),
        (r#"{"min": 1}"#, r#"{"min": 1, "max": 5}"#),
        (r#"{"min": 1, "max": 9}"#, r#"{"min": 1, "max": 8}"#),
        (r#"{"min": 1, "max": 9}"#, r#"["1", "9"]"#),
        (r#"{"not": "ab"}"#, r#"{"not": "a*"}"#),
        (r#"{"not": "a"}"#, r#"{"not": ["a", "b"]}"#),
        (r#"{"not": "a"}"#, "false"),
    ] {
        assert!(json(one).covers(&json(other)) && json(one).covers(&json(one)), "{one} {other}");
        assert!(!json(other).covers(&json(one)), "{other} {one}");
    }
    for (one, other) in [
        ("true", r#"{"not": "a"}"#),
        ("false", r#"{"not": "a"}"#),
        (r#"{"not": "a"}"#, "true"),
        (r#"{"not": "a"}"#, r#""b""#),
        (r#"{"not": ""}"#, "false"),
        (r#""a""#, r#"{"not": "b"}"#),
        (r#"["a", "b"]"#, "true"),
        (r#"{"min": 1}"#, r#"["1", "0"]"#),
        (r#"{"min": 1}"#, r#""1*""#),
        (r#"{"min": 1}"#, r#"{"min": -1}"#),
        (r#"{"min": -1}"#, r#"{"min": 1}"#),
        (r#"{"min": 1}"#, r#"{"min": 1, "max": 3000000000}"#),
        (r#"{"min": 1}"#, "true"),
    ] {
        assert!(!json(one).covers(&json(other)), "{one} {other}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn credentials_that_envoy_has_joined_exempt_only_if_all_fit() {
    let request = FakeRequest::default().with(AUTHORIZATION, "Bearer sk_live_1,Bearer sk_test_1");
    let request = RequestCache::new(&request);
    let rule = fits("Bearer sk_live_*");
    assert!(rule.holds_in_header(&request, AUTHORIZATION, Purpose::Limits));
    assert!(!rule.holds_in_header(&request, AUTHORIZATION, Purpose::Exempts));
}

proptest! {
    /// What every server reads, some server reads.
    #[wasm_bindgen_test(unsupported = test)]
    fn whatever_takes_limits_away_would_also_add_them(
        bytes in prop::collection::vec(prop_oneof![Just(b'p'), Just(b'='), Just(b'&'), Just(b';'), Just(b'%'), Just(b','), Just(b'1'), Just(b'-'), any::<u8>()], 0..30),
        text in "(\\*?p?\\*?)",
    ) {
        let target = [b"/?", bytes.as_slice()].concat();
        let request = FakeRequest::default().with(":path", target).with("cookie", &bytes).with("x", &bytes);
        let request = RequestCache::new(&request);
        let mut rules = vec![PRESENT, ABSENT];
        rules.extend(Pattern::parse(&text).map(ValueMatch::Fits));
        rules.extend([one_of(&["p", "*="]), not("p*"), within(0, 10), within(-1, 10)]);
        for rule in rules {
            for holds in [ValueMatch::holds_in_query, ValueMatch::holds_in_cookies] {
                prop_assert!(!holds(&rule, &request, "p", Purpose::Exempts) || holds(&rule, &request, "p", Purpose::Limits));
            }
            let holds = |purpose| rule.holds_in_header(&request, "x", purpose);
            prop_assert!(!holds(Purpose::Exempts) || holds(Purpose::Limits));
        }
    }
}
