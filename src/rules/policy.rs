//! One policy.

use super::{LimitsByCaller, Mode, OnResponse};
use crate::http::RequestMatch;
use crate::identity::Identity;
use crate::limiter::Limit;
use crate::table::{Charge, Count, OnContention};

/// RequestMatch, key and limits.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As in the configuration.
    pub name: String,
    /// Applies to requests that any of these match; to all if there are none.
    pub matches: Vec<RequestMatch>,
    /// But not to those that any of these match.
    pub except: Vec<RequestMatch>,
    /// Of the policies of one class only the first that applies is used. The class as a bit of its own.
    pub class: u64,
    /// Indexes into the callers' keys, one or more: who is counted.
    pub key: Vec<usize>,
    /// Whether whom it counts has a record for this policy alone, since all limits by that key are too many for one.
    pub apart: bool,
    /// One for each of the limits, a penalty apart.
    pub limit_names: Vec<String>,
    /// The limits, with their numbers for each kind of caller.
    pub limit_sets: LimitsByCaller,
    /// What a request costs whose match does not say, in units.
    pub cost: u32,
    /// Which requests count.
    pub count: Count,
    /// What answers when its record can't be written.
    pub on_contention: OnContention,
    /// What responses change about its counts.
    pub response: OnResponse,
    /// Whether its rejections are enforced.
    pub mode: Mode,
}

impl Policy {
    /// One or more limits, and last the penalty, if there is one ([`Limit::is_penalty`]): those of callers about whom
    /// nothing special is known.
    pub fn limits(&self) -> &[Limit] {
        self.limit_sets.default().limits()
    }

    /// What one request of `cost` units asks of all limits.
    pub fn charge(&self, identity: Identity, limit_set: usize, cost: u32) -> Charge<'_> {
        self.charge_of(self.limit_sets.get(limit_set).limits(), identity, cost)
    }

    fn charge_of<'a>(&self, limits: &'a [Limit], identity: Identity, cost: u32) -> Charge<'a> {
        Charge { identity, limits, cost, count: self.count, on_contention: self.on_contention }
    }

    /// The name of the records that are its alone; with none it shares those of the other policies by the same key.
    pub fn record(&self) -> Option<&str> {
        self.apart.then_some(self.name.as_str())
    }

    /// Whether rejected requests count, too.
    pub fn counts_all(&self) -> bool {
        self.count == Count::All
    }

    /// Whether a stream's end changes its counts, whatever the answer.
    pub fn follows_the_end(&self) -> bool {
        self.limit_sets.default().has_concurrency()
    }

    /// More than any of its limits admits at once.
    pub fn too_much(&self, limit_set: usize) -> u32 {
        let most = self.limit_sets.get(limit_set).limits().iter().map(Limit::max_at_once).max();
        most.unwrap_or_default().saturating_add(1)
    }

    /// Whether it depends on responses or on streams' ends.
    pub fn follows_responses(&self) -> bool {
        self.follows_the_end() || self.response.follows() || !self.response.returns.is_empty()
    }
}
