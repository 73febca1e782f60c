//! One policy: which requests it applies to, whom it counts, and its limits.

use super::{
    CostFrom, EnforcedShare, LimitsByCaller, Mode, OnResponse, QuotaFrom, RequestMatch, Schedule, Scope,
};
use crate::fleet::Share;
use crate::identity::Identity;
use crate::limiter::Limit;
use crate::table::{Charge, Count, OnContention};
use crate::time::Micros;

/// One policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As in the configuration.
    pub name: String,
    /// The policy applies to requests that any of these match; if there are none, to all requests. Each has
    /// the cost of its requests in units, if it differs from the policy's.
    pub matches: Vec<(RequestMatch, Option<u32>)>,
    /// It does not apply to requests that any of these match.
    pub except: Vec<RequestMatch>,
    /// Of the policies of one class, only the first that applies is used. A single bit; 0 for no class.
    pub class: u64,
    /// The keys that identify the caller to count, as indexes into `Callers::keys`; one or more.
    pub key: Vec<usize>,
    /// Whether a key is the name or the template of the match that a request fits, or a parameter of its path.
    pub counts_by_match: bool,
    /// Whether callers have a record for this policy alone. Otherwise they share one with all policies by the
    /// same key; that is not possible if these have too many limits for one record.
    pub own_record: bool,
    /// Whether units may go back once they are spent: by a response's rules, or since it rejects a credential.
    pub gives_back: bool,
    /// The limits' names. A penalty, the last limit, has none.
    pub limit_names: Vec<String>,
    /// The limits of each kind of caller.
    pub limit_sets: LimitsByCaller,
    /// How quotas follow from the request instead, if they do.
    pub quotas_from: Vec<QuotaFrom>,
    /// The cost of a request in units, unless its match has another.
    pub cost: u32,
    /// How its cost follows from the request instead, if it does. Boxed, because few policies have it.
    pub cost_from: Option<Box<CostFrom>>,
    /// Which requests count.
    pub count: Count,
    /// What decides while the caller's record cannot be written.
    pub on_contention: OnContention,
    /// What responses change about the counts.
    pub response: OnResponse,
    /// Whether rejections are enforced.
    pub mode: Mode,
    /// For which share of the callers they are.
    pub enforced: EnforcedShare,
    /// When it applies. `None`: always.
    pub schedule: Option<Box<Schedule>>,
    /// How far its counts reach.
    pub scope: Scope,
}

impl Policy {
    /// The requests that the policy judges; all if there are none.
    pub fn judged(&self) -> impl Iterator<Item = &RequestMatch> {
        self.matches.iter().map(|(rule, _)| rule)
    }

    /// The keys, by index, whose values are numbers for it.
    pub fn number_keys(&self) -> impl Iterator<Item = usize> {
        self.cost_from.iter().map(|from| from.key).chain(self.quotas_from.iter().map(|from| from.key))
    }

    /// Its limits: one or more, and last the penalty, if there is one. Their quotas are those of callers with
    /// neither a tier nor quotas of their own, if that is a number of units.
    pub fn limits(&self) -> &[Limit] {
        self.limit_sets.declared()
    }

    /// The charge of one request of `cost` units, for a caller with this limit set.
    pub fn charge(&self, identity: Identity, limit_set: usize, cost: u32) -> Charge<'_> {
        self.charge_of(self.limit_sets.get(limit_set).limits(), identity, cost)
    }

    /// The charge of one request of `cost` units, for a caller with these limits.
    pub fn charge_of<'a>(&'a self, limits: &'a [Limit], identity: Identity, cost: u32) -> Charge<'a> {
        let fleet = self.scope.on_outage().map(|on_outage| Share {
            policy: &self.name,
            on_outage,
            gives_back: self.gives_back,
            in_background: false,
        });
        let held = self.response.count.is_some();
        Charge { identity, limits, cost, count: self.count, on_contention: self.on_contention, held, fleet }
    }

    /// Whether it applies at this instant of the wall clock.
    pub fn is_open(&self, wall: Micros) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.is_open(wall))
    }

    /// The name that tells this policy's records from the shared ones, if it has records of its own.
    pub fn record_name(&self) -> Option<&str> {
        self.own_record.then_some(self.name.as_str())
    }

    /// Whether rejected requests count as well.
    pub fn counts_all(&self) -> bool {
        self.count == Count::All
    }

    /// Whether the end of a stream changes the counts, whatever the response.
    pub fn awaits_stream_end(&self) -> bool {
        self.limits().iter().any(Limit::counts_in_flight)
    }

    /// A cost in units that none of the limits ever admits.
    pub fn more_than_any_limit_admits(&self, limit_set: usize) -> u32 {
        let most = self.limit_sets.get(limit_set).limits().iter().map(Limit::max_at_once).max();
        most.unwrap_or_default().saturating_add(1)
    }

    /// Whether the counts depend on responses or on the ends of streams.
    pub fn awaits_responses(&self) -> bool {
        self.awaits_stream_end() || self.response.gives_back()
    }
}
