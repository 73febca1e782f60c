//! Path templates such as `/v1/invoices/{id}/send`, and which spellings of a path they match.

use super::{Request, RequestCache, spelling};

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
    segments: Vec<PathSegment>,
    /// `**` at the end: any further segments, none included.
    open: bool,
    /// The literal segments as they are compared with other spellings of a path: read as a server reads them. One may be
    /// less, without an empty last one.
    read: Vec<Option<Vec<u8>>>,
    spellings: Spellings,
    purpose: Purpose,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum PathSegment {
    /// This text.
    Literal(String),
    /// `*` or `{name}`: any one segment that is not empty.
    Any(Option<String>),
}

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
                "*" => segments.push(PathSegment::Any(None)),
                _ => segments.push(PathSegment::parse(segment)?),
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
                PathSegment::Any(_) => None,
                PathSegment::Literal(text) => {
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
    pub fn beginning(&self) -> impl Iterator<Item = &[u8]> {
        self.read.iter().map_while(Option::as_deref)
    }

    /// Its segments, without a final `**`.
    pub fn segments(&self) -> &[PathSegment] {
        &self.segments
    }

    /// Whether it ends with `**`.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PathSegment::Any(name) => name.as_deref(),
            PathSegment::Literal(_) => None,
        })
    }

    /// Which segment of a matching path stands for a parameter, from 0.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| match segment {
            PathSegment::Any(named) => named.as_deref() == Some(name),
            PathSegment::Literal(_) => false,
        })
    }

    /// Whether what follows a `;` is no part of a segment.
    pub fn parameters_are_apart(&self) -> bool {
        self.spellings.parameters
    }

    /// Whether a request's path matches. A path may be read in two ways, and nobody knows which one the upstream's is:
    /// what protects applies to either, what frees asks for both.
    pub fn is_met_by<R: Request>(&self, asked: &RequestCache<'_, R>) -> bool {
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

impl PathSegment {
    fn parse(text: &str) -> Option<PathSegment> {
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            return (!name.is_empty() && name.bytes().all(plain))
                .then(|| PathSegment::Any(Some(name.into())));
        }
        // On the wire all else is percent-encoded: it could never match.
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
    use crate::http::MetadataPath;
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
        let met = |template: &PathTemplate, path| template.is_met_by(&RequestCache::new(&Path(path)));
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
}
