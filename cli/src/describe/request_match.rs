//! Matches in words.

use tollgate::http::{Host, PathSegment, PathTemplate, RequestMatch, ValueMatch};
use tollgate::rules::Callers;

/// A match, such as `POST api.example.com/v1/**`.
pub(crate) fn request_match(rule: &RequestMatch, callers: &Callers) -> String {
    let mut words = Vec::new();
    if !rule.methods.is_empty() {
        words.push(rule.methods.join("/"));
    }
    match (&rule.host, &rule.path) {
        (Some(host), Some(path)) => words.push(host_name(host) + &path_template(path)),
        (Some(host), None) => words.push(host_name(host) + "/**"),
        (None, Some(path)) => words.push(path_template(path)),
        (None, None) if words.is_empty() && has_no_values(rule) => words.push("every request".into()),
        (None, None) => words.push("any path".into()),
    }
    words.extend(rule.headers.iter().map(|(name, value)| value_match("", name, value)));
    words.extend(rule.query.iter().map(|(name, value)| value_match("parameter ", name, value)));
    words.extend(rule.cookies.iter().map(|(name, value)| value_match("cookie ", name, value)));
    let key = |index: usize| callers.keys.get(index).map_or("", |key| key.name.as_str());
    words.extend(rule.keys.iter().map(|(index, condition)| match condition {
        ValueMatch::Present if has_flags(callers, *index) => {
            format!("with the key {} of any value, also false", key(*index))
        }
        ValueMatch::Present => format!("with the key {}", key(*index)),
        ValueMatch::Absent => format!("without the key {}", key(*index)),
        ValueMatch::Fits(_) if is_secret(callers, *index) => format!("with a certain {}", key(*index)),
        ValueMatch::Fits(pattern) => format!("with the key {} = {pattern}", key(*index)),
    }));
    words.join(" ")
}

/// Whether a value of a key may be a flag: a claim that is `false` is a value, too.
fn has_flags(callers: &Callers, index: usize) -> bool {
    callers.keys.get(index).is_some_and(|key| key.source.kind().has_flags)
}

/// Whether values of a key may be credentials.
fn is_secret(callers: &Callers, index: usize) -> bool {
    callers.origins(index).any(|key| key.source.kind().secret)
}

fn has_no_values(rule: &RequestMatch) -> bool {
    rule.headers.is_empty() && rule.query.is_empty() && rule.cookies.is_empty() && rule.keys.is_empty()
}

/// What must hold for the values of a name, such as `with x-env: live*`.
fn value_match(source: &str, name: &str, value: &ValueMatch) -> String {
    match value {
        ValueMatch::Present => format!("with {source}{name}"),
        ValueMatch::Absent => format!("without {source}{name}"),
        ValueMatch::Fits(pattern) => format!("with {source}{name}: {pattern}"),
    }
}

/// A host, such as `*.example.com`.
pub(crate) fn host_name(host: &Host) -> String {
    match host {
        Host::Exact(name) => name.clone(),
        Host::Suffix(suffix) => format!("*{suffix}"),
        Host::Fits(pattern) => pattern.to_string(),
    }
}

/// A path template, as in the configuration.
pub(crate) fn path_template(path: &PathTemplate) -> String {
    let segment = |segment: &PathSegment| match segment {
        PathSegment::Literal(text) => format!("/{text}"),
        PathSegment::Any(Some(name)) => format!("/{{{name}}}"),
        PathSegment::Any(None) => "/*".into(),
    };
    let segments: String = path.segments().iter().map(segment).collect();
    segments + if path.is_open() { "/**" } else { "" }
}
