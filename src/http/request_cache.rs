//! One request's headers, each read from the host once, when it is first needed.

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

    /// The host in lower case, without a port; empty if there is none.
    pub fn host(&self) -> &[u8] {
        self.host.get_or_init(|| {
            let mut host = self.request.header(":authority").unwrap_or_default();
            // The port follows the last colon, unless that is inside the brackets of an IPv6 address.
            if let Some(colon) = host.iter().rposition(|byte| matches!(byte, b':' | b']'))
                && host.get(colon) == Some(&b':')
            {
                host.truncate(colon);
            }
            // A trailing dot, the DNS root, does not make it another host.
            if host.last() == Some(&b'.') {
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
