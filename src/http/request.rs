//! What the core may ask of a request and of its response, and a memory that asks it only once.

use crate::spelling;
use std::borrow::Cow;
use std::cell::OnceCell;

/// The header of a client's credentials (RFC 9110, 11.6.2).
pub const AUTHORIZATION: &str = "authorization";

/// A request as the host knows it. Each call may cost a host call: ask only what policies need.
pub trait Request {
    /// A header's value, by its lower-case name. When it is repeated: the first, or all joined with commas.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
    /// The values of all lines of a header, by its lower-case name, with commas between them.
    fn lines(&self, name: &str) -> Option<Vec<u8>> {
        self.header(name)
    }
    /// What all lines of the cookie header say, with semicolons between them. A comma in one is a comma.
    fn cookies(&self) -> Option<Vec<u8>> {
        self.header("cookie")
    }
    /// The client's trusted address, as Envoy writes it: `ip:port`, or `[ip]:port` for IPv6.
    fn source_address(&self) -> Option<Vec<u8>>;
    /// What an earlier filter has left in the request's dynamic metadata: a text as it is, a number as a
    /// little-endian double, a flag as one byte.
    fn metadata(&self, path: &MetadataPath) -> Option<Vec<u8>>;
}

/// The head of a response as the host knows it.
pub trait Response {
    /// 100 to 599; 0 if it has none that is a number.
    fn status(&self) -> u16;
    /// Whether the upstream sent it, and not Envoy in its place. It may cost a host call.
    fn is_upstreams(&self) -> bool {
        true
    }
    /// Whether Envoy had chosen an upstream for the request when it answered. It may cost a host call.
    fn has_an_upstream(&self) -> bool {
        false
    }
    /// A header's value, by its lower-case name.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
}

/// Whether a response is an answer. Where the upstream times out, its connection breaks or the client breaks off its request in
/// the middle, Envoy answers in the upstream's place, and whatever the request did there it may have done: that is none. What
/// another filter answers before there is an upstream is one, such as a 401.
pub fn is_answer(response: &impl Response) -> bool {
    const REQUEST_TIMEOUT: u16 = 408;
    match response.status() {
        REQUEST_TIMEOUT | 500.. => response.is_upstreams(),
        400.. => response.is_upstreams() || !response.has_an_upstream(),
        // Envoy says so to gRPC callers by its own header, which is nearly always absent, and asking for it cheap.
        200 => response.header("grpc-status").is_none() || response.is_upstreams(),
        _ => true,
    }
}

/// Where a piece of dynamic metadata is: a filter's name, then the keys inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataPath(Vec<u8>);

impl MetadataPath {
    /// From its segments.
    pub fn new<'a>(segments: impl IntoIterator<Item = &'a str>) -> MetadataPath {
        // Written once as the host wants it for each request.
        let mut path = b"metadata\0filter_metadata".to_vec();
        for segment in segments {
            path.push(0);
            path.extend_from_slice(segment.as_bytes());
        }
        MetadataPath(path)
    }

    /// Its segments.
    #[cfg(feature = "cli")]
    pub fn segments(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        self.0.split(|byte| *byte == 0).skip(2).map(String::from_utf8_lossy)
    }

    /// The property's path: segments with a zero byte between them.
    pub fn property(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(feature = "cli")]
impl std::fmt::Display for MetadataPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments().collect::<Vec<_>>().join("/"))
    }
}

/// A request's answers, each asked for when it is first needed and then kept.
pub struct Asked<'a, R> {
    request: &'a R,
    method: OnceCell<Vec<u8>>,
    target: OnceCell<Vec<u8>>,
    host: OnceCell<Vec<u8>>,
    /// Another reading of the path, if it has one.
    read_path: OnceCell<Option<Vec<u8>>>,
    authorization: OnceCell<Option<Vec<u8>>>,
}

impl<'a, R: Request> Asked<'a, R> {
    /// A request that has been asked nothing yet.
    pub fn new(request: &'a R) -> Self {
        Asked {
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
    /// a segment. `None`: it has no other reading than [`Asked::path`]. All who ask about one request say the same.
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
