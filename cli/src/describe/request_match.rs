//! Matches in words.

use tollgate::http::{HeaderMatch, Host, KeyMatch, PathSegment, PathTemplate, RequestMatch};
use tollgate::rules::{Callers, KeySource};

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
        (None, None) if words.is_empty() && rule.headers.is_empty() && rule.keys.is_empty() => {
            words.push("every request".into())
        }
        (None, None) => words.push("any path".into()),
    }
    words.extend(rule.headers.iter().map(|(name, header)| match header {
        HeaderMatch::Present => format!("with {name}"),
        HeaderMatch::Absent => format!("without {name}"),
        HeaderMatch::Equal(text) => format!("with {name}: {text}"),
    }));
    let key = |index: usize| callers.keys.get(index).map_or("", |key| key.name.as_str());
    let is_secret = |index: usize| {
        let source = callers.keys.get(index).map(|key| &key.source);
        matches!(source, Some(KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_)))
    };
    words.extend(rule.keys.iter().map(|(index, condition)| match condition {
        KeyMatch::Present => format!("with the key {}", key(*index)),
        KeyMatch::Absent => format!("without the key {}", key(*index)),
        KeyMatch::Equal(_) if is_secret(*index) => format!("with a certain {}", key(*index)),
        KeyMatch::Equal(text) => format!("with the key {} = {text}", key(*index)),
    }));
    words.join(" ")
}

/// A host, such as `*.example.com`.
pub(crate) fn host_name(host: &Host) -> String {
    match host {
        Host::Exact(name) => name.clone(),
        Host::Suffix(suffix) => format!("*{suffix}"),
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
