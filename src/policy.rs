//! The configuration as compiled: nothing in it can be wrong any more, so nothing has to be checked
//! while a request waits.

mod compile;
mod duration;
mod route;

pub use compile::compile;
pub use route::{Match, PathTemplate};

use crate::identity::Source;
use crate::key::{Encoder, Identity, Seed};
use crate::limiter::Limit;
use crate::request::{Asked, Request};
use crate::response::{HeaderRules, Rejection};
use crate::table::{Charging, Geometry};

/// All policies of one filter.
#[derive(Clone, Debug)]
pub struct PolicySet {
    keys: Vec<Key>,
    policies: Vec<Policy>,
    charging: Charging,
    exempt_preflight: bool,
    rejection: Rejection,
    headers: Option<HeaderRules>,
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

    fn applies<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        self.matches.is_empty() || self.matches.iter().any(|rule| rule.matches(asked))
    }
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

    /// What a refused request is answered.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }

    /// Which limit headers responses carry, if any.
    pub fn headers(&self) -> Option<&HeaderRules> {
        self.headers.as_ref()
    }

    /// The size of the table.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// A memory for one request's answers.
    pub fn ask<'a, R: Request>(&'a self, request: &'a R) -> Asked<'a, R> {
        Asked::new(request, self.keys.iter().map(|key| &key.source))
    }

    /// The policies that apply to a request, each with who is counted. A policy whose key the request
    /// does not have does not apply.
    pub fn that_apply<'a, R: Request>(
        &'a self,
        asked: &'a Asked<'a, R>,
        seed: &'a Seed,
    ) -> impl Iterator<Item = (usize, &'a Policy, Identity)> + 'a {
        let exempt = self.exempt_preflight && asked.is_preflight();
        let policies = if exempt { &[][..] } else { &self.policies };
        policies
            .iter()
            .enumerate()
            .filter(|(_, policy)| policy.applies(asked))
            .filter_map(|(index, policy)| Some((index, policy, self.identity(policy, asked, seed)?)))
    }

    fn identity<R: Request>(&self, policy: &Policy, asked: &Asked<'_, R>, seed: &Seed) -> Option<Identity> {
        let mut encoder = Encoder::new(seed);
        for index in &policy.key {
            encoder.add(&self.keys.get(*index)?.name, asked.key(*index)?);
        }
        Some(encoder.finish())
    }
}
