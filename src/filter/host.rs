//! What the filter needs of the proxy that it runs in, and the core's view of it.

use super::request_headers::RequestHeaders;
use crate::http::{CertificateField, MetadataPath, MetadataValue, Request, Response};
use crate::limiter::concurrency::WorkerId;
use crate::reply::Reply;
use crate::table::{Cas, PageId, Read, Store, Write};
use crate::time::{Micros, Now};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The proxy. Every call is one that Envoy has for proxy-wasm modules; another host has to offer the same.
///
/// No call fails loudly. If the proxy does not carry one out, its effect is lost or its result is absent, as
/// each call documents.
pub(super) trait Host: Copy + 'static {
    /// Names the stream that a callback is for. Where the proxy itself knows it, as with proxy-wasm, it is
    /// `()`.
    type Stream: Copy;

    /// The monotonic clock, the same in all workers of the process.
    fn monotonic_time() -> Micros;

    /// The wall clock, since the UNIX epoch.
    fn wall_time() -> Micros;

    /// Fills `bytes` at random. `false`: the proxy has no random bytes.
    fn fill_random(bytes: &mut [u8]) -> bool;

    /// The configuration of the filter: text, or the encoding of a protobuf message.
    fn configuration(self) -> Vec<u8>;

    /// Asks for a tick every `period` from now on. Without ticks, later requests post the debts.
    fn tick_every(self, period: Duration);

    /// Defines a counter, or finds the one with this name. `None`: the proxy defines none.
    fn define_counter(self, name: &str) -> Option<u32>;

    /// Adds to a counter.
    fn add_to_counter(self, id: u32, by: u64);

    /// Defines a gauge, or finds the one with this name. `None`: the proxy defines none.
    fn define_gauge(self, name: &str) -> Option<u32>;

    /// Sets a gauge.
    fn set_gauge(self, id: u32, value: u64);

    /// Reads a value of the map that all workers share.
    fn read_shared(self, key: &[u8]) -> Read;

    /// Writes a value of the shared map: over that version, or with `None` only if the key is absent.
    fn write_shared(self, key: &[u8], value: &[u8], version: Option<Cas>) -> Write;

    /// A request header's value, by its lower-case name. Which line of a repeated one, the proxy decides.
    fn request_header(self, stream: Self::Stream, name: &str) -> Option<Vec<u8>>;

    /// Shows the name and the value of each line of the request's headers.
    fn each_request_header(self, stream: Self::Stream, show: &mut dyn FnMut(&[u8], &[u8]));

    /// Sets a request header in place of all lines of that name. `None` only removes them.
    fn replace_request_header(self, stream: Self::Stream, name: &str, value: Option<&str>);

    /// An attribute of the stream, by its path's segments with a zero byte between them.
    fn attribute(self, stream: Self::Stream, path: &[u8]) -> Attribute;

    /// The same, if it is there and the proxy can write it.
    fn property(self, stream: Self::Stream, path: &[u8]) -> Option<Vec<u8>> {
        match self.attribute(stream, path) {
            Attribute::Written(bytes) => Some(bytes),
            Attribute::Unwritten | Attribute::Absent => None,
        }
    }

    /// A response header's value, by its lower-case name.
    fn response_header(self, stream: Self::Stream, name: &str) -> Option<Vec<u8>>;

    /// Shows the name of each line of the response's headers as they are now, so that `show` may remove some.
    fn each_response_header(self, stream: Self::Stream, show: &mut dyn FnMut(&[u8]));

    /// Sets a response header in place of all lines of that name.
    fn set_response_header(self, stream: Self::Stream, name: &str, value: &str);

    /// Removes all lines of a response header.
    fn remove_response_header(self, stream: Self::Stream, name: &[u8]);

    /// A response trailer's value, by its lower-case name, when the trailers have come.
    fn response_trailer(self, stream: Self::Stream, name: &str) -> Option<Vec<u8>>;

    /// Removes all lines of a response trailer.
    fn remove_response_trailer(self, stream: Self::Stream, name: &[u8]);

    /// At most `max` bytes, from `start` on, of the piece of the response's body that has just come.
    fn response_body(self, stream: Self::Stream, start: usize, max: usize) -> Vec<u8>;

    /// Leaves a text that access logs show as `%FILTER_STATE(wasm.NAME:PLAIN)%`. If the proxy rejects it,
    /// they show a dash.
    fn set_filter_state(self, stream: Self::Stream, name: &str, text: &str);

    /// Whether requests may wait for calls: the host allows what it takes. Asked in the root context.
    fn can_wait(self, root: u32) -> bool;

    /// Sends a POST to a cluster, in the root context. Returns the host's name of the call. `None`: the host
    /// does not send it.
    fn call(self, cluster: &str, path: &str, body: &[u8], timeout: Duration) -> Option<u32>;

    /// The status of the answer that has just come; 0 for none.
    fn call_status(self) -> u16;

    /// The body of the answer that has just come.
    fn call_body(self) -> Vec<u8>;

    /// Makes a context the one that calls of the host are about.
    fn enter(self, context: u32) -> Self::Stream;

    /// Lets a paused stream go on.
    fn resume(self, context: u32);

    /// Has [`super::TollgateRoot::send_calls`] called in the root context, and comes back to `context`.
    fn wake_root(self, root: u32, context: u32);

    /// Answers the request in place of the upstream. A gRPC caller gets RESOURCE_EXHAUSTED instead of the
    /// HTTP status, which it would read as UNAVAILABLE and retry at once.
    fn reply(self, stream: Self::Stream, reply: &Reply<'_>);
}

/// An attribute of a stream.
pub(super) enum Attribute {
    /// Its value, as the proxy writes it.
    Written(Vec<u8>),
    /// It is there, but the proxy cannot write it: a `null`, or a list or an object with one.
    Unwritten,
    /// There is none.
    Absent,
}

/// Both clocks, at the price of reading one.
pub(super) struct Clock {
    /// Wall minus monotonic. It changes only when the wall clock is stepped or slewed.
    wall_ahead: Micros,
}

impl Clock {
    pub fn new<H: Host>() -> Clock {
        let mut clock = Clock { wall_ahead: 0 };
        clock.follow_the_wall::<H>();
        clock
    }

    /// Looks at the wall clock again. Call it every tick.
    pub fn follow_the_wall<H: Host>(&mut self) {
        self.wall_ahead = H::wall_time().wrapping_sub(H::monotonic_time());
    }

    pub fn now<H: Host>(&self) -> Now {
        let mono = H::monotonic_time();
        Now { mono, wall: mono.wrapping_add(self.wall_ahead) }
    }
}

/// Random bytes. `None`: the host has none.
pub(super) fn random<H: Host, const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    H::fill_random(&mut bytes).then_some(bytes)
}

/// A name for this worker. Without random bytes it is the lowest bits of the clock, good enough to tell some
/// workers apart.
pub(super) fn new_worker_id<H: Host>() -> WorkerId {
    random::<H, 4>()
        .map_or_else(|| WorkerId(H::monotonic_time() as u32), |bytes| WorkerId(u32::from_le_bytes(bytes)))
}

/// A number for this worker that no other worker of a fleet has.
pub(super) fn new_holder<H: Host>() -> [u8; 8] {
    random::<H, 8>().unwrap_or_else(|| H::monotonic_time().to_le_bytes())
}

/// An id for a request that came without one: random, or else one that no other request of this worker has.
pub(super) fn new_id<H: Host>() -> [u8; 16] {
    random::<H, 16>().unwrap_or_else(|| u128::from(H::monotonic_time()).to_be_bytes())
}

/// The request of a stream: its headers and its connection.
pub(super) struct StreamRequest<'a, H: Host> {
    pub host: H,
    pub stream: H::Stream,
    /// Those that are read in one call.
    pub headers: RequestHeaders<'a>,
}

impl<H: Host> Request for StreamRequest<'_, H> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let together = self.headers.first(name, &|show| self.show_headers(show));
        together.unwrap_or_else(|| self.host.request_header(self.stream, name))
    }

    /// The property has all lines, joined with commas, where the header map would give the first.
    fn lines(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(lines) = self.headers.lines(name, &|show| self.show_headers(show)) {
            return lines;
        }
        let mut path = b"request\0headers\0".to_vec();
        path.extend_from_slice(name.as_bytes());
        self.host.property(self.stream, &path)
    }

    /// Upstreams that speak HTTP/1 read all lines, too: a line without the cookie before the one with it must
    /// not hide a caller. (Envoy has joined those of HTTP/2 with semicolons.) A comma may stand in a value or
    /// between two lines, so where there is one the lines are asked for one by one.
    fn cookies(&self) -> Option<Vec<u8>> {
        let lines = self.host.property(self.stream, b"request\0headers\0cookie")?;
        if !lines.contains(&b',') {
            return Some(lines);
        }
        let mut separate = Vec::with_capacity(lines.len() + 1);
        self.show_headers(&mut |name, value| {
            if name == b"cookie" {
                separate.extend_from_slice(value);
                separate.push(b';');
            }
        });
        Some(if separate.is_empty() { lines } else { separate })
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        self.host.property(self.stream, b"source\0address")
    }

    fn route_name(&self) -> Option<Vec<u8>> {
        self.host.property(self.stream, b"xds\0route_name").filter(|name| !name.is_empty())
    }

    fn certificate(&self, field: CertificateField) -> Option<Vec<u8>> {
        let path: &[u8] = match field {
            CertificateField::Subject => b"connection\0subject_peer_certificate",
            CertificateField::UriSan => b"connection\0uri_san_peer_certificate",
            CertificateField::DnsSan => b"connection\0dns_san_peer_certificate",
            CertificateField::Fingerprint => b"connection\0sha256_peer_certificate_digest",
        };
        self.host.property(self.stream, path).filter(|value| !value.is_empty())
    }

    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue> {
        let bytes = match self.host.attribute(self.stream, path.property()) {
            Attribute::Written(bytes) => match MetadataValue::certain_text(bytes) {
                Ok(text) => return Some(text),
                Err(bytes) => Some(bytes),
            },
            Attribute::Unwritten => None,
            Attribute::Absent => return None,
        };
        self.value_of(path, bytes)
    }

    /// Of nearly all bytes it does not matter which kind they are.
    fn affirms(&self, path: &MetadataPath) -> bool {
        let bytes = match self.host.attribute(self.stream, path.property()) {
            Attribute::Written(bytes) if !matches!(bytes.as_slice(), [0] | [0, 0, 0, 0]) => {
                return !bytes.is_empty();
            }
            Attribute::Written(bytes) => Some(bytes),
            Attribute::Unwritten => None,
            Attribute::Absent => return false,
        };
        self.value_of(path, bytes).is_some_and(|value| value.is_affirmative())
    }
}

impl<H: Host> StreamRequest<'_, H> {
    #[inline(never)]
    fn show_headers(&self, show: &mut dyn FnMut(&[u8], &[u8])) {
        self.host.each_request_header(self.stream, show);
    }

    /// The value that all metadata has at this path. Without it, `bytes` stand for what they most likely are.
    #[inline(never)]
    fn value_of(&self, path: &MetadataPath, bytes: Option<Vec<u8>>) -> Option<MetadataValue> {
        let all = self.host.property(self.stream, path.whole());
        all.and_then(|all| MetadataValue::find(&all, path)).or_else(|| bytes.map(MetadataValue::guess))
    }
}

/// The filter state with the status of a rejection, for the other Tollgates of the same filter chain. Clients
/// and upstreams cannot set it, and to find none costs less than to ask for the response's status.
pub(super) const REJECTION: &str = "tollgate_rejection";

/// The response of a stream.
#[derive(Clone, Copy)]
pub(super) struct StreamResponse<H: Host> {
    pub host: H,
    pub stream: H::Stream,
}

impl<H: Host> StreamResponse<H> {
    /// Removes all headers whose lower-case name is `unwanted`.
    pub fn remove_headers(&self, unwanted: impl Fn(&[u8]) -> bool) {
        self.host.each_response_header(self.stream, &mut |name| {
            if unwanted(name) {
                self.host.remove_response_header(self.stream, name);
            }
        });
    }
}

impl<H: Host> Response for StreamResponse<H> {
    fn status(&self) -> u16 {
        parsed(self.header(":status")).unwrap_or_default()
    }

    fn is_upstreams(&self) -> bool {
        let details = self.host.property(self.stream, b"response\0code_details");
        details.is_none_or(|details| details == b"via_upstream")
    }

    fn has_an_upstream(&self) -> bool {
        let address = self.host.property(self.stream, b"upstream\0address");
        address.is_some_and(|address| !address.is_empty())
    }

    fn rejection(&self) -> Option<u16> {
        parsed(self.host.property(self.stream, REJECTION.as_bytes()))
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.host.response_header(self.stream, name)
    }
}

/// A status in digits.
fn parsed(status: Option<Vec<u8>>) -> Option<u16> {
    std::str::from_utf8(&status?).ok()?.parse().ok()
}

/// The pages of the table, in the map that all workers share.
#[derive(Clone, Copy)]
pub(super) struct SharedData<H: Host>(pub H, pub TableId);

impl<H: Host> Store for SharedData<H> {
    fn read(&self, page: PageId) -> Read {
        self.0.read_shared(PageKey::new(page, self.1).bytes())
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        self.0.write_shared(PageKey::new(page, self.1).bytes(), bytes, version)
    }
}

/// What separates the keys of a table from those of others under the same `vm_id`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TableId(Option<[u8; TableId::LEN]>);

impl TableId {
    const LEN: usize = 4;

    /// Of the table with this name. Two names may have one id, so the table itself keeps its name, too.
    pub fn of(name: Option<&str>) -> TableId {
        TableId(name.and_then(|name| Sha256::digest(name).first_chunk().copied()))
    }

    /// The bytes that end each key of the table.
    pub fn suffix(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| bytes)
    }
}

/// A page's key, short enough for the host to keep without an allocation. Other modules may share the map, so
/// every key begins with this module's name.
struct PageKey {
    bytes: [u8; PageKey::LEN + TableId::LEN],
    length: usize,
}

impl PageKey {
    /// The length of the keys of the table without a name.
    const LEN: usize = 17;

    fn new(page: PageId, TableId(table): TableId) -> PageKey {
        let mut bytes = *b"tollgate:00000000\0\0\0\0";
        let (key, suffix) = bytes.split_at_mut(PageKey::LEN);
        for (digit, shift) in key.iter_mut().rev().zip((0..32).step_by(4)).take(8) {
            *digit = match (page >> shift & 0xF) as u8 {
                nibble @ 0..10 => b'0' + nibble,
                nibble => b'a' + nibble - 10,
            };
        }
        let Some(id) = table else { return PageKey { bytes, length: PageKey::LEN } };
        suffix.copy_from_slice(&id);
        PageKey { length: bytes.len(), bytes }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
