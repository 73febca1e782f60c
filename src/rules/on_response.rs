//! What a response, or its absence, changes about the counts of its request.

use crate::http::{Request, RequestCache, RequestMatch, Response, StatusSet};
use crate::table::{Charged, Correction};
use crate::time::Now;

/// The highest real cost that a response can report, in units.
pub const MAX_UNITS: u32 = 1_000_000;

/// What a policy reads from responses, and what follows from it.
#[derive(Clone, Debug, Default)]
pub struct OnResponse {
    /// The statuses that give an admitted request's units back.
    pub refund: Option<StatusSet>,
    /// The statuses that count a request. Any other gives back the units that it holds.
    pub count: Option<StatusSet>,
    /// The requests that give a unit back, and the statuses on which they do.
    pub returns: Vec<(RequestMatch, StatusSet)>,
    /// The header, in lower case, that reports the request's real cost.
    pub cost: Option<String>,
    /// The header, in lower case, that reports how many units of a stock are really in use.
    pub stock: Option<String>,
    /// What becomes of a request that gets no response.
    pub unanswered: Unanswered,
}

/// What becomes of a request that gets no response.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Unanswered {
    /// It keeps the units that it holds.
    #[default]
    Keep,
    /// Its units are given back.
    Refund,
    /// It costs this many units.
    Costs(u32),
}

impl OnResponse {
    /// Whether a response changes the counts of requests that the policy judges.
    pub fn depends_on_response(&self) -> bool {
        self.refund.is_some() || self.count.is_some() || self.cost.is_some() || self.stock.is_some()
    }

    /// Whether the end of a stream that got no response changes the counts.
    pub fn depends_on_missing_response(&self) -> bool {
        self.depends_on_response() && self.unanswered != Unanswered::Keep
    }

    /// What a response changes about a request that was admitted at `since`, and the request's final cost in
    /// units.
    pub fn on_response(
        &self,
        response: &impl Response,
        charged: Charged,
        since: Now,
        now: Now,
    ) -> (Correction, u32) {
        let status = Some(response.status());
        let real = || self.real_cost(response).unwrap_or(charged.cost);
        let (correction, units) = match &self.count {
            Some(counts) if counts.contains(status) => (charged.count_at(now, real()), real()),
            Some(_) => (charged.give_back(), 0),
            None if charged.at.is_none() => (Correction::default(), charged.cost),
            None if self.refunds(status) => (charged.give_back(), 0),
            None => (charged.settle(real(), now), real()),
        };
        (self.with_stock(correction, response, charged.cost, since), units)
    }

    /// What the end of a stream without a response changes. The request may still take effect at the
    /// upstream.
    pub fn on_missing_response(&self, charged: Charged, now: Now) -> Correction {
        match self.unanswered {
            Unanswered::Keep => Correction::default(),
            Unanswered::Refund => Correction { settled: self.settled(charged.cost), ..charged.give_back() },
            Unanswered::Costs(units) => charged.settle(units, now),
        }
    }

    /// Whether a request that never reached the upstream gives its units back: it does if only a response
    /// could have kept them.
    pub fn refunds_unsent(&self) -> bool {
        self.count.is_some() || self.refund.as_ref().is_some_and(|set| set.contains(None))
    }

    /// What changes about a request that never reached the upstream.
    pub fn on_unsent(&self, charged: Charged) -> Correction {
        match self.refunds_unsent() {
            true => Correction { settled: self.settled(charged.cost), ..charged.give_back() },
            false => Correction::default(),
        }
    }

    /// What the response changes about a request that gives a unit back by the rule with this index in
    /// `returns`.
    pub fn on_return(&self, rule: usize, response: &impl Response, since: Now, now: Now) -> Correction {
        let status = Some(response.status());
        let gives = self.returns.get(rule).is_some_and(|(_, set)| set.contains(status));
        let returned = gives.then_some((now, 1));
        self.with_stock(Correction { returned, ..Correction::default() }, response, 0, since)
    }

    fn with_stock(
        &self,
        correction: Correction,
        response: &impl Response,
        cost: u32,
        since: Now,
    ) -> Correction {
        let stock = self.stock.as_ref().and_then(|name| number(&response.header(name)?, u64::from(u32::MAX)));
        let stock = stock.map(|units| (units, since));
        Correction { stock, settled: self.settled(cost), ..correction }
    }

    /// The units that are no longer in flight. Only a stock that responses report counts them separately.
    fn settled(&self, cost: u32) -> u32 {
        if self.stock.is_some() { cost } else { 0 }
    }

    /// Whether this status gives units back.
    fn refunds(&self, status: Option<u16>) -> bool {
        self.refund.as_ref().is_some_and(|set| set.contains(status))
    }

    /// The real cost that the response reports, at most [`MAX_UNITS`]. `None`: it reports none that is a
    /// whole number.
    fn real_cost(&self, response: &impl Response) -> Option<u32> {
        let units = number(&response.header(self.cost.as_ref()?)?, u64::from(MAX_UNITS))?;
        u32::try_from(units).ok()
    }

    /// The matches of requests that give a unit back.
    pub fn return_matches(&self) -> impl Iterator<Item = &RequestMatch> {
        self.returns.iter().map(|(rule, _)| rule)
    }

    /// The first rule by which this request gives a unit back, and its index in `returns`.
    pub fn find_return<R: Request>(&self, request: &RequestCache<'_, R>) -> Option<(usize, &RequestMatch)> {
        self.return_matches().enumerate().find(|(_, rule)| rule.matches(request))
    }
}

/// Parses a whole number; a larger one than `max` becomes `max`. `None`: it is not a whole number.
fn number(value: &[u8], max: u64) -> Option<u64> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(max).min(max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeResponse;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn at(seconds: u64) -> Now {
        Now { mono: seconds, wall: seconds }
    }

    fn held(cost: u32) -> Charged {
        Charged { cost, at: Some(at(1)) }
    }

    const NOTHING: Correction = Correction {
        back: None,
        more: None,
        returned: None,
        settled: 0,
        stock: None,
        proves: false,
        overflowed: false,
    };

    fn more(units: u32) -> Correction {
        Correction { more: Some((at(2), units)), ..NOTHING }
    }

    fn back(units: u32) -> Correction {
        Correction { back: Some((at(1), units)), ..NOTHING }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_response_says_what_its_request_has_really_cost() {
        let rules = OnResponse { cost: Some("x-cost".into()), ..OnResponse::default() };
        let answered = |value: &'static [u8]| {
            rules.on_response(&FakeResponse::of_upstream(200).with("x-cost", value), held(5), at(1), at(2))
        };
        assert_eq!(answered(b"7"), (more(2), 7));
        assert_eq!(answered(b" 5 "), (NOTHING, 5));
        assert_eq!(answered(b"0"), (back(5), 0));
        assert_eq!(answered(b"99999999999999999999"), (more(MAX_UNITS - 5), MAX_UNITS));
        for nothing in [&b""[..], b"-1", b"1.5", b"0x7", b"\xFF", b"seven"] {
            assert_eq!(answered(nothing), (NOTHING, 5));
        }
        assert_eq!(rules.on_response(&FakeResponse::of_upstream(200), held(5), at(1), at(2)), (NOTHING, 5));
        let uncounted = Charged { at: None, ..held(5) };
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(200).with("x-cost", b"7"), uncounted, at(1), at(2)),
            (NOTHING, 5)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_counted_by_its_response_is_counted_when_that_comes_and_else_given_back() {
        let count = Some(StatusSet::successes());
        let rules = OnResponse { count, cost: Some("x-cost".into()), ..OnResponse::default() };
        let moved = |units| Correction { back: back(1).back, ..more(units) };
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(200).with("x-cost", b"7"), held(1), at(1), at(2)),
            (moved(7), 7)
        );
        assert_eq!(rules.on_response(&FakeResponse::of_upstream(200), held(1), at(1), at(2)), (moved(1), 1));
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(404).with("x-cost", b"7"), held(1), at(1), at(2)),
            (back(1), 0)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_refund_is_of_all_that_was_charged() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse { refund, cost: Some("x-cost".into()), ..OnResponse::default() };
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(500).with("x-cost", b"7"), held(5), at(1), at(2)),
            (back(5), 0)
        );
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(201).with("x-cost", b"7"), held(5), at(1), at(2)),
            (more(2), 7)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a2_no_answer_is_no_good_answer_unless_the_policy_says_so() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = |unanswered| OnResponse { refund: refund.clone(), unanswered, ..OnResponse::default() };
        for (unanswered, expected) in [
            (Unanswered::Keep, NOTHING),
            (Unanswered::Refund, back(5)),
            (Unanswered::Costs(2), back(3)),
            (Unanswered::Costs(5), NOTHING),
            (Unanswered::Costs(9), more(4)),
        ] {
            assert_eq!(rules(unanswered).on_missing_response(held(5), at(2)), expected, "{unanswered:?}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_stock_is_what_a_response_says_it_is() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse { refund, stock: Some("x-cost".into()), ..OnResponse::default() };
        let said = |stock: Option<u64>| Correction {
            stock: stock.map(|units| (units, at(1))),
            settled: 1,
            ..NOTHING
        };
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(201).with("x-cost", b"7"), held(1), at(1), at(2)).0,
            said(Some(7))
        );
        assert_eq!(
            rules
                .on_response(&FakeResponse::of_upstream(201).with("x-cost", b"many"), held(1), at(1), at(2))
                .0,
            said(None)
        );
        let back = Correction { back: back(1).back, ..said(Some(3)) };
        assert_eq!(
            rules.on_response(&FakeResponse::of_upstream(409).with("x-cost", b"3"), held(1), at(1), at(2)).0,
            back
        );
    }
}
