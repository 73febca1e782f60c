//! A running Envoy with the filter in it, on ports of its own.

use std::fs;
use std::net::SocketAddr;
use std::ops::Deref;
use std::process::ExitStatus;

use super::admin::Admin;
use super::bootstrap::{SEEN, Setup};
use super::files::Files;
use super::places::envoy;
use super::process::Process;
use super::request::Request;
use super::wait::eventually;
use super::wall_clock;

/// The name of the template's listener that the filter stands in.
const LISTENER: &str = "gateway";

pub struct Gateway {
    // First, so that Envoy is gone before its files are.
    process: Process,
    pub(super) setup: Setup,
    pub(super) files: Files,
    pub(super) admin: Admin,
    address: SocketAddr,
}

/// An Envoy that would not start.
pub struct Rejection {
    pub status: ExitStatus,
    pub log: String,
}

impl Gateway {
    pub(super) fn start(setup: Setup) -> Self {
        let files = Files::new();
        let mut process = launch(&setup, &files);
        let (admin, address) = eventually("Envoy to serve", || {
            let ended = process.ended();
            assert!(ended.is_none(), "Envoy ended by itself: {ended:?}");
            serving(&files)
        });
        Self { process, setup, files, admin, address }
    }

    pub(super) fn start_rejected(setup: Setup) -> Rejection {
        let files = Files::new();
        let mut process = launch(&setup, &files);
        let status = eventually("Envoy to give up", || {
            assert!(serving(&files).is_none(), "Envoy serves what it should reject");
            process.ended()
        });
        let log = files.log();
        Rejection { status, log }
    }

    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address, method, target)
    }

    /// Envoy's view of itself.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// One of the filter's own metrics, without the prefix that Envoy puts before it.
    pub fn metric(&self, name: &str) -> u64 {
        self.admin.statistic(&format!("wasmcustom.tollgate.{name}"))
    }

    /// How many requests Envoy has in flight.
    pub fn in_flight(&self) -> u64 {
        self.admin.statistic("http.gateway.downstream_rq_active")
    }

    /// Waits until no request is in flight: Envoy has seen that those clients left who did.
    pub fn until_idle(&self) {
        eventually("the end of all requests", || (self.in_flight() == 0).then_some(()));
    }

    /// Stops the whole process while this is done, and lets it go on.
    pub fn stopped<T>(&self, act: impl FnOnce() -> T) -> T {
        self.process.signal("STOP");
        let answer = act();
        self.process.signal("CONT");
        answer
    }

    /// What Envoy has logged so far.
    pub fn log(&self) -> String {
        self.files.log()
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
        let page = self.admin.page("/memory");
        let memory: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        memory["allocated"].as_str().and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
    }

    /// The memory that Envoy has in use (resident), in bytes.
    pub fn memory(&self) -> u64 {
        self.process.memory()
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
        self.0.files.show_log_of_failure();
    }
}

/// Where Envoy's admin interface and the listener are, once requests are served.
fn serving(files: &Files) -> Option<(Admin, SocketAddr)> {
    let address = fs::read_to_string(files.admin_address()).ok()?;
    let admin = Admin(address.parse().ok()?);
    admin.try_page("/ready")?;
    // Before that the listener is bound but nobody accepts.
    (admin.try_statistic("listener_manager.workers_started")? == 1).then_some(())?;
    let listener = admin.listener(LISTENER)?;
    Some((admin, listener))
}

fn launch(setup: &Setup, files: &Files) -> Process {
    if setup.live {
        files.publish_listeners(&setup.listeners());
    }
    let bootstrap = files.bootstrap();
    fs::write(&bootstrap, setup.bootstrap(&files.listeners())).expect("a bootstrap file");
    let mut arguments = vec![
        "--config-path".to_owned(),
        bootstrap.display().to_string(),
        "--admin-address-path".to_owned(),
        files.admin_address().display().to_string(),
        "--concurrency".to_owned(),
        setup.workers.to_string(),
        "--log-level".to_owned(),
        "warning".to_owned(),
        "--component-log-level".to_owned(),
        format!("wasm:{}", setup.module_log_level),
        "--disable-hot-restart".to_owned(),
    ];
    if setup.drains_at_once {
        arguments.extend(["--drain-time-s".to_owned(), "0".to_owned()]);
    }
    let variables = setup.wall_clock.map_or_else(Vec::new, |unix_time| {
        wall_clock::set(files, unix_time);
        wall_clock::variables(files)
    });
    Process::start(&envoy(), &arguments, variables, &files.log_file())
}
