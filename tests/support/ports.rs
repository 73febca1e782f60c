//! Ports for servers that can't choose one themselves.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// An address of this machine at which nobody listens. The system gives none of these ports to outgoing connections, so
/// none is taken between this call and the server's start.
pub fn free_address() -> SocketAddr {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Another process that does the same begins elsewhere.
    let begin = process::id().wrapping_mul(1_009);
    let tried = (0..COUNT).map(|_| begin.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let ports = tried.filter_map(|number| u16::try_from(FIRST + number).ok());
    let mut addresses = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    addresses.find(|address| TcpListener::bind(address).is_ok()).expect("a free port below the outgoing ones")
}
