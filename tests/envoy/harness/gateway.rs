//! A running Envoy with the filter in it, on ports of its own.

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::ExitStatus;
use std::thread;

use super::admin::Admin;
use super::bootstrap::{SEEN, Setup};
use super::envoy::Envoy;
use super::files::Files;
use super::kept::Kept;
use super::request::Request;
use super::wait::eventually;
use super::wall_clock;

/// The name of the template's listener that the filter stands in.
const LISTENER: &str = "gateway";

pub struct Gateway {
    /// There until the gateway is dropped.
    runs_in: Option<RunsIn>,
    pub(super) setup: Setup,
    address: SocketAddr,
}

enum RunsIn {
    /// An Envoy of its own.
    Own(Envoy),
    /// One that served others before.
    Kept(Kept),
}

/// An Envoy that would not start.
pub struct Rejection {
    pub status: ExitStatus,
    pub log: String,
}

impl Gateway {
    pub(super) fn start(setup: Setup) -> Self {
        if !setup.needs_an_envoy_alone() {
            let (kept, address) = Kept::take(&setup);
            return Self { runs_in: Some(RunsIn::Kept(kept)), setup, address };
        }
        let envoy = Envoy::start(prepared(&setup), &setup.options());
        let address = eventually("the listener", || envoy.admin.listener(LISTENER));
        Self { runs_in: Some(RunsIn::Own(envoy)), setup, address }
    }

    pub(super) fn start_rejected(setup: &Setup) -> Rejection {
        let files = prepared(setup);
        let status = Envoy::start_rejected(&files, &setup.options());
        Rejection { status, log: files.log() }
    }

    pub(super) fn envoy(&self) -> &Envoy {
        match self.runs_in.as_ref().expect("a gateway that runs") {
            RunsIn::Own(envoy) => envoy,
            RunsIn::Kept(kept) => &kept.envoy,
        }
    }

    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address, method, target)
    }

    /// An Envoy that no other test has had.
    fn own_envoy(&self) -> &Envoy {
        assert!(self.setup.needs_an_envoy_alone(), "others were served before: start it `alone`");
        self.envoy()
    }

    /// Envoy's view of itself.
    pub fn admin(&self) -> &Admin {
        &self.own_envoy().admin
    }

    /// One of the filter's own metrics, without the prefix that Envoy puts before it.
    pub fn metric(&self, name: &str) -> u64 {
        self.admin().statistic(&format!("wasmcustom.tollgate.{name}"))
    }

    /// How many requests Envoy has in flight.
    pub fn in_flight(&self) -> u64 {
        let listener = match &self.runs_in {
            Some(RunsIn::Kept(kept)) => kept.listener(),
            _ => LISTENER.to_owned(),
        };
        self.envoy().admin.statistic(&format!("http.{listener}.downstream_rq_active"))
    }

    /// Waits until no request is in flight: Envoy has seen that those clients left who did.
    pub fn until_idle(&self) {
        eventually("the end of all requests", || (self.in_flight() == 0).then_some(()));
    }

    /// Stops the whole process while this is done, and lets it go on.
    pub fn stopped<T>(&self, act: impl FnOnce() -> T) -> T {
        self.envoy().process.signal("STOP");
        let answer = act();
        self.envoy().process.signal("CONT");
        answer
    }

    /// What Envoy has logged so far.
    pub fn log(&self) -> String {
        match &self.runs_in {
            Some(RunsIn::Kept(kept)) => kept.log(),
            _ => self.envoy().files.log(),
        }
    }

    /// At least so many lines of the [access log](Setup::access_log): status and decision.
    pub fn seen(&self, lines: usize) -> Vec<String> {
        eventually("the access log", || {
            let log = self.log();
            let seen = log.lines().filter_map(|line| line.split_once(SEEN));
            let seen: Vec<_> = seen.map(|(_, line)| line.trim_matches('"').to_owned()).collect();
            (seen.len() >= lines).then_some(seen)
        })
    }

    /// What Envoy's allocator has handed out, in bytes: the shared data among it, and not the modules' own
    /// memory.
    pub fn allocated(&self) -> u64 {
        let page = self.admin().page("/memory");
        let memory: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        memory["allocated"].as_str().and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
    }

    /// The memory that Envoy has in use (resident), in bytes.
    pub fn memory(&self) -> u64 {
        self.own_envoy().process.memory()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // What a test leaves that fails may be no Envoy for another.
        if let Some(RunsIn::Kept(kept)) = self.runs_in.take()
            && !thread::panicking()
        {
            kept.put_back();
        }
    }
}

/// A gateway that several tests use and none may end.
pub struct Shared(pub &'static Gateway);

impl Deref for Shared {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.envoy().files.show_log_of_failure();
    }
}

/// The files of a gateway with an Envoy of its own.
fn prepared(setup: &Setup) -> Files {
    let files = Files::new();
    if setup.live {
        files.publish_listeners(&setup.listeners());
    }
    if let Some(unix_time) = setup.wall_clock {
        wall_clock::set(&files, unix_time);
    }
    files.write_bootstrap(&setup.bootstrap(&files.listeners()));
    files
}
