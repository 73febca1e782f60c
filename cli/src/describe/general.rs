//! What holds for all policies, in words.

use super::key::key;
use super::meaning::meaning;
use super::replies::{describe_headers, describe_rejections};
use super::request_match::request_match;
use crate::inspect::{counts_by, matches_paths, table_room};
use tollgate::compile::Configuration;
use tollgate::http::Spellings;
use tollgate::language::configuration;
use tollgate::limiter::Limit;
use tollgate::reply::{AccessLog, LogFormat};
use tollgate::rules::{FilterRole, FleetSettings, Forgive, Key, Tiers};
use tollgate::time::MILLISECOND;

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

/// Pairs of a topic and its description.
pub(super) fn general(set: &Configuration) -> Vec<(&'static str, String)> {
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
    if set.rules.role == FilterRole::Operator {
        let words = "operator: it limits nobody; on a UNIX socket it shows callers and forgives them, elsewhere it refuses";
        general.push(("role", words.into()));
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

/// An estimate, rounded down to two digits.
fn rounded(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number / unit * unit
}
