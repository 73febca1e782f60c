//! What a response, or its absence, changes about the counts of its request.

mod cost_body;

pub use cost_body::{BODY_PRESETS, BodyPreset, CostBody, CostTerm, NoCost, TokenKind, Weight};

use super::RequestMatch;
use crate::body::{Unreadable, Values};
use crate::http::{Response, StatusSet};
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
    /// The numbers in the body that report the request's real cost. Until its end the request holds its cost.
    pub body: Option<Box<CostBody>>,
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
    /// The real cost that stands in the body.
    pub body: Option<NoCost>,
}

impl Unread {
    /// Whether all numbers were read.
    pub fn is_none(&self) -> bool {
        self.cost.is_none() && self.stock.is_none() && self.body.is_none()
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
    /// Whether the request holds its cost until the end of the body, which reports the real one.
    pub awaits_body: bool,
}

/// How much of a response's body has come.
#[derive(Clone, Copy, Debug)]
pub enum BodySeen<'a> {
    /// All of it.
    Whole(&'a Values),
    /// A part: then the stream ended.
    Part(&'a Values),
    /// It cannot be read.
    Unreadable(Unreadable),
}

impl OnResponse {
    /// Whether a response changes the counts of requests that the policy judges.
    pub fn depends_on_response(&self) -> bool {
        self.refund.is_some()
            || self.count.is_some()
            || self.cost.is_some()
            || self.body.is_some()
            || self.stock.is_some()
    }

    /// Whether a response may give units back, to its own request or to another one.
    pub fn gives_back(&self) -> bool {
        self.depends_on_response() || !self.returns.is_empty()
    }

    /// Whether the end of a stream that got no response changes the counts.
    pub fn depends_on_missing_response(&self) -> bool {
        self.depends_on_response() && self.unanswered != UnknownCost::Keep
    }

    /// What a response changes about a request that was admitted at `since`.
    pub fn on_response(&self, response: &impl Response, charged: Charged, since: Now, now: Now) -> Effect {
        let status = Some(response.status());
        let mut unread = Unread::default();
        let awaits_body = self.body.is_some() && charged.at.is_some() && self.keeps(status);
        let mut real = || self.real_cost(response, charged.cost, &mut unread);
        let (correction, units) = match &self.count {
            _ if awaits_body => (Correction::default(), charged.cost),
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
        Effect { correction, units, unread, awaits_body }
    }

    /// Whether a response with this status leaves the request counted.
    fn keeps(&self, status: Option<u16>) -> bool {
        self.count.as_ref().is_none_or(|counts| counts.contains(status)) && !self.refunds(status)
    }

    /// What the end of the body changes about a request that awaited it.
    pub fn on_body(&self, body: BodySeen<'_>, charged: Charged, now: Now) -> Effect {
        let hold = charged.cost;
        let (units, why) = match (&self.body, body) {
            (None, _) => (hold, None),
            (Some(cost), BodySeen::Whole(values)) => cost.units(Ok(values), hold),
            (Some(cost), BodySeen::Part(values)) => cost.units_of_part(values, hold),
            (Some(cost), BodySeen::Unreadable(why)) => cost.units(Err(why), hold),
        };
        let correction = match self.count.is_some() {
            true => charged.count_at(now, units),
            false => charged.settle(units, now),
        };
        let unread = Unread { body: why, ..Unread::default() };
        Effect { correction, units, unread, awaits_body: false }
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
        Effect { correction, units: 0, unread, awaits_body: false }
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
mod tests;
