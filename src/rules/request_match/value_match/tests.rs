use super::*;
use crate::http::AUTHORIZATION;
use crate::testing::FakeRequest;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

const PRESENT: ValueMatch = ValueMatch::Presence(Presence::Present);
const ABSENT: ValueMatch = ValueMatch::Presence(Presence::Absent);

fn fits(text: &str) -> ValueMatch {
    ValueMatch::Fits(Pattern::parse(text).unwrap())
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
fn c_a_query_parameter_is_matched_decoded_and_in_every_spelling() {
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
fn c_a_cookie_is_matched_without_quotes_and_in_every_spelling() {
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
fn c_a_repeated_header_fits_if_any_line_does_and_exempts_only_if_all_do() {
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
fn c_credentials_that_envoy_has_joined_exempt_only_if_all_fit() {
    let request = FakeRequest::default().with(AUTHORIZATION, "Bearer sk_live_1,Bearer sk_test_1");
    let request = RequestCache::new(&request);
    let rule = fits("Bearer sk_live_*");
    assert!(rule.holds_in_header(&request, AUTHORIZATION, Purpose::Limits));
    assert!(!rule.holds_in_header(&request, AUTHORIZATION, Purpose::Exempts));
}

proptest! {
    /// What every server reads, some server reads.
    #[wasm_bindgen_test(unsupported = test)]
    fn c_whatever_takes_limits_away_would_also_add_them(
        bytes in prop::collection::vec(prop_oneof![Just(b'p'), Just(b'='), Just(b'&'), Just(b';'), Just(b'%'), Just(b','), any::<u8>()], 0..30),
        text in "(\\*?p?\\*?)",
    ) {
        let target = [b"/?", bytes.as_slice()].concat();
        let request = FakeRequest::default().with(":path", target).with("cookie", &bytes).with("x", &bytes);
        let request = RequestCache::new(&request);
        let mut rules = vec![PRESENT, ABSENT];
        rules.extend(Pattern::parse(&text).map(ValueMatch::Fits));
        for rule in rules {
            for holds in [ValueMatch::holds_in_query, ValueMatch::holds_in_cookies] {
                prop_assert!(!holds(&rule, &request, "p", Purpose::Exempts) || holds(&rule, &request, "p", Purpose::Limits));
            }
            let holds = |purpose| rule.holds_in_header(&request, "x", purpose);
            prop_assert!(!holds(Purpose::Exempts) || holds(Purpose::Limits));
        }
    }
}
