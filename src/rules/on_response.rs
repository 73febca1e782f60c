//! What a response, or its absence, changes about the counts of its request.

use crate::http::{RequestMatch, Response, StatusSet};
use crate::table::{Charged, Correction};
use crate::time::Now;

/// What a policy reads from responses, and what follows from it.
#[derive(Clone, Debug, Default)]
pub struct OnResponse {
    /// The statuses that give an admitted request's units back.
    pub refund: Option<StatusSet>,
    /// The statuses that count a request. Any other gives back the units that it holds.
    pub count: Option<StatusSet>,
    /// The requests that give a unit back, and the statuses on which they do.
    pub returns: Vec<(RequestMatch, StatusSet)>,
    /// The header that reports the request's real cost. Until then the request holds its cost.
    pub cost: Option<CostHeader>,
    /// The header that reports how many units of a stock are really in use.
    pub stock: Option<ReportHeader>,
    /// What becomes of a request that gets no response.
    pub unanswered: UnknownCost,
}

/// A response header that reports a number.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportHeader {
    /// In lower case.
    pub name: String,
    /// Whether it is removed from the response before the client gets it.
    pub remove: bool,
}

/// A response header that reports a cost.
#[derive(Clone, Debug, PartialEq)]
pub struct CostHeader {
    /// The header.
    pub header: ReportHeader,
    /// What a request costs whose response has no cost that can be read.
    pub without: UnknownCost,
}

/// What becomes of a request whose real cost is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum UnknownCost {
    /// It keeps the units that it holds.
    #[default]
    Keep,
    /// Its units are given back.
    Refund,
    /// It costs this many units.
    Costs(u32),
}

impl UnknownCost {
    /// The cost of a request that holds `hold` units.
    fn units(self, hold: u32) -> u32 {
        match self {
            UnknownCost::Keep => hold,
            UnknownCost::Refund => 0,
            UnknownCost::Costs(units) => units,
        }
    }
}

/// Why a response reports no number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoNumber {
    /// It has no such header.
    Missing,
    /// The header is not a whole number.
    Unreadable,
}

/// The numbers that a response was to report to a policy and has not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unread {
    /// The real cost.
    pub cost: Option<NoNumber>,
    /// The number of units of a stock.
    pub stock: Option<NoNumber>,
}

impl Unread {
    /// Whether all numbers were read.
    pub fn is_none(&self) -> bool {
        self.cost.is_none() && self.stock.is_none()
    }
}

/// What a response changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// What changes about the counts.
    pub correction: Correction,
    /// The request's final cost, in units.
    pub units: u32,
    /// What the response was to report and has not.
    pub unread: Unread,
}

impl OnResponse {
    /// Whether a response changes the counts of requests that the policy judges.
    pub fn depends_on_response(&self) -> bool {
        self.refund.is_some() || self.count.is_some() || self.cost.is_some() || self.stock.is_some()
    }

    /// Whether the end of a stream that got no response changes the counts.
    pub fn depends_on_missing_response(&self) -> bool {
        self.depends_on_response() && self.unanswered != UnknownCost::Keep
    }

    /// What a response changes about a request that was admitted at `since`.
    pub fn on_response(&self, response: &impl Response, charged: Charged, since: Now, now: Now) -> Effect {
        let status = Some(response.status());
        let mut unread = Unread::default();
        let mut real = || self.real_cost(response, charged.cost, &mut unread);
        let (correction, units) = match &self.count {
            Some(counts) if counts.contains(status) => {
                let real = real();
                (charged.count_at(now, real), real)
            }
            Some(_) => (charged.give_back(), 0),
            None if charged.at.is_none() => (Correction::default(), charged.cost),
            None if self.refunds(status) => (charged.give_back(), 0),
            None => {
                let real = real();
                (charged.settle(real, now), real)
            }
        };
        let correction = self.with_stock(correction, response, charged.cost, since, &mut unread);
        Effect { correction, units, unread }
    }

    /// What the end of a stream without a response changes. The request may still take effect at the
    /// upstream.
    pub fn on_missing_response(&self, charged: Charged, now: Now) -> Correction {
        match self.unanswered {
            UnknownCost::Keep => Correction::default(),
            UnknownCost::Refund => Correction { settled: self.settled(charged.cost), ..charged.give_back() },
            UnknownCost::Costs(units) => charged.settle(units, now),
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
    pub fn on_return(&self, rule: usize, response: &impl Response, since: Now, now: Now) -> Effect {
        let status = Some(response.status());
        let gives = self.returns.get(rule).is_some_and(|(_, set)| set.contains(status));
        let returned = gives.then_some((now, 1));
        let mut unread = Unread::default();
        let correction = Correction { returned, ..Correction::default() };
        let correction = self.with_stock(correction, response, 0, since, &mut unread);
        Effect { correction, units: 0, unread }
    }

    fn with_stock(
        &self,
        correction: Correction,
        response: &impl Response,
        cost: u32,
        since: Now,
        unread: &mut Unread,
    ) -> Correction {
        let units = self.stock.as_ref().and_then(|header| header.read(response, &mut unread.stock));
        let stock = units.map(|units| (u64::from(units), since));
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

    /// The real cost of a request that holds `hold` units, by its response.
    fn real_cost(&self, response: &impl Response, hold: u32, unread: &mut Unread) -> u32 {
        let Some(CostHeader { header, without }) = &self.cost else { return hold };
        header.read(response, &mut unread.cost).unwrap_or_else(|| without.units(hold))
    }

    /// The headers that are removed from responses.
    pub fn removed_headers(&self) -> impl Iterator<Item = &str> {
        let cost = self.cost.as_ref().map(|cost| &cost.header);
        let headers = cost.into_iter().chain(&self.stock);
        headers.filter(|header| header.remove).map(|header| header.name.as_str())
    }

    /// The matches of requests that give a unit back.
    pub fn return_matches(&self) -> impl Iterator<Item = &RequestMatch> {
        self.returns.iter().map(|(rule, _)| rule)
    }

    /// The first rule by which a request gives a unit back, of those that fit it, and its index in `returns`.
    pub fn find_return(&self, fits: impl Fn(&RequestMatch) -> bool) -> Option<(usize, &RequestMatch)> {
        self.return_matches().enumerate().find(|(_, rule)| fits(rule))
    }
}

impl ReportHeader {
    /// The number in the first line of the header; a larger one than a `u32` becomes the largest. If there is
    /// none, says why in `unread`.
    #[inline(never)]
    fn read(&self, response: &impl Response, unread: &mut Option<NoNumber>) -> Option<u32> {
        let value = response.header(&self.name);
        let units = value.as_ref().and_then(|value| number(value));
        if units.is_none() {
            *unread = Some(if value.is_some() { NoNumber::Unreadable } else { NoNumber::Missing });
        }
        units
    }
}

/// Parses a whole number; a larger one than a `u32` becomes the largest. `None`: it is not a whole number.
fn number(value: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
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
        Charged { cost, at: Some(at(1)), holds: [0; 4] }
    }

    fn x_cost(without: UnknownCost) -> Option<CostHeader> {
        Some(CostHeader { header: ReportHeader { name: "x-cost".into(), remove: false }, without })
    }

    fn effect(rules: &OnResponse, response: &FakeResponse, charged: Charged) -> (Correction, u32) {
        let effect = rules.on_response(response, charged, at(1), at(2));
        (effect.correction, effect.units)
    }

    const NOTHING: Correction = Correction {
        back: None,
        kept: 0,
        holds: [0; 4],
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

    /// A part of the 5 units that are held.
    fn part(units: u32) -> Correction {
        Correction { kept: 5 - units, ..back(units) }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_response_says_what_its_request_has_really_cost() {
        let rules = OnResponse { cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
        let answered = |value: &'static [u8]| {
            effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", value), held(5))
        };
        assert_eq!(answered(b"7"), (more(2), 7));
        assert_eq!(answered(b" 5 "), (NOTHING, 5));
        assert_eq!(answered(b"0"), (back(5), 0));
        assert_eq!(answered(b"149999000"), (more(149_998_995), 149_999_000));
        assert_eq!(answered(b"4294967295"), (more(u32::MAX - 5), u32::MAX));
        assert_eq!(answered(b"4294967296"), (more(u32::MAX - 5), u32::MAX));
        assert_eq!(answered(b"99999999999999999999"), (more(u32::MAX - 5), u32::MAX));
        for nothing in [&b""[..], b"-1", b"1.5", b"0x7", b"\xFF", b"seven"] {
            assert_eq!(answered(nothing), (NOTHING, 5));
        }
        assert_eq!(effect(&rules, &FakeResponse::of_upstream(200), held(5)), (NOTHING, 5));
        let uncounted = Charged { at: None, ..held(5) };
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", b"7"), uncounted),
            (NOTHING, 5)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn b_what_a_response_without_a_readable_cost_costs_is_a_rule_and_it_is_reported() {
        let none = FakeResponse::of_upstream(200);
        let many = none.clone().with("x-cost", "12.5");
        for (without, units, correction) in [
            (UnknownCost::Keep, 5, NOTHING),
            (UnknownCost::Refund, 0, back(5)),
            (UnknownCost::Costs(3), 3, part(2)),
            (UnknownCost::Costs(u32::MAX), u32::MAX, more(u32::MAX - 5)),
        ] {
            let rules = OnResponse { cost: x_cost(without), ..OnResponse::default() };
            for (response, why) in [(&none, NoNumber::Missing), (&many, NoNumber::Unreadable)] {
                let unread = Unread { cost: Some(why), stock: None };
                let expected = Effect { correction, units, unread };
                assert_eq!(rules.on_response(response, held(5), at(1), at(2)), expected);
            }
        }
        let counts = OnResponse {
            cost: x_cost(UnknownCost::Refund),
            count: Some(StatusSet::successes()),
            ..OnResponse::default()
        };
        assert_eq!(effect(&counts, &none, held(5)), (back(5), 0));
        // A response that counts nothing has no cost to report.
        let failed = counts.on_response(&FakeResponse::of_upstream(500), held(5), at(1), at(2));
        assert_eq!(failed.unread, Unread::default());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_counted_by_its_response_is_counted_when_that_comes_and_else_given_back() {
        let count = Some(StatusSet::successes());
        let rules = OnResponse { count, cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
        let moved = |units| Correction { back: back(1).back, ..more(units) };
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(200).with("x-cost", b"7"), held(1)),
            (moved(7), 7)
        );
        assert_eq!(effect(&rules, &FakeResponse::of_upstream(200), held(1)), (moved(1), 1));
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(404).with("x-cost", b"7"), held(1)),
            (back(1), 0)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_refund_is_of_all_that_was_charged() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse { refund, cost: x_cost(UnknownCost::Keep), ..OnResponse::default() };
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(500).with("x-cost", b"7"), held(5)),
            (back(5), 0)
        );
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"7"), held(5)),
            (more(2), 7)
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a2_no_answer_is_no_good_answer_unless_the_policy_says_so() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = |unanswered| OnResponse { refund: refund.clone(), unanswered, ..OnResponse::default() };
        for (unanswered, expected) in [
            (UnknownCost::Keep, NOTHING),
            (UnknownCost::Refund, back(5)),
            (UnknownCost::Costs(2), part(3)),
            (UnknownCost::Costs(5), NOTHING),
            (UnknownCost::Costs(9), more(4)),
        ] {
            assert_eq!(rules(unanswered).on_missing_response(held(5), at(2)), expected, "{unanswered:?}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_stock_is_what_a_response_says_it_is() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse {
            refund,
            stock: x_cost(UnknownCost::Keep).map(|cost| cost.header),
            ..OnResponse::default()
        };
        let said = |stock: Option<u64>| Correction {
            stock: stock.map(|units| (units, at(1))),
            settled: 1,
            ..NOTHING
        };
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"7"), held(1)).0,
            said(Some(7))
        );
        assert_eq!(
            effect(&rules, &FakeResponse::of_upstream(201).with("x-cost", b"many"), held(1)).0,
            said(None)
        );
        let back = Correction { back: back(1).back, ..said(Some(3)) };
        assert_eq!(effect(&rules, &FakeResponse::of_upstream(409).with("x-cost", b"3"), held(1)).0, back);
    }
}
