//! Whether one match covers another, as far as that can be decided.

use tollgate::http::{Host, PathSegment, PathTemplate, RequestMatch, ValueMatch};

type Values = Vec<(String, ValueMatch)>;

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
    let values = [(&one.headers, &other.headers), (&one.query, &other.query), (&one.cookies, &other.cookies)];
    let covered = |(one, other): (&Values, &Values)| {
        one.iter().all(|(name, rule)| other.iter().any(|(of, other)| of == name && covers_value(rule, other)))
    };
    methods && path && host && values.into_iter().all(covered)
}

fn covers_value(one: &ValueMatch, other: &ValueMatch) -> bool {
    match (one, other) {
        (ValueMatch::Present, ValueMatch::Fits(_)) => true,
        (ValueMatch::Fits(one), ValueMatch::Fits(other)) => one.covers(other),
        (ValueMatch::Present | ValueMatch::Absent, _) | (ValueMatch::Fits(_), _) => one == other,
    }
}

fn covers_host(one: &Host, other: &Host) -> bool {
    match (one, other) {
        (Host::Exact(_), _) => one == other,
        (Host::Suffix(_), Host::Exact(name)) => one.matches(name.as_bytes()),
        (Host::Suffix(suffix), Host::Suffix(other)) => other.ends_with(suffix.as_str()),
        (Host::Fits(pattern), Host::Exact(name)) => pattern.fits(name.as_bytes()),
        (Host::Fits(pattern), Host::Fits(other)) => pattern.covers(other),
        (Host::Fits(_), Host::Suffix(_)) | (Host::Suffix(_), Host::Fits(_)) => false,
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
    use tollgate::http::Pattern;

    #[test]
    fn a_match_covers_another_if_it_matches_all_that_the_other_does() {
        let path = |text: &str| RequestMatch { path: PathTemplate::parse(text), ..RequestMatch::default() };
        let host = |text: &str| RequestMatch { host: Host::parse(text), ..RequestMatch::default() };
        let methods = |names: &[&str]| RequestMatch {
            methods: names.iter().map(ToString::to_string).collect(),
            ..RequestMatch::default()
        };
        let header = |header: ValueMatch| RequestMatch {
            headers: vec![("x".into(), header)],
            ..RequestMatch::default()
        };
        let fits = |text| ValueMatch::Fits(Pattern::parse(text).unwrap());
        let parameter =
            |rule: ValueMatch| RequestMatch { query: vec![("x".into(), rule)], ..RequestMatch::default() };
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
            (header(ValueMatch::Present), header(fits("1"))),
            (header(fits("a*")), header(fits("ab"))),
            (parameter(fits("a*")), parameter(fits("ab*"))),
            (host("api-*"), host("api-7.example.com")),
            (host("api*"), host("api-*")),
        ];
        for (one, other) in covering {
            assert!(
                covers(&one, &other) && covers(&one, &one),
                "{} {}",
                request_match(&one),
                request_match(&other)
            );
            assert!(
                !covers(&other, &one) || other == path("/a/{id}"),
                "{} {}",
                request_match(&other),
                request_match(&one)
            );
        }
        let unrelated = [
            (path("/a/*"), path("/a/")),
            (path("/a/*"), path("/a/**")),
            (path("/a/*/c"), path("/a/b/d")),
            (host("example.com"), host("*.example.com")),
            (host("*.example.com"), host("*.ample.com")),
            (methods(&["GET"]), all.clone()),
            (header(ValueMatch::Absent), header(ValueMatch::Present)),
            (header(ValueMatch::Present), parameter(ValueMatch::Present)),
            (header(fits("a*")), header(fits("*a"))),
            (header(ValueMatch::Present), all),
        ];
        for (one, other) in unrelated {
            assert!(!covers(&one, &other), "{} {}", request_match(&one), request_match(&other));
        }
    }
}
