//! A policy set in words, for whoever wants to know what it does.

mod key;
mod limit;
mod replies;
mod request_match;
mod status_set;

use crate::inspect::{clients, counts_by, matches_paths};
use jiff::Timestamp;
pub(crate) use key::key;
pub(crate) use limit::limit;
use replies::{headers_in_words, rejections_in_words};
pub(crate) use request_match::{host_name, path_template, request_match};
pub(crate) use status_set::statuses;
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::http::{RequestMatch, Spellings};
use tollgate::limiter::Limit;
use tollgate::rules::{Key, KeySource, Tiers};
use tollgate::rules::{Mode, Policy, Unanswered};
use tollgate::table::Charging;
use tollgate::table::{Count, OnContention};
use tollgate::time::SECOND;

/// What will be enforced on whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// In the order of the configuration.
    pub policies: Vec<PolicySummary>,
    /// What holds for all of them: what it is about, and what is said about it.
    pub general: Vec<(&'static str, String)>,
}

/// One policy in words.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySummary {
    /// As in the configuration.
    pub name: String,
    /// Which requests, and who is counted.
    pub applies: String,
    /// Each with its name, if there are several.
    pub limits: Vec<String>,
    /// What else is said of it.
    pub also: Vec<String>,
}

/// All of it in words.
pub fn summary(set: &Configuration) -> Summary {
    let policies = set.rules.policies.iter().map(|policy| policy_in_words(set, policy)).collect();
    Summary { policies, general: general(set) }
}

fn policy_in_words(set: &Configuration, policy: &Policy) -> PolicySummary {
    let requests = match policy.matches.as_slice() {
        [] => "every request".to_string(),
        matches => matches.iter().map(with_cost).collect::<Vec<_>>().join(", "),
    };
    let except = match policy.except.as_slice() {
        [] => String::new(),
        except => format!(", except {}", list(except)),
    };
    let keys = policy.key.iter().filter_map(|index| set.rules.callers.keys.get(*index));
    let that_have = match keys.filter(|key| may_lack(set, key)).count() {
        0 => "",
        1 => " that has it",
        _ => " that has them",
    };
    let several = policy.limit_names.len() > 1;
    let limits = policy.limit_names.iter().enumerate().map(|(index, name)| {
        let words = limit_in_words(set, policy, index);
        if several { format!("{name}: {words}") } else { words }
    });
    PolicySummary {
        name: policy.name.clone(),
        applies: format!("{requests}{except}{that_have}, counted by {}", key_in_words(set, &policy.key)),
        limits: limits.collect(),
        also: also(set, policy),
    }
}

/// Whether a request can be without this key.
fn may_lack(set: &Configuration, key: &Key) -> bool {
    match &key.source {
        KeySource::ClientIp { .. } | KeySource::Constant(_) | KeySource::PathParameter(_) => false,
        KeySource::FirstOf(keys) => {
            keys.iter().filter_map(|key| set.rules.callers.keys.get(*key)).all(|key| may_lack(set, key))
        }
        KeySource::Header { .. }
        | KeySource::Query(_)
        | KeySource::Cookie(_)
        | KeySource::Metadata(_)
        | KeySource::Consumer(_) => true,
    }
}

fn key_in_words(set: &Configuration, keys: &[usize]) -> String {
    let keys = keys.iter().filter_map(|index| set.rules.callers.keys.get(*index));
    let words = keys.map(|one| format!("{} ({})", one.name, key(one, &set.rules.callers)));
    words.collect::<Vec<_>>().join(" and ")
}

/// A limit, and what other quotas it has for whom.
fn limit_in_words(set: &Configuration, policy: &Policy, index: usize) -> String {
    let Some(default) = policy.limits().get(index) else { return String::new() };
    let other =
        |limits: &[Limit]| limits.get(index).map(|limit| limit.quota).filter(|quota| *quota != default.quota);
    let tiers = set.rules.callers.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
    let of_tiers = tiers.filter_map(|(tier, name)| {
        let quota = other(&policy.limit_sets.of_tier(tier).limits())?;
        Some(format!("{quota} for {name}"))
    });
    let of_consumers = policy.limit_sets.of_consumers().filter_map(|(consumer, terms)| {
        let quota = other(&terms.limits())?;
        Some(format!("{quota} for {}", set.rules.callers.consumers.list().get(consumer)?.name))
    });
    let others: Vec<String> = of_tiers.chain(of_consumers).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    limit(default) + &others
}

fn tiers_in_words(set: &Configuration, tiers: &Tiers) -> String {
    let default = tiers.names.get(tiers.default).map_or("", String::as_str);
    let from = tiers.from.and_then(|index| set.rules.callers.keys.get(index)).map_or(String::new(), |from| {
        format!("what {} says ({}), else ", from.name, key(from, &set.rules.callers))
    });
    format!("{}; the consumer's, else {from}{default}", tiers.names.join(", "))
}

/// The keys that are only named where the first of several counts.
fn alternatives_in_words(set: &Configuration) -> String {
    let keys = &set.rules.callers.keys;
    let named = |index: usize| {
        keys.iter().any(|key| matches!(&key.source, KeySource::FirstOf(keys) if keys.contains(&index)))
    };
    let words = keys.iter().enumerate().filter(|(index, _)| named(*index));
    let words = words.map(|(_, one)| format!("{}: {}", one.name, key(one, &set.rules.callers)));
    words.collect::<Vec<_>>().join("; ")
}

fn general(set: &Configuration) -> Vec<(&'static str, String)> {
    let mut general = Vec::new();
    if set.rules.policies.len() > 1 {
        let charging = match set.rules.charging {
            Charging::AllOrNothing => "all policies that apply must admit; a rejection by any spends nothing",
            Charging::Sequential => {
                "all policies that apply must admit, in this order; a rejection has spent what came before it"
            }
        };
        general.push(("together", charging.into()));
    }
    let alternatives = alternatives_in_words(set);
    if !alternatives.is_empty() {
        general.push(("keys", alternatives));
    }
    if let Some(tiers) = &set.rules.callers.tiers {
        general.push(("tiers", tiers_in_words(set, tiers)));
    }
    match set.rules.callers.consumers.list().len() {
        0 => {}
        1 => general.push(("consumers", "1 is known".into())),
        number => general.push(("consumers", format!("{number} are known"))),
    }
    let preflights = set.rules.exempt_preflight.then(|| "CORS preflights".to_string());
    let exempt: Vec<String> =
        preflights.into_iter().chain(set.rules.exempt.iter().map(request_match)).collect();
    if !exempt.is_empty() {
        general.push(("exempt", exempt.join(", ")));
    }
    if matches_paths(set) {
        general.push(("paths", spellings_in_words(set)));
    }
    if let Some(words) = networks_in_words(set) {
        general.push(("ipv6", words));
    }
    general.push(("rejection", rejections_in_words(set)));
    general.push(("headers", headers_in_words(set)));
    let bytes = u64::from(set.rules.geometry.pages.get()) * u64::from(set.rules.geometry.page_bytes);
    general.push((
        "table",
        format!("{} KiB at most, room for some {} clients", bytes.div_ceil(1024), rounded(clients(set))),
    ));
    general
}

/// Which spellings of a path a policy's `match` is for, too.
fn spellings_in_words(set: &Configuration) -> String {
    let Spellings { trailing_slash, case, parameters, suffix } = set.rules.routes.spellings();
    let all = [
        (trailing_slash, "a slash at the end"),
        (case, "another case"),
        (parameters, ";parameters"),
        (suffix, "a suffix such as .json"),
    ];
    let words = |wanted: bool| {
        let words = all.iter().filter(|(ignored, _)| *ignored == wanted).map(|(_, words)| *words);
        words.collect::<Vec<_>>().join(", ")
    };
    match (words(true), words(false)) {
        (ignored, strict) if strict.is_empty() => format!("also limited with {ignored}"),
        (ignored, strict) if ignored.is_empty() => format!("not limited with {strict}"),
        (ignored, strict) => format!("also limited with {ignored}; not limited with {strict}"),
    }
}

/// Who has more than one of the networks that are told apart, if no policy counts wider ones.
fn networks_in_words(set: &Configuration) -> Option<String> {
    const WIDE: u8 = 56;
    let prefix = |(index, key): (usize, &Key)| match key.source {
        KeySource::ClientIp { ipv6_prefix } if counts_by(set, index) => Some(ipv6_prefix),
        KeySource::ClientIp { .. }
        | KeySource::Header { .. }
        | KeySource::Query(_)
        | KeySource::Cookie(_)
        | KeySource::Metadata(_)
        | KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_)
        | KeySource::FirstOf(_) => None,
    };
    let prefixes = set.rules.callers.keys.iter().enumerate().filter_map(prefix);
    let widest = prefixes.min().filter(|prefix| *prefix > WIDE)?;
    let networks = 1_u64.checked_shl(u32::from(widest) - 48).map_or("very many".into(), |n| n.to_string());
    Some(format!(
        "each /{widest} is a client of its own, and a /48 has {networks}; a second policy by \
         `client_ip: {{ ipv6_prefix: 48 }}` would limit them together"
    ))
}

fn also(set: &Configuration, policy: &Policy) -> Vec<String> {
    let mut also = Vec::new();
    match policy.mode {
        Mode::Enforce => {}
        Mode::Shadow => also.push("in shadow: it rejects nothing".to_string()),
        Mode::EnforceFrom(instant) => {
            let from = Timestamp::from_second((instant / SECOND) as i64).unwrap_or_default();
            also.push(format!("in shadow until {from}, enforced from then on"));
        }
    }
    let rivals = set.rules.policies.iter().take_while(|other| other.name != policy.name);
    let rivals = rivals.filter(|other| other.class & policy.class != 0).map(|policy| policy.name.as_str());
    let rivals: Vec<&str> = rivals.collect();
    if !rivals.is_empty() {
        also.push(format!("only if none of these applies: {}", rivals.join(", ")));
    }
    match (&policy.response.cost, policy.cost) {
        (None, 1) => {}
        (None, cost) => also.push(format!("a request costs {cost} units")),
        (Some(header), 1) => {
            also.push(format!("a request costs what its response says in {header}, else 1 unit"))
        }
        (Some(header), cost) => {
            also.push(format!("a request costs what its response says in {header}, else {cost} units"));
        }
    }
    if let Some(penalty) = policy.limits().iter().find(|limit| limit.is_penalty()) {
        also.push(limit(penalty));
    }
    also.extend(counting(policy));
    also
}

/// A match and its own cost.
fn with_cost((rule, cost): &(RequestMatch, Option<u32>)) -> String {
    let cost = cost.map_or_else(String::new, |cost| format!(" at a cost of {cost}"));
    request_match(rule) + &cost
}

fn list(matches: &[RequestMatch]) -> String {
    matches.iter().map(request_match).collect::<Vec<_>>().join(", ")
}

/// Two digits are all that an estimate is worth.
fn rounded(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number / unit * unit
}

fn counting(policy: &Policy) -> Vec<String> {
    let mut also = Vec::new();
    match policy.count {
        Count::Accepted | Count::Never => {}
        Count::All => also.push("rejected requests count, too".to_string()),
    }
    if let Some(statuses) = &policy.response.count {
        also.push(format!(
            "a request stays counted when it is answered with {}, else it is given back",
            self::statuses(statuses)
        ));
    }
    if let Some(header) = &policy.response.stock {
        also.push(format!("how many exist is what a response says in {header}"));
    }
    if policy.response.depends_on_response() {
        also.push(match policy.response.unanswered {
            Unanswered::Keep => "a request without an answer stays counted".into(),
            Unanswered::Refund => "a request without an answer is given back".into(),
            Unanswered::Costs(1) => "a request without an answer costs 1 unit".into(),
            Unanswered::Costs(units) => format!("a request without an answer costs {units} units"),
        });
    }
    if let Some(statuses) = &policy.response.refund {
        also.push(format!("given back when answered with {}", self::statuses(statuses)));
    }
    for (rule, statuses) in &policy.response.returns {
        also.push(format!(
            "{} gives a unit back when answered with {}",
            request_match(rule),
            self::statuses(statuses)
        ));
    }
    match policy.on_contention {
        OnContention::Bucket => {}
        OnContention::Deny => also.push("rejects when its record can't be written".into()),
        OnContention::Allow => also.push("admits when its record can't be written".into()),
    }
    also
}

impl Summary {
    /// As a tree, for machines.
    pub fn to_value(&self) -> Value {
        let list = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
        let policy = |policy: &PolicySummary| {
            Value::Object(vec![
                ("name".into(), policy.name.as_str().into()),
                ("applies".into(), policy.applies.as_str().into()),
                ("limits".into(), list(&policy.limits)),
                ("also".into(), list(&policy.also)),
            ])
        };
        let policies = Value::List(self.policies.iter().map(policy).collect());
        let general = self.general.iter().map(|(name, words)| ((*name).to_string(), words.as_str().into()));
        Value::Object([("policies".into(), policies)].into_iter().chain(general).collect())
    }
}
