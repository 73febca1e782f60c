//! Which requests a policy applies to.

#[cfg(feature = "cli")]
mod words;

use crate::request::{Asked, Request};
use crate::spelling;

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
            && self.path.as_ref().is_none_or(|path| path.is_met_by(asked))
            && self.host.as_ref().is_none_or(|host| host.matches(asked.host()))
            && self.headers.iter().all(|(name, presence)| presence.holds(asked.request().header(name)))
    }

    /// Whether a request that matches does so to the letter, and not only by another spelling of its path.
    pub(super) fn matches_as_written<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        self.path.as_ref().is_none_or(|path| path.matches(asked.path()))
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

/// Which other spellings of a path a server takes for the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spellings {
    /// With slashes behind it.
    pub trailing_slash: bool,
    /// In any case.
    pub case: bool,
    /// With parameters behind a `;` in its segments.
    pub parameters: bool,
    /// With a suffix such as `.json` behind its last segment.
    pub suffix: bool,
}

/// What a path template is for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Purpose {
    /// Requests that match are limited: each spelling that may be the path is.
    #[default]
    Protects,
    /// Requests that match are not limited, or get something back: only a path that can be no other is.
    Frees,
}

/// A path such as `/v1/invoices/{id}/send`, segment by segment.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
    /// `**` at the end: any further segments, none included.
    open: bool,
    /// The literal segments as they are compared with other spellings of a path: read as a server reads them. One may be
    /// less, without an empty last one.
    read: Vec<Option<Vec<u8>>>,
    spellings: Spellings,
    purpose: Purpose,
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
        let mut template = PathTemplate {
            segments,
            open,
            read: Vec::new(),
            spellings: Spellings::default(),
            purpose: Purpose::default(),
        };
        let once = |(i, name)| !template.parameters().take(i).any(|earlier| earlier == name);
        let all_once = template.parameters().enumerate().all(once);
        template.read_as(Spellings::default(), Purpose::default());
        all_once.then_some(template)
    }

    /// From now on it matches these spellings.
    #[inline(never)]
    pub fn read_as(&mut self, spellings: Spellings, purpose: Purpose) {
        (self.spellings, self.purpose) = (spellings, purpose);
        self.read.clear();
        for segment in &self.segments {
            self.read.push(match segment {
                Segment::Any(_) => None,
                Segment::Literal(text) => {
                    let mut read = spelling::segment(text.as_bytes(), spellings.parameters);
                    if spellings.case {
                        read.make_ascii_lowercase();
                    }
                    Some(read)
                }
            });
        }
        if spellings.trailing_slash && !self.open && self.read.len() > 1 {
            self.read.pop_if(|last| last.as_ref().is_some_and(Vec::is_empty));
        }
    }

    /// The segments that every matching path begins with, as a server reads them; in lower case if case does not matter.
    pub(super) fn beginning(&self) -> impl Iterator<Item = &[u8]> {
        self.read.iter().map_while(Option::as_deref)
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Any(name) => name.as_deref(),
            Segment::Literal(_) => None,
        })
    }

    /// Which segment of a matching path stands for a parameter, from 0.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| match segment {
            Segment::Any(named) => named.as_deref() == Some(name),
            Segment::Literal(_) => false,
        })
    }

    /// Whether what follows a `;` is no part of a segment.
    pub fn parameters_are_apart(&self) -> bool {
        self.spellings.parameters
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

    /// Whether a request's path matches. A path may be read in two ways, and nobody knows which one the upstream's is:
    /// what protects applies to either, what frees asks for both.
    pub fn is_met_by<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        let written = asked.path();
        let read = || asked.read_path(self.spellings.parameters);
        match self.purpose {
            Purpose::Protects => {
                self.matches_reading(written) || read().is_some_and(|path| self.matches_reading(path))
            }
            Purpose::Frees => self.matches(written) && read().is_none_or(|path| self.matches_reading(path)),
        }
    }

    /// Whether one reading of a path matches, in any of the spellings.
    #[inline(never)]
    pub fn matches_reading(&self, path: &[u8]) -> bool {
        let Some(mut path) = path.strip_prefix(b"/") else { return false };
        while self.spellings.trailing_slash
            && let Some(shorter) = path.strip_suffix(b"/")
        {
            path = shorter;
        }
        let mut rest = Some(path);
        for segment in &self.read {
            let Some(left) = rest else { return false };
            let end = left.iter().position(|byte| *byte == b'/');
            let (found, behind) = left.split_at(end.unwrap_or(left.len()));
            rest = end.and(behind.get(1..));
            let fits = match segment {
                None => !found.is_empty(),
                Some(text) => {
                    let bare = if end.is_none() && self.spellings.suffix {
                        spelling::without_suffix(found)
                    } else {
                        found
                    };
                    self.is_literal(text, found) || self.is_literal(text, bare)
                }
            };
            if !fits {
                return false;
            }
        }
        self.open || rest.is_none()
    }

    #[inline(never)]
    fn is_literal(&self, text: &[u8], found: &[u8]) -> bool {
        if self.spellings.case { text.eq_ignore_ascii_case(found) } else { text == found }
    }

    /// Whether a path, without its query, matches to the letter.
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
    use crate::request::MetadataPath;
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
        assert_eq!(template.place_of("kind"), Some(1));
        assert_eq!(template.place_of("id"), Some(3));
        assert_eq!(template.place_of("v1"), None);
    }

    /// A request for a path.
    struct Path<'a>(&'a str);

    impl Request for Path<'_> {
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == ":path").then(|| self.0.into())
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            None
        }
        fn metadata(&self, _: &MetadataPath) -> Option<Vec<u8>> {
            None
        }
    }

    const ALL: Spellings = Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

    fn read_as(template: &str, spellings: Spellings, purpose: Purpose) -> PathTemplate {
        let mut template = PathTemplate::parse(template).unwrap();
        template.read_as(spellings, purpose);
        template
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a8_what_protects_matches_every_spelling_and_what_frees_only_one_that_can_be_no_other() {
        let paths = [
            "/a/login/",
            "/A/Login",
            "/a;x/login;a=b",
            "/a/login.json",
            "/b/..;/a/login",
            "/a/%6cogin",
            "/a/login/;",
        ];
        let strict = Spellings::default();
        let met = |template: &PathTemplate, path| template.is_met_by(&Asked::new(&Path(path)));
        for path in paths {
            assert!(met(&read_as("/a/login", ALL, Purpose::Protects), path), "{path}");
            assert!(met(&read_as("/a/**", ALL, Purpose::Protects), path), "{path}");
            assert!(!met(&read_as("/a/login", ALL, Purpose::Frees), path), "{path}");
        }
        for path in ["/a/login/", "/A/Login", "/a;x/login;a=b", "/a/login.json"] {
            assert!(!met(&read_as("/a/login", strict, Purpose::Protects), path), "{path}");
        }
        // A server that takes nothing from a path for parameters reads it as it is written.
        assert!(met(&read_as("/b/{x}/a/login", ALL, Purpose::Protects), "/b/..;/a/login"));
        // Freed is a path only if it is so in both readings.
        let health = read_as("/health/**", ALL, Purpose::Frees);
        assert!(met(&health, "/health/a;b/c") && met(&health, "/health"));
        assert!(!met(&health, "/health/..;/a/login") && !met(&health, "/health;/x"));
        for (template, path) in [
            ("/login/", "/login"),
            ("/login/", "/login//"),
            ("/", "/"),
            ("/", "/;x"),
            ("/caf%C3%A9", "/caf%c3%a9"),
        ] {
            assert!(met(&read_as(template, ALL, Purpose::Protects), path), "{template} {path}");
        }
        for (template, path) in [
            ("/login", "/"),
            ("/", "/login"),
            ("/a/*", "/a/"),
            ("/a/*/c", "/a/c"),
            ("/login", "/login/x"),
            ("/login", "/.login"),
        ] {
            assert!(!met(&read_as(template, ALL, Purpose::Protects), path), "{template} {path}");
        }
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
