//! The requests of all configurations of a VM that wait for units of one fleet.

use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::time::Micros;
use std::collections::VecDeque;
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
    /// Those that no longer wait for units, and are decided next.
    ready: VecDeque<Rc<dyn Waits>>,
    /// How many wait for units.
    number: usize,
}

impl Waiting {
    /// Adds a request. `false`: too many wait.
    pub fn add(&mut self, caller: Identity, request: Rc<dyn Waits>) -> bool {
        let room = self.number + self.ready.len() < MAX_WAITING;
        let Some(requests) = self.requests.open(caller, usize::MAX).filter(|_| room) else { return false };
        requests.push(request);
        self.number += 1;
        true
    }

    /// The requests that wait for a caller's units are to be decided.
    pub fn free(&mut self, caller: Identity) {
        let requests = self.requests.remove(caller).unwrap_or_default();
        self.number -= requests.len();
        self.ready.extend(requests);
    }

    /// The requests that have waited for as long as they may are to be decided. Those whose clients have left are
    /// dropped.
    pub fn free_late(&mut self, now: Micros) {
        let mut number = 0;
        self.requests.each_mut(|requests| {
            let late = requests.extract_if(.., |request| request.is_over() || request.is_late(now));
            self.ready.extend(late.filter(|request| !request.is_over()));
            number += requests.len();
        });
        self.number = number;
        for caller in self.callers() {
            if self.requests.get(caller).is_some_and(Vec::is_empty) {
                self.requests.remove(caller);
            }
        }
    }

    /// Takes the next request that is to be decided. Those whose clients have left are dropped.
    pub fn next(&mut self) -> Option<Rc<dyn Waits>> {
        loop {
            let request = self.ready.pop_front()?;
            if !request.is_over() {
                return Some(request);
            }
        }
    }

    /// Whether requests are to be decided.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The callers whose units requests wait for.
    pub fn callers(&self) -> Vec<Identity> {
        self.requests.iter().map(|(caller, _)| caller).collect()
    }
}
