//! One running container: Envoy with one policy.

use std::net::SocketAddr;

use crate::harness::admin::Admin;
use crate::harness::request::Request;
use crate::harness::wait::eventually;
use crate::project::Project;

pub struct Container {
    gateway: SocketAddr,
    pub admin: Admin,
    _project: Project,
}

impl Container {
    /// Starts Envoy with the system's policy. Each pair is a text that the configuration must contain, and
    /// its replacement.
    pub fn start(system: &str, replacing: &[(&str, &str)]) -> Self {
        let project = Project::start(system, replacing, &["envoy"]);
        let admin = project.admin_of("envoy");
        assert_eq!(project.containers(), 1, "an Envoy alone starts nothing of the fleet");
        assert_eq!(admin.statistic("server.concurrency"), 2);
        Self { gateway: project.published("envoy", 10_000), admin, _project: project }
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
}
