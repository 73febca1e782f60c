//! Matching requests by method, host, path, headers, query and cookies.

use super::{PathTemplate, Pattern, Purpose, Request, RequestCache, ValueMatch};

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
    pub headers: Vec<(String, ValueMatch)>,
    /// What must hold for query parameters, by name.
    pub query: Vec<(String, ValueMatch)>,
    /// What must hold for cookies, by name.
    pub cookies: Vec<(String, ValueMatch)>,
    /// Whether requests that match are limited, or exempt from limits.
    pub purpose: Purpose,
}

/// A host, all of its subdomains, or all hosts of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Host {
    /// This host, in lower case.
    Exact(String),
    /// All hosts that end with this suffix, at any depth. `*.example.com` is `.example.com` here.
    Suffix(String),
    /// All hosts that fit, in lower case.
    Fits(Pattern),
}

impl RequestMatch {
    /// Whether a request matches.
    pub fn matches<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        let method = || request.method();
        (self.methods.is_empty() || self.methods.iter().any(|name| name.as_bytes() == method()))
            && self.path.as_ref().is_none_or(|path| path.matches_request(request))
            && self.host.as_ref().is_none_or(|host| host.matches(request.host()))
            && self.values_hold(request, self.purpose)
    }

    #[inline(never)] // one copy for all callers
    fn values_hold<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        let header = |(name, rule): &(String, ValueMatch)| rule.holds_in_header(request, name, purpose);
        let parameter = |(name, rule): &(String, ValueMatch)| rule.holds_in_query(request, name, purpose);
        let cookie = |(name, rule): &(String, ValueMatch)| rule.holds_in_cookies(request, name, purpose);
        self.headers.iter().all(header) && self.query.iter().all(parameter) && self.cookies.iter().all(cookie)
    }

    /// Whether a request that matches does so for every server, and not only in another spelling of its path
    /// or by one of several values.
    pub fn matches_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        self.path.as_ref().is_none_or(|path| path.matches(request.path()))
            && self.values_hold(request, Purpose::Exempts)
    }
}

impl Host {
    /// Parses a host, without a port. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Host> {
        if text.strip_prefix("*.").unwrap_or(text).contains('*') {
            return Host::parse_pattern(text);
        }
        let (name, is_suffix) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let address = name.starts_with('[') && name.ends_with(']') && !is_suffix;
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_valid = !name.is_empty() && name.len() <= 255 && (address || name.bytes().all(is_plain));
        is_valid.then(|| if is_suffix { Host::Suffix(format!(".{name}")) } else { Host::Exact(name) })
    }

    /// `*` alone is not a pattern of hosts: it would match them all.
    fn parse_pattern(text: &str) -> Option<Host> {
        let pattern = Pattern::parse(&text.to_ascii_lowercase())?;
        let name = pattern.text();
        let is_valid = (1..=255).contains(&name.len()) && name.bytes().all(is_plain);
        is_valid.then_some(Host::Fits(pattern))
    }

    /// Whether a host, in lower case and without a port, matches.
    pub fn matches(&self, host: &[u8]) -> bool {
        match self {
            Host::Exact(name) => host == name.as_bytes(),
            Host::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_bytes()),
            Host::Fits(pattern) => pattern.fits(host),
        }
    }
}

/// Whether a host's name may have this byte.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
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
        for text in ["", ".", "*", "*.", "*..", "a:80", "a/b", "*.*.com", "a*b", "**", "[::1]:80", "é.com"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn c_hosts_have_the_same_patterns_as_headers() {
        let host = |text| Host::parse(text).unwrap();
        for (text, fitting, other) in [
            ("API-*", "api-7.example.com", "app-7.example.com"),
            ("*-staging.example.com", "a.b-staging.example.com", "staging.example.com"),
            ("*staging*", "api.staging.example.com", "api.example.com"),
            ("api.*", "api.example.org", "api-2.example.org"),
        ] {
            assert!(host(text).matches(fitting.as_bytes()), "{text} {fitting}");
            assert!(!host(text).matches(other.as_bytes()), "{text} {other}");
        }
        for text in ["api-*.example.com", "api.*.com", "api-*:80", "api/*", "*a*b", "\\*", "*é*"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
