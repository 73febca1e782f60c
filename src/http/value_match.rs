//! What must hold for the values that a request has under a name: in a header, in the query or in a cookie.
//!
//! A client can repeat a name, encode it, or write it so that servers disagree about what they read. So a
//! condition has two meanings, see [`Purpose`]. Where a match adds limits, it holds if some server may read
//! the request so. Where a match takes limits away, it holds only if every server does.

use super::credential::{self, Location};
use super::{AUTHORIZATION, Pattern, Purpose, Request, RequestCache};

/// What must hold for the values of one name.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueMatch {
    /// The name is present, with any value.
    Present,
    /// The name is absent.
    Absent,
    /// It has a value that fits.
    Fits(Pattern),
}

impl ValueMatch {
    /// Whether it holds for a header, by its lower-case name.
    ///
    /// `header` answers with the first line of most repeated headers, and upstreams may read another one.
    /// Only where that can matter are all lines asked for, joined with commas.
    #[inline(never)] // one copy
    pub fn holds_in_header<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        let value = request.header(name);
        let pattern = match (self, purpose) {
            (ValueMatch::Present, _) => return value.is_some(),
            (ValueMatch::Absent, _) => return value.is_none(),
            (ValueMatch::Fits(pattern), _) => pattern,
        };
        let Some(value) = value else { return false };
        let whole_fits = pattern.fits(value.trim_ascii());
        let part_fits = |part: &[u8]| pattern.fits(part);
        match purpose {
            Purpose::Limits => {
                whole_fits
                    || parts(&value).any(part_fits)
                    || name != AUTHORIZATION
                        && all_lines(request, name).is_some_and(|all| parts(&all).any(part_fits))
            }
            Purpose::Exempts if !whole_fits => false,
            // Envoy has joined its lines.
            Purpose::Exempts if name == AUTHORIZATION => parts(&value).all(part_fits),
            Purpose::Exempts => {
                let all = all_lines(request, name);
                all.is_none_or(|all| all == *value || parts(&all).all(part_fits))
            }
        }
    }

    /// Whether it holds for a query parameter.
    pub fn holds_in_query<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        self.holds_in(Location::Query(name), credential::query(request.target()), purpose)
    }

    /// Whether it holds for a cookie.
    pub fn holds_in_cookies<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        self.holds_in(Location::Cookies(name), request.cookies().unwrap_or_default(), purpose)
    }

    #[inline(never)] // one copy for both
    fn holds_in(&self, location: Location<'_>, text: &[u8], purpose: Purpose) -> bool {
        // What at least one server may read, and what all do.
        let (mut any, mut sure, mut sure_and_filled) = (false, false, false);
        let (mut one_fits, mut all_fit) = (false, true);
        credential::each_reading(location, text, &mut |value, is_sure| {
            any = true;
            sure |= is_sure;
            sure_and_filled |= is_sure && !value.is_empty();
            if let ValueMatch::Fits(pattern) = self {
                let fits = pattern.fits(value);
                one_fits |= fits;
                all_fit &= fits;
            }
        });
        match (self, purpose) {
            (ValueMatch::Present, Purpose::Limits) => any,
            (ValueMatch::Present, Purpose::Exempts) => sure,
            // Most servers take an empty value for none.
            (ValueMatch::Absent, Purpose::Limits) => !sure_and_filled,
            (ValueMatch::Absent, Purpose::Exempts) => !any,
            (ValueMatch::Fits(_), Purpose::Limits) => one_fits,
            (ValueMatch::Fits(_), Purpose::Exempts) => sure && all_fit,
        }
    }
}

fn all_lines<R: Request>(request: &RequestCache<'_, R>, name: &str) -> Option<Vec<u8>> {
    request.uncached().lines(name)
}

/// The parts of a header's value, or of its lines, between commas.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

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
            (ValueMatch::Present, "?plan=pro", YES),
            (ValueMatch::Present, "?plan", YES),
            (ValueMatch::Present, "?a=1", NO),
            (ValueMatch::Present, "?Plan=pro", LIMITS),
            (ValueMatch::Present, "?a=1;plan=pro", LIMITS),
            (ValueMatch::Absent, "", YES),
            (ValueMatch::Absent, "?plan=pro", NO),
            (ValueMatch::Absent, "?plan=", LIMITS),
            (ValueMatch::Absent, "?PLAN=pro", LIMITS),
            (ValueMatch::Absent, "?a=1;plan=pro", LIMITS),
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
            (ValueMatch::Present, "a=1; plan=pro", YES),
            (ValueMatch::Present, "a=1", NO),
            (ValueMatch::Absent, "a=1", YES),
            (ValueMatch::Absent, "plan=", LIMITS),
            (ValueMatch::Absent, "plan=x", NO),
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
            (ValueMatch::Present, &["pro"][..], YES),
            (ValueMatch::Present, &[], NO),
            (ValueMatch::Absent, &[], YES),
            (ValueMatch::Absent, &["pro"], NO),
            (ValueMatch::Absent, &["", ""], NO),
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
            let mut rules = vec![ValueMatch::Present, ValueMatch::Absent];
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
}
