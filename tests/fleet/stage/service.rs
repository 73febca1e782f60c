//! The fleet's service, and what its operator sees.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::link::Link;
use crate::harness::{Files, Process, Request, eventually, found};

pub struct Service {
    running: Mutex<Option<Running>>,
    options: Vec<String>,
    files: Files,
}

struct Running {
    process: Process,
    address: SocketAddr,
    operator: SocketAddr,
}

/// The port for whoever runs the service.
pub struct Operator(pub SocketAddr);

impl Service {
    pub fn start(to_redis: &Link, token_file: &str, engine_timeout: u32) -> Self {
        let options = format!(
            "--listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --fleet test --engine redis://{} --token-file \
             {token_file} --drain-time 100 --engine-timeout {engine_timeout}",
            to_redis.address()
        );
        let options = options.split(' ').map(str::to_owned).collect();
        let service = Self { running: Mutex::default(), options, files: Files::new() };
        service.restart();
        service
    }

    /// Starts it again, on other ports.
    pub fn restart(&self) {
        let program = found("FLEET_SERVICE", "target/debug/tollgate-fleet");
        let mut process = Process::start(&program, &self.options, Vec::new(), &self.files.log_file());
        let ready = eventually("the service to be ready", || {
            assert!(process.ended().is_none(), "the service ended by itself");
            self.log().lines().find_map(ready)
        });
        let (address, operator) = ready;
        *self.lock() = Some(Running { process, address, operator });
    }

    /// As with `kill -9`.
    pub fn kill(&self) {
        drop(self.lock().take());
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        self.lock().as_ref().expect("a service that runs").process.signal(name);
    }

    pub fn address(&self) -> SocketAddr {
        self.lock().as_ref().expect("a service that runs").address
    }

    pub fn operator(&self) -> Operator {
        Operator(self.lock().as_ref().expect("a service that runs").operator)
    }

    pub fn log(&self) -> String {
        self.files.log()
    }

    /// The memory that it has in use (resident), in bytes.
    pub fn memory(&self) -> u64 {
        self.lock().as_ref().expect("a service that runs").process.memory()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operator {
    /// The status and the body of a page.
    pub fn page(&self, path: &str) -> (u16, String) {
        let response = Request::new(self.0, "GET", path).send();
        (response.status, String::from_utf8_lossy(&response.body).into_owned())
    }

    /// The sum of a metric over its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.page("/metrics");
        let named = |line: &&str| line.split([' ', '{']).next() == Some(name);
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        page.lines().filter(named).filter_map(value).sum()
    }
}

fn ready(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields")?;
    let address = |name: &str| fields.get(name)?.as_str()?.parse().ok();
    Some((address("listen")?, address("operator_listen")?))
}
