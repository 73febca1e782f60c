//! What a response changes about the counts of its request.

use crate::http::{Request, RequestCache, RequestMatch, Response, StatusSet};
use crate::table::{Charged, Correction};
use crate::time::Now;

/// The most units that a response can say its request has cost.
pub const MAX_UNITS: u32 = 1_000_000;

/// What a policy reads from responses.
#[derive(Clone, Debug, Default)]
pub struct OnResponse {
    /// Statuses with which an admitted request's units are given back.
    pub refund: Option<StatusSet>,
    /// Statuses with which a request is counted. Any other gives back what it holds.
    pub count: Option<StatusSet>,
    /// Requests that give a unit back, and the statuses with which they do.
    pub returns: Vec<(RequestMatch, StatusSet)>,
    /// The header, in lower case, that says what the request has really cost.
    pub cost: Option<String>,
    /// The header, in lower case, that says how many units of a stock there really are.
    pub stock: Option<String>,
    /// What a request costs in the end that gets no answer.
    pub unanswered: Unanswered,
}

/// What a request costs in the end that gets no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Unanswered {
    /// What it holds.
    #[default]
    Keep,
    /// Nothing.
    Refund,
    /// So many units.
    Costs(u32),
}

impl OnResponse {
    /// Whether responses change anything about requests that the policy judges.
    pub fn follows(&self) -> bool {
        self.refund.is_some() || self.count.is_some() || self.cost.is_some() || self.stock.is_some()
    }

    /// Whether the end of a stream that got no answer changes anything.
    pub fn follows_unanswered(&self) -> bool {
        self.follows() && self.unanswered != Unanswered::Keep
    }

    /// What a response changes about a request that was admitted at `since`, and how many units that has cost in the end.
    pub fn answered(
        &self,
        response: &impl Response,
        held: Charged,
        since: Now,
        now: Now,
    ) -> (Correction, u32) {
        let status = Some(response.status());
        let real = || self.real_cost(response).unwrap_or(held.cost);
        let (correction, units) = match &self.count {
            Some(counts) if counts.contains(status) => (held.count_at(now, real()), real()),
            Some(_) => (held.give_back(), 0),
            None if held.at.is_none() => (Correction::default(), held.cost),
            None if self.refunds(status) => (held.give_back(), 0),
            None => (held.settle(real(), now), real()),
        };
        (self.with_stock(correction, response, held.cost, since), units)
    }

    /// What the end of a stream without an answer changes about a request. It may still be creating something.
    pub fn unanswered(&self, held: Charged, now: Now) -> Correction {
        match self.unanswered {
            Unanswered::Keep => Correction::default(),
            Unanswered::Refund => Correction { settled: self.settled(held.cost), ..held.give_back() },
            Unanswered::Costs(units) => held.settle(units, now),
        }
    }

    /// Whether a request that never came to the upstream gives its units back: where the answer would have had to say that
    /// they stay.
    pub fn gives_back_unsent(&self) -> bool {
        self.count.is_some() || self.refund.as_ref().is_some_and(|set| set.contains(None))
    }

    /// What that changes.
    pub fn unsent(&self, held: Charged) -> Correction {
        match self.gives_back_unsent() {
            true => Correction { settled: self.settled(held.cost), ..held.give_back() },
            false => Correction::default(),
        }
    }

    /// What the response to a request that gives a unit back changes, by that rule.
    pub fn returned(&self, rule: usize, response: &impl Response, since: Now, now: Now) -> Correction {
        let status = Some(response.status());
        let gives = self.returns.get(rule).is_some_and(|(_, set)| set.contains(status));
        let back = gives.then_some((now, 1));
        self.with_stock(Correction { back, ..Correction::default() }, response, 0, since)
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

    /// Units of a stock that are no longer in flight, if that is kept apart.
    fn settled(&self, cost: u32) -> u32 {
        if self.stock.is_some() { cost } else { 0 }
    }

    /// Whether units are given back with this status.
    fn refunds(&self, status: Option<u16>) -> bool {
        self.refund.as_ref().is_some_and(|set| set.contains(status))
    }

    /// The units that the response says, at most [`MAX_UNITS`]. What is no whole number says nothing.
    fn real_cost(&self, response: &impl Response) -> Option<u32> {
        let units = number(&response.header(self.cost.as_ref()?)?, u64::from(MAX_UNITS))?;
        u32::try_from(units).ok()
    }

    /// The rules by which requests give a unit back.
    pub fn rules(&self) -> impl Iterator<Item = &RequestMatch> {
        self.returns.iter().map(|(rule, _)| rule)
    }

    /// The rule by which a request gives a unit back, and its index.
    pub fn returning<R: Request>(&self, asked: &RequestCache<'_, R>) -> Option<(usize, &RequestMatch)> {
        self.rules().enumerate().find(|(_, rule)| rule.matches(asked))
    }
}

/// A whole number, at most `max`: more digits than fit are more units than count. `None`: it is none.
fn number(value: &[u8], max: u64) -> Option<u64> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(max).min(max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    struct Answer(u16, Option<&'static [u8]>);

    impl Response for Answer {
        fn status(&self) -> u16 {
            self.0
        }
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == "x-cost").then_some(self.1?.to_vec())
        }
    }

    fn at(seconds: u64) -> Now {
        Now { mono: seconds, wall: seconds }
    }

    fn held(cost: u32) -> Charged {
        Charged { cost, at: Some(at(1)) }
    }

    const NOTHING: Correction =
        Correction { back: None, more: None, settled: 0, stock: None, proves: false, overflowed: false };

    fn more(units: u32) -> Correction {
        Correction { more: Some((at(2), units)), ..NOTHING }
    }

    fn back(units: u32) -> Correction {
        Correction { back: Some((at(1), units)), ..NOTHING }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_response_says_what_its_request_has_really_cost() {
        let rules = OnResponse { cost: Some("x-cost".into()), ..OnResponse::default() };
        let answered =
            |value: &'static [u8]| rules.answered(&Answer(200, Some(value)), held(5), at(1), at(2));
        assert_eq!(answered(b"7"), (more(2), 7));
        assert_eq!(answered(b" 5 "), (NOTHING, 5));
        assert_eq!(answered(b"0"), (back(5), 0));
        assert_eq!(answered(b"99999999999999999999"), (more(MAX_UNITS - 5), MAX_UNITS));
        for nothing in [&b""[..], b"-1", b"1.5", b"0x7", b"\xFF", b"seven"] {
            assert_eq!(answered(nothing), (NOTHING, 5));
        }
        assert_eq!(rules.answered(&Answer(200, None), held(5), at(1), at(2)), (NOTHING, 5));
        let uncounted = Charged { at: None, ..held(5) };
        assert_eq!(rules.answered(&Answer(200, Some(b"7")), uncounted, at(1), at(2)), (NOTHING, 5));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_counted_by_its_response_is_counted_when_that_comes_and_else_given_back() {
        let count = Some(StatusSet::successes());
        let rules = OnResponse { count, cost: Some("x-cost".into()), ..OnResponse::default() };
        let moved = |units| Correction { back: back(1).back, ..more(units) };
        assert_eq!(rules.answered(&Answer(200, Some(b"7")), held(1), at(1), at(2)), (moved(7), 7));
        assert_eq!(rules.answered(&Answer(200, None), held(1), at(1), at(2)), (moved(1), 1));
        assert_eq!(rules.answered(&Answer(404, Some(b"7")), held(1), at(1), at(2)), (back(1), 0));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_refund_is_of_all_that_was_charged() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse { refund, cost: Some("x-cost".into()), ..OnResponse::default() };
        assert_eq!(rules.answered(&Answer(500, Some(b"7")), held(5), at(1), at(2)), (back(5), 0));
        assert_eq!(rules.answered(&Answer(201, Some(b"7")), held(5), at(1), at(2)), (more(2), 7));
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
            assert_eq!(rules(unanswered).unanswered(held(5), at(2)), expected, "{unanswered:?}");
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
        assert_eq!(rules.answered(&Answer(201, Some(b"7")), held(1), at(1), at(2)).0, said(Some(7)));
        assert_eq!(rules.answered(&Answer(201, Some(b"many")), held(1), at(1), at(2)).0, said(None));
        let back = Correction { back: back(1).back, ..said(Some(3)) };
        assert_eq!(rules.answered(&Answer(409, Some(b"3")), held(1), at(1), at(2)).0, back);
    }
}
