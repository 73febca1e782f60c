//! Measures the service: what an exchange costs it in CPU, and how many entries it applies on one core.
//!
//! ```text
//! cargo run --release -p tollgate-fleet --example load -- [redis://127.0.0.1:6379]
//! ```
//! The service is this process's child, so that its CPU is its own. Without a URL, records are kept in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate::fleet::message::Answer;
use tollgate::fleet::units::{Claim, Units};
use tollgate::identity::Identity;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit, LimitId, SlidingWindow};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};

#[path = "../../tests/support/ports.rs"]
mod ports;

use ports::free_address;

/// How long each case runs.
const TIME: Duration = Duration::from_secs(4);

struct Case {
    clients: u64,
    entries: u64,
}

fn main() {
    let engine = std::env::args().nth(1).unwrap_or_else(|| "memory".into());
    let shown = if engine == "memory" { "memory" } else { "redis" };
    let mut clients = 0;
    for case in
        [Case { clients: 1, entries: 1 }, Case { clients: 32, entries: 1 }, Case { clients: 4, entries: 64 }]
    {
        let (service, address) = start(&engine);
        let before = cpu(service.0.id());
        // Not a panic, which would leave the service running in an optimised build.
        let exchanges = match run(&case, clients, address) {
            Ok(exchanges) => exchanges,
            Err(error) => {
                drop(service);
                eprintln!("load: {error}");
                std::process::exit(1);
            }
        };
        clients += case.clients;
        let spent = cpu(service.0.id()).saturating_sub(before).as_micros();
        let (count, seconds) = (exchanges as u128, TIME.as_secs_f64());
        let entries = count * u128::from(case.entries);
        println!(
            "{shown}, {} clients, {} entries a message: {:.0} exchanges/s, {:.0} entries/s, service {} us CPU an \
             exchange, {:.1} an entry, {:.0} entries per CPU second",
            case.clients,
            case.entries,
            count as f64 / seconds,
            entries as f64 / seconds,
            spent / count.max(1),
            spent as f64 / entries as f64,
            entries as f64 * 1e6 / spent as f64,
        );
    }
}

struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program beside this one.
fn start(engine: &str) -> (Service, SocketAddr) {
    let (address, operator) = (free_address(), free_address());
    let own = std::env::current_exe().unwrap();
    let program = own.parent().and_then(|folder| folder.parent()).unwrap().join("tollgate-fleet");
    let ports =
        ["--listen", &address.to_string(), "--operator-listen", &operator.to_string()].map(String::from);
    let fleet = format!("load{}", std::process::id());
    let rest =
        ["--fleet", &fleet, "--engine", engine, "--memory-values", "1000000", "--engine-timeout", "1000"];
    let mut child = Command::new(program);
    let mut child =
        child.args(ports).args(rest).stdout(Stdio::piped()).spawn().expect("build tollgate-fleet first");
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"ready\"") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the service ended");
    }
    (Service(child), address)
}

/// User and system time of a process. Linux counts it in hundredths of a second.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// `before`: how many clients there were. The engine remembers their names.
fn run(case: &Case, before: u64, address: SocketAddr) -> Result<u64, String> {
    std::thread::scope(|scope| {
        let names = before..before + case.clients;
        let clients = names.map(|client| scope.spawn(move || exchanges(client, case.entries, address)));
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    })
}

/// One client's exchanges: of each 64 callers again and again, so that records are in use.
///
/// # Errors
/// What the service did instead of applying one.
fn exchanges(client: u64, entries: u64, address: SocketAddr) -> Result<u64, String> {
    let quota = NonZeroU32::new(1_000).unwrap();
    let algorithm =
        Algorithm::SlidingWindow(SlidingWindow { slots: Slots::that_fit(quota, 60 * SECOND, 1_400) });
    let limits = [Limit { id: LimitId(7), quota, window: 60 * SECOND, algorithm }];
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let (start, mut count) = (Instant::now(), 0);
    // A number that no worker of an earlier case had: the records know those.
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let mut units = Units::new((started << 8) | client);
    let now = |start: Instant| {
        let mono = 1_000 * SECOND + start.elapsed().as_micros() as Micros;
        Now { mono, wall: mono }
    };
    while start.elapsed() < TIME {
        for caller in 0..entries {
            let caller = Identity { page: client, fingerprint: (count * entries + caller) % 4_096 };
            let claim = Claim {
                caller,
                policy: "api",
                limits: &limits,
                cost: 1,
                spends: true,
                count_rejected: false,
                gives_back: false,
                forgiven: &[],
            };
            units.wait(&claim, now(start));
        }
        let (exchange, sent) = units.ask(50 * MILLISECOND, now(start)).unwrap();
        let answer = Answer::decode(&post(&mut stream, &exchange.encode())?).unwrap();
        if !answer.entries.iter().all(|entry| entry.applied) {
            return Err("an entry was not applied".into());
        }
        units.answered(&sent, &answer, now(start));
        count += 1;
    }
    Ok(count)
}

fn post(stream: &mut TcpStream, body: &[u8]) -> Result<Vec<u8>, String> {
    let fleet = std::process::id();
    let length = body.len();
    let head =
        format!("POST /v1/load{fleet}/exchange HTTP/1.1\r\nhost: f\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 65_536]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        if read == 0 {
            return Err("the service has closed the connection".into());
        }
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200") {
            return Err(head);
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if bytes.len() == end + 4 + length.parse::<usize>().unwrap() {
            return Ok(bytes.split_off(end + 4));
        }
    }
}
