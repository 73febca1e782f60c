//! Keys in words.

use tollgate::http::credential::{Reading, Repeated};
use tollgate::rules::{Callers, Key, Part};

/// Where the value of a key comes from, and when it is accepted.
pub(crate) fn key(key: &Key, callers: &Callers) -> String {
    let prefix = key.prefix.map_or(String::new(), |prefix| format!(", its first {prefix} bytes"));
    let valid = match key.validity.describe() {
        valid if valid.is_empty() => valid,
        valid => format!(", {valid}"),
    };
    let same = if key.kind == key.name { String::new() } else { format!(", the same as {}", key.kind) };
    key.source.describe(&callers.keys)
        + &part(&key.part)
        + &cut(key)
        + &reading(key)
        + &prefix
        + &valid
        + &same
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

/// Which part of that counts.
fn cut(key: &Key) -> String {
    let Some(cut) = &key.cut else { return String::new() };
    let text = |words: &str, text: &Option<String>| {
        text.as_ref().map_or(String::new(), |text| format!(", {words} {text:?}"))
    };
    text("what follows", &cut.after) + &text("up to", &cut.before)
}

/// How the value is read, where that is not the default.
fn reading(key: &Key) -> String {
    let Reading { repeated, loose_names, ignore_case, ignore_suffix } = key.reading;
    let repeated = match repeated {
        usual if usual == key.source.kind().repeated => "",
        Repeated::Reject => ", only if it is not repeated",
        Repeated::First => ", the first",
        Repeated::Last => ", the last",
    };
    let names = if loose_names { ", loose names" } else { "" };
    let case = if ignore_case { ", ignoring case" } else { "" };
    let suffix = if ignore_suffix { ", without suffix" } else { "" };
    [repeated, names, case, suffix].concat()
}
