//! A running fleet: Redis, the service, and Envoys that have an upstream in common. Everything that the parts say
//! to each other goes through links that a test can stop, delay or cut.

mod flood;
mod judge;
mod link;
mod policy;
mod redis;
mod service;

use std::fs;
use std::sync::{PoisonError, RwLock};

use crate::harness::{Files, Gateway, Request, Setup, Upstream, eventually};

pub use judge::Record;
pub use link::Link;
pub use policy::{by_path, by_path_in};
pub use redis::{Redis, Value};
pub use service::Service;

/// The name of the fleet in all policies of these tests.
pub const FLEET: &str = "fleet: { cluster: tollgate-fleet, name: test, timeout: 1s }\n";

/// What proxies show to the service.
pub const TOKEN: &str = "a-token-that-only-the-fleet-knows";

pub struct Stage {
    // In this order they end: each can still say what it has to say.
    envoys: Vec<RwLock<Option<Gateway>>>,
    setup: Setup,
    pub service: Service,
    /// From the Envoys to the service.
    pub to_service: Link,
    pub redis: Redis,
    /// From the service to Redis.
    pub to_redis: Link,
    pub upstream: Upstream,
    _token: Files,
}

/// A fleet to be.
pub struct Plan {
    policy: String,
    envoys: usize,
    joins: bool,
    engine_timeout: u32,
    change: Box<dyn Fn(Setup) -> Setup>,
}

/// A fleet of two Envoys with two workers each.
pub fn plan(policy: impl Into<String>) -> Plan {
    Plan {
        policy: policy.into(),
        envoys: 2,
        joins: true,
        engine_timeout: 900,
        change: Box::new(|setup| setup),
    }
}

/// Starts a fleet of two Envoys with two workers each.
pub fn start(policy: impl Into<String>) -> Stage {
    plan(policy).start()
}

impl Plan {
    /// With so many Envoys.
    pub fn envoys(mut self, envoys: usize) -> Self {
        self.envoys = envoys;
        self
    }

    /// With Envoys that can't reach the service.
    pub fn unjoined(mut self) -> Self {
        self.joins = false;
        self
    }

    /// With so many milliseconds for Redis. Without this there is time for a busy machine.
    pub fn engine_timeout(mut self, millis: u32) -> Self {
        self.engine_timeout = millis;
        self
    }

    /// With a change of each Envoy's setup.
    pub fn change(mut self, change: impl Fn(Setup) -> Setup + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    pub fn start(self) -> Stage {
        let token = Files::new();
        let token_file = token.file("token");
        fs::write(&token_file, TOKEN).expect("a token file");
        let token_file = token_file.display().to_string();
        let redis = Redis::start();
        let to_redis = Link::to(redis.address());
        let service = Service::start(&to_redis, &token_file, self.engine_timeout);
        let to_service = Link::to(service.address());
        let upstream = Upstream::answering(&[]);
        let (fleet, up) = (to_service.address().to_string(), upstream.address().to_string());
        let options = ["--fleet", &fleet, "--fleet-token-file", &token_file, "--upstream", &up];
        let setup = (self.change)(Setup::printed(&self.policy, &options));
        let envoys = (0..self.envoys).map(|_| RwLock::new(None)).collect();
        let stage = Stage { envoys, setup, service, to_service, redis, to_redis, upstream, _token: token };
        (0..self.envoys).for_each(|i| stage.start_envoy(i));
        if self.joins {
            stage.until_joined();
        }
        stage
    }
}

impl Stage {
    pub fn envoys(&self) -> usize {
        self.envoys.len()
    }

    /// Uses an Envoy, if it runs.
    pub fn try_on<T>(&self, i: usize, use_it: impl FnOnce(&Gateway) -> T) -> Option<T> {
        self.envoys[i].read().unwrap_or_else(PoisonError::into_inner).as_ref().map(use_it)
    }

    /// Uses an Envoy.
    pub fn on<T>(&self, i: usize, use_it: impl FnOnce(&Gateway) -> T) -> T {
        self.try_on(i, use_it).expect("an Envoy that runs")
    }

    /// A request to one of the Envoys.
    pub fn get(&self, i: usize, target: &str) -> Request {
        self.on(i, |gateway| gateway.get(target))
    }

    pub fn start_envoy(&self, i: usize) {
        let gateway = self.setup.clone().start();
        *self.envoys[i].write().unwrap_or_else(PoisonError::into_inner) = Some(gateway);
    }

    /// As with `kill -9`.
    pub fn kill_envoy(&self, i: usize) {
        drop(self.envoys[i].write().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub fn kill_service(&self) {
        self.service.kill();
        self.to_service.refuse();
    }

    pub fn start_service(&self) {
        self.service.restart();
        self.to_service.lead_to(self.service.address());
    }

    pub fn kill_redis(&self) {
        self.redis.kill();
        self.to_redis.refuse();
    }

    pub fn start_redis(&self) {
        self.redis.restart();
        self.to_redis.lead_to(self.redis.address());
    }

    /// The sum of one of the module's metrics over all Envoys.
    pub fn metric(&self, name: &str) -> u64 {
        (0..self.envoys()).filter_map(|i| self.try_on(i, |gateway| gateway.metric(name))).sum()
    }

    /// What all Envoys have logged.
    pub fn envoy_logs(&self) -> String {
        (0..self.envoys()).filter_map(|i| self.try_on(i, Gateway::log)).collect()
    }

    /// Waits until each worker of each Envoy that runs has joined the fleet.
    pub fn until_joined(&self) {
        for i in 0..self.envoys() {
            let joined = || self.try_on(i, |gateway| gateway.log().matches("has joined the fleet").count());
            // Envoy's main thread has a VM, too.
            eventually("each worker to join", || joined().is_none_or(|joined| joined >= 3).then_some(()));
        }
    }

    /// Panics if a VM of the module has trapped.
    pub fn assert_no_trap(&self) {
        let log = self.envoy_logs();
        let trap =
            log.lines().find(|line| line.contains(" stopped at ") || line.contains("Function: proxy_on_"));
        assert_eq!(trap, None);
    }
}
