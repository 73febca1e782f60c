//! What the core may ask of a request, and a memory that asks it only once.

use crate::identity::Source;
use std::cell::OnceCell;

/// A request as the host knows it. Each call may cost a host call: ask only what policies need.
pub trait Request {
    /// A header's value, by its lower-case name. When it is repeated: the first, or all joined with commas.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
    /// The client's trusted address, as Envoy writes it: `ip:port`, or `[ip]:port` for IPv6.
    fn source_address(&self) -> Option<Vec<u8>>;
}

/// A request's answers, each asked for when it is first needed and then kept.
pub struct Asked<'a, R> {
    request: &'a R,
    method: OnceCell<Vec<u8>>,
    path: OnceCell<Vec<u8>>,
    keys: Vec<(&'a Source, OnceCell<Option<Vec<u8>>>)>,
}

impl<'a, R: Request> Asked<'a, R> {
    /// A request that has been asked nothing yet.
    pub fn new(request: &'a R, sources: impl Iterator<Item = &'a Source>) -> Self {
        let keys = sources.map(|source| (source, OnceCell::new())).collect();
        Asked { request, method: OnceCell::new(), path: OnceCell::new(), keys }
    }

    /// The method; empty if the request has none.
    pub fn method(&self) -> &[u8] {
        self.method.get_or_init(|| self.request.header(":method").unwrap_or_default())
    }

    /// The path as Envoy normalised it, without the query; empty if the request has none.
    pub fn path(&self) -> &[u8] {
        let path = self.path.get_or_init(|| self.request.header(":path").unwrap_or_default());
        path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
    }

    /// The value of the key with this index.
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        let (source, value) = self.keys.get(index)?;
        value.get_or_init(|| source.read(self.request)).as_deref()
    }

    /// Whether this is a CORS preflight (Fetch standard: OPTIONS that names the method to come).
    pub fn is_preflight(&self) -> bool {
        // The header is asked first: it is nearly always absent, and asking for an absent one is cheap.
        self.request.header("access-control-request-method").is_some() && self.method() == b"OPTIONS"
    }
}
