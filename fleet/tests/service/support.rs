//! What all tests need: servers, clients and workers.

mod certificates;
mod client;
mod fleet;
#[path = "../../../tests/support/ports.rs"]
mod ports;
mod process;
mod redis;
#[path = "../../../tests/support/soon.rs"]
mod soon;
mod wire;

pub use certificates::Certificates;
pub use client::{Client, Worker, caller, claim_of, connect, exchange_of, limit};
pub const ADMITTED: client::Outcome = client::Outcome::Admitted;
pub use fleet::{Fleet, options_of};
pub use ports::free_address;
pub use process::{Process, binary, said};
pub use redis::{RedisServer, signal};
pub use soon::soon;
pub use wire::{Behaviour, Wire};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tollgate-fleet-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Waits until something holds, and returns how long it took.
pub fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}
