//! Hosts, as policies name them.

use super::Pattern;
use std::fmt;

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
        // As of a plain host, the DNS root is no part of it.
        let pattern = Pattern::parse(&text.trim_end_matches('.').to_ascii_lowercase())?;
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

    /// Whether it matches every host that `other` matches, as far as that can be decided.
    pub fn covers(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Exact(_), _) => self == other,
            (Host::Suffix(_), Host::Exact(name)) => self.matches(name.as_bytes()),
            (Host::Suffix(suffix), Host::Suffix(other)) => other.ends_with(suffix.as_str()),
            (Host::Fits(pattern), Host::Exact(name)) => pattern.fits(name.as_bytes()),
            (Host::Fits(pattern), Host::Fits(other)) => pattern.covers(other),
            (Host::Fits(pattern), Host::Suffix(suffix)) => {
                Pattern::parse(&["*", suffix].concat()).is_some_and(|suffix| pattern.covers(&suffix))
            }
            (Host::Suffix(_), Host::Fits(_)) => false,
        }
    }
}

impl fmt::Display for Host {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Exact(name) => f.write_str(name),
            Host::Suffix(suffix) => write!(f, "*{suffix}"),
            Host::Fits(pattern) => pattern.fmt(f),
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
        for text in ["", ".", "*", "*.", "*..", "a:80", "a/b", "a**b", "**", "[::1]:80", "é.com"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn hosts_have_the_same_patterns_as_headers() {
        let host = |text| Host::parse(text).unwrap();
        for (text, fitting, other) in [
            ("API-*", "api-7.example.com", "app-7.example.com"),
            ("*-staging.example.com", "a.b-staging.example.com", "staging.example.com"),
            ("*staging*", "api.staging.example.com", "api.example.com"),
            ("api.*", "api.example.org", "api-2.example.org"),
            ("api-*.example.com", "api-7.example.com", "api.example.com"),
            ("*.*.com", "a.b.com", "b.com"),
            ("API.*.com", "api.example.com", "api.com"),
            ("api-*.example.com.", "api-7.example.com", "api.example.com"),
        ] {
            assert!(host(text).matches(fitting.as_bytes()), "{text} {fitting}");
            assert!(!host(text).matches(other.as_bytes()), "{text} {other}");
        }
        for text in ["api-*:80", "api/*", "a/*b", "a**", "\\*", "*é*"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
