//! Which requests a policy applies to.

#[cfg(feature = "cli")]
mod words;

use crate::request::{Asked, Request};

/// Matches a request on all that it names; naming nothing, it matches all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    /// One of these methods, in capitals; any if there is none.
    pub methods: Vec<String>,
    /// The host that is asked for.
    pub host: Option<Host>,
    /// The path, without the query.
    pub path: Option<PathTemplate>,
    /// What headers, by lower-case name, are to be like.
    pub headers: Vec<(String, Presence)>,
    /// What a request that matches costs, if not what its policy says.
    pub cost: Option<u32>,
}

/// What a header is to be like.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// There, whatever its value.
    Present,
    /// Not there.
    Absent,
    /// There with this value.
    Equal(String),
}

/// A host, or all hosts below one.
#[derive(Clone, Debug, PartialEq)]
pub enum Host {
    /// This one, in lower case.
    Exact(String),
    /// `*.example.com` as `.example.com`: any host that ends so, at any depth.
    Below(String),
}

impl Match {
    pub(super) fn matches<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        let method = || asked.method();
        (self.methods.is_empty() || self.methods.iter().any(|name| name.as_bytes() == method()))
            && self.path.as_ref().is_none_or(|path| path.matches(asked.path()))
            && self.host.as_ref().is_none_or(|host| host.matches(asked.host()))
            && self.headers.iter().all(|(name, presence)| presence.holds(asked.request().header(name)))
    }
}

#[cfg(feature = "cli")]
impl Match {
    /// Whether all requests that the other matches are matched by this one, as far as it can be told.
    pub fn covers(&self, other: &Match) -> bool {
        let methods = self.methods.is_empty()
            || !other.methods.is_empty() && other.methods.iter().all(|method| self.methods.contains(method));
        let path = match (&self.path, &other.path) {
            (None, _) => true,
            (Some(path), Some(other)) => path.covers(other),
            (Some(_), None) => false,
        };
        let host = match (&self.host, &other.host) {
            (None, _) => true,
            (Some(host), Some(other)) => host.covers(other),
            (Some(_), None) => false,
        };
        let header = |(name, presence): &(String, Presence)| {
            other.headers.iter().any(|(of, other)| of == name && presence.covers(other))
        };
        methods && path && host && self.headers.iter().all(header)
    }
}

impl Presence {
    /// Whether a header that is like the other is like this, too.
    #[cfg(feature = "cli")]
    fn covers(&self, other: &Presence) -> bool {
        self == other || matches!((self, other), (Presence::Present, Presence::Equal(_)))
    }

    fn holds(&self, value: Option<Vec<u8>>) -> bool {
        match self {
            Presence::Present => value.is_some(),
            Presence::Absent => value.is_none(),
            Presence::Equal(text) => value.is_some_and(|value| value.trim_ascii() == text.as_bytes()),
        }
    }
}

/// What a host may be.
pub(super) const HOST: &str = "a host such as api.example.com or *.example.com, without a port";

impl Host {
    /// Compiles a host. `None`: it is none.
    pub fn parse(text: &str) -> Option<Host> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let address = name.starts_with('[') && name.ends_with(']') && !below;
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let sound = !name.is_empty() && name.len() <= 255 && (address || name.bytes().all(plain));
        sound.then(|| if below { Host::Below(format!(".{name}")) } else { Host::Exact(name) })
    }

    /// Whether all hosts that the other matches are matched by this one.
    #[cfg(feature = "cli")]
    fn covers(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Exact(_), _) => self == other,
            (Host::Below(_), Host::Exact(name)) => self.matches(name.as_bytes()),
            (Host::Below(suffix), Host::Below(other)) => other.ends_with(suffix.as_str()),
        }
    }

    pub(super) fn matches(&self, host: &[u8]) -> bool {
        match self {
            Host::Exact(name) => host == name.as_bytes(),
            Host::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_bytes()),
        }
    }
}

/// A path such as `/v1/invoices/{id}/send`, segment by segment.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
    /// `**` at the end: any further segments, none included.
    open: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Literal(String),
    /// `*` or `{name}`: any one segment that is not empty.
    Any(Option<String>),
}

/// What a path template may be.
pub(super) const TEMPLATE: &str = "a path such as /v1/invoices/{id}: starting with /, with {name} or * for one whole segment, each name once, ** only at the end";

impl PathTemplate {
    /// Compiles a template. `None`: it is none.
    pub fn parse(text: &str) -> Option<PathTemplate> {
        let mut segments = Vec::new();
        let mut open = false;
        for segment in text.strip_prefix('/')?.split('/') {
            if open {
                return None;
            }
            match segment {
                "**" => open = true,
                "*" => segments.push(Segment::Any(None)),
                _ => segments.push(Segment::parse(segment)?),
            }
        }
        let template = PathTemplate { segments, open };
        let once = |(i, name)| !template.parameters().take(i).any(|earlier| earlier == name);
        let all_once = template.parameters().enumerate().all(once);
        all_once.then_some(template)
    }

    /// The segments that every matching path begins with.
    pub(super) fn beginning(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::Any(_) => None,
        })
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Any(name) => name.as_deref(),
            Segment::Literal(_) => None,
        })
    }

    /// The segment of a matching path that stands for a parameter.
    pub fn parameter<'p>(&self, path: &'p [u8], name: &str) -> Option<&'p [u8]> {
        let at = self.segments.iter().position(|segment| match segment {
            Segment::Any(named) => named.as_deref() == Some(name),
            Segment::Literal(_) => false,
        })?;
        path.strip_prefix(b"/")?.split(|byte| *byte == b'/').nth(at)
    }

    /// Whether all paths that the other matches are matched by this one.
    #[cfg(feature = "cli")]
    fn covers(&self, other: &PathTemplate) -> bool {
        let one_by_one = self.segments.iter().zip(&other.segments);
        let covers = |(one, other): (&Segment, &Segment)| match (one, other) {
            (Segment::Any(_), Segment::Literal(text)) => !text.is_empty(),
            (Segment::Any(_), Segment::Any(_)) => true,
            (Segment::Literal(_), _) => one == other,
        };
        let each = one_by_one.into_iter().all(covers);
        let (own, others) = (self.segments.len(), other.segments.len());
        each && if self.open { own <= others } else { own == others && !other.open }
    }

    /// Whether a path, without its query, matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(b"/") else { return false };
        let mut rest = path.split(|byte| *byte == b'/');
        for segment in &self.segments {
            match rest.next() {
                Some(found) if segment.matches(found) => {}
                Some(_) | None => return false,
            }
        }
        self.open || rest.next().is_none()
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Segment> {
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            return (!name.is_empty() && name.bytes().all(plain)).then(|| Segment::Any(Some(name.into())));
        }
        // On the wire all else is percent-encoded: it could never match.
        let literal = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*{}?#".contains(&byte));
        literal.then(|| Segment::Literal(text.to_string()))
    }

    fn matches(&self, found: &[u8]) -> bool {
        match self {
            Segment::Literal(text) => found == text.as_bytes(),
            Segment::Any(_) => !found.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn templates_match_whole_paths_segment_by_segment() {
        let cases: [(&str, &[&str], &[&str]); 5] = [
            (
                "/v1/invoices",
                &["/v1/invoices"],
                &["/v1/invoices/", "/v1/invoices/7", "/v1", "v1/invoices", ""],
            ),
            (
                "/v1/invoices/{id}/send",
                &["/v1/invoices/7/send"],
                &["/v1/invoices//send", "/v1/invoices/7/8/send"],
            ),
            ("/v1/*/send", &["/v1/x/send"], &["/v1/send", "/v1//send"]),
            ("/api/v2/**", &["/api/v2", "/api/v2/", "/api/v2/a/b"], &["/api/v22", "/api"]),
            ("/", &["/"], &["/a", ""]),
        ];
        for (template, matching, others) in cases {
            let compiled = PathTemplate::parse(template).unwrap();
            for path in matching {
                assert!(compiled.matches(path.as_bytes()), "{template} should match {path}");
            }
            for path in others {
                assert!(!compiled.matches(path.as_bytes()), "{template} should not match {path}");
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_no_template_is_refused() {
        for text in [
            "",
            "v1",
            "/a*",
            "/{",
            "/{}",
            "/{a-b}",
            "/**/a",
            "/a?b=c",
            "/a/{id}x",
            "/facturación",
            "/a b",
            "/{a}/{a}",
        ] {
            assert_eq!(PathTemplate::parse(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_parameter_is_the_segment_it_stands_for() {
        let template = PathTemplate::parse("/v1/{kind}/*/{id}/**").unwrap();
        assert_eq!(template.parameters().collect::<Vec<_>>(), ["kind", "id"]);
        let path = b"/v1/invoices/x/7/send";
        assert_eq!(template.parameter(path, "kind"), Some(&b"invoices"[..]));
        assert_eq!(template.parameter(path, "id"), Some(&b"7"[..]));
        assert_eq!(template.parameter(path, "v1"), None);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_match_covers_another_if_it_matches_all_that_the_other_does() {
        let path = |text: &str| Match { path: PathTemplate::parse(text), ..Match::default() };
        let host = |text: &str| Match { host: Host::parse(text), ..Match::default() };
        let methods = |names: &[&str]| Match {
            methods: names.iter().map(ToString::to_string).collect(),
            ..Match::default()
        };
        let header = |presence: Presence| Match { headers: vec![("x".into(), presence)], ..Match::default() };
        let all = Match::default();
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
            (header(Presence::Present), header(Presence::Equal("1".into()))),
        ];
        for (one, other) in covering {
            assert!(one.covers(&other) && one.covers(&one), "{one} {other}");
            assert!(!other.covers(&one) || other == path("/a/{id}"), "{other} {one}");
        }
        let strangers = [
            (path("/a/*"), path("/a/")),
            (path("/a/*"), path("/a/**")),
            (path("/a/*/c"), path("/a/b/d")),
            (host("example.com"), host("*.example.com")),
            (host("*.example.com"), host("*.ample.com")),
            (methods(&["GET"]), all.clone()),
            (header(Presence::Absent), header(Presence::Present)),
            (header(Presence::Present), all),
        ];
        for (one, other) in strangers {
            assert!(!one.covers(&other), "{one} {other}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn hosts_match_whole_names_or_whole_labels() {
        let host = |text| Host::parse(text).unwrap();
        assert!(host("API.example.com.").matches(b"api.example.com"));
        assert!(!host("api.example.com").matches(b"x.api.example.com"));
        assert!(host("*.example.com").matches(b"a.b.example.com"));
        for other in [&b"example.com"[..], b".example.com", b"anexample.com", b""] {
            assert!(!host("*.example.com").matches(other));
        }
        assert!(host("[::1]").matches(b"[::1]"));
        for text in ["", ".", "*", "*.", "*..", "a:80", "a/b", "*.*.com", "a*", "[::1]:80", "é.com"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
