//! One request that waits for units of the fleet. The client may leave before they come.

use super::fleet;
use super::host::Host;
use super::request::{Flow, conclude, decide};
use super::waiting::Waits;
use super::worker::Worker;
use crate::decision::Decision;
use crate::identity::Identity;
use crate::time::Micros;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// A request asks this often. Its units may have gone to another one.
const MAX_ASKS: u32 = 3;

/// A request that waits for units.
pub(super) struct WaitingRequest<H: Host> {
    worker: Rc<RefCell<Worker<H>>>,
    /// Its stream's context.
    context: u32,
    state: RefCell<State>,
    asks: Cell<u32>,
    /// When it began to wait.
    since: Micros,
    /// Whether the host knows that the stream waits.
    paused: Cell<bool>,
}

#[derive(Default)]
enum State {
    #[default]
    Waits,
    Decided(Flow, Decision),
    /// The client has left, or the decision was taken.
    Over,
}

impl<H: Host> WaitingRequest<H> {
    pub fn new(worker: &Rc<RefCell<Worker<H>>>, context: u32) -> Rc<WaitingRequest<H>> {
        Rc::new(WaitingRequest {
            worker: worker.clone(),
            context,
            state: RefCell::default(),
            asks: Cell::new(1),
            since: H::monotonic_time(),
            paused: Cell::new(false),
        })
    }

    /// Has the calls sent that the request waits for, and pauses it, unless they have failed at once.
    #[inline(never)]
    pub fn pause(&self) -> Flow {
        fleet::send_for(&self.worker, self.context);
        match &*self.state.borrow() {
            State::Decided(flow, _) => *flow,
            State::Waits | State::Over => {
                self.paused.set(true);
                Flow::Paused
            }
        }
    }

    /// The decision, once. `None`: the request still waits.
    pub fn take(&self) -> Option<Decision> {
        match self.state.replace(State::Over) {
            State::Decided(_, decision) => Some(decision),
            State::Waits => {
                self.state.replace(State::Waits);
                None
            }
            State::Over => None,
        }
    }

    /// The client has left.
    pub fn leave(&self) {
        self.state.replace(State::Over);
    }

    fn decide(&self, may_wait: bool) -> Option<Identity> {
        let worker = &mut *self.worker.borrow_mut();
        let stream = worker.host.enter(self.context);
        let decision = match decide(worker, stream, may_wait) {
            Ok(decision) => decision?,
            Err(caller) => return Some(caller),
        };
        let flow = conclude(worker, stream, &decision);
        self.state.replace(State::Decided(flow, decision));
        if flow == Flow::Continue && self.paused.get() {
            worker.host.resume(self.context);
        }
        None
    }
}

impl<H: Host> Waits for WaitingRequest<H> {
    fn decide(&self, now: Micros) -> Option<Identity> {
        let asks = self.asks.get();
        self.asks.set(asks + 1);
        self.decide(asks < MAX_ASKS && !self.is_late(now))
    }

    fn decide_now(&self) {
        self.decide(false);
    }

    fn is_over(&self) -> bool {
        !matches!(*self.state.borrow(), State::Waits)
    }

    fn is_late(&self, now: Micros) -> bool {
        let waited = Duration::from_micros(now.saturating_sub(self.since));
        let worker = self.worker.borrow();
        worker.fleet.as_ref().is_none_or(|fleet| fleet.root.is_none() || waited >= fleet.timeout)
    }
}
