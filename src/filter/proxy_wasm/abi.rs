//! The calls of proxy-wasm ABI 0.2.1 and of WASI preview 1 that the SDK lacks, or whose wrapper can panic here. Each says
//! why it is not the SDK's. A status is a plain number: a host may answer with one that the SDK's type does not have.

use super::header_map;
use crate::reply::Reply;
use crate::table::{Cas, Read, Write};
use proxy_wasm::types::{GrpcStatusCode, LogLevel, MapType, Status};
use std::num::NonZeroU32;
use std::ptr::null_mut;

const OK: u32 = Status::Ok as u32;
const NOT_FOUND: u32 = Status::NotFound as u32;
const CAS_MISMATCH: u32 = Status::CasMismatch as u32;

const CLOCK_MONOTONIC: u32 = 1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: LogLevel, message: *const u8, len: usize) -> u32;
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

/// Makes a call that answers with a buffer. `Err`: any status but OK.
fn buffer(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, u32> {
    let (mut data, mut len) = (null_mut(), 0);
    match call(&mut data, &mut len) {
        OK if data.is_null() => Ok(Vec::new()),
        // SAFETY: the host got `data` from the allocator that the SDK exports (a boxed slice of `len` bytes), filled it, and
        // gives it up.
        OK => Ok(unsafe { Vec::from_raw_parts(data, len, len) }),
        status => Err(status),
    }
}

/// Not the SDK's, which panics if the host rejects: a panic's own line must not panic.
pub(super) fn log(level: LogLevel, message: &str) {
    // SAFETY: the pointer is to a live text of the length given. A line that the host rejects is lost.
    unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// The SDK has only the wall clock, which can step back.
pub(super) fn monotonic_nanoseconds() -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a live local. The call fails only for clocks that do not exist.
    unsafe { clock_time_get(CLOCK_MONOTONIC, 1, &mut nanoseconds) };
    nanoseconds
}

/// The SDK has no random bytes. `false`: nor has the host.
pub(super) fn fill_random(bytes: &mut [u8]) -> bool {
    // SAFETY: the pointer is to live bytes of the length given.
    unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) == OK }
}

/// Not the SDK's, which panics where a host has no shared data. That is to be an error of the configuration.
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

/// Not the SDK's, for the same reason.
pub(super) fn set_shared_data(key: &[u8], bytes: &[u8], version: Option<Cas>) -> Write {
    /// The host compares versions only on a key that is present, so with a version that it has not issued a write succeeds
    /// on an absent key and nowhere else: an atomic insert. It issues this one once in 2^32 writes, and then only a page of
    /// that very write could be overwritten, in that very moment.
    const NEVER_ISSUED: u32 = u32::MAX;
    let cas = version.map_or(NEVER_ISSUED, NonZeroU32::get);
    // SAFETY: the pointers are to live values of the lengths given.
    match unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), bytes.as_ptr(), bytes.len(), cas) } {
        OK => Write::Stored,
        CAS_MISMATCH => Write::Conflict,
        _ => Write::Unavailable,
    }
}

/// All names and values, for [`header_map::each`]; empty if the host has none. Not the SDK's, which panics on a name that
/// is not UTF-8, and makes two allocations for each line.
pub(super) fn header_map(map: MapType) -> Vec<u8> {
    // SAFETY: the pointers are to live locals.
    buffer(|data, len| unsafe { proxy_get_header_map_pairs(map, data, len) }).unwrap_or_default()
}

/// Not the SDK's, which panics if the host does not know what is asked for, and builds the path anew each time.
#[inline(never)]
pub(super) fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    buffer(|data, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, len) }).ok()
}

/// Not the SDK's, which panics where Envoy rejects, as it does if another filter has a state of that name.
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
            GrpcStatusCode::ResourceExhausted as i32,
        )
    };
}
