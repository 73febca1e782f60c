//! One request's headers, each read from the host once, when it is first needed.

use super::client_ip::ClientIp;
use super::spelling;
use super::{AUTHORIZATION, Request};
use std::borrow::Cow;
use std::cell::OnceCell;

/// A request, with the parts that several policies read.
pub struct RequestCache<'a, R> {
    request: &'a R,
    method: OnceCell<Vec<u8>>,
    target: OnceCell<Vec<u8>>,
    host: OnceCell<Vec<u8>>,
    decoded_path: OnceCell<Option<Vec<u8>>>,
    authorization: OnceCell<Option<Vec<u8>>>,
    cookies: OnceCell<Option<Vec<u8>>>,
    client_ip: OnceCell<ClientIp>,
    route_name: OnceCell<Option<Vec<u8>>>,
}

impl<'a, R: Request> RequestCache<'a, R> {
    /// Reads nothing yet.
    pub fn new(request: &'a R) -> Self {
        RequestCache {
            request,
            method: OnceCell::new(),
            target: OnceCell::new(),
            host: OnceCell::new(),
            decoded_path: OnceCell::new(),
            authorization: OnceCell::new(),
            cookies: OnceCell::new(),
            client_ip: OnceCell::new(),
            route_name: OnceCell::new(),
        }
    }

    /// The request itself, for what is not cached here.
    pub fn uncached(&self) -> &'a R {
        self.request
    }

    /// The method; empty if there is none.
    pub fn method(&self) -> &[u8] {
        self.method.get_or_init(|| self.request.header(":method").unwrap_or_default())
    }

    /// The path as Envoy normalised it, with the query; empty if there is none.
    pub fn target(&self) -> &[u8] {
        self.target.get_or_init(|| self.request.header(":path").unwrap_or_default())
    }

    /// The path as Envoy normalised it, without the query; empty if there is none.
    pub fn path(&self) -> &[u8] {
        self.target().split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
    }

    /// The path as a server reads it that decodes it and, with `parameters`, drops `;` and what follows from
    /// each segment. `None`: it is the same as [`RequestCache::path`]. All calls for one request must pass
    /// the same `parameters`.
    pub fn decoded_path(&self, parameters: bool) -> Option<&[u8]> {
        self.decoded_path.get_or_init(|| spelling::path(self.path(), parameters)).as_deref()
    }

    /// The host in lower case, without user, port and trailing dot; empty if there is none.
    pub fn host(&self) -> &[u8] {
        self.host.get_or_init(|| {
            let mut host = self.request.header(":authority").unwrap_or_default();
            if let Some(user) = host.iter().rposition(|byte| *byte == b'@') {
                host.drain(..=user);
            }
            // The colons of an IPv6 address are in its brackets.
            let end = if host.first() == Some(&b'[') {
                host.iter().position(|byte| *byte == b']').map(|at| at + 1)
            } else {
                host.iter().position(|byte| *byte == b':')
            };
            host.truncate(end.unwrap_or(host.len()));
            // A trailing dot, the DNS root, does not make it another host.
            while host.last() == Some(&b'.') {
                host.pop();
            }
            host.make_ascii_lowercase();
            host
        })
    }

    /// The `authorization` header.
    pub fn authorization(&self) -> Option<&[u8]> {
        self.authorization.get_or_init(|| self.request.header(AUTHORIZATION)).as_deref()
    }

    /// The values of all lines of the cookie header, joined with semicolons.
    pub fn cookies(&self) -> Option<&[u8]> {
        self.cookies.get_or_init(|| self.request.cookies()).as_deref()
    }

    /// The client's address; empty if there is none.
    pub fn client_ip(&self) -> &ClientIp {
        self.client_ip.get_or_init(|| ClientIp::new(self.request.source_address().unwrap_or_default()))
    }

    /// The name of the route that Envoy has chosen; never empty.
    pub fn route_name(&self) -> Option<&[u8]> {
        let read = || self.request.route_name().filter(|name| !name.is_empty());
        self.route_name.get_or_init(read).as_deref()
    }

    /// The value of a header, by its lower-case name. Only `authorization` is cached.
    pub fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match name {
            AUTHORIZATION => self.authorization().map(Cow::Borrowed),
            _ => self.request.header(name).map(Cow::Owned),
        }
    }

    /// Whether this is a CORS preflight. By the Fetch standard that is an OPTIONS request that names the
    /// method to come and carries no `authorization`.
    pub fn is_preflight(&self) -> bool {
        // This header comes first: it is nearly always absent, and an absent header is cheap to ask for.
        self.request.header("access-control-request-method").is_some()
            && self.method() == b"OPTIONS"
            && self.authorization().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_host_is_the_same_in_every_case_with_any_port_and_with_a_trailing_dot() {
        for (authority, host) in [
            ("api.example.com", "api.example.com"),
            ("API.example.com:8443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("api.example.com.:443", "api.example.com"),
            ("api.example.com:", "api.example.com"),
            ("api.example.com:80:80", "api.example.com"),
            ("user:pass@api.example.com:80", "api.example.com"),
            ("127.0.0.1:10000", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("[2001:DB8::7]", "[2001:db8::7]"),
            ("[::1", "[::1"),
            (".", ""),
            (":80", ""),
            ("", ""),
        ] {
            let request = FakeRequest::default().with(":authority", authority);
            assert_eq!(RequestCache::new(&request).host(), host.as_bytes(), "{authority}");
        }
        assert_eq!(RequestCache::new(&FakeRequest::default()).host(), b"", "HTTP/1.0 without a host");
    }
}
