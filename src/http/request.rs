//! What the core may ask of a request and of its response.

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

/// Whether a response says that the upstream accepted its caller: 2xx or 304.
pub fn is_good(response: &impl Response) -> bool {
    const NOT_MODIFIED: u16 = 304;
    (200..300).contains(&response.status()) || response.status() == NOT_MODIFIED
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
    pub fn segments(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        self.0.split(|byte| *byte == 0).skip(2).map(String::from_utf8_lossy)
    }

    /// The property's path: segments with a zero byte between them.
    pub fn property(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for MetadataPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments().collect::<Vec<_>>().join("/"))
    }
}
