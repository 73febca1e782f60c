//! The requests of all configurations of a VM that wait for units of one fleet.

use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::time::Micros;
use std::rc::Rc;

/// The most requests that wait at once. Further ones are decided without the service.
const MAX_WAITING: usize = 16_384;

/// A request that waits for units.
pub(super) trait Waits {
    /// Decides the request. Returns the caller whose units it has to wait for again, if it has to.
    fn decide(&self, now: Micros) -> Option<Identity>;

    /// Decides the request without further units.
    fn decide_now(&self);

    /// Whether nobody needs a decision any more: the client has left.
    fn is_over(&self) -> bool;

    /// Whether it has waited for as long as it may.
    fn is_late(&self, now: Micros) -> bool;
}

/// The requests that wait, by the caller whose units they wait for.
#[derive(Default)]
pub(super) struct Waiting {
    requests: IdentityMap<Vec<Rc<dyn Waits>>>,
    number: usize,
}

impl Waiting {
    /// Adds a request. `false`: too many wait.
    pub fn add(&mut self, caller: Identity, request: Rc<dyn Waits>) -> bool {
        let room = self.number < MAX_WAITING;
        let Some(requests) = self.requests.open(caller, usize::MAX).filter(|_| room) else { return false };
        requests.push(request);
        self.number += 1;
        true
    }

    /// Takes the requests that wait for a caller's units.
    pub fn take(&mut self, caller: Identity) -> Vec<Rc<dyn Waits>> {
        let requests = self.requests.remove(caller).unwrap_or_default();
        self.number -= requests.len();
        requests
    }

    /// Takes the requests that have waited for as long as they may. Those whose clients have left are dropped.
    pub fn take_late(&mut self, now: Micros) -> Vec<Rc<dyn Waits>> {
        let mut late = Vec::new();
        let mut number = 0;
        self.requests.each_mut(|requests| {
            late.extend(requests.extract_if(.., |request| request.is_over() || request.is_late(now)));
            number += requests.len();
        });
        self.number = number;
        for caller in self.callers() {
            if self.requests.get(caller).is_some_and(Vec::is_empty) {
                self.requests.remove(caller);
            }
        }
        late.retain(|request| !request.is_over());
        late
    }

    /// The callers whose units requests wait for.
    pub fn callers(&self) -> Vec<Identity> {
        self.requests.iter().map(|(caller, _)| caller).collect()
    }
}
