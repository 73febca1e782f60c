//! A gateway and the upstream behind it, which says what really reached it: of clients that hang up, and of
//! clients that all come at once.

use std::thread;
use std::time::Duration;

use super::bootstrap::Setup;
use super::gateway::Gateway;
use super::in_flight::InFlight;
use super::request::Request;
use super::upstream::Upstream;
use super::wait::eventually;

/// How long the upstream has had a request when its client leaves.
const PATIENCE: Duration = Duration::from_millis(20);

/// Far longer than a client waits who hangs up, and no longer than Envoy waits.
const SLOW: Duration = Duration::from_secs(10);

pub struct Served {
    pub gateway: Gateway,
    pub upstream: Upstream,
}

impl Setup {
    /// Starts it in front of an upstream of its own.
    pub fn start_served(self) -> Served {
        let upstream = Upstream::answering(&[]);
        let gateway = self.upstream(upstream.address()).start();
        Served { gateway, upstream }
    }
}

impl Served {
    /// How many requests reach the upstream while this is done?
    pub fn arrivals(&self, act: impl FnOnce()) -> usize {
        let before = self.upstream.requests();
        act();
        self.upstream.requests() - before
    }

    /// Sends them all at once, each on a connection of its own, and hangs up on those that have reached the
    /// upstream, which is slow. Answers how many have, after Envoy has seen that their clients are gone.
    pub fn hung_up(&self, requests: &[Request]) -> usize {
        let slow = requests.iter().map(|request| request.clone().answered_after(SLOW));
        let (clients, arrived) = self.begun(&slow.collect::<Vec<_>>());
        thread::sleep(PATIENCE);
        drop(clients);
        self.gateway.until_idle();
        arrived
    }

    /// Sends them all at once for [`super::HELD`], each on a connection of its own. When none is under way
    /// any more, the upstream answers those that it has with this status. The statuses that the clients get,
    /// in order.
    pub fn at_once(&self, requests: &[Request], status: u16) -> Vec<u16> {
        let (clients, arrived) = self.begun(requests);
        for _ in 0..arrived {
            eventually("a call", || self.upstream.next_call()).answer(status);
        }
        clients.into_iter().map(|client| client.response().status).collect()
    }

    /// Sends requests and waits until each has reached the upstream or been answered. Also, how many have
    /// reached it.
    fn begun(&self, requests: &[Request]) -> (Vec<InFlight>, usize) {
        let before = self.upstream.requests();
        let arrived = || self.upstream.requests() - before;
        let clients: Vec<_> = requests.iter().map(Request::begin).collect();
        eventually("each request at the upstream, or answered", || {
            let answered = clients.iter().filter(|client| client.answered()).count();
            (answered + arrived() >= clients.len()).then_some(())
        });
        (clients, arrived())
    }
}
