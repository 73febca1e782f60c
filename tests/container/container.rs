//! One running container: Envoy with one policy, published on free ports of 127.0.0.1.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::engine::{compose, engine, file, output, test_id, words};
use crate::harness::admin::Admin;
use crate::harness::request::Request;
use crate::harness::wait::eventually;

const LOG_LINES_SHOWN: usize = 40;

/// One start or end at a time: compose looks for free networks before it takes one.
static COMPOSE: Mutex<()> = Mutex::new(());

pub struct Container {
    project: String,
    config: PathBuf,
    gateway: SocketAddr,
    pub admin: Admin,
}

impl Container {
    /// Starts Envoy with the system's policy. Each pair is a text that the configuration must contain, and
    /// its replacement.
    pub fn start(system: &str, replacing: &[(&str, &str)]) -> Self {
        let mut text = fs::read_to_string(file(&format!("{system}.yaml"))).expect("Envoy's configuration");
        for (from, to) in replacing {
            assert!(text.contains(from), "{system} has no {from:?}");
            text = text.replace(from, to);
        }
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = format!("{system}-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let config = file(&format!("{name}.yaml"));
        fs::write(&config, text).expect("a configuration written");
        // Envoy has another user in the container.
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).expect("a readable file");

        // From here on, what is started is also removed.
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let project = format!("{}-{name}", test_id());
        let mut container = Self { project, config, gateway: nowhere, admin: Admin(nowhere) };
        container.up();
        container.gateway = container.published(10_000);
        container.admin = Admin(container.published(9_901));
        eventually("Envoy to serve", || {
            let state = words(engine().args(["inspect", "--format", "{{.State.Status}}", &container.id()]));
            assert_eq!(state, ["running"], "Envoy's container");
            (container.admin.try_statistic("listener_manager.workers_started")? == 1).then_some(())
        });
        assert_eq!(container.admin.statistic("server.concurrency"), 2);
        container
    }

    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.gateway, method, target)
    }

    /// Waits until the filter's metrics say that the policy admitted and rejected so many requests.
    pub fn assert_counted(&self, policy: &str, admitted: u64, rejected: u64) {
        let metric =
            |outcome| self.admin.statistic(&format!("wasmcustom.tollgate.policy.{policy}.{outcome}"));
        let counted = || (metric("admitted"), metric("refused"));
        eventually(&format!("{policy}: {admitted} admitted and {rejected} rejected"), || {
            (counted() == (admitted, rejected)).then_some(())
        });
    }

    /// `compose` with the variables of the file.
    fn compose(&self) -> Command {
        let mut command = compose(&self.project);
        command.env("ENVOY_CONFIG", &self.config).env("TOLLGATE_WASM", file("tollgate.wasm"));
        // Any free ports.
        command.env("PORT", "").env("ADMIN_PORT", "");
        command
    }

    fn up(&self) {
        let _one_at_a_time = COMPOSE.lock().unwrap_or_else(PoisonError::into_inner);
        output(self.compose().args(["up", "-d"]));
    }

    /// The container's id. Compose may end well without having started it.
    fn id(&self) -> String {
        let ids = words(engine().args(["ps", "--all", "--quiet", "--filter", &self.filter()]));
        assert_eq!(ids.len(), 1, "containers of {}", self.project);
        ids[0].clone()
    }

    fn filter(&self) -> String {
        format!("label=com.docker.compose.project={}", self.project)
    }

    /// Where a port of the container is reached, which must be from this machine alone.
    fn published(&self, port: u16) -> SocketAddr {
        let addresses = words(engine().args(["port", &self.id(), &port.to_string()]));
        assert_eq!(addresses.len(), 1, "addresses of port {port}: {addresses:?}");
        let address: SocketAddr = addresses[0].parse().expect("an address");
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
        address
    }

    fn show_log(&self) {
        let log = engine().args(["logs", &self.id()]).output().expect("the container's log");
        let log = [log.stdout, log.stderr].concat();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.len().saturating_sub(LOG_LINES_SHOWN);
        eprintln!("the end of Envoy's log:\n{}", lines[tail..].join("\n"));
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A second panic would end the other tests, too; `tools/container-test` removes what is left.
        let removed = std::panic::catch_unwind(|| {
            if thread::panicking() {
                self.show_log();
            }
            let _one_at_a_time = COMPOSE.lock().unwrap_or_else(PoisonError::into_inner);
            output(self.compose().arg("down"));
            // Some versions of compose leave the network.
            for network in words(engine().args(["network", "ls", "--quiet", "--filter", &self.filter()])) {
                output(engine().args(["network", "rm", &network]));
            }
        });
        if removed.is_err() {
            eprintln!("{} is not removed", self.project);
        }
        let _ = fs::remove_file(&self.config);
    }
}
