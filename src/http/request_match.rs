//! Matching requests by method, host, path and headers.

use super::{PathTemplate, Request, RequestCache};

/// Matches the requests that meet all of its conditions; without any condition it matches every request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestMatch {
    /// The methods that match, in capitals; all do if the list is empty.
    pub methods: Vec<String>,
    /// The host that must match.
    pub host: Option<Host>,
    /// The template that the path, without the query, must match.
    pub path: Option<PathTemplate>,
    /// What must hold for headers, by lower-case name.
    pub headers: Vec<(String, HeaderMatch)>,
    /// What must hold for keys, by index. [`RequestMatch::matches`] leaves them out: only the caller of a
    /// request knows what its keys are.
    pub keys: Vec<(usize, KeyMatch)>,
}

/// What must hold for the value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMatch {
    /// The request has one.
    Present,
    /// It has none.
    Absent,
    /// It is this one; of a list, one of its elements is.
    Equal(String),
}

impl KeyMatch {
    /// Whether it holds for a value, or for one element of a list.
    pub fn fits(&self, value: &[u8]) -> bool {
        match self {
            KeyMatch::Present => true,
            KeyMatch::Absent => false,
            KeyMatch::Equal(text) => value == text.as_bytes(),
        }
    }
}

/// What must hold for a header.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderMatch {
    /// It is present, with any value.
    Present,
    /// It is absent.
    Absent,
    /// It has this value.
    Equal(String),
}

/// A host, or all of its subdomains.
#[derive(Clone, Debug, PartialEq)]
pub enum Host {
    /// This host, in lower case.
    Exact(String),
    /// All hosts that end with this suffix, at any depth. `*.example.com` is `.example.com` here.
    Suffix(String),
}

impl RequestMatch {
    /// Whether a request matches, apart from its keys.
    pub fn matches<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        let method = || request.method();
        (self.methods.is_empty() || self.methods.iter().any(|name| name.as_bytes() == method()))
            && self.path.as_ref().is_none_or(|path| path.matches_request(request))
            && self.host.as_ref().is_none_or(|host| host.matches(request.host()))
            && self.headers.iter().all(|(name, header)| header.holds(request.uncached().header(name)))
    }

    /// Whether a request that matches does so as it is written, and not only in another spelling of its path.
    pub fn matches_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        self.path.as_ref().is_none_or(|path| path.matches(request.path()))
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
    /// Parses a host, without a port. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Host> {
        let (name, is_suffix) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let address = name.starts_with('[') && name.ends_with(']') && !is_suffix;
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_valid = !name.is_empty() && name.len() <= 255 && (address || name.bytes().all(plain));
        is_valid.then(|| if is_suffix { Host::Suffix(format!(".{name}")) } else { Host::Exact(name) })
    }

    /// Whether a host, in lower case and without a port, matches.
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
