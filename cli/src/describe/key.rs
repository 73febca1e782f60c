//! Keys in words.

use super::status_set::statuses;
use tollgate::http::credential::{Reading, Repeated};
use tollgate::rules::{Attribute, Callers, Key, KeySource, Part, Validity};
use tollgate::time::{Micros, SECOND};

/// Where the value of a key comes from, and when it is accepted.
pub(crate) fn key(key: &Key, callers: &Callers) -> String {
    let prefix = key.prefix.map_or(String::new(), |prefix| format!(", its first {prefix} bytes"));
    let valid = match &key.validity {
        Validity::Present => String::new(),
        Validity::Consumer => ", if it identifies a consumer".into(),
        Validity::Metadata(path) => format!(", if there is metadata {path}"),
        Validity::Unless(rejection) => {
            let wait = length(rejection.window());
            format!(", unless the response to it was {} in the last {wait}", statuses(&rejection.statuses))
        }
    };
    let same = if key.kind == key.name { String::new() } else { format!(", the same as {}", key.kind) };
    source(&key.source, callers) + &part(&key.part) + &reading(key) + &prefix + &valid + &same
}

/// Which part of the value counts.
fn part(part: &Part) -> String {
    match part {
        Part::Usual => String::new(),
        Part::Whole => ", whole".into(),
        Part::List(separator) => format!(", a list divided by {separator:?}"),
        Part::Element { separator, index } => format!(", element {index} of those divided by {separator:?}"),
    }
}

/// How the value is read, where that is not the default.
fn reading(key: &Key) -> String {
    let Reading { repeated, loose_names, ignore_case, ignore_suffix } = key.reading;
    let header = matches!(key.source, KeySource::Header { .. });
    let repeated = match repeated {
        Repeated::Reject if header => ", only if it is not repeated",
        Repeated::Reject => "",
        Repeated::First if header => "",
        Repeated::First => ", the first",
        Repeated::Last => ", the last",
    };
    let names = if loose_names { ", loose names" } else { "" };
    let case = if ignore_case { ", ignoring case" } else { "" };
    let suffix = if ignore_suffix { ", without suffix" } else { "" };
    [repeated, names, case, suffix].concat()
}

fn source(source: &KeySource, callers: &Callers) -> String {
    match source {
        KeySource::Header { name, scheme } => {
            let scheme = scheme.as_ref().map_or(String::new(), |scheme| format!(" with scheme {scheme}"));
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
        KeySource::Constant(_) => "all callers together".into(),
        KeySource::FirstOf(keys) => {
            let names = keys.iter().filter_map(|index| callers.keys.get(*index));
            let names: Vec<&str> = names.map(|key| key.name.as_str()).collect();
            names.join(", else ")
        }
    }
}

/// A duration in the largest unit that divides it, unless that would be a single one.
pub(crate) fn length(length: Micros) -> String {
    let seconds = length / SECOND;
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds / unit > 1) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}
