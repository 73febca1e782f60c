//! The calls of the ABI that filters without the SDK make, and what the ABI asks of them.

use std::ptr::null_mut;

const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const MONOTONIC: u32 = 1;
/// What a callback answers for the stream to go on.
pub const CONTINUE: u32 = 0;

mod env {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub fn proxy_get_header_map_value(
            map: u32,
            key: *const u8,
            len: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub fn proxy_get_property(path: *const u8, len: usize, data: *mut *mut u8, size: *mut usize) -> u32;
        pub fn proxy_replace_header_map_value(
            map: u32,
            key: *const u8,
            len: usize,
            value: *const u8,
            size: usize,
        ) -> u32;
    }
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// As in the module, whose buffers are not cleared.
#[unsafe(export_name = "malloc")]
extern "C" fn allocate(size: usize) -> *mut u8 {
    let mut bytes: Vec<u8> = Vec::with_capacity(size);
    // SAFETY: the host fills them all.
    unsafe { bytes.set_len(size) };
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(_: u32, _: u32) {}

/// Takes over a buffer that the host has got from `allocate` and filled.
pub fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    if call(&mut data, &mut size) != 0 || data.is_null() {
        return None;
    }
    // SAFETY: a boxed slice of `size` bytes that the host has given up.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// A header of the request.
pub fn header(name: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    take(|data, size| unsafe {
        env::proxy_get_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), data, size)
    })
}

/// A property of the stream.
pub fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to live values of the lengths given.
    take(|data, size| unsafe { env::proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a header of the response.
pub fn set_header(name: &str, value: &str) {
    // SAFETY: the pointers are to live texts of the lengths given.
    unsafe {
        env::proxy_replace_header_map_value(
            RESPONSE_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// The monotonic clock, in nanoseconds.
pub fn now() -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a live number.
    unsafe { clock_time_get(MONOTONIC, 1, &mut nanoseconds) };
    nanoseconds
}
