//! Describes in words what a configuration does.

mod key;
mod limit;
mod replies;
mod request_match;

use crate::inspect::{counts_by, matches_paths, table_room};
use jiff::Timestamp;
pub(crate) use key::key;
pub(crate) use limit::limit;
use replies::{describe_headers, describe_rejections};
pub(crate) use request_match::request_match;
use tollgate::compile::Configuration;
use tollgate::config::{Value, Words};
use tollgate::http::Spellings;
use tollgate::language::{configuration, cost_header, policy};
use tollgate::limiter::Limit;
use tollgate::rules::{Callers, FleetSettings, Key, Presence, Tiers};
use tollgate::rules::{CostHeader, Mode, Policy, ReportHeader, RequestMatch, Scope, UnknownCost};
use tollgate::table::{Count, OnContention};
use tollgate::time::{MILLISECOND, SECOND};

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
    let Some(default) = policy.limits().get(index) else { return String::new() };
    let other =
        |limits: &[Limit]| limits.get(index).map(|limit| limit.quota).filter(|quota| *quota != default.quota);
    let tiers = set.rules.callers.tiers.iter().flat_map(|tiers| tiers.names.iter().enumerate());
    let of_tiers = tiers.filter_map(|(tier, name)| {
        let quota = other(policy.limit_sets.of_tier(tier).limits())?;
        Some(format!("{quota} for {name}"))
    });
    let of_consumers = policy.limit_sets.of_consumers().filter_map(|(consumer, limits)| {
        let quota = other(limits.limits())?;
        Some(format!("{quota} for {}", set.rules.callers.consumers.list().get(consumer)?.name))
    });
    let others: Vec<String> = of_tiers.chain(of_consumers).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    limit(default) + &others
}

fn describe_tiers(set: &Configuration, tiers: &Tiers) -> String {
    let default = tiers.names.get(tiers.default).map_or("", String::as_str);
    let from = tiers.from.and_then(|index| set.rules.callers.keys.get(index)).map_or(String::new(), |from| {
        format!("the value of {} ({}), else ", from.name, key(from, &set.rules.callers))
    });
    format!("{}; that of the consumer, else {from}{default}", tiers.names.join(", "))
}

/// The keys that `first_of` refers to.
fn describe_alternatives(set: &Configuration) -> String {
    let keys = &set.rules.callers.keys;
    let named = |index: usize| keys.iter().any(|key| key.source.alternatives().contains(&index));
    let words = keys.iter().enumerate().filter(|(index, _)| named(*index));
    let words = words.map(|(_, one)| format!("{}: {}", one.name, key(one, &set.rules.callers)));
    words.collect::<Vec<_>>().join("; ")
}

fn general(set: &Configuration) -> Vec<(&'static str, String)> {
    let mut general = Vec::new();
    if set.rules.policies.len() > 1 {
        let charging = meaning(configuration::CHARGE.kind, &set.rules.charging);
        general.push(("charge", format!("all policies that apply must admit a request; {charging}")));
    }
    let alternatives = describe_alternatives(set);
    if !alternatives.is_empty() {
        general.push(("keys", alternatives));
    }
    if let Some(tiers) = &set.rules.callers.tiers {
        general.push(("tiers", describe_tiers(set, tiers)));
    }
    match set.rules.callers.consumers.list().len() {
        0 => {}
        1 => general.push(("consumers", "1 known caller".into())),
        number => general.push(("consumers", format!("{number} known callers"))),
    }
    let preflights = set.rules.exempt_preflight.then(|| "CORS preflights".to_string());
    let rules = set.rules.exempt.iter().map(|rule| request_match(rule, &set.rules.callers));
    let exempt: Vec<String> = preflights.into_iter().chain(rules).collect();
    if !exempt.is_empty() {
        general.push(("exempt", exempt.join(", ")));
    }
    if matches_paths(set) {
        general.push(("paths", describe_spellings(set)));
    }
    if let Some(words) = describe_networks(set) {
        general.push(("ipv6", words));
    }
    if let Some(fleet) = &set.rules.fleet {
        general.push(("fleet", describe_fleet(fleet)));
    }
    general.push(("rejection", describe_rejections(set)));
    if let Some(name) = &set.replies.shadow_header {
        general.push((
            "shadow",
            format!("the upstream gets {name}: what policies in shadow would have decided"),
        ));
    }
    general.extend(describe_headers(set).into_iter().map(|headers| ("headers", headers)));
    let bytes = u64::from(set.rules.table_size.pages.get()) * u64::from(set.rules.table_size.page_bytes);
    general.push((
        "table",
        format!("at most {} KiB, room for about {} clients", bytes.div_ceil(1024), rounded(table_room(set))),
    ));
    general
}

fn describe_fleet(FleetSettings { cluster, name, timeout }: &FleetSettings) -> String {
    format!("{name}, at the cluster {cluster}; a request waits at most {} ms for it", timeout / MILLISECOND)
}

/// Which other spellings of a path the `match` of a policy covers.
fn describe_spellings(set: &Configuration) -> String {
    let Spellings { trailing_slash, case, parameters, suffix } = set.rules.routes.spellings();
    let all = [
        (trailing_slash, "a trailing slash"),
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

/// A note if every policy by address counts small IPv6 networks, of which one customer usually has many.
fn describe_networks(set: &Configuration) -> Option<String> {
    const WIDE: u8 = 56;
    let prefix = |(index, key): (usize, &Key)| key.source.ipv6_prefix().filter(|_| counts_by(set, index));
    let prefixes = set.rules.callers.keys.iter().enumerate().filter_map(prefix);
    let widest = prefixes.min().filter(|prefix| *prefix > WIDE)?;
    let networks = 1_u64.checked_shl(u32::from(widest) - 48).map_or("very many".into(), |n| n.to_string());
    Some(format!(
        "each /{widest} network is a client of its own, and a /48 has {networks} of them; a second policy by \
         `client_ip: {{ ipv6_prefix: 48 }}` would limit them together"
    ))
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
    notes.extend(scope(policy.scope));
    let rivals = set.rules.policies.iter().take_while(|other| other.name != policy.name);
    let rivals = rivals.filter(|other| other.class & policy.class != 0).map(|policy| policy.name.as_str());
    let rivals: Vec<&str> = rivals.collect();
    if !rivals.is_empty() {
        notes.push(format!("only if none of these applies: {}", rivals.join(", ")));
    }
    match (&policy.response.cost, policy.cost) {
        (None, 1) => {}
        (None, cost) => notes.push(format!("a request costs {cost} units")),
        (Some(header), hold) => notes.push(real_cost(header, &hold_words(policy, hold))),
    }
    if let Some(penalty) = policy.limits().iter().find(|limit| limit.is_penalty()) {
        notes.push(limit(penalty));
    }
    notes.extend(counting(policy, &set.rules.callers));
    notes
}

/// How far a policy's counts reach, unless that is only this proxy.
pub(crate) fn scope(scope: Scope) -> Option<String> {
    let outage = meaning(policy::ON_OUTAGE.kind, &scope.on_outage()?);
    Some(format!("counted over all proxies of the fleet; in an outage: {outage}"))
}

/// What a request holds: the cost of its match, if that has one.
fn hold_words(policy: &Policy, hold: u32) -> String {
    let own = policy.matches.iter().filter(|(_, cost)| cost.is_some()).count();
    match own {
        0 => units(hold),
        _ if own == policy.matches.len() => "the cost of its match".into(),
        _ => format!("the cost of its match, else {},", units(hold)),
    }
}

fn real_cost(CostHeader { header, without }: &CostHeader, hold: &str) -> String {
    let without = unknown_cost(cost_header::WITHOUT_WORDS, *without);
    format!(
        "a request holds {hold} until its response, and then costs the number in the response header {}, else {without}",
        reported(header),
    )
}

fn unknown_cost(words: &'static Words<UnknownCost>, cost: UnknownCost) -> String {
    if let UnknownCost::Costs(cost) = cost { units(cost) } else { meaning(words, &cost) }
}

/// What a word of the language means, in plain text.
fn meaning<T: PartialEq>(words: &'static Words<T>, means: &T) -> String {
    plain(words.of(means).map_or("", |word| word.about.get()))
}

/// Documentation without its Markdown: without backticks, and without the addresses of links.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("](") {
        plain.push_str(before);
        rest = address.split_once(')').map_or("", |(_, rest)| rest);
    }
    (plain + rest).replace(['`', '['], "")
}

/// The name of a header, and whether clients get it.
fn reported(ReportHeader { name, remove }: &ReportHeader) -> String {
    if *remove { format!("{name} (removed)") } else { name.clone() }
}

fn units(units: u32) -> String {
    if units == 1 { "1 unit".into() } else { format!("{units} units") }
}

/// A match and its own cost.
fn with_cost((rule, cost): &(RequestMatch, Option<u32>), callers: &Callers) -> String {
    let cost = cost.map_or_else(String::new, |cost| format!(" at a cost of {cost}"));
    request_match(rule, callers) + &cost
}

fn list(matches: &[RequestMatch], callers: &Callers) -> String {
    matches.iter().map(|rule| request_match(rule, callers)).collect::<Vec<_>>().join(", ")
}

/// An estimate, rounded down to two digits.
fn rounded(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number / unit * unit
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
