//! One Envoy with a filter chain before a response that it makes itself.

use crate::ports::free_address;
use crate::program::{PATIENCE, Program};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Gateway {
    pub program: Program,
    pub address: SocketAddr,
    /// From the start of the process to the first response.
    pub started_in: Duration,
}

/// What an Envoy is made of.
pub struct Chain<'a> {
    pub filters: &'a [Value],
    pub clusters: &'a [Value],
    /// What its one route does with each request.
    pub route: &'a Value,
    pub workers: usize,
}

impl Gateway {
    /// Starts an Envoy and waits for its first response. `name` is for its files, below `folder`.
    pub fn start(envoy: &Path, folder: &Path, name: &str, chain: &Chain<'_>) -> Gateway {
        let address = free_address();
        let (file, log) = (folder.join(format!("{name}.json")), folder.join(format!("{name}.log")));
        fs::write(&file, configuration(address, chain).to_string()).expect("Envoy's file");
        let (file, workers) = (file.display().to_string(), chain.workers.to_string());
        let place = ["--config-path", &file, "--concurrency", &workers];
        let rest = ["--log-level", "error", "--disable-hot-restart"];
        let start = Instant::now();
        let mut program = Program::start(envoy, &[&place[..], &rest].concat(), log);
        program.await_ready(|| responds(address));
        Gateway { program, address, started_in: start.elapsed() }
    }
}

fn responds(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut status = [0; 9];
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut status).is_ok()
        && &status == b"HTTP/1.1 "
}

fn configuration(address: SocketAddr, chain: &Chain<'_>) -> Value {
    let mut route = chain.route.clone();
    route["match"] = json!({ "prefix": "/" });
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
        "http_filters": chain.filters.iter().chain([&router]).collect::<Vec<_>>(),
        "route_config": {
            "virtual_hosts": [{
                "name": "everything",
                "domains": ["*"],
                "routes": [route],
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
            "clusters": chain.clusters,
        },
    })
}
