//! Callers nobody has seen before, so that tests that share one Envoy never share a budget by accident.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// 127.1.0.0: loopback addresses apart from the usual one.
const FIRST: u32 = 0x7f01_0000;
static LAST: AtomicU32 = AtomicU32::new(FIRST);

/// A loopback address that no other call returned.
pub fn new_ip() -> Ipv4Addr {
    Ipv4Addr::from(next())
}

/// A key of exactly 16 characters that no other call returned.
pub fn new_key() -> String {
    format!("key-{:012}", next() - FIRST)
}

fn next() -> u32 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
