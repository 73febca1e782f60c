//! Which requests a policy applies to.

#[cfg(feature = "cli")]
mod words;

use crate::request::{Asked, Request};

/// Matches a request on all that it names; naming nothing, it matches all.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The method, in capitals.
    pub method: Option<String>,
    /// The path, without the query.
    pub path: Option<PathTemplate>,
}

impl Match {
    pub(super) fn matches<R: Request>(&self, asked: &Asked<'_, R>) -> bool {
        self.method.as_ref().is_none_or(|method| asked.method() == method.as_bytes())
            && self.path.as_ref().is_none_or(|path| path.matches(asked.path()))
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
    Any,
}

/// What a path template may be.
pub(super) const TEMPLATE: &str = "a path such as /v1/invoices/{id}: starting with /, with {name} or * for one whole segment, ** only at the end";

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
                "*" => segments.push(Segment::Any),
                _ => segments.push(Segment::parse(segment)?),
            }
        }
        Some(PathTemplate { segments, open })
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
            return (!name.is_empty() && name.bytes().all(plain)).then_some(Segment::Any);
        }
        // On the wire all else is percent-encoded: it could never match.
        let literal = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*{}?#".contains(&byte));
        literal.then(|| Segment::Literal(text.to_string()))
    }

    fn matches(&self, found: &[u8]) -> bool {
        match self {
            Segment::Literal(text) => found == text.as_bytes(),
            Segment::Any => !found.is_empty(),
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
        for text in
            ["", "v1", "/a*", "/{", "/{}", "/{a-b}", "/**/a", "/a?b=c", "/a/{id}x", "/facturación", "/a b"]
        {
            assert_eq!(PathTemplate::parse(text), None, "{text}");
        }
    }
}
