//! A library that is loaded into Envoy before its own: Envoy's wall clock is as many seconds ahead of the
//! machine's as a file says. All other clocks are as they are.

use std::ffi::{c_int, c_long};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

const WALL_CLOCK: c_int = 0;
#[cfg(target_arch = "x86_64")]
const CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
const CLOCK_GETTIME: c_long = 113;

#[repr(C)]
pub struct Time {
    seconds: i64,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// In the place of the C library's.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Time) -> c_int {
    let failed = unsafe { syscall(CLOCK_GETTIME, c_long::from(clock), time) };
    if failed == 0 && clock == WALL_CLOCK {
        unsafe { (*time).seconds += seconds_ahead() };
    }
    c_int::from(failed != 0) * -1
}

fn seconds_ahead() -> i64 {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| File::open(std::env::var_os("TEST_WALL_CLOCK")?).ok());
    let mut bytes = [0; 8];
    match file.as_ref().map(|file| file.read_exact_at(&mut bytes, 0)) {
        Some(Ok(())) => i64::from_le_bytes(bytes),
        _ => 0,
    }
}
