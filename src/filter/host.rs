//! Every call to the host, and no other file makes one.
//!
//! The calls are declared here and not taken from the SDK, whose wrappers panic on a status they do not
//! expect and on text that is not UTF-8 (see DESIGN.md): here any status but OK is a value.

use super::pairs;
use crate::limiter::concurrency::WorkerId;
use crate::request::{MetadataPath, Request, Response};
use crate::response::Reply;
use crate::table::{Cas, PageId, Read, Store, Write};
use crate::time::{Micros, Now};
use std::num::NonZeroU32;
use std::time::Duration;

mod abi {
    //! The parts of proxy-wasm ABI 0.2.1 and WASI preview 1 that are used.

    pub const OK: u32 = 0;
    pub const NOT_FOUND: u32 = 1;
    pub const CAS_MISMATCH: u32 = 8;

    pub const BUFFER_PLUGIN_CONFIGURATION: u32 = 7;
    pub const MAP_REQUEST_HEADERS: u32 = 0;
    pub const MAP_RESPONSE_HEADERS: u32 = 2;
    pub const METRIC_COUNTER: u32 = 0;
    pub const CLOCK_REALTIME: u32 = 0;
    pub const CLOCK_MONOTONIC: u32 = 1;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub fn proxy_get_buffer_bytes(
            kind: u32,
            start: usize,
            max: usize,
            data: *mut *mut u8,
            len: *mut usize,
        ) -> u32;
        pub fn proxy_get_shared_data(
            key: *const u8,
            key_len: usize,
            data: *mut *mut u8,
            len: *mut usize,
            cas: *mut u32,
        ) -> u32;
        pub fn proxy_set_shared_data(
            key: *const u8,
            key_len: usize,
            data: *const u8,
            len: usize,
            cas: u32,
        ) -> u32;
        pub fn proxy_get_header_map_value(
            map: u32,
            key: *const u8,
            key_len: usize,
            data: *mut *mut u8,
            len: *mut usize,
        ) -> u32;
        pub fn proxy_replace_header_map_value(
            map: u32,
            key: *const u8,
            key_len: usize,
            value: *const u8,
            len: usize,
        ) -> u32;
        pub fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, len: *mut usize) -> u32;
        pub fn proxy_remove_header_map_value(map: u32, key: *const u8, key_len: usize) -> u32;
        pub fn proxy_set_property(
            path: *const u8,
            path_len: usize,
            value: *const u8,
            value_len: usize,
        ) -> u32;
        pub fn proxy_get_property(
            path: *const u8,
            path_len: usize,
            data: *mut *mut u8,
            len: *mut usize,
        ) -> u32;
        #[allow(clippy::too_many_arguments, reason = "the ABI's")]
        pub fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_len: usize,
            body: *const u8,
            body_len: usize,
            headers: *const u8,
            headers_len: usize,
            grpc_status: i32,
        ) -> u32;
        pub fn proxy_log(level: u32, message: *const u8, len: usize) -> u32;
        pub fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
        pub fn proxy_define_metric(kind: u32, name: *const u8, name_len: usize, id: *mut u32) -> u32;
        pub fn proxy_increment_metric(id: u32, by: i64) -> u32;
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
        pub fn random_get(data: *mut u8, len: usize) -> u32;
    }
}

/// Makes a call that answers with a buffer. The host has allocated it by our exported allocator, so
/// taking it over is all there is to do. `Err`: any status but OK.
fn buffer(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, u32> {
    let (mut data, mut len) = (std::ptr::null_mut(), 0);
    match call(&mut data, &mut len) {
        abi::OK if data.is_null() => Ok(Vec::new()),
        // SAFETY: the host got `data` from our own `malloc` (a boxed slice of `len` bytes), filled
        // it, and gives it up.
        abi::OK => Ok(unsafe { Vec::from_raw_parts(data, len, len) }),
        status => Err(status),
    }
}

/// The filter's configuration: text, or the encoding of a protobuf message.
pub(super) fn plugin_configuration() -> Vec<u8> {
    // SAFETY: the pointers are to live locals.
    buffer(|data, len| unsafe {
        abi::proxy_get_buffer_bytes(abi::BUFFER_PLUGIN_CONFIGURATION, 0, usize::MAX, data, len)
    })
    .unwrap_or_default()
}

/// How much a message matters, as the ABI has it.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Level {
    Info = 2,
    Warning = 3,
    Error = 4,
}

/// Writes a line to Envoy's log.
pub(super) fn log(level: Level, message: &str) {
    // SAFETY: the pointer is to a live text of the length given. A line that the host refuses is lost.
    unsafe { abi::proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Asks for `on_tick` from now on.
pub(super) fn tick_every(period: Duration) {
    let millis = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: no pointers. Without ticks debts are posted by later requests.
    unsafe { abi::proxy_set_tick_period_milliseconds(millis) };
}

/// Defines a counter, or finds the one that has this name. `None`: the host refuses.
pub(super) fn define_counter(name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the pointers are to live values of the lengths given.
    let status = unsafe { abi::proxy_define_metric(abi::METRIC_COUNTER, name.as_ptr(), name.len(), &mut id) };
    (status == abi::OK).then_some(id)
}

/// Adds to a counter.
pub(super) fn add_to_counter(id: u32, by: u64) {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    // SAFETY: no pointers. A count that the host refuses is lost, and nothing else.
    unsafe { abi::proxy_increment_metric(id, by) };
}

/// Both clocks, at the price of reading one.
pub(super) struct Clock {
    /// Wall minus monotonic. It changes only when the wall clock is stepped or slewed.
    wall_ahead: Micros,
}

impl Clock {
    pub fn new() -> Clock {
        let mut clock = Clock { wall_ahead: 0 };
        clock.follow_the_wall();
        clock
    }

    /// Looks at the wall clock again. Call it every tick.
    pub fn follow_the_wall(&mut self) {
        self.wall_ahead = read_clock(abi::CLOCK_REALTIME).wrapping_sub(read_clock(abi::CLOCK_MONOTONIC));
    }

    pub fn now(&self) -> Now {
        let mono = read_clock(abi::CLOCK_MONOTONIC);
        Now { mono, wall: mono.wrapping_add(self.wall_ahead) }
    }
}

fn read_clock(clock: u32) -> Micros {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a live local. The call fails only for clocks that do not exist.
    unsafe { abi::clock_time_get(clock, 1, &mut nanoseconds) };
    nanoseconds / 1_000
}

/// The current request's headers and connection.
pub(super) struct RequestHeaders;

impl Request for RequestHeaders {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        header(abi::MAP_REQUEST_HEADERS, name)
    }

    /// The property has all lines, joined with commas, where the header map would give the first.
    fn lines(&self, name: &str) -> Option<Vec<u8>> {
        let mut path = b"request\0headers\0".to_vec();
        path.extend_from_slice(name.as_bytes());
        property(&path)
    }

    /// With HTTP/1 upstreams read all lines, too: a line without the cookie before the one with it must not hide a
    /// caller. (Those of HTTP/2 Envoy has joined with semicolons.) Where there is a comma, it may stand in a value or
    /// between two lines, so the lines are asked for one by one.
    fn cookies(&self) -> Option<Vec<u8>> {
        let lines = property(b"request\0headers\0cookie")?;
        if !lines.contains(&b',') {
            return Some(lines);
        }
        let mut separate = Vec::with_capacity(lines.len() + 1);
        pairs::each(&headers(abi::MAP_REQUEST_HEADERS), &mut |name, value| {
            if name == b"cookie" {
                separate.extend_from_slice(value);
                separate.push(b';');
            }
        });
        Some(if separate.is_empty() { lines } else { separate })
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        property(b"source\0address")
    }

    fn metadata(&self, path: &MetadataPath) -> Option<Vec<u8>> {
        property(path.property())
    }
}

/// A property, by its path's segments with a zero byte between them.
#[inline(never)]
fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    buffer(|data, len| unsafe { abi::proxy_get_property(path.as_ptr(), path.len(), data, len) }).ok()
}

/// The current response's headers.
pub(super) struct ResponseHeaders;

impl Response for ResponseHeaders {
    fn status(&self) -> u16 {
        let status = self.header(":status").unwrap_or_default();
        std::str::from_utf8(&status).ok().and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    fn is_upstreams(&self) -> bool {
        property(b"response\0code_details").is_none_or(|details| details == b"via_upstream")
    }

    fn has_an_upstream(&self) -> bool {
        property(b"upstream\0address").is_some_and(|address| !address.is_empty())
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        header(abi::MAP_RESPONSE_HEADERS, name)
    }
}

#[inline(never)]
fn header(map: u32, name: &str) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    buffer(|data, len| unsafe { abi::proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, len) })
        .ok()
}

/// A name for this worker's VM. Without random bytes it is the clock's lowest bits, good enough to tell some
/// workers apart.
pub(super) fn new_holder() -> WorkerId {
    random().map_or_else(
        || WorkerId(read_clock(abi::CLOCK_MONOTONIC) as u32),
        |bytes| WorkerId(u32::from_le_bytes(bytes)),
    )
}

/// An id for a request that came without one: random, or else one that no other request of this worker has.
pub(super) fn new_id() -> [u8; 16] {
    random().unwrap_or_else(|| u128::from(read_clock(abi::CLOCK_MONOTONIC)).to_be_bytes())
}

/// Random bytes. `None`: the host has none.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: the pointer is to a live array of the length given.
    (unsafe { abi::random_get(bytes.as_mut_ptr(), bytes.len()) } == abi::OK).then_some(bytes)
}

/// Whether the response has this header already.
pub(super) fn response_has(name: &str) -> bool {
    header(abi::MAP_RESPONSE_HEADERS, name).is_some()
}

/// Sets a response header in the place of all of its name.
pub(super) fn set_response_header(name: &str, value: &str) {
    // SAFETY: the pointers are to live values of the lengths given. Fails only outside the response phase.
    unsafe {
        abi::proxy_replace_header_map_value(
            abi::MAP_RESPONSE_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Removes all response headers whose lower-case name is `unwanted`.
pub(super) fn remove_response_headers(unwanted: impl Fn(&[u8]) -> bool) {
    pairs::each(&headers(abi::MAP_RESPONSE_HEADERS), &mut |name, _| {
        if unwanted(name) {
            // SAFETY: the pointer is to a live name of the length given. That there is none any more is well.
            unsafe {
                abi::proxy_remove_header_map_value(abi::MAP_RESPONSE_HEADERS, name.as_ptr(), name.len())
            };
        }
    });
}

/// All names and values of a header map, for [`pairs::each`]; empty if the host has none.
fn headers(map: u32) -> Vec<u8> {
    // SAFETY: the pointers are to live locals.
    buffer(|data, len| unsafe { abi::proxy_get_header_map_pairs(map, data, len) }).unwrap_or_default()
}

/// Leaves a text that access logs show as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub(super) fn set_filter_state(name: &str, text: &str) {
    // SAFETY: the pointers are to live values of the lengths given. Without it the log shows a dash.
    unsafe { abi::proxy_set_property(name.as_ptr(), name.len(), text.as_ptr(), text.len()) };
}

/// Answers the request in the place of the upstream. A gRPC caller gets RESOURCE_EXHAUSTED instead of the
/// HTTP status, which it would read as UNAVAILABLE and retry at once.
pub(super) fn reply(reply: &Reply<'_>) {
    const RESOURCE_EXHAUSTED: i32 = 8;
    let headers = pairs::serialize(&reply.headers);
    // SAFETY: the pointers are to live values of the lengths given.
    unsafe {
        abi::proxy_send_local_response(
            reply.status,
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            RESOURCE_EXHAUSTED,
        )
    };
}

/// The map that all workers with the same `vm_id` share.
pub(super) struct SharedData;

impl Store for SharedData {
    fn read(&self, page: PageId) -> Read {
        read(&page_key(page))
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        write(&page_key(page), bytes, version)
    }
}

/// A page's key, short enough for the host to keep without an allocation. Other modules may share the
/// map, so every key begins with this module's name.
fn page_key(page: PageId) -> [u8; 17] {
    let mut key = *b"tollgate:00000000";
    for (digit, shift) in key.iter_mut().rev().zip((0..32).step_by(4)).take(8) {
        *digit = match (page >> shift & 0xF) as u8 {
            nibble @ 0..10 => b'0' + nibble,
            nibble => b'a' + nibble - 10,
        };
    }
    key
}

/// Reads a value of the shared map.
pub(super) fn read(key: &[u8]) -> Read {
    let mut cas = 0;
    // SAFETY: the pointers are to live values of the lengths given.
    let found = buffer(|data, len| unsafe {
        abi::proxy_get_shared_data(key.as_ptr(), key.len(), data, len, &mut cas)
    });
    match (found, NonZeroU32::new(cas)) {
        (Ok(bytes), Some(version)) => Read::Present(bytes, version),
        (Err(abi::NOT_FOUND), _) => Read::Absent,
        (Ok(_), None) | (Err(_), _) => Read::Unavailable,
    }
}

/// Writes a value of the shared map: over that version, or only if there is none.
pub(super) fn write(key: &[u8], bytes: &[u8], version: Option<Cas>) -> Write {
    /// The host compares versions only on a key that is present, so with a version it has not issued a
    /// write succeeds on an absent key and nowhere else: an atomic insert. It issues this one once in 2^32
    /// writes, and then only a page of that very write could be overwritten, in that very moment.
    const NEVER_ISSUED: u32 = u32::MAX;
    let cas = version.map_or(NEVER_ISSUED, NonZeroU32::get);
    // SAFETY: the pointers are to live values of the lengths given.
    match unsafe { abi::proxy_set_shared_data(key.as_ptr(), key.len(), bytes.as_ptr(), bytes.len(), cas) } {
        abi::OK => Write::Stored,
        abi::CAS_MISMATCH => Write::Conflict,
        _ => Write::Unavailable,
    }
}
