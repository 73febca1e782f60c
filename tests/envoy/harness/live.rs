//! A new policy for a gateway that is serving, by Envoy's listener discovery from a file.

use super::gateway::Gateway;
use super::wait::eventually;

/// What Envoy made of an update.
#[derive(Debug, PartialEq, Eq)]
pub enum Update {
    Accepted,
    Refused,
}

const ACCEPTED: &str = "listener_manager.lds.update_success";
const REFUSED: &str = "listener_manager.lds.update_rejected";
const WARMING: &str = "listener_manager.total_listeners_warming";

impl Gateway {
    /// Replaces the policy, leaving everything else, and waits for Envoy's word on it. A worker may still serve by the
    /// old policy for a moment after that.
    pub fn update(&self, policy: &str) -> Update {
        assert!(self.setup.live, "a gateway for updates is started `live`");
        let accepted = self.admin.statistic(ACCEPTED);
        let refused = self.admin.statistic(REFUSED);
        let listeners = self.setup.clone().with_policy(policy).listeners();
        self.files.publish_listeners(&listeners);
        eventually("Envoy's word on the update", || {
            if self.admin.statistic(REFUSED) > refused {
                return Some(Update::Refused);
            }
            let taken = self.admin.statistic(ACCEPTED) > accepted;
            let warm = self.admin.statistic(WARMING) == 0;
            (taken && warm).then_some(Update::Accepted)
        })
    }
}
