//! Requests, sent by load generators that others keep: wrk as fast as they are answered, h2load at a constant
//! rate.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Enough to keep one worker busy, and few enough for a share of the processor each.
const CONNECTIONS: &str = "32";

#[derive(Clone)]
pub struct Load {
    pub path: String,
    /// The header's value, `%016d` for the key's number.
    pub authorization: String,
    pub keys: Keys,
    /// Whether the client's address goes with the key.
    pub addresses: bool,
}

#[derive(Clone, Copy)]
pub enum Keys {
    /// Always the same.
    Hot,
    /// Each of so many alike.
    Even(u32),
    /// The n-th of so many 1/n as often as the first.
    Zipf(u32),
    /// None twice.
    New,
}

/// What wrk has counted.
pub struct Answers {
    pub all: u64,
    /// Whose status is neither 2xx nor 3xx.
    pub failed: u64,
    pub per_second: f64,
}

/// In microseconds, from a request's sending to its response.
#[derive(Clone, Copy)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
}

impl Load {
    /// One hot key.
    pub fn hot(path: &str, authorization: &str) -> Load {
        Load { path: path.into(), authorization: authorization.into(), keys: Keys::Hot, addresses: false }
    }

    /// Keys by number.
    pub fn of(keys: Keys) -> Load {
        Load { keys, ..Load::hot("/", "Bearer %016d") }
    }

    /// Sends a request as soon as the one before it on its connection is answered, for so long.
    pub fn closed_loop(&self, script: &Path, to: SocketAddr, time: Duration, seed: u32) -> Answers {
        let (keys, number) = match self.keys {
            Keys::Hot => ("hot", 1),
            Keys::Even(number) => ("even", number),
            Keys::Zipf(number) => ("zipf", number),
            Keys::New => ("new", 0),
        };
        let wrk = Command::new("wrk")
            .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", "1h"])
            .arg("--script")
            .arg(script)
            .arg(format!("http://{to}{}", self.path))
            .args(["--", &self.path, &self.authorization, keys, &number.to_string(), &seed.to_string()])
            .arg(if self.addresses { "yes" } else { "no" })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wrk, which `make bench` installs");
        // It can be told only whole seconds, but a SIGINT ends it at any time.
        sleep(time);
        let interrupted = Command::new("kill").args(["-INT", &wrk.id().to_string()]).status();
        assert!(interrupted.is_ok_and(|status| status.success()), "wrk has ended by itself");
        let output = wrk.wait_with_output().expect("wrk's words");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "wrk: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("Socket errors"), "{said}");
        // "  51234 requests in 2.00s, 8.9MB read", "  Non-2xx or 3xx responses: 17", "Requests/sec:
        // 25617.43"
        let before = |text: &str| {
            let line = said.lines().find(|line| line.contains(text));
            line.and_then(|line| line.split_whitespace().next()).and_then(|first| first.parse().ok())
        };
        let after = |text: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(text));
            line.and_then(|value| value.trim().parse::<f64>().ok())
        };
        Answers {
            all: before(" requests in ").unwrap_or_else(|| panic!("wrk: {said}")),
            failed: after("Non-2xx or 3xx responses:").unwrap_or_default() as u64,
            per_second: after("Requests/sec:").unwrap_or_else(|| panic!("wrk: {said}")),
        }
    }

    /// Sends requests at a constant rate, whether or not those before them are answered: each of the
    /// connections so seldom that no response makes its next request late. The key is hot.
    pub fn open_loop(&self, to: SocketAddr, per_second: u32, seconds: u64, log: &Path) -> Latency {
        const CLIENTS: u32 = 4;
        let _ = fs::remove_file(log);
        let output = Command::new("h2load")
            .args(["--h1", "--threads", "1", "--clients", &CLIENTS.to_string()])
            .args(["--rps", &(per_second / CLIENTS).to_string(), "--duration", &seconds.to_string()])
            .args([
                "--header",
                &format!("authorization: {}", self.authorization.replace("%016d", "0000000000000001")),
            ])
            .arg(format!("--log-file={}", log.display()))
            .arg(format!("http://{to}{}", self.path))
            .output()
            .expect("h2load, which `make bench` installs");
        let said = String::from_utf8_lossy(&output.stdout);
        // A request each line: when it was sent, its status, and its time in microseconds, with tabs between
        // them.
        let lines = fs::read_to_string(log).unwrap_or_else(|error| panic!("h2load: {error}: {said}"));
        let time = |line: &str| {
            let mut columns = line.split('\t').skip(1);
            (columns.next()? != "-1").then(|| columns.next()?.parse::<f64>().ok()).flatten()
        };
        let times: Vec<f64> = lines.lines().filter_map(time).collect();
        assert!(!times.is_empty(), "h2load had no answers: {said}");
        Latency::of(times)
    }
}

impl Latency {
    /// Of so many requests, which must not be none.
    pub fn of(mut times: Vec<f64>) -> Latency {
        times.sort_unstable_by(f64::total_cmp);
        let part = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        Latency { p50: part(0.5), p99: part(0.99) }
    }
}
