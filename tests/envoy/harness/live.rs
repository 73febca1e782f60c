//! A new policy for a gateway that is serving, by Envoy's listener discovery from a file.

use super::bootstrap::Setup;
use super::gateway::Gateway;
use super::wait::eventually;

/// What Envoy made of an update.
#[derive(Debug, PartialEq, Eq)]
pub enum Update {
    Accepted,
    Rejected,
}

const ACCEPTED: &str = "listener_manager.lds.update_success";
const REFUSED: &str = "listener_manager.lds.update_rejected";
const WARMING: &str = "listener_manager.total_listeners_warming";

impl Gateway {
    /// Replaces the policy, leaving everything else, and waits for Envoy's word on it. A worker may still
    /// serve by the old policy for a moment after that.
    pub fn update(&self, policy: &str) -> Update {
        self.update_to(self.setup.clone().with_policy(policy))
    }

    /// As `update`, with `to` in the place of each `from` in the policy that the gateway was started with.
    pub fn update_replacing(&self, from: &str, to: &str) -> Update {
        self.update_to(self.setup.clone().replacing(from, to))
    }

    /// As `update`, with a new VM of the module: what the old one has in its own memory goes with it.
    pub fn update_with_another_vm(&self, policy: &str) -> Update {
        self.update_to(self.setup.clone().with_policy(policy).another_vm())
    }

    fn update_to(&self, setup: Setup) -> Update {
        assert!(self.setup.live, "a gateway for updates is started `live`");
        let accepted = self.admin().statistic(ACCEPTED);
        let rejected = self.admin().statistic(REFUSED);
        self.envoy().files.publish_listeners(&setup.listeners());
        eventually("Envoy's word on the update", || {
            if self.admin().statistic(REFUSED) > rejected {
                return Some(Update::Rejected);
            }
            let taken = self.admin().statistic(ACCEPTED) > accepted;
            let warm = self.admin().statistic(WARMING) == 0;
            (taken && warm).then_some(Update::Accepted)
        })
    }
}
