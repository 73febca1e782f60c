//! Keys in words.

use super::status_set::statuses;
use tollgate::http::credential::{Reading, Repeated};
use tollgate::rules::{Attribute, Callers, Key, KeySource, Validity};
use tollgate::time::{Micros, SECOND};

/// Where a key's value comes from, and when it is believed.
pub(crate) fn key(key: &Key, callers: &Callers) -> String {
    let prefix = key.prefix.map_or(String::new(), |prefix| format!(", its first {prefix} bytes"));
    let valid = match &key.validity {
        Validity::Present => String::new(),
        Validity::Consumer => ", if a consumer is known by it".into(),
        Validity::Metadata(path) => format!(", if there is metadata {path}"),
        Validity::Unless(rejection) => {
            let wait = length(rejection.window());
            format!(", unless it was answered with {} in the last {wait}", statuses(&rejection.statuses))
        }
    };
    let same = if key.kind == key.name { String::new() } else { format!(", the same as {}", key.kind) };
    source(&key.source, callers) + &reading(key) + &prefix + &valid + &same
}

/// What is read otherwise than by default.
fn reading(key: &Key) -> String {
    let Reading { repeated, loose_names, ignore_case, ignore_suffix } = key.reading;
    let header = matches!(key.source, KeySource::Header { .. });
    let repeated = match repeated {
        Repeated::Reject if header => ", only if it is there once",
        Repeated::Reject => "",
        Repeated::First if header => "",
        Repeated::First => ", the first",
        Repeated::Last => ", the last",
    };
    let names = if loose_names { ", its name read loosely" } else { "" };
    let case = if ignore_case { ", in any case" } else { "" };
    let suffix = if ignore_suffix { ", without a suffix" } else { "" };
    [repeated, names, case, suffix].concat()
}

fn source(source: &KeySource, callers: &Callers) -> String {
    match source {
        KeySource::Header { name, scheme } => {
            let scheme = scheme.as_ref().map_or(String::new(), |scheme| format!(", behind {scheme}"));
            format!("header {name}{scheme}")
        }
        KeySource::Query(name) => format!("query parameter {name}"),
        KeySource::Cookie(name) => format!("cookie {name}"),
        KeySource::ClientIp { ipv6_prefix } => {
            format!("the client's address, IPv6 by its first {ipv6_prefix} bits")
        }
        KeySource::Metadata(path) => format!("metadata {path}"),
        KeySource::PathParameter(name) => format!("{{{name}}} of the path"),
        KeySource::Consumer(Attribute::Name) => "the consumer".into(),
        KeySource::Consumer(Attribute::Named(name)) => format!("the consumer's {name}"),
        KeySource::Constant(_) => "all together".into(),
        KeySource::FirstOf(keys) => {
            let names = keys.iter().filter_map(|index| callers.keys.get(*index));
            let names: Vec<&str> = names.map(|key| key.name.as_str()).collect();
            names.join(", else ")
        }
    }
}

/// In the largest unit that leaves no rest; up to two of a unit in the smaller one.
pub(crate) fn length(length: Micros) -> String {
    let seconds = length / SECOND;
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds / unit > 1) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}
