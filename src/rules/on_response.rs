//! What a response, or its absence, changes about the counts of its request.

mod cost_body;

pub use cost_body::{BODY_PRESETS, BodyPreset, CostBody, CostTerm, NoCost, TokenKind, Weight};

use super::RequestMatch;
use crate::body::{Unreadable, Values};
use crate::http::{GrpcStatus, Response, StatusSet, whole_number};
use crate::table::{Charged, Correction};
use crate::time::Now;

/// What a policy reads from responses, and what follows from it.
#[derive(Clone, Debug, Default)]
pub struct OnResponse {
    /// The statuses that give an admitted request's units back.
    pub refund: Option<StatusSet>,
    /// The statuses that count a request. Any other gives back the units that it holds.
    pub count: Option<StatusSet>,
    /// The statuses that let the caller's counts begin at zero.
    pub reset: Option<StatusSet>,
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

/// What the rejection of another Tollgate counts as if its own status is below 400: the upstream has never seen
/// its request.
pub const REJECTED: u16 = 429;

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
    /// Where it is.
    pub place: Place,
    /// What a request costs whose response has no cost that can be read.
    pub without: UnknownCost,
}

/// Where a response reports a cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Place {
    /// In its headers.
    #[default]
    Headers,
    /// In its trailers.
    Trailers,
    /// In its headers, or else in its trailers.
    Either,
}

impl Place {
    fn value(self, response: &impl Response, name: &str) -> Option<Vec<u8>> {
        match self {
            Place::Headers => response.header(name),
            Place::Trailers => response.trailer(name),
            Place::Either => response.header(name).or_else(|| response.trailer(name)),
        }
    }

    /// Whether the response's head may report it.
    pub fn in_headers(self) -> bool {
        matches!(self, Place::Headers | Place::Either)
    }

    /// Whether its trailers may.
    pub fn in_trailers(self) -> bool {
        matches!(self, Place::Trailers | Place::Either)
    }
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
        let changes_own =
            self.refund.is_some() || self.count.is_some() || self.cost.is_some() || self.body.is_some();
        changes_own || self.stock.is_some() || self.reset.is_some()
    }

    /// Whether it matters that a response with this status, below 400, is the upstream's and no rejection.
    pub fn distinguishes_rejections(&self, status: u16) -> bool {
        let has = |set: &StatusSet, status| set.contains(Some(status));
        let all = [&self.count, &self.reset, &self.refund];
        all.into_iter().flatten().any(|set| has(set, status) != has(set, REJECTED))
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
        let mut unread = Unread::default();
        let restart = self.reset.as_ref().is_some_and(|set| set.holds(response));
        let awaits_body = self.body.is_some() && charged.at.is_some() && !restart && self.keeps(response);
        let mut real = || self.real_cost(response, charged.cost, &mut unread);
        let (correction, units) = match &self.count {
            _ if awaits_body => (Correction::default(), charged.cost),
            Some(counts) if counts.holds(response) => {
                let real = real();
                (charged.count_at(now, real), real)
            }
            Some(_) => (charged.give_back(), 0),
            None if charged.at.is_none() => (Correction::default(), charged.cost),
            None if self.refunds(response) => (charged.give_back(), 0),
            None => {
                let real = real();
                (charged.settle(real, now), real)
            }
        };
        let correction = self.with_stock(correction, response, charged.cost, since, &mut unread);
        let units = if restart { 0 } else { units };
        Effect { correction: Correction { restart, ..correction }, units, unread, awaits_body }
    }

    /// What the response to a request changes for a caller that did not count it when it was admitted, and that
    /// pays for it now, as if it had held `cost` units.
    pub fn on_late_response(&self, response: &impl Response, cost: u32, since: Now, now: Now) -> Correction {
        let charged = Charged { cost, at: None, holds: Default::default() };
        let correction = self.on_response(response, charged, since, now).correction;
        if self.count.is_some() || self.refunds(response) {
            return correction;
        }
        let units = self.real_cost(response, cost, &mut Unread::default());
        Correction { more: (units > 0).then_some((now, units)), ..correction }
    }

    /// Whether a response leaves the request counted.
    fn keeps(&self, response: &impl Response) -> bool {
        self.count.as_ref().is_none_or(|counts| counts.holds(response)) && !self.refunds(response)
    }

    fn refunds(&self, response: &impl Response) -> bool {
        self.refund.as_ref().is_some_and(|set| set.holds(response))
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
        let gives = self.returns.get(rule).is_some_and(|(_, set)| set.holds(response));
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
        let units =
            self.stock.as_ref().and_then(|header| number(response.header(&header.name), &mut unread.stock));
        let stock = units.map(|units| (u64::from(units), since));
        Correction { stock, settled: self.settled(cost), ..correction }
    }

    /// The units that are no longer in flight. Only a stock that responses report counts them separately.
    fn settled(&self, cost: u32) -> u32 {
        if self.stock.is_some() { cost } else { 0 }
    }

    /// The real cost of a request that holds `hold` units, by its response.
    fn real_cost(&self, response: &impl Response, hold: u32, unread: &mut Unread) -> u32 {
        let Some(CostHeader { header, place, without }) = &self.cost else { return hold };
        let value = place.value(response, &header.name);
        let least = if response.is_broken() { hold } else { 0 };
        number(value, &mut unread.cost).unwrap_or_else(|| without.units(hold).max(least))
    }

    /// Whether a gRPC status may decide.
    pub fn names_grpc(&self) -> bool {
        let own = self.count.iter().chain(&self.refund).chain(&self.reset);
        own.chain(self.returns.iter().map(|(_, set)| set)).any(StatusSet::names_grpc)
    }

    /// Whether trailers may report anything.
    pub fn reads_trailers(&self) -> bool {
        self.names_grpc() || self.cost.as_ref().is_some_and(|cost| cost.place.in_trailers())
    }

    /// Whether a response with this head is settled by its trailers.
    pub fn awaits_trailers(&self, head: &impl Response, grpc: GrpcStatus) -> bool {
        let awaits_cost = || match &self.cost {
            Some(CostHeader { place: Place::Trailers, .. }) => true,
            Some(CostHeader { place: Place::Either, header, .. }) => head.header(&header.name).is_none(),
            Some(CostHeader { place: Place::Headers, .. }) | None => false,
        };
        grpc == GrpcStatus::InTrailers && self.names_grpc() || awaits_cost()
    }

    /// The headers of a response that may report numbers.
    pub fn reports(&self) -> impl Iterator<Item = &str> {
        let cost = self.cost.iter().filter(|cost| cost.place.in_headers()).map(|cost| &cost.header);
        cost.chain(&self.stock).map(|header| header.name.as_str())
    }

    /// The headers that are removed from responses.
    pub fn removed_headers(&self) -> impl Iterator<Item = &str> {
        let cost = self.cost.iter().filter(|cost| cost.place.in_headers()).map(|cost| &cost.header);
        cost.chain(&self.stock).filter(|header| header.remove).map(|header| header.name.as_str())
    }

    /// The trailers that are removed from responses.
    pub fn removed_trailers(&self) -> impl Iterator<Item = &str> {
        let cost = self.cost.iter().filter(|cost| cost.place.in_trailers() && cost.header.remove);
        cost.map(|cost| cost.header.name.as_str())
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

/// The number that the first line of a header is; a larger one than a `u32` becomes the largest. If there is
/// none, says why in `unread`.
#[inline(never)]
fn number(value: Option<Vec<u8>>, unread: &mut Option<NoNumber>) -> Option<u32> {
    let number = value.as_ref().and_then(|value| whole_number(value));
    if number.is_none() {
        *unread = Some(if value.is_some() { NoNumber::Unreadable } else { NoNumber::Missing });
    }
    number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
