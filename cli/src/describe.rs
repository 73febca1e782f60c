//! Describes in words what a configuration does.

mod cost_body;
mod key;
mod limit;
mod replies;
mod request_match;
mod schedule;

use crate::inspect::{counts_by, matches_paths, table_room};
use jiff::Timestamp;
pub(crate) use key::key;
pub(crate) use limit::limit;
use replies::{describe_headers, describe_rejections};
pub(crate) use request_match::request_match;
use schedule::schedule;
use tollgate::compile::Configuration;
use tollgate::config::{Value, Words};
use tollgate::http::Spellings;
use tollgate::language::{configuration, cost_header, policy};
use tollgate::limiter::Limit;
use tollgate::reply::{AccessLog, LogFormat};
use tollgate::rules::{Callers, FleetSettings, Key, Presence, Tiers};
use tollgate::rules::{
    CostFrom, CostHeader, EnforcedShare, Forgive, LimitSet, Mode, Place, Policy, Quota, QuotaFrom,
    ReportHeader, RequestMatch, Scope, UnknownCost,
};
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

fn describe_tiers(set: &Configuration, tiers: &Tiers) -> String {
    let default = tiers.names.get(tiers.default).map_or("", String::as_str);
    let from = tiers.from.and_then(|index| set.rules.callers.keys.get(index)).map_or(String::new(), |from| {
        format!("the value of {} ({}), else ", from.name, key(from, &set.rules.callers))
    });
    let by_address = if tiers.by_address.is_some() { "that of the client's address, else " } else { "" };
    format!("{}; that of the consumer, else {from}{by_address}{default}", tiers.names.join(", "))
}

/// The keys that `first_of` refers to.
fn describe_alternatives(set: &Configuration) -> String {
    let keys = &set.rules.callers.keys;
    let named = |index: usize| keys.iter().any(|key| key.source.alternatives().contains(&index));
    let words = keys.iter().enumerate().filter(|(index, _)| named(*index));
    let words = words.map(|(_, one)| format!("{}: {}", one.name, key(one, &set.rules.callers)));
    words.collect::<Vec<_>>().join("; ")
}

fn describe_forgiven(set: &Configuration, forgive: &Forgive) -> String {
    let is_forgiven = |limit: &Limit| forgive.all().any(|one| one.limit == limit.id);
    let policies = set.rules.policies.iter().filter(|policy| policy.limits().iter().any(is_forgiven));
    let policies: Vec<&str> = policies.map(|policy| policy.name.as_str()).collect();
    let callers = match forgive.callers() {
        1 => "1 caller gets a fresh start".to_string(),
        number => format!("{number} callers get a fresh start"),
    };
    format!("{callers}, once for each entry, with {}", policies.join(", "))
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
        number => {
            let callers =
                if number == 1 { "1 known caller".into() } else { format!("{number} known callers") };
            let by_address = if set.rules.callers.consumers.have_addresses() {
                "; by their addresses, unless a credential says otherwise"
            } else {
                ""
            };
            general.push(("consumers", callers + by_address));
        }
    }
    if let Some(one) = set.rules.consumer_name.and_then(|index| set.rules.callers.keys.get(index)) {
        let words = format!(
            "callers that are no consumer are shown by {} ({})",
            one.name,
            key(one, &set.rules.callers)
        );
        general.push(("consumer_name", words));
    }
    if let Some(forgive) = &set.rules.callers.forgive {
        general.push(("forgive", describe_forgiven(set, forgive)));
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
    let own_log = set.replies.access_log.filter(|log| *log != AccessLog::default());
    general.extend(own_log.map(|log| ("access log", describe_log(log))));
    if set.rules.counts_consumers {
        general.push(("metrics", "count the requests of each consumer, too".into()));
    }
    let bytes = u64::from(set.rules.table_size.pages.get()) * u64::from(set.rules.table_size.page_bytes);
    let name = set.rules.table_name.iter().map(|name| format!("{name}, ")).collect::<String>();
    general.push((
        "table",
        format!(
            "{name}at most {} KiB, room for about {} clients",
            bytes.div_ceil(1024),
            rounded(table_room(set))
        ),
    ));
    general
}

fn describe_log(AccessLog { format, caller }: AccessLog) -> String {
    let format = match format {
        LogFormat::Text => "a line of words",
        LogFormat::Json => "a line of JSON",
    };
    format!("{format} about each decision{}", if caller { ", with the caller's pseudonym" } else { "" })
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
/// A cost that the request states.
fn stated_cost(set: &Configuration, from: &CostFrom, otherwise: u32) -> String {
    let CostFrom { key, divide_by, rounds_up, min, max, is_clients } = *from;
    let key = set.rules.callers.keys.get(key).map_or("", |key| &key.name);
    let rounded = match (divide_by.get(), rounds_up) {
        (1, _) => String::new(),
        (divide_by, true) => format!(" / {divide_by}, rounded up"),
        (divide_by, false) => format!(" / {divide_by}, rounded down"),
    };
    let unreadable = if is_clients { format!("; {max} if that is no whole number") } else { String::new() };
    let otherwise = if otherwise == 0 { "nothing".into() } else { units(otherwise) };
    format!(
        "a request costs the number in {key}{rounded}, from {min} to {max}; without it {otherwise}{unreadable}"
    )
}

/// What a cost of 0 means.
const FREE: &str = "costs nothing and only looks at what is left";

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

fn real_cost(CostHeader { header, place, without }: &CostHeader, hold: &str) -> String {
    let without = unknown_cost(cost_header::WITHOUT_WORDS, *without);
    let (until, at) = match place {
        Place::Headers => ("its response", "header"),
        Place::Trailers => ("the end of its response", "trailer"),
        Place::Either => ("its response or the end of it", "header or trailer"),
    };
    format!(
        "a request holds {hold} until {until}, and then costs the number in the response {at} {}, else {without}",
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
pub(crate) fn plain(text: &str) -> String {
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
