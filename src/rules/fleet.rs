//! Which policies hold for a whole fleet of proxies, and how the fleet's service is reached.

use crate::fleet::OnOutage;
use crate::time::Micros;

/// How a worker reaches the service that keeps the fleet's counts.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSettings {
    /// Envoy's cluster of the service.
    pub cluster: String,
    /// The name of the fleet. Proxies of one fleet share their counts.
    pub name: String,
    /// How long a request waits for an answer.
    pub timeout: Micros,
}

/// How far a policy's counts reach.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scope {
    /// Over all workers of one proxy.
    #[default]
    Proxy,
    /// Over all proxies of the fleet.
    Fleet(OnOutage),
}

impl Scope {
    /// Whether the fleet's service keeps the counts.
    pub fn is_fleet(self) -> bool {
        self.on_outage().is_some()
    }

    /// What decides while the fleet's service does not answer. `None`: it has no part in this.
    pub fn on_outage(self) -> Option<OnOutage> {
        match self {
            Scope::Proxy => None,
            Scope::Fleet(on_outage) => Some(on_outage),
        }
    }
}
