//! The configuration as compiled: nothing in it can be wrong any more, so nothing has to be checked
//! while a request waits.

mod compile;
#[cfg(feature = "cli")]
mod doubts;
mod duration;
mod mode;
mod on_response;
mod route;
mod routes;
mod status;
mod terms;
#[cfg(feature = "cli")]
mod why;
#[cfg(feature = "cli")]
mod words;

pub use compile::compile;
#[cfg(feature = "cli")]
pub use doubts::Doubt;
pub use mode::Mode;
pub use on_response::{Held, OnResponse, Unanswered};
pub use route::{Host, Match, PathTemplate, Presence, Purpose, Spellings};
pub use status::StatusSet;
pub use terms::Terms;
#[cfg(feature = "cli")]
pub use why::Standing;
#[cfg(feature = "cli")]
pub use words::{PolicySummary, Summary};

use crate::decision::{Answer, Decision};
use crate::identity::{Caller, Directory, Key, Validity};
use crate::key::Identity;
use crate::limiter::{Algorithm, Limit};
use crate::request::{Asked, Request};
use crate::response::Saying;
use crate::table::{Charge, ChargeMode, Count, OnContention, TableSize};
use crate::time::Micros;
use routes::Routes;

/// All policies of one filter.
#[derive(Clone, Debug)]
pub struct PolicySet {
    directory: Directory,
    policies: Vec<Policy>,
    routes: Routes,
    /// Requests that no policy applies to.
    exempt: Vec<Match>,
    charging: ChargeMode,
    exempt_preflight: bool,
    /// Whether a caller may be known by the `authorization` header.
    reads_authorization: bool,
    /// Whether a request may have a key of which nobody can tell which value counts.
    can_be_ambiguous: bool,
    saying: Saying,
    geometry: TableSize,
}

/// Match, key and limits.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    /// Applies to requests that any of these match; to all if there are none.
    matches: Vec<Match>,
    /// But not to those that any of these match.
    except: Vec<Match>,
    /// Of the policies of one class only the first that applies is used. The class as a bit of its own.
    class: u64,
    /// Indexes into the directory's keys, one or more: who is counted.
    key: Vec<usize>,
    /// Whether whom it counts has a record for this policy alone, since all limits by that key are too many for one.
    apart: bool,
    /// One for each of the limits, a penalty apart.
    limit_names: Vec<String>,
    /// The limits, with their numbers for each kind of caller.
    terms: terms::Table,
    /// What a request costs whose match does not say, in units.
    cost: u32,
    count: Count,
    on_contention: OnContention,
    response: OnResponse,
    mode: Mode,
}

/// How a policy takes part in one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// Its limits judge the request, which costs so many units.
    Judges(u32),
    /// The request gives a unit back, if its response says so.
    Returns(usize),
}

/// A policy that takes part in one request, and whom it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// The policy's index in its set.
    pub policy: usize,
    /// How it takes part.
    pub part: Part,
    /// Who is counted.
    pub identity: Identity,
    /// Under which of the policy's terms.
    pub terms: usize,
    /// Whether a refusal is only noted.
    pub shadow: bool,
}

impl Policy {
    /// As in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its limits, in order.
    pub fn limit_names(&self) -> &[String] {
        &self.limit_names
    }

    /// One or more limits, and last the penalty, if there is one ([`Limit::is_penalty`]): those of callers about whom
    /// nothing special is known.
    pub fn limits(&self) -> &[Limit] {
        &self.terms.default().limits
    }

    /// What one request of `cost` units asks of all limits.
    pub fn charge(&self, identity: Identity, terms: usize, cost: u32) -> Charge<'_> {
        self.charge_of(&self.terms.get(terms).limits, identity, cost)
    }

    fn charge_of<'a>(&self, limits: &'a [Limit], identity: Identity, cost: u32) -> Charge<'a> {
        Charge { identity, limits, cost, count: self.count, on_contention: self.on_contention }
    }

    /// Corrects what an answer says is left, now that its request is known to cost so many units in the end (FA-13). What is
    /// in flight still is.
    pub fn tell_what_is_left(&self, answer: &mut Answer, units: u32) {
        let judged = answer.cost;
        let limits = &self.terms.get(answer.terms).limits;
        for (limit, verdict) in limits.iter().zip(&mut answer.outcome.verdicts) {
            if limit.algorithm != Algorithm::Concurrency {
                verdict.recount(judged, units);
            }
        }
    }

    /// The name of the records that are its alone; with none it shares those of the other policies by the same key.
    fn record(&self) -> Option<&str> {
        self.apart.then_some(self.name.as_str())
    }

    /// What a response changes about its counts.
    pub fn on_response(&self) -> &OnResponse {
        &self.response
    }

    /// Whether rejected requests count, too.
    pub fn counts_all(&self) -> bool {
        self.count == Count::All
    }

    /// Whether a stream's end changes its counts, whatever the answer.
    pub fn follows_the_end(&self) -> bool {
        self.terms.default().comes_back()
    }

    /// How it takes part in a request, and the rule that says so, if it is one. `None`: not at all.
    fn part<R: Request>(&self, asked: &Asked<'_, R>) -> Option<(Part, Option<&Match>)> {
        let mut matching = self.matches.iter().filter(|rule| rule.matches(asked));
        let first = matching.next();
        if first.is_none() && !self.matches.is_empty() {
            let (index, rule) = self.response.returning(asked)?;
            return Some((Part::Returns(index), Some(rule)));
        }
        if self.except.iter().any(|rule| rule.matches(asked)) {
            return None;
        }
        let cost_of = |rule: &Match| rule.cost.unwrap_or(self.cost);
        let mut cost = first.map_or(self.cost, cost_of);
        // Another spelling of a cheap path may be a dear one.
        if first.is_some_and(|rule| !rule.matches_as_written(asked)) {
            cost = matching.map(cost_of).fold(cost, u32::max);
        }
        Some((Part::Judges(cost), first))
    }

    /// More than any of its limits admits at once.
    fn too_much(&self, terms: usize) -> u32 {
        self.terms
            .get(terms)
            .limits
            .iter()
            .map(Limit::max_at_once)
            .max()
            .unwrap_or_default()
            .saturating_add(1)
    }
}

impl PolicySet {
    /// In the order of the configuration.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// All limits, with the numbers of those about whom nothing special is known.
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.policies.iter().flat_map(Policy::limits)
    }

    /// Everybody it can tell apart.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// How the policies of one request depend on each other.
    pub fn charging(&self) -> ChargeMode {
        self.charging
    }

    /// What is said to clients and to access logs.
    pub fn saying(&self) -> &Saying {
        &self.saying
    }

    /// The name of the known client that asked; empty if it is none.
    pub fn consumer_name(&self, decision: &Decision) -> &str {
        let consumer = decision.consumer().and_then(|index| self.directory.consumers.list().get(index));
        consumer.map_or("", |consumer| &consumer.name)
    }

    /// The tier of the client that asked; empty if there are none.
    pub fn tier_name(&self, decision: &Decision) -> &str {
        let tiers = self.directory.tiers.as_ref().zip(decision.tier());
        tiers.and_then(|(tiers, tier)| tiers.names.get(tier)).map_or("", String::as_str)
    }

    /// The names of the policies that would have refused if they were in force.
    pub fn shadow_refusals<'a>(&'a self, decision: &'a Decision) -> impl Iterator<Item = &'a str> {
        let refusals = decision.shadows().iter().filter(|answer| answer.refused());
        refusals.filter_map(|answer| self.policies.get(answer.policy)).map(Policy::name)
    }

    /// The size of the table.
    pub fn geometry(&self) -> TableSize {
        self.geometry
    }

    /// Whether no policy is to apply to a request.
    pub fn exempts<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        self.exempt.iter().any(|rule| rule.matches(asked)) || self.exempts_as_preflight(asked)
    }

    fn exempts_as_preflight<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        // Where `authorization` is read anyway, most requests need no further question: a preflight has none.
        let may_be = || !self.reads_authorization || asked.authorization().is_none();
        // Any key at all ends the exemption. Only a preflight is asked for all of them.
        self.exempt_preflight && may_be() && asked.is_preflight() && !self.directory.are_shown(asked)
    }

    /// Whether anything is to be done when a response comes, or a stream ends, of any request at all.
    pub fn follow(&self) -> bool {
        let follows = |policy: &Policy| {
            policy.follows_the_end() || policy.response.follows() || policy.response.rules().next().is_some()
        };
        self.policies.iter().any(follows) || self.have_keys_on_trial()
    }

    /// Whether the upstream is asked about any key's validity.
    pub fn have_keys_on_trial(&self) -> bool {
        let on_trial = |key: &Key| matches!(key.validity, Validity::Unless(_));
        self.directory.keys.iter().any(on_trial)
    }

    /// The policies that take part in a request, at an instant of the wall clock. A policy whose key the caller
    /// does not have takes no part.
    pub fn that_apply<R: Request>(
        &self,
        asked: &Asked<'_, R>,
        caller: &Caller<'_, R>,
        wall: Micros,
    ) -> Vec<Applied> {
        let candidates = self.routes.candidates(asked);
        let mut applied = Vec::with_capacity(candidates.len());
        // Classes of which a policy has applied: an enforced one, or any.
        let (mut enforced, mut any) = (0, 0);
        for index in candidates {
            let Some(policy) = self.policies.get(index) else { continue };
            let Some((mut part, rule)) = policy.part(asked) else { continue };
            let shadow = policy.mode.is_shadow(wall);
            // Only judging is exclusive. What is only tried out must not keep an enforced policy from applying.
            let class = if matches!(part, Part::Judges(_)) { policy.class } else { 0 };
            if class & (if shadow { any } else { enforced }) != 0 {
                continue;
            }
            let template = rule.and_then(|rule| rule.path.as_ref());
            let Some(identity) = caller.identity(&policy.key, template, policy.record()) else { continue };
            let terms = policy.terms.of(caller);
            if self.can_be_ambiguous && caller.is_ambiguous(&policy.key, template) {
                part = match part {
                    Part::Judges(_) => Part::Judges(policy.too_much(terms)),
                    Part::Returns(_) => continue,
                };
            }
            // Another spelling of its path may be the path of another of the class: both apply.
            if class == 0 || rule.is_none_or(|rule| rule.matches_as_written(asked)) {
                any |= class;
                enforced |= if shadow { 0 } else { class };
            }
            applied.push(Applied { policy: index, part, identity, terms, shadow });
        }
        applied
    }
}
