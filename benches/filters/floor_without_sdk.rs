//! The calls of `floor`, with no other callback exported than those that make them, and no SDK: the lowest
//! price at which these calls can be made. Not even a stream's end is heard of, which a limiter must hear of.

use std::ptr::null_mut;

const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const MONOTONIC: u32 = 1;
const CONTINUE: u32 = 0;

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

#[unsafe(export_name = "malloc")]
extern "C" fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; size].into_boxed_slice()).cast()
}

/// Takes over a buffer that the host has got from `allocate` and filled.
fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) {
    let (mut data, mut size) = (null_mut(), 0);
    if call(&mut data, &mut size) == 0 && !data.is_null() {
        // SAFETY: a boxed slice of `size` bytes that the host has given up.
        drop(unsafe { Vec::from_raw_parts(data, size, size) });
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(_: u32, _: u32) {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_: u32, _: usize, _: u32) -> u32 {
    let (key, address) = (b"authorization", b"source\0address");
    let mut nanoseconds = 0;
    // SAFETY: the pointers are to live values of the lengths given.
    unsafe {
        take(|data, size| {
            env::proxy_get_header_map_value(REQUEST_HEADERS, key.as_ptr(), key.len(), data, size)
        });
        take(|data, size| env::proxy_get_property(address.as_ptr(), address.len(), data, size));
        clock_time_get(MONOTONIC, 1, &mut nanoseconds);
    }
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(_: u32, _: usize, _: u32) -> u32 {
    let headers =
        [("x-ratelimit-limit", "300"), ("x-ratelimit-remaining", "299"), ("x-ratelimit-reset", "1763800000")];
    for (name, value) in headers {
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
    CONTINUE
}
