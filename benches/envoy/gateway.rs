//! One Envoy with a filter chain before a direct response, and what the operating system says of its process.

use crate::process::Process;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Gateway {
    process: Process,
    pub address: SocketAddr,
    /// From the start of the process to the first response.
    pub started_in: Duration,
    log: PathBuf,
}

impl Gateway {
    /// Starts an Envoy and waits for its first response. `name` is for its files, below `folder`.
    pub fn start(envoy: &Path, folder: &Path, name: &str, filters: &[Value], workers: usize) -> Gateway {
        let address = free_address();
        let (file, log) = (folder.join(format!("{name}.json")), folder.join(format!("{name}.log")));
        fs::write(&file, configuration(address, filters).to_string()).expect("Envoy's file");
        let arguments = [
            "--config-path",
            &file.display().to_string(),
            "--concurrency",
            &workers.to_string(),
            "--log-level",
            "error",
            "--disable-hot-restart",
        ];
        let start = Instant::now();
        let process = Process::start(envoy, &arguments.map(str::to_owned), Vec::new(), &log);
        let mut gateway = Gateway { process, address, started_in: Duration::ZERO, log };
        gateway.await_response(start);
        gateway.started_in = start.elapsed();
        gateway
    }

    fn await_response(&mut self, start: Instant) {
        while !responds(self.address) {
            let said = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(self.process.ended().is_none(), "Envoy ended by itself:\n{}", said());
            assert!(start.elapsed() < PATIENCE, "Envoy does not serve:\n{}", said());
            sleep(Duration::from_millis(1));
        }
    }

    /// Processor time of all its threads so far, to the nanosecond, as the kernel's scheduler has it.
    pub fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("Envoy's threads");
        let nanoseconds = |thread: fs::DirEntry| -> u64 {
            // A thread may end while the list is read.
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
        };
        Duration::from_nanos(threads.flatten().map(nanoseconds).sum())
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }
}

/// A port that nobody has at the moment. Envoy opens it next.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn responds(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut status = [0; 9];
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut status).is_ok()
        && &status == b"HTTP/1.1 "
}

fn configuration(address: SocketAddr, filters: &[Value]) -> Value {
    let typed = |name: &str| format!("type.googleapis.com/envoy.extensions.filters.{name}");
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": typed("http.router.v3.Router") },
    });
    let manager = json!({
        "@type": typed("network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "use_remote_address": true,
        // Behind one proxy of our own, so that a load can have many client addresses.
        "xff_num_trusted_hops": 1,
        "http_filters": filters.iter().chain([&router]).collect::<Vec<_>>(),
        "route_config": {
            "virtual_hosts": [{
                "name": "everything",
                "domains": ["*"],
                "routes": [{ "match": { "prefix": "/" }, "direct_response": { "status": 200, "body": { "inline_string": "hello\n" } } }],
            }],
        },
    });
    json!({
        "static_resources": {
            "listeners": [{
                "address": { "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } },
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }] }],
            }],
        },
    })
}
