//! Keys in words.

use crate::identity::{Attribute, Directory, Key, Source, Validity};
use crate::time::{Micros, SECOND};

/// Where a key's value comes from, and when it is believed.
pub(crate) fn key(key: &Key, directory: &Directory) -> String {
    let prefix = key.prefix.map_or(String::new(), |prefix| format!(", its first {prefix} bytes"));
    let valid = match &key.validity {
        Validity::Present => String::new(),
        Validity::Consumer => ", if a consumer is known by it".into(),
        Validity::Metadata(path) => format!(", if there is metadata {path}"),
        Validity::Unless(refusal) => {
            let wait = length(refusal.lasts());
            format!(", unless it was answered with {} in the last {wait}", refusal.statuses)
        }
    };
    let same = if key.kind == key.name { String::new() } else { format!(", the same as {}", key.kind) };
    source(&key.source, directory) + &prefix + &valid + &same
}

fn source(source: &Source, directory: &Directory) -> String {
    match source {
        Source::Header { name, scheme } => {
            let scheme = scheme.as_ref().map_or(String::new(), |scheme| format!(", behind {scheme}"));
            format!("header {name}{scheme}")
        }
        Source::Query(name) => format!("query parameter {name}"),
        Source::Cookie(name) => format!("cookie {name}"),
        Source::ClientIp { ipv6_prefix } => {
            format!("the client's address, IPv6 by its first {ipv6_prefix} bits")
        }
        Source::Metadata(path) => format!("metadata {path}"),
        Source::PathParameter(name) => format!("{{{name}}} of the path"),
        Source::Consumer(Attribute::Name) => "the consumer".into(),
        Source::Consumer(Attribute::Named(name)) => format!("the consumer's {name}"),
        Source::Constant(_) => "all together".into(),
        Source::FirstOf(keys) => {
            let names = keys.iter().filter_map(|index| directory.keys.get(*index));
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
