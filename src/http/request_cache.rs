//! What one request has answered so far: each header is read from the host once, when it is first needed.

use super::spelling;
use super::{AUTHORIZATION, Request};
use std::borrow::Cow;
use std::cell::OnceCell;

/// A request's answers, each asked for when it is first needed and then kept.
pub struct RequestCache<'a, R> {
    request: &'a R,
    method: OnceCell<Vec<u8>>,
    target: OnceCell<Vec<u8>>,
    host: OnceCell<Vec<u8>>,
    /// Another reading of the path, if it has one.
    read_path: OnceCell<Option<Vec<u8>>>,
    authorization: OnceCell<Option<Vec<u8>>>,
}

impl<'a, R: Request> RequestCache<'a, R> {
    /// A request that has been asked nothing yet.
    pub fn new(request: &'a R) -> Self {
        RequestCache {
            request,
            method: OnceCell::new(),
            target: OnceCell::new(),
            host: OnceCell::new(),
            read_path: OnceCell::new(),
            authorization: OnceCell::new(),
        }
    }

    /// The request itself, for what is not kept here.
    pub fn request(&self) -> &'a R {
        self.request
    }

    /// The method; empty if the request has none.
    pub fn method(&self) -> &[u8] {
        self.method.get_or_init(|| self.request.header(":method").unwrap_or_default())
    }

    /// The path as Envoy normalised it, with the query; empty if the request has none.
    pub fn target(&self) -> &[u8] {
        self.target.get_or_init(|| self.request.header(":path").unwrap_or_default())
    }

    /// The path as Envoy normalised it, without the query; empty if the request has none.
    #[inline(never)]
    pub fn path(&self) -> &[u8] {
        self.target().split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
    }

    /// The path as a server may read it that decodes it and, with `parameters`, takes `;` and what follows for no part of
    /// a segment. `None`: it has no other reading than [`RequestCache::path`]. All who ask about one request say the same.
    #[inline(never)]
    pub fn read_path(&self, parameters: bool) -> Option<&[u8]> {
        self.read_path.get_or_init(|| spelling::path(self.path(), parameters)).as_deref()
    }

    /// The host that is asked for, in lower case, without a port; empty if the request has none.
    pub fn host(&self) -> &[u8] {
        self.host.get_or_init(|| {
            let mut host = self.request.header(":authority").unwrap_or_default();
            // The last colon, unless it is inside the brackets of an IPv6 address.
            if let Some(colon) = host.iter().rposition(|byte| matches!(byte, b':' | b']'))
                && host.get(colon) == Some(&b':')
            {
                host.truncate(colon);
            }
            // With or without the root's dot it is the same host.
            if host.last() == Some(&b'.') {
                host.pop();
            }
            host.make_ascii_lowercase();
            host
        })
    }

    /// The `authorization` header, if the request has one.
    pub fn authorization(&self) -> Option<&[u8]> {
        self.authorization.get_or_init(|| self.request.header(AUTHORIZATION)).as_deref()
    }

    /// A header's value, by its lower-case name. Only `authorization` is kept.
    pub fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match name {
            AUTHORIZATION => self.authorization().map(Cow::Borrowed),
            _ => self.request.header(name).map(Cow::Owned),
        }
    }

    /// Whether this is a CORS preflight (Fetch standard: OPTIONS that names the method to come, without `authorization`).
    pub fn is_preflight(&self) -> bool {
        // The header is asked first: it is nearly always absent, and asking for an absent one is cheap.
        self.request.header("access-control-request-method").is_some()
            && self.method() == b"OPTIONS"
            && self.authorization().is_none()
    }
}
