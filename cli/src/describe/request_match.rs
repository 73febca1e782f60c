//! Matches in words.

use tollgate::http::{HeaderMatch, Host, PathSegment, PathTemplate, RequestMatch};

/// A match, such as `POST api.example.com/v1/**`.
pub(crate) fn request_match(rule: &RequestMatch) -> String {
    let mut words = Vec::new();
    if !rule.methods.is_empty() {
        words.push(rule.methods.join("/"));
    }
    match (&rule.host, &rule.path) {
        (Some(host), Some(path)) => words.push(host_name(host) + &path_template(path)),
        (Some(host), None) => words.push(host_name(host) + "/**"),
        (None, Some(path)) => words.push(path_template(path)),
        (None, None) if words.is_empty() && rule.headers.is_empty() => words.push("every request".into()),
        (None, None) => words.push("any path".into()),
    }
    words.extend(rule.headers.iter().map(|(name, header)| match header {
        HeaderMatch::Present => format!("with {name}"),
        HeaderMatch::Absent => format!("without {name}"),
        HeaderMatch::Equal(text) => format!("with {name}: {text}"),
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
