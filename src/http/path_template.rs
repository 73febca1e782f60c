//! Path templates such as `/v1/invoices/{id}/send`, and the spellings of a path that they match.

use super::{Request, RequestCache, spelling};
use std::fmt;

/// The spellings of a path that the upstream takes for the same path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spellings {
    /// Trailing slashes do not matter.
    pub trailing_slash: bool,
    /// Case does not matter.
    pub case: bool,
    /// In each segment, parameters after a `;` do not matter.
    pub parameters: bool,
    /// A suffix of the last segment, such as `.json`, does not matter.
    pub suffix: bool,
}

/// What a path template is for, which decides how it treats a path that can be read in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Purpose {
    /// Requests that match are limited: the template matches if either reading does.
    #[default]
    Limits,
    /// Requests that match are exempt, or give units back: the template matches only if both readings do.
    Exempts,
}

/// A compiled path template.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTemplate {
    segments: Vec<PathSegment>,
    /// Whether the template ends with `**`: any number of further segments, including none.
    open: bool,
    /// The segments as they are compared with decoded paths: literals as a server reads them, `None` for a
    /// parameter. An empty last segment is left out if trailing slashes do not matter.
    decoded: Vec<Option<Vec<u8>>>,
    spellings: Spellings,
    purpose: Purpose,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq)]
enum PathSegment {
    /// Exactly this text.
    Literal(String),
    /// `*` or `{name}`: any one non-empty segment.
    Any(Option<String>),
}

impl PathTemplate {
    /// Compiles a template. `None`: the text is not one.
    pub fn parse(text: &str) -> Option<PathTemplate> {
        let mut segments = Vec::new();
        let mut open = false;
        for segment in text.strip_prefix('/')?.split('/') {
            if open {
                return None;
            }
            match segment {
                "**" => open = true,
                "*" => segments.push(PathSegment::Any(None)),
                _ => segments.push(PathSegment::parse(segment)?),
            }
        }
        let mut template = PathTemplate {
            segments,
            open,
            decoded: Vec::new(),
            spellings: Spellings::default(),
            purpose: Purpose::default(),
        };
        let once = |(i, name)| !template.parameters().take(i).any(|earlier| earlier == name);
        let all_once = template.parameters().enumerate().all(once);
        template.set_spellings(Spellings::default(), Purpose::default());
        all_once.then_some(template)
    }

    /// Sets which spellings of a path the template matches.
    pub fn set_spellings(&mut self, spellings: Spellings, purpose: Purpose) {
        (self.spellings, self.purpose) = (spellings, purpose);
        self.decoded.clear();
        for segment in &self.segments {
            self.decoded.push(match segment {
                PathSegment::Any(_) => None,
                PathSegment::Literal(text) => {
                    let mut decoded = spelling::segment(text.as_bytes(), spellings.parameters);
                    if spellings.case {
                        decoded.make_ascii_lowercase();
                    }
                    Some(decoded)
                }
            });
        }
        if spellings.trailing_slash && !self.open && self.decoded.len() > 1 {
            self.decoded.pop_if(|last| last.as_ref().is_some_and(Vec::is_empty));
        }
    }

    /// The literal segments that every matching path begins with, as a server reads them; in lower case if
    /// case does not matter.
    pub fn beginning(&self) -> impl Iterator<Item = &[u8]> {
        self.decoded.iter().map_while(Option::as_deref)
    }

    /// Whether a literal segment has letters, so that it can be written in another case.
    pub fn has_letters(&self) -> bool {
        self.segments.iter().any(|segment| match segment {
            PathSegment::Literal(text) => text.bytes().any(|byte| byte.is_ascii_alphabetic()),
            PathSegment::Any(_) => false,
        })
    }

    /// Whether it matches every path that `other` matches.
    pub fn covers(&self, other: &PathTemplate) -> bool {
        let covers = |(one, other): (&PathSegment, &PathSegment)| match (one, other) {
            (PathSegment::Any(_), PathSegment::Literal(text)) => !text.is_empty(),
            (PathSegment::Any(_), PathSegment::Any(_)) => true,
            (PathSegment::Literal(_), _) => one == other,
        };
        let each = self.segments.iter().zip(&other.segments).all(covers);
        let (own, others) = (self.segments.len(), other.segments.len());
        each && if self.open { own <= others } else { own == others && !other.open }
    }

    /// Whether the template ends with `**`.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PathSegment::Any(name) => name.as_deref(),
            PathSegment::Literal(_) => None,
        })
    }

    /// The index of the segment that is the parameter of this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| match segment {
            PathSegment::Any(named) => named.as_deref() == Some(name),
            PathSegment::Literal(_) => false,
        })
    }

    /// Whether parameters after a `;` are dropped from each segment.
    pub fn strips_parameters(&self) -> bool {
        self.spellings.parameters
    }

    /// Whether a request's path matches. The upstream may read the path as written or decoded, and nobody
    /// knows which: see [`Purpose`].
    pub fn matches_request<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        let written = request.path();
        let decoded = || request.decoded_path(self.spellings.parameters);
        match self.purpose {
            Purpose::Limits => {
                self.matches_decoded(written) || decoded().is_some_and(|path| self.matches_decoded(path))
            }
            Purpose::Exempts => {
                self.matches(written) && decoded().is_none_or(|path| self.matches_decoded(path))
            }
        }
    }

    /// Whether a path, as written or decoded, matches in one of the spellings.
    pub fn matches_decoded(&self, path: &[u8]) -> bool {
        let Some(mut path) = path.strip_prefix(b"/") else { return false };
        while self.spellings.trailing_slash
            && let Some(shorter) = path.strip_suffix(b"/")
        {
            path = shorter;
        }
        let mut rest = Some(path);
        for segment in &self.decoded {
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

    fn is_literal(&self, text: &[u8], found: &[u8]) -> bool {
        if self.spellings.case { text.eq_ignore_ascii_case(found) } else { text == found }
    }

    /// Whether a path, without its query, matches exactly as it is written.
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

impl fmt::Display for PathTemplate {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                PathSegment::Literal(text) => write!(f, "/{text}")?,
                PathSegment::Any(Some(name)) => write!(f, "/{{{name}}}")?,
                PathSegment::Any(None) => f.write_str("/*")?,
            }
        }
        f.write_str(if self.open { "/**" } else { "" })
    }
}

impl PathSegment {
    fn parse(text: &str) -> Option<PathSegment> {
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            return (!name.is_empty() && name.bytes().all(plain))
                .then(|| PathSegment::Any(Some(name.into())));
        }
        // On the wire, any other byte is percent-encoded, so such a literal could never match.
        let literal = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*{}?#".contains(&byte));
        literal.then(|| PathSegment::Literal(text.to_string()))
    }

    fn matches(&self, found: &[u8]) -> bool {
        match self {
            PathSegment::Literal(text) => found == text.as_bytes(),
            PathSegment::Any(_) => !found.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;
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
    fn what_is_no_template_is_rejected() {
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
        assert_eq!(template.index_of("kind"), Some(1));
        assert_eq!(template.index_of("id"), Some(3));
        assert_eq!(template.index_of("v1"), None);
    }

    const ALL: Spellings = Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

    fn set_spellings(template: &str, spellings: Spellings, purpose: Purpose) -> PathTemplate {
        let mut template = PathTemplate::parse(template).unwrap();
        template.set_spellings(spellings, purpose);
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
        let met = |template: &PathTemplate, path| {
            template.matches_request(&RequestCache::new(&FakeRequest::to(path)))
        };
        for path in paths {
            assert!(met(&set_spellings("/a/login", ALL, Purpose::Limits), path), "{path}");
            assert!(met(&set_spellings("/a/**", ALL, Purpose::Limits), path), "{path}");
            assert!(!met(&set_spellings("/a/login", ALL, Purpose::Exempts), path), "{path}");
        }
        for path in ["/a/login/", "/A/Login", "/a;x/login;a=b", "/a/login.json"] {
            assert!(!met(&set_spellings("/a/login", strict, Purpose::Limits), path), "{path}");
        }
        // A server that takes nothing from a path for parameters reads it as it is written.
        assert!(met(&set_spellings("/b/{x}/a/login", ALL, Purpose::Limits), "/b/..;/a/login"));
        // Freed is a path only if it is so in both readings.
        let health = set_spellings("/health/**", ALL, Purpose::Exempts);
        assert!(met(&health, "/health/a;b/c") && met(&health, "/health"));
        assert!(!met(&health, "/health/..;/a/login") && !met(&health, "/health;/x"));
        for (template, path) in [
            ("/login/", "/login"),
            ("/login/", "/login//"),
            ("/", "/"),
            ("/", "/;x"),
            ("/caf%C3%A9", "/caf%c3%a9"),
        ] {
            assert!(met(&set_spellings(template, ALL, Purpose::Limits), path), "{template} {path}");
        }
        for (template, path) in [
            ("/login", "/"),
            ("/", "/login"),
            ("/a/*", "/a/"),
            ("/a/*/c", "/a/c"),
            ("/login", "/login/x"),
            ("/login", "/.login"),
        ] {
            assert!(!met(&set_spellings(template, ALL, Purpose::Limits), path), "{template} {path}");
        }
    }
}
