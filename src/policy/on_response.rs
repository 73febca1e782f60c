//! What a response changes about the counts of its request.

use super::{Match, StatusSet};
use crate::request::{Asked, Request, Response};

/// The most units that a response can say its request has cost.
pub(super) const MOST_UNITS: u32 = 1_000_000;

/// What a policy reads from responses.
#[derive(Clone, Debug, Default)]
pub struct OnResponse {
    /// Statuses with which an admitted request's units are given back.
    pub(super) refund: Option<StatusSet>,
    /// Statuses with which a request that was only judged is counted.
    pub(super) count: Option<StatusSet>,
    /// Requests that give a unit back, and the statuses with which they do.
    pub(super) returns: Vec<(Match, StatusSet)>,
    /// The header, in lower case, that says what the request has really cost.
    pub(super) cost: Option<String>,
}

/// What is to be done about a request's units once its response is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adjustment {
    /// They stay as they are.
    None,
    /// So many more are counted.
    Charge(u32),
    /// So many are given back.
    Refund(u32),
}

impl Adjustment {
    /// How many units are counted after it, of so many before.
    pub fn applied_to(self, units: u32) -> u32 {
        match self {
            Adjustment::None => units,
            Adjustment::Charge(more) => units.saturating_add(more),
            Adjustment::Refund(less) => units.saturating_sub(less),
        }
    }
}

impl OnResponse {
    /// Whether responses change anything about requests that the policy judges.
    pub fn follows(&self) -> bool {
        self.refund.is_some() || self.count.is_some() || self.cost.is_some()
    }

    /// What a response says about a request of `cost` units, which are counted if `charged`.
    pub fn adjustment(&self, response: &impl Response, cost: u32, charged: bool) -> Adjustment {
        let status = Some(response.status());
        let real = || self.real_cost(response).unwrap_or(cost);
        if let Some(counts) = &self.count {
            return if counts.contains(status) { Adjustment::Charge(real()) } else { Adjustment::None };
        }
        if !charged {
            return Adjustment::None;
        }
        if self.refunds(status) {
            return Adjustment::Refund(cost);
        }
        let real = real();
        match real.checked_sub(cost) {
            Some(0) => Adjustment::None,
            Some(more) => Adjustment::Charge(more),
            None => Adjustment::Refund(cost - real),
        }
    }

    /// Whether units are given back with this status, or with none at all.
    pub fn refunds(&self, status: Option<u16>) -> bool {
        self.refund.as_ref().is_some_and(|set| set.contains(status))
    }

    /// The units that the response says, at most [`MOST_UNITS`]. What is no whole number says nothing.
    fn real_cost(&self, response: &impl Response) -> Option<u32> {
        let value = response.header(self.cost.as_ref()?)?;
        let text = std::str::from_utf8(value.trim_ascii()).ok()?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit are more units than count.
        digits.then(|| text.parse().unwrap_or(MOST_UNITS).min(MOST_UNITS))
    }

    /// The rules by which requests give a unit back.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Match> {
        self.returns.iter().map(|(rule, _)| rule)
    }

    /// The rule by which a request gives a unit back, and its index.
    pub(super) fn returning<R: Request>(&self, asked: &Asked<'_, R>) -> Option<(usize, &Match)> {
        self.rules().enumerate().find(|(_, rule)| rule.matches(asked))
    }

    /// Whether the request by that rule gives a unit back with this status.
    pub fn returns(&self, rule: usize, status: u16) -> bool {
        self.returns.get(rule).is_some_and(|(_, set)| set.contains(Some(status)))
    }
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

    #[wasm_bindgen_test(unsupported = test)]
    fn a_response_says_what_its_request_has_really_cost() {
        let rules = OnResponse { cost: Some("x-cost".into()), ..OnResponse::default() };
        let adjusted = |value: &'static [u8]| rules.adjustment(&Answer(200, Some(value)), 5, true);
        assert_eq!(adjusted(b"7"), Adjustment::Charge(2));
        assert_eq!(adjusted(b" 5 "), Adjustment::None);
        assert_eq!(adjusted(b"0"), Adjustment::Refund(5));
        assert_eq!(adjusted(b"99999999999999999999"), Adjustment::Charge(MOST_UNITS - 5));
        for nothing in [&b""[..], b"-1", b"1.5", b"0x7", b"\xFF", b"seven"] {
            assert_eq!(adjusted(nothing), Adjustment::None);
        }
        assert_eq!(rules.adjustment(&Answer(200, None), 5, true), Adjustment::None);
        assert_eq!(rules.adjustment(&Answer(200, Some(b"7")), 5, false), Adjustment::None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_counted_by_its_response_costs_what_that_says() {
        let count = Some(StatusSet::successes());
        let rules = OnResponse { count, cost: Some("x-cost".into()), ..OnResponse::default() };
        assert_eq!(rules.adjustment(&Answer(200, Some(b"7")), 1, false), Adjustment::Charge(7));
        assert_eq!(rules.adjustment(&Answer(200, None), 1, false), Adjustment::Charge(1));
        assert_eq!(rules.adjustment(&Answer(404, Some(b"7")), 1, false), Adjustment::None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_refund_is_of_all_that_was_charged() {
        let refund = Some(StatusSet::successes().inverted());
        let rules = OnResponse { refund, cost: Some("x-cost".into()), ..OnResponse::default() };
        assert_eq!(rules.adjustment(&Answer(500, Some(b"7")), 5, true), Adjustment::Refund(5));
        assert_eq!(rules.adjustment(&Answer(201, Some(b"7")), 5, true), Adjustment::Charge(2));
    }
}
