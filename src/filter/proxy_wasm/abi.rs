//! The calls of proxy-wasm ABI 0.2.1 and of WASI preview 1 that the filter makes, and the only code that
//! calls Envoy.
//!
//! None is the SDK's, because its wrappers panic on a status that they do not expect. `InternalFailure` is
//! one: Envoy answers with it if an operator's `capability_restriction_config` leaves the call out. Here
//! every status but OK is a value. Where there is another reason, too, it stands at the call. A status is a
//! plain number: a host may answer with one that the SDK's type does not have.

use super::header_map;
use crate::filter::host::Attribute;
use crate::reply::Reply;
use crate::table::{Cas, Read, Write};
use proxy_wasm::types::{BufferType, GrpcStatusCode, LogLevel, MapType, MetricType, Status};
use std::num::NonZeroU32;
use std::ptr::null_mut;
use std::time::Duration;

const OK: u32 = Status::Ok as u32;
const NOT_FOUND: u32 = Status::NotFound as u32;
const CAS_MISMATCH: u32 = Status::CasMismatch as u32;
/// The SDK has no name for it.
const SERIALIZATION_FAILURE: u32 = 3;

const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: LogLevel, message: *const u8, len: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: BufferType,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_define_metric(kind: MetricType, name: *const u8, name_len: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_header_map_value(
        map: MapType,
        name: *const u8,
        name_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: MapType,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: MapType, name: *const u8, name_len: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_len: usize, data: *const u8, len: usize, cas: u32) -> u32;
    fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_len: usize, value: *const u8, value_len: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_len: usize, data: *mut *mut u8, len: *mut usize) -> u32;
    #[allow(clippy::too_many_arguments, reason = "the ABI's")]
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
    fn random_get(data: *mut u8, len: usize) -> u32;
}

unsafe extern "C" {
    /// The SDK's own callback, which is not exported to Envoy.
    safe fn proxy_on_queue_ready(root: u32, queue: u32);
}

/// Makes a call that answers with a buffer. `Err`: any status but OK.
fn buffer(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, u32> {
    let (mut data, mut len) = (null_mut(), 0);
    match call(&mut data, &mut len) {
        OK if data.is_null() => Ok(Vec::new()),
        // SAFETY: the host got `data` from the allocator that the SDK exports (a boxed slice of `len` bytes),
        // filled it, and gives it up.
        OK => Ok(unsafe { Vec::from_raw_parts(data, len, len) }),
        status => Err(status),
    }
}

/// Writes a line to Envoy's log. It is also the last word of a panic, and must not panic itself.
pub(super) fn log(level: LogLevel, message: &str) {
    // SAFETY: the pointer is to a live text of the length given. A line that the host rejects is lost.
    unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// The filter's configuration; empty if the host does not give it.
pub(super) fn plugin_configuration() -> Vec<u8> {
    let configuration = BufferType::PluginConfiguration;
    // SAFETY: the pointers are to live locals. The host cuts off what is asked for beyond the end.
    buffer(|data, len| unsafe { proxy_get_buffer_bytes(configuration, 0, usize::MAX, data, len) })
        .unwrap_or_default()
}

/// The body of the answer to a call; empty if there is none.
pub(super) fn call_body() -> Vec<u8> {
    let body = BufferType::HttpCallResponseBody;
    // SAFETY: the pointers are to live locals. The host cuts off what is asked for beyond the end.
    buffer(|data, len| unsafe { proxy_get_buffer_bytes(body, 0, usize::MAX, data, len) }).unwrap_or_default()
}

/// Bytes of the piece of the response's body that has just come; empty if the host does not give them.
pub(super) fn response_body(start: usize, max: usize) -> Vec<u8> {
    let body = BufferType::HttpResponseBody;
    // SAFETY: the pointers are to live locals. The host cuts off what is asked for beyond the end.
    buffer(|data, len| unsafe { proxy_get_buffer_bytes(body, start, max, data, len) }).unwrap_or_default()
}

/// Makes a context the one that calls of the host are about. `false`: the host does not let this module.
pub(super) fn enter(context: u32) -> bool {
    // SAFETY: no pointers.
    unsafe { proxy_set_effective_context(context) == OK }
}

/// Lets the stream that calls are about go on with its request.
pub(super) fn continue_request() -> bool {
    const REQUEST: u32 = 0;
    // SAFETY: no pointers.
    unsafe { proxy_continue_stream(REQUEST) == OK }
}

/// Whether the host lets this module pause requests and decide them later. Nothing is paused in a root
/// context, so nothing goes on by it. The SDK would panic later on without the first.
pub(super) fn can_wait(root: u32) -> bool {
    enter(root) && continue_request()
}

/// Calls back a root context, in the midst of a callback of a stream. The SDK hands the answer to a call over
/// to the context whose callback has sent it, and drops it if that is gone. Its callback for queues, which
/// this module does not have, is the one that does nothing else than to change that context.
pub(super) fn wake_root(root: u32) {
    enter(root);
    proxy_on_queue_ready(root, 0);
}

/// Asks for ticks. Without them, later requests post the debts.
pub(super) fn set_tick_period(period: Duration) {
    let period = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: no pointers.
    unsafe { proxy_set_tick_period_milliseconds(period) };
}

/// `None`: the host defines no counter.
pub(super) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the pointers are to live values of the lengths given.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) };
    (status == OK).then_some(id)
}

/// Adds to a counter. What the host rejects is lost.
pub(super) fn increment_metric(id: u32, by: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_increment_metric(id, i64::try_from(by).unwrap_or(i64::MAX)) };
}

/// Sets a gauge. What the host rejects is lost.
pub(super) fn record_metric(id: u32, value: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_record_metric(id, value) };
}

/// The SDK's reads the wall clock by another call, which operators would have to allow, too.
pub(super) fn wall_nanoseconds() -> u64 {
    nanoseconds(CLOCK_REALTIME)
}

/// The SDK has only the wall clock, which can step back.
pub(super) fn monotonic_nanoseconds() -> u64 {
    nanoseconds(CLOCK_MONOTONIC)
}

fn nanoseconds(clock: u32) -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a live local. The call fails only for clocks that do not exist.
    unsafe { clock_time_get(clock, 1, &mut nanoseconds) };
    nanoseconds
}

/// A header's value, by its lower-case name.
#[inline(never)]
pub(super) fn header(map: MapType, name: &str) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    buffer(|data, len| unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, len) }).ok()
}

/// Sets a header in place of all lines of its name.
pub(super) fn replace_header(map: MapType, name: &str, value: &str) {
    // SAFETY: the pointers are to live values of the lengths given.
    unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len());
    }
}

/// Removes all lines of a header.
pub(super) fn remove_header(map: MapType, name: &[u8]) {
    // SAFETY: the pointer is to a live name of the length given.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) };
}

/// The SDK has no random bytes. `false`: nor has the host.
pub(super) fn fill_random(bytes: &mut [u8]) -> bool {
    // SAFETY: the pointer is to live bytes of the length given.
    unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) == OK }
}

/// A host without shared data is an error of the configuration.
pub(super) fn get_shared_data(key: &[u8]) -> Read {
    let mut cas = 0;
    // SAFETY: the pointers are to live values of the lengths given.
    let found =
        buffer(|data, len| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, len, &mut cas) });
    match (found, NonZeroU32::new(cas)) {
        (Ok(bytes), Some(version)) => Read::Present(bytes, version),
        (Err(NOT_FOUND), _) => Read::Absent,
        (Ok(_), None) | (Err(_), _) => Read::Unavailable,
    }
}

pub(super) fn set_shared_data(key: &[u8], bytes: &[u8], version: Option<Cas>) -> Write {
    /// The host compares versions only on a key that is present, so with a version that it has not issued a
    /// write succeeds on an absent key and nowhere else: an atomic insert. It issues this one once in 2^32
    /// writes, and then only a page of that very write could be overwritten, in that very moment.
    const NEVER_ISSUED: u32 = u32::MAX;
    let cas = version.map_or(NEVER_ISSUED, NonZeroU32::get);
    // SAFETY: the pointers are to live values of the lengths given.
    match unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), bytes.as_ptr(), bytes.len(), cas) } {
        OK => Write::Stored,
        CAS_MISMATCH => Write::Conflict,
        _ => Write::Unavailable,
    }
}

/// All names and values, for [`header_map::each`]; empty if the host has none. The SDK's also panics on a
/// name that is not UTF-8, and makes two allocations for each line.
pub(super) fn header_map(map: MapType) -> Vec<u8> {
    // SAFETY: the pointers are to live locals.
    buffer(|data, len| unsafe { proxy_get_header_map_pairs(map, data, len) }).unwrap_or_default()
}

/// The SDK's also builds the path anew each time.
#[inline(never)]
pub(super) fn property(path: &[u8]) -> Attribute {
    // SAFETY: the pointers are to live values of the lengths given.
    match buffer(|data, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, len) }) {
        Ok(bytes) => Attribute::Written(bytes),
        Err(SERIALIZATION_FAILURE) => Attribute::Unwritten,
        Err(_) => Attribute::Absent,
    }
}

/// Envoy rejects it if another filter has a state of that name.
pub(super) fn set_property(name: &str, text: &str) {
    // SAFETY: the pointers are to live values of the lengths given.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), text.as_ptr(), text.len()) };
}

/// The SDK sends either an HTTP or a gRPC reply, and no response code details with either.
pub(super) fn send_local_response(reply: &Reply<'_>) {
    let headers = header_map::serialize(&reply.headers);
    // SAFETY: the pointers are to live values of the lengths given.
    unsafe {
        proxy_send_local_response(
            reply.status,
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            if reply.unavailable { GrpcStatusCode::Unavailable } else { GrpcStatusCode::ResourceExhausted }
                as i32,
        )
    };
}
