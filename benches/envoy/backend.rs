//! What a filter asks: the fleet's service in memory or on Redis, or a rate limit service. Each case has its own,
//! so that what they cost is that case's.

use crate::ports::free_address;
use crate::program::{PATIENCE, Program};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The fleet's name in policies and of the service.
pub const FLEET: &str = "bench";

/// Of a rate limit service's descriptors: it rejects nothing.
const PLENTY: &str = "1000000000";

#[derive(Clone, Copy)]
pub enum Kind {
    FleetInMemory,
    FleetOnRedis,
    /// Envoy's global limit, against `fleet/examples/rls.rs`.
    Rls,
}

/// Optimised builds, and Redis.
pub struct Programs {
    /// The folder of `tollgate-fleet` and `examples/`.
    pub folder: PathBuf,
    pub redis: PathBuf,
}

pub struct Backend {
    service: Program,
    pub address: SocketAddr,
    /// Where the fleet's service has its metrics.
    operator: Option<SocketAddr>,
    redis: Option<Program>,
}

/// What it has taken so far.
pub struct Account {
    pub service: Duration,
    pub redis: Option<Duration>,
    /// Messages that the fleet's service has answered.
    pub exchanges: Option<u64>,
}

impl Backend {
    /// Starts it and waits until it serves. `name` is for its files, below `folder`.
    pub fn start(kind: Kind, programs: &Programs, folder: &Path, name: &str) -> Backend {
        let log = folder.join(format!("{name}-service.log"));
        match kind {
            Kind::Rls => Backend::rls(programs, log),
            Kind::FleetInMemory => Backend::fleet(programs, log, "memory", None),
            Kind::FleetOnRedis => {
                let (redis, url) = redis(programs, folder, name);
                Backend::fleet(programs, log, &url, Some(redis))
            }
        }
    }

    fn rls(programs: &Programs, log: PathBuf) -> Backend {
        let address = free_address();
        let binary = programs.folder.join("examples/rls");
        let mut service = Program::start(&binary, &[&address.to_string(), PLENTY], log);
        service.await_ready(|| TcpStream::connect(address).is_ok());
        Backend { service, address, operator: None, redis: None }
    }

    fn fleet(programs: &Programs, log: PathBuf, engine: &str, redis: Option<Program>) -> Backend {
        let (address, operator) = (free_address(), free_address());
        let ports = ["--listen", &address.to_string(), "--operator-listen", &operator.to_string()];
        // A slow moment of the machine must not look like an outage.
        let settings = ["--fleet", FLEET, "--engine", engine, "--engine-timeout", "1000"];
        // As many as the load has new keys.
        let room = ["--memory-values", "10000000"];
        let arguments = [&ports[..], &settings, if redis.is_none() { &room } else { &[] }].concat();
        let mut service = Program::start(&programs.folder.join("tollgate-fleet"), &arguments, log);
        service.await_ready(|| get(operator, "/readyz").is_some());
        Backend { service, address, operator: Some(operator), redis }
    }

    pub fn account(&self) -> Account {
        let exchanges = self.operator.map(exchanges);
        let redis = self.redis.as_ref().map(Program::cpu);
        Account { service: self.service.cpu(), redis, exchanges }
    }
}

/// Redis as `docs/fleet.md` says, but for rewrites of its file: they would take time in one turn and none in the next.
fn redis(programs: &Programs, folder: &Path, name: &str) -> (Program, String) {
    let (address, data) = (free_address(), folder.join(format!("{name}-redis")));
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&data).expect("a folder for Redis");
    let (port, data) = (address.port().to_string(), data.display().to_string());
    let place = ["--bind", "127.0.0.1", "--port", &port, "--dir", &data];
    let durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"];
    let rest = ["--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction"];
    let arguments = [&place[..], &durable, &rest].concat();
    let mut redis = Program::start(&programs.redis, &arguments, folder.join(format!("{name}-redis.log")));
    redis.await_ready(|| TcpStream::connect(address).is_ok());
    (redis, format!("redis://{address}"))
}

/// The service's processor time for an entry, on Redis, in messages of 64 entries: microseconds, as
/// `fleet/examples/load.rs` finds it. `None`: it failed, and has said why. All else is measured by then.
pub fn batched_entry(programs: &Programs, folder: &Path) -> Option<f64> {
    let (_redis, url) = redis(programs, folder, "batched");
    let output = Command::new(programs.folder.join("examples/load")).arg(url).output().expect("the load");
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.contains(" 64 entries a message"));
    let number = line.and_then(|line| line.strip_suffix(" entries per CPU second")?.rsplit(' ').next());
    let per_second = number.and_then(|number| number.parse::<f64>().ok());
    if per_second.is_none() {
        eprint!("{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    per_second.map(|number| 1e6 / number)
}

fn exchanges(operator: SocketAddr) -> u64 {
    let text = get(operator, "/metrics").expect("the service's metrics");
    let value = text.lines().find_map(|line| line.strip_prefix("tollgate_fleet_exchanges_total "));
    value.and_then(|value| value.parse().ok()).expect("the number of exchanges")
}

/// The whole response, if its status is 200.
fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.starts_with("HTTP/1.1 200").then_some(text)
}
