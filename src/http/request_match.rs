//! Which requests a policy applies to.

use super::{PathTemplate, Request, RequestCache};

/// Matches a request on all that it names; naming nothing, it matches all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestMatch {
    /// One of these methods, in capitals; any if there is none.
    pub methods: Vec<String>,
    /// The host that is asked for.
    pub host: Option<Host>,
    /// The path, without the query.
    pub path: Option<PathTemplate>,
    /// What headers, by lower-case name, are to be like.
    pub headers: Vec<(String, HeaderMatch)>,
    /// What a request that matches costs, if not what its policy says.
    pub cost: Option<u32>,
}

/// What a header is to be like.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderMatch {
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
    Suffix(String),
}

impl RequestMatch {
    pub fn matches<R: Request>(&self, asked: &RequestCache<'_, R>) -> bool {
        let method = || asked.method();
        (self.methods.is_empty() || self.methods.iter().any(|name| name.as_bytes() == method()))
            && self.path.as_ref().is_none_or(|path| path.is_met_by(asked))
            && self.host.as_ref().is_none_or(|host| host.matches(asked.host()))
            && self.headers.iter().all(|(name, presence)| presence.holds(asked.request().header(name)))
    }

    /// Whether a request that matches does so to the letter, and not only by another spelling of its path.
    pub fn matches_as_written<R: Request>(&self, asked: &RequestCache<'_, R>) -> bool {
        self.path.as_ref().is_none_or(|path| path.matches(asked.path()))
    }
}

impl HeaderMatch {
    fn holds(&self, value: Option<Vec<u8>>) -> bool {
        match self {
            HeaderMatch::Present => value.is_some(),
            HeaderMatch::Absent => value.is_none(),
            HeaderMatch::Equal(text) => value.is_some_and(|value| value.trim_ascii() == text.as_bytes()),
        }
    }
}

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
        sound.then(|| if below { Host::Suffix(format!(".{name}")) } else { Host::Exact(name) })
    }

    pub fn matches(&self, host: &[u8]) -> bool {
        match self {
            Host::Exact(name) => host == name.as_bytes(),
            Host::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

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
