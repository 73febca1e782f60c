//! Whether one match covers another, as far as that can be decided.

use tollgate::http::{HeaderMatch, Host, KeyMatch, PathSegment, PathTemplate, RequestMatch};

/// Whether `one` matches every request that `other` matches.
pub(super) fn covers(one: &RequestMatch, other: &RequestMatch) -> bool {
    let methods = one.methods.is_empty()
        || !other.methods.is_empty() && other.methods.iter().all(|method| one.methods.contains(method));
    let path = match (&one.path, &other.path) {
        (None, _) => true,
        (Some(path), Some(other)) => covers_path(path, other),
        (Some(_), None) => false,
    };
    let host = match (&one.host, &other.host) {
        (None, _) => true,
        (Some(host), Some(other)) => covers_host(host, other),
        (Some(_), None) => false,
    };
    let covered = |(name, header): &(String, HeaderMatch)| {
        other.headers.iter().any(|(of, other)| of == name && covers_header(header, other))
    };
    let key_covered = |(key, condition): &(usize, KeyMatch)| {
        other.keys.iter().any(|(of, other)| of == key && covers_key(condition, other))
    };
    methods && path && host && one.headers.iter().all(covered) && one.keys.iter().all(key_covered)
}

fn covers_key(one: &KeyMatch, other: &KeyMatch) -> bool {
    one == other || matches!((one, other), (KeyMatch::Present, KeyMatch::Equal(_)))
}

fn covers_header(one: &HeaderMatch, other: &HeaderMatch) -> bool {
    one == other || matches!((one, other), (HeaderMatch::Present, HeaderMatch::Equal(_)))
}

fn covers_host(one: &Host, other: &Host) -> bool {
    match (one, other) {
        (Host::Exact(_), _) => one == other,
        (Host::Suffix(_), Host::Exact(name)) => one.matches(name.as_bytes()),
        (Host::Suffix(suffix), Host::Suffix(other)) => other.ends_with(suffix.as_str()),
    }
}

fn covers_path(one: &PathTemplate, other: &PathTemplate) -> bool {
    let covers = |(one, other): (&PathSegment, &PathSegment)| match (one, other) {
        (PathSegment::Any(_), PathSegment::Literal(text)) => !text.is_empty(),
        (PathSegment::Any(_), PathSegment::Any(_)) => true,
        (PathSegment::Literal(_), _) => one == other,
    };
    let each = one.segments().iter().zip(other.segments()).all(covers);
    let (own, others) = (one.segments().len(), other.segments().len());
    each && if one.is_open() { own <= others } else { own == others && !other.is_open() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::request_match;

    #[test]
    fn a_match_covers_another_if_it_matches_all_that_the_other_does() {
        let callers = tollgate::rules::Callers::default();
        let path = |text: &str| RequestMatch { path: PathTemplate::parse(text), ..RequestMatch::default() };
        let host = |text: &str| RequestMatch { host: Host::parse(text), ..RequestMatch::default() };
        let methods = |names: &[&str]| RequestMatch {
            methods: names.iter().map(ToString::to_string).collect(),
            ..RequestMatch::default()
        };
        let header = |header: HeaderMatch| RequestMatch {
            headers: vec![("x".into(), header)],
            ..RequestMatch::default()
        };
        let all = RequestMatch::default();
        let covering = [
            (all.clone(), path("/a")),
            (path("/a/{id}"), path("/a/b")),
            (path("/a/*"), path("/a/{id}")),
            (path("/a/**"), path("/a")),
            (path("/a/**"), path("/a/")),
            (path("/**"), path("/a/*/**")),
            (host("*.example.com"), host("api.example.com")),
            (host("*.example.com"), host("*.eu.example.com")),
            (methods(&["GET", "POST"]), methods(&["POST"])),
            (header(HeaderMatch::Present), header(HeaderMatch::Equal("1".into()))),
        ];
        for (one, other) in covering {
            assert!(
                covers(&one, &other) && covers(&one, &one),
                "{} {}",
                request_match(&one, &callers),
                request_match(&other, &callers)
            );
            assert!(
                !covers(&other, &one) || other == path("/a/{id}"),
                "{} {}",
                request_match(&other, &callers),
                request_match(&one, &callers)
            );
        }
        let unrelated = [
            (path("/a/*"), path("/a/")),
            (path("/a/*"), path("/a/**")),
            (path("/a/*/c"), path("/a/b/d")),
            (host("example.com"), host("*.example.com")),
            (host("*.example.com"), host("*.ample.com")),
            (methods(&["GET"]), all.clone()),
            (header(HeaderMatch::Absent), header(HeaderMatch::Present)),
            (header(HeaderMatch::Present), all),
        ];
        for (one, other) in unrelated {
            assert!(
                !covers(&one, &other),
                "{} {}",
                request_match(&one, &callers),
                request_match(&other, &callers)
            );
        }
    }
}
