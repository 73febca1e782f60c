//! Services of the compose file that run under a name of their own, published on free ports of 127.0.0.1.

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
use crate::harness::wait::eventually;

const LOG_LINES_SHOWN: usize = 40;

/// The ports that the compose file publishes: any free ones.
const PORTS: [&str; 5] = ["PORT", "ADMIN_PORT", "PORT_2", "ADMIN_PORT_2", "OPERATOR_PORT"];

/// One start or end at a time: compose looks for free networks before it takes one.
static COMPOSE: Mutex<()> = Mutex::new(());

pub struct Project {
    name: String,
    config: PathBuf,
    services: &'static [&'static str],
}

impl Project {
    /// Starts these services with a configuration of Envoy that `tools/container-test` has written. Each pair is
    /// a text that it must contain, and its replacement.
    pub fn start(config: &str, replacing: &[(&str, &str)], services: &'static [&'static str]) -> Self {
        let mut text = fs::read_to_string(file(&format!("{config}.yaml"))).expect("Envoy's configuration");
        for (from, to) in replacing {
            assert!(text.contains(from), "{config} has no {from:?}");
            text = text.replace(from, to);
        }
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = format!("{config}-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let config = file(&format!("{name}.yaml"));
        fs::write(&config, text).expect("a configuration written");
        // Envoy has another user in the container.
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).expect("a readable file");

        // From here on, what is started is also removed.
        let project = Self { name: format!("{}-{name}", test_id()), config, services };
        project.up();
        project
    }

    /// The admin interface of one of its Envoys, which serves.
    pub fn admin_of(&self, service: &str) -> Admin {
        let admin = Admin(self.published(service, 9_901));
        eventually("Envoy to serve", || {
            assert_eq!(
                self.inspected(service, "{{.State.Status}}"),
                ["running"],
                "the container of {service}"
            );
            (admin.try_statistic("listener_manager.workers_started")? == 1).then_some(())
        });
        admin
    }

    /// Where a port of a service is reached, which must be from this machine alone.
    pub fn published(&self, service: &str, port: u16) -> SocketAddr {
        let addresses = words(engine().args(["port", &self.id(service), &port.to_string()]));
        assert_eq!(addresses.len(), 1, "addresses of port {port}: {addresses:?}");
        let address: SocketAddr = addresses[0].parse().expect("an address");
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
        address
    }

    /// What the engine says about a service's container.
    pub fn inspected(&self, service: &str, format: &str) -> Vec<String> {
        words(engine().args(["inspect", "--format", format, &self.id(service)]))
    }

    /// `stop`, `start` or `restart` of a service's container.
    pub fn tell(&self, service: &str, what: &str) {
        output(engine().args([what, &self.id(service)]));
    }

    /// A service's container. Compose may end well without having started it.
    pub fn id(&self, service: &str) -> String {
        let service_label = format!("label=com.docker.compose.service={service}");
        let filters = ["--filter", &self.label(), "--filter", &service_label];
        let ids = words(engine().args(["ps", "--all", "--quiet"]).args(filters));
        assert_eq!(ids.len(), 1, "containers of {service} in {}", self.name);
        ids[0].clone()
    }

    /// All containers that run or have run.
    pub fn containers(&self) -> usize {
        words(engine().args(["ps", "--all", "--quiet", "--filter", &self.label()])).len()
    }

    fn up(&self) {
        let _one_at_a_time = COMPOSE.lock().unwrap_or_else(PoisonError::into_inner);
        // By name, since not every compose knows profiles; those that do start services by name, too.
        output(self.compose().args(["up", "-d"]).args(self.services));
    }

    /// `compose` with the variables of the file.
    fn compose(&self) -> Command {
        let mut command = compose(&self.name);
        command.env("ENVOY_CONFIG", &self.config).env("TOLLGATE_WASM", file("tollgate.wasm"));
        command.envs(PORTS.map(|port| (port, "")));
        command
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.name)
    }

    fn show_logs(&self) {
        for service in self.services {
            let log = engine().args(["logs", &self.id(service)]).output().expect("the container's log");
            let log = [log.stdout, log.stderr].concat();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.len().saturating_sub(LOG_LINES_SHOWN);
            eprintln!("the end of the log of {service}:\n{}", lines[tail..].join("\n"));
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A second panic would end the other tests, too; `tools/container-test` removes what is left.
        let removed = std::panic::catch_unwind(|| {
            if thread::panicking() {
                self.show_logs();
            }
            let _one_at_a_time = COMPOSE.lock().unwrap_or_else(PoisonError::into_inner);
            output(self.compose().args(["down", "--volumes"]));
            // Some versions of compose leave the network.
            for network in words(engine().args(["network", "ls", "--quiet", "--filter", &self.label()])) {
                output(engine().args(["network", "rm", &network]));
            }
        });
        if removed.is_err() {
            eprintln!("{} is not removed", self.name);
        }
        let _ = fs::remove_file(&self.config);
    }
}
