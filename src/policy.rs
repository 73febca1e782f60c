//! The configuration as compiled: nothing in it can be wrong any more, so nothing has to be checked
//! while a request waits.

mod compile;
mod duration;
mod route;
mod status;

pub use compile::compile;
pub use route::{Match, PathTemplate};
pub use status::StatusSet;

use crate::decision::Decision;
use crate::identity::Source;
use crate::key::{Encoder, Identity, Seed};
use crate::limiter::{Algorithm, Limit};
use crate::request::{Asked, Request};
use crate::response::Saying;
use crate::table::{Charge, Charging, Count, Geometry, OnContention};

/// All policies of one filter.
#[derive(Clone, Debug)]
pub struct PolicySet {
    keys: Vec<Key>,
    policies: Vec<Policy>,
    charging: Charging,
    exempt_preflight: bool,
    saying: Saying,
    geometry: Geometry,
}

/// A named way to tell callers apart.
#[derive(Clone, Debug)]
struct Key {
    name: String,
    source: Source,
}

/// Match, key and limits.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    /// Applies to requests that any of these match; to all if there are none.
    matches: Vec<Match>,
    /// Indexes into the set's keys, one or more: who is counted.
    key: Vec<usize>,
    /// One for each of `limits`.
    limit_names: Vec<String>,
    limits: Vec<Limit>,
    /// Those of `limits` whose units come back when the stream ends, and the others.
    in_flight: Vec<Limit>,
    spent: Vec<Limit>,
    count: Count,
    on_contention: OnContention,
    response: OnResponse,
}

/// What a response changes about a policy's counts.
#[derive(Clone, Debug, Default)]
struct OnResponse {
    /// Statuses with which an admitted request's units are given back.
    refund: Option<StatusSet>,
    /// Statuses with which a request is counted, if it is counted [`Count::Later`].
    count: Option<StatusSet>,
    /// Requests that give a unit back, and the statuses with which they do.
    returns: Vec<(Match, StatusSet)>,
}

/// How a policy takes part in one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// Its limits judge the request.
    Judges,
    /// The request gives a unit back, if its response says so.
    Returns(usize),
}

impl Policy {
    /// As in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One or more.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What one request of `cost` units asks of all limits.
    pub fn charge(&self, identity: Identity, cost: u32) -> Charge<'_> {
        self.charge_of(&self.limits, identity, cost)
    }

    fn charge_of<'a>(&self, limits: &'a [Limit], identity: Identity, cost: u32) -> Charge<'a> {
        Charge { identity, limits, cost, count: self.count, on_contention: self.on_contention }
    }

    /// What to give back when a charged request's stream ends.
    pub fn in_flight(&self, identity: Identity) -> Option<Charge<'_>> {
        (!self.in_flight.is_empty()).then(|| self.charge_of(&self.in_flight, identity, 1))
    }

    /// What to give back when a charged request got this status, or none at all.
    pub fn refund(&self, identity: Identity, status: Option<u16>) -> Option<Charge<'_>> {
        let refund = self.response.refund.as_ref().is_some_and(|set| set.contains(status));
        (refund && !self.spent.is_empty()).then(|| self.charge_of(&self.spent, identity, 1))
    }

    /// What to count when a request that was only judged got this status.
    pub fn late(&self, identity: Identity, status: u16) -> Option<Charge<'_>> {
        let counts = self.response.count.as_ref().is_some_and(|set| set.contains(Some(status)));
        (counts && !self.spent.is_empty()).then(|| self.charge_of(&self.spent, identity, 1))
    }

    /// What a request that [`Part::Returns`] gives back with this status.
    pub fn returned(&self, rule: usize, identity: Identity, status: u16) -> Option<Charge<'_>> {
        let returns = self.response.returns.get(rule).is_some_and(|(_, set)| set.contains(Some(status)));
        returns.then(|| self.charge_of(&self.spent, identity, 1))
    }

    /// Whether a response's status changes its counts.
    pub fn follows_the_response(&self) -> bool {
        self.response.refund.is_some() || self.response.count.is_some()
    }

    /// Whether a stream's end does.
    pub fn follows_the_end(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// How it takes part in a request. `None`: not at all.
    fn part<R: Request>(&self, asked: &Asked<'_, R>) -> Option<Part> {
        if self.matches.is_empty() || self.matches.iter().any(|rule| rule.matches(asked)) {
            return Some(Part::Judges);
        }
        self.response.returns.iter().position(|(rule, _)| rule.matches(asked)).map(Part::Returns)
    }
}

/// Limits whose units come back by themselves when the stream ends.
fn comes_back(limit: &Limit) -> bool {
    limit.algorithm == Algorithm::Concurrency
}

impl PolicySet {
    /// In the order of the configuration.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// How the policies of one request depend on each other.
    pub fn charging(&self) -> Charging {
        self.charging
    }

    /// What is said to clients and to access logs.
    pub fn saying(&self) -> &Saying {
        &self.saying
    }

    /// The name of the known client that asked; empty if it is none.
    pub fn consumer_name(&self, _decision: &Decision) -> &str {
        ""
    }

    /// The tier of the client that asked; empty if there are none.
    pub fn tier_name(&self, _decision: &Decision) -> &str {
        ""
    }

    /// The names of the policies that would have refused if they were in force.
    pub fn shadow_refusals<'a>(&'a self, _decision: &'a Decision) -> impl Iterator<Item = &'a str> {
        std::iter::empty()
    }

    /// The size of the table.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// A memory for one request's answers.
    pub fn ask<'a, R: Request>(&'a self, request: &'a R) -> Asked<'a, R> {
        Asked::new(request, self.keys.iter().map(|key| &key.source))
    }

    /// The policies that take part in a request, by index, each with who is counted. A policy whose key the
    /// request does not have takes no part.
    pub fn that_apply<'a, R: Request>(
        &'a self,
        asked: &'a Asked<'a, R>,
        seed: &'a Seed,
    ) -> impl Iterator<Item = (usize, Part, Identity)> + 'a {
        let exempt = self.exempt_preflight && asked.is_preflight();
        let policies = if exempt { &[][..] } else { &self.policies };
        policies.iter().enumerate().filter_map(move |(index, policy)| {
            let part = policy.part(asked)?;
            Some((index, part, self.identity(policy, asked, seed)?))
        })
    }

    fn identity<R: Request>(&self, policy: &Policy, asked: &Asked<'_, R>, seed: &Seed) -> Option<Identity> {
        let mut encoder = Encoder::new(seed);
        for index in &policy.key {
            encoder.add(&self.keys.get(*index)?.name, asked.key(*index)?);
        }
        Some(encoder.finish())
    }
}
