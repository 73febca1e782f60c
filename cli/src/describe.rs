//! Describes in words what a configuration does.

mod cost;
mod cost_body;
mod general;
mod key;
mod limit;
mod meaning;
mod replies;
mod request_match;
mod schedule;

use cost::{FREE, hold_words, real_cost, reported, stated_cost, unknown_cost};
use general::general;
use jiff::Timestamp;
pub(crate) use key::key;
pub(crate) use limit::limit;
use meaning::meaning;
#[cfg(feature = "commands")]
pub(crate) use meaning::plain;
pub(crate) use request_match::request_match;
use schedule::schedule;
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::language::policy;
use tollgate::rules::{
    Callers, EnforcedShare, LimitSet, Mode, Policy, Presence, Quota, QuotaFrom, RequestMatch, Scope,
};
use tollgate::table::{Count, OnContention};
use tollgate::time::SECOND;

/// What a configuration does, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The policies, in the order of the configuration.
    pub policies: Vec<PolicySummary>,
    /// What holds for all policies: pairs of a topic and its description.
    pub general: Vec<(&'static str, String)>,
}

/// What one policy does, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// The requests that it applies to, and what callers are counted by.
    pub applies: String,
    /// Its limits, with their names if there are several.
    pub limits: Vec<String>,
    /// Its other fields.
    pub notes: Vec<String>,
}

/// Describes a configuration.
pub fn summary(set: &Configuration) -> Summary {
    let policies = set.rules.policies.iter().map(|policy| describe_policy(set, policy)).collect();
    Summary { policies, general: general(set) }
}

fn describe_policy(set: &Configuration, policy: &Policy) -> PolicySummary {
    let requests = match policy.matches.as_slice() {
        [] => "every request".to_string(),
        matches => {
            matches.iter().map(|one| with_cost(one, &set.rules.callers)).collect::<Vec<_>>().join(", ")
        }
    };
    let except = match policy.except.as_slice() {
        [] => String::new(),
        except => format!(", except {}", list(except, &set.rules.callers)),
    };
    let that_have = match policy.key.iter().filter(|key| may_lack(set, **key)).count() {
        0 => "",
        1 => " that has it",
        _ => " that has them",
    };
    let several = policy.limit_names.len() > 1;
    let limits = policy.limit_names.iter().enumerate().map(|(index, name)| {
        let words = describe_limit(set, policy, index);
        if several { format!("{name}: {words}") } else { words }
    });
    PolicySummary {
        name: policy.name.clone(),
        applies: format!("{requests}{except}{that_have}, counted by {}", describe_key(set, &policy.key)),
        limits: limits.collect(),
        notes: notes(set, policy),
    }
}

/// Whether a request can be without this key.
fn may_lack(set: &Configuration, key: usize) -> bool {
    set.rules.callers.origins(key).all(|key| key.source.kind().presence == Presence::Sometimes)
}

fn describe_key(set: &Configuration, keys: &[usize]) -> String {
    let keys = keys.iter().filter_map(|index| set.rules.callers.keys.get(*index));
    let words = keys.map(|one| format!("{} ({})", one.name, key(one, &set.rules.callers)));
    words.collect::<Vec<_>>().join(" and ")
}

/// A limit, and the quotas of tiers and consumers that differ.
fn describe_limit(set: &Configuration, policy: &Policy, index: usize) -> String {
    let (default, sets) = (policy.limit_sets.default(), &policy.limit_sets);
    let other = |limits: &LimitSet| {
        let quota = limits.quota(index).filter(|quota| Some(*quota) != default.quota(index))?;
        Some(match (quota, limits.limit(index)) {
            (Quota::Units(_), Some(own)) if default.limit(index).is_none() => limit(own),
            (Quota::Units(units), _) => units.to_string(),
            (Quota::Unlimited, _) => "unlimited".into(),
            (Quota::Nothing, _) => "none".into(),
        })
    };
    let tiers = set.rules.callers.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
    let of_tiers = tiers.filter_map(|(tier, name)| {
        let quota = other(sets.of_tier(tier))?;
        Some(format!("{quota} for {name}"))
    });
    let of_consumers = sets.of_consumers().filter_map(|(consumer, limits)| {
        let quota = other(limits)?;
        Some(format!("{quota} for {}", set.rules.callers.consumers.list().get(consumer)?.name))
    });
    let others: Vec<String> = of_tiers.chain(of_consumers).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let words = match (default.quota(index), default.limit(index)) {
        (Some(Quota::Units(_)), Some(own)) => limit(own),
        (Some(Quota::Nothing), _) => "none: every request is rejected".into(),
        (Some(Quota::Units(_) | Quota::Unlimited) | None, _) => "unlimited".into(),
    };
    let stated = policy.quotas_from.iter().filter(|from| from.limit == index);
    let stated: String = stated.map(|from| stated_quota(set, from)).collect();
    words + &others + &stated
}

/// A quota that the request states.
fn stated_quota(set: &Configuration, from: &QuotaFrom) -> String {
    let key = set.rules.callers.keys.get(from.key).map_or("", |key| &key.name);
    format!("; with a number in {key}, that quota, from {} to {}", from.min, from.max)
}

fn notes(set: &Configuration, policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    match policy.mode {
        Mode::Enforce => {}
        Mode::Shadow => notes.push("in shadow: it never rejects".to_string()),
        Mode::EnforceFrom(instant) => {
            let from = Timestamp::from_second((instant / SECOND) as i64).unwrap_or_default();
            notes.push(format!("in shadow until {from}, then enforced"));
        }
    }
    if !policy.enforced.is_all() {
        notes.push(share(policy.enforced));
    }
    notes.extend(policy.schedule.as_deref().map(|schedule| format!("only {}", self::schedule(schedule))));
    notes.extend(scope(policy.scope));
    let rivals = set.rules.policies.iter().take_while(|other| other.name != policy.name);
    let rivals = rivals.filter(|other| other.class & policy.class != 0).map(|policy| policy.name.as_str());
    let rivals: Vec<&str> = rivals.collect();
    if !rivals.is_empty() {
        notes.push(format!("only if none of these applies: {}", rivals.join(", ")));
    }
    if let Some(from) = &policy.cost_from {
        notes.push(stated_cost(set, from, policy.cost));
    }
    match (&policy.response.cost, &policy.response.body, policy.cost) {
        (None, None, 1) => {}
        (None, None, _) if policy.cost_from.is_some() => {}
        (_, _, 0) if policy.cost_from.is_none() => notes.push(format!("a request {FREE}")),
        (None, None, cost) => notes.push(format!("a request costs {cost} units")),
        (Some(header), _, hold) => notes.push(real_cost(header, &hold_words(policy, hold))),
        (None, Some(body), hold) => notes.push(cost_body::words(body, &hold_words(policy, hold))),
    }
    if let Some(penalty) = policy.limits().iter().find(|limit| limit.algorithm.blocks()) {
        notes.push(limit(penalty));
        if penalty.algorithm.restarts_after_block() {
            notes.push(format!("after that, {}", meaning(policy::AFTER_BLOCK.kind, &true)));
        }
    }
    notes.extend(counting(policy, &set.rules.callers));
    notes
}

/// For which callers a policy is enforced, if not for all.
pub(crate) fn share(EnforcedShare(percent): EnforcedShare) -> String {
    format!("enforced for {percent} % of its callers, in shadow for the others")
}
/// How far a policy's counts reach, unless that is only this proxy.
pub(crate) fn scope(scope: Scope) -> Option<String> {
    let outage = meaning(policy::ON_OUTAGE.kind, &scope.on_outage()?);
    Some(format!("counted over all proxies of the fleet; in an outage: {outage}"))
}

/// A match, its name and its own cost.
fn with_cost((rule, cost): &(RequestMatch, Option<u32>), callers: &Callers) -> String {
    let cost = match cost {
        None => String::new(),
        Some(0) => format!(" ({FREE})"),
        Some(cost) => format!(" at a cost of {cost}"),
    };
    let name = rule.name().map_or_else(String::new, |name| format!(" as {name}"));
    request_match(rule, callers) + &name + &cost
}

fn list(matches: &[RequestMatch], callers: &Callers) -> String {
    matches.iter().map(|rule| request_match(rule, callers)).collect::<Vec<_>>().join(", ")
}

fn counting(policy: &Policy, callers: &Callers) -> Vec<String> {
    let mut notes = Vec::new();
    if policy.count != Count::default() {
        notes.push(format!("counts {}", meaning(policy::COUNT.kind, &policy.count)));
    }
    if let Some(statuses) = &policy.response.count {
        notes.push(format!("a request stays counted if the response is {statuses}, else it is refunded"));
        if statuses.contains(Some(429)) {
            notes.push("Tollgate's own 429s are not responses: they never count here".into());
        }
    }
    if let Some(header) = &policy.response.stock {
        notes.push(format!("the response header {} reports how many exist", reported(header)));
    }
    if policy.response.depends_on_response() {
        let unanswered = unknown_cost(policy::UNANSWERED_WORDS, policy.response.unanswered);
        notes.push(format!("a request without a response: {unanswered}"));
    }
    if let Some(statuses) = &policy.response.refund {
        notes.push(format!("refunded if the response is {statuses}"));
    }
    if let Some(statuses) = &policy.response.reset {
        notes.push(format!("the caller's counts are set to zero if the response is {statuses}"));
    }
    for (rule, statuses) in &policy.response.returns {
        notes.push(format!("{} returns a unit if the response is {statuses}", request_match(rule, callers)));
    }
    if policy.on_contention != OnContention::default() {
        let decides = meaning(policy::ON_CONTENTION.kind, &policy.on_contention);
        notes.push(format!("if its record cannot be written: {decides}"));
    }
    notes
}

impl Summary {
    /// The summary as a tree, for JSON.
    pub fn to_value(&self) -> Value {
        let list = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
        let policy = |policy: &PolicySummary| {
            Value::Object(vec![
                ("name".into(), policy.name.as_str().into()),
                ("applies".into(), policy.applies.as_str().into()),
                ("limits".into(), list(&policy.limits)),
                ("notes".into(), list(&policy.notes)),
            ])
        };
        let policies = Value::List(self.policies.iter().map(policy).collect());
        let general = self.general.iter().map(|(name, words)| ((*name).to_string(), words.as_str().into()));
        Value::Object([("policies".into(), policies)].into_iter().chain(general).collect())
    }
}
