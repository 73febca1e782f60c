//! A question that waits for the fleet's service.

use super::question::Question;
use super::{answer, reply};
use crate::filter::fleet;
use crate::filter::host::Host;
use crate::filter::request::Flow;
use crate::filter::waiting::Waits;
use crate::filter::worker::Worker;
use crate::identity::Identity;
use crate::time::{Micros, SECOND};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The service is asked this often: to join the fleet, and about each policy at most twice.
const MAX_ASKS: u32 = 4;

/// How long an operator waits at most.
const PATIENCE: Micros = 5 * SECOND;

/// A question that waits.
pub(super) struct WaitingQuestion<H: Host> {
    worker: Rc<RefCell<Worker<H>>>,
    /// Its stream's context.
    context: u32,
    question: Question,
    asks: Cell<u32>,
    since: Micros,
    /// Whether it is answered, or nobody needs an answer any more.
    is_over: Cell<bool>,
}

impl<H: Host> WaitingQuestion<H> {
    pub fn new(worker: &Rc<RefCell<Worker<H>>>, context: u32, question: Question) -> Rc<WaitingQuestion<H>> {
        let (worker, since) = (worker.clone(), H::monotonic_time());
        let (asks, is_over) = (Cell::new(1), Cell::new(false));
        Rc::new(WaitingQuestion { worker, context, question, asks, since, is_over })
    }

    /// Has the service asked, and pauses the request, unless that fails at once.
    pub fn pause(&self) -> Flow {
        fleet::send_for(&self.worker, self.context);
        if self.is_over.get() { Flow::Answered } else { Flow::Paused }
    }

    /// The operator has left.
    pub fn leave(&self) {
        self.is_over.set(true);
    }

    /// Answers with what this worker knows.
    pub fn answer_now(&self, stream: H::Stream) {
        self.answer(stream, false);
    }

    fn answer(&self, stream: H::Stream, may_ask: bool) -> Option<Identity> {
        let (host, answered) = {
            let worker = self.worker.borrow();
            (worker.host, answer(&worker, &self.question, may_ask))
        };
        match answered {
            Ok(body) => {
                self.is_over.set(true);
                reply(host, stream, body);
                None
            }
            Err(caller) => Some(caller),
        }
    }
}

impl<H: Host> Waits for WaitingQuestion<H> {
    fn decide(&self, now: Micros) -> Option<Identity> {
        let asks = self.asks.get();
        self.asks.set(asks + 1);
        let may_ask = asks < MAX_ASKS && !self.is_late(now);
        let stream = self.worker.borrow().host.enter(self.context);
        self.answer(stream, may_ask)
    }

    fn decide_now(&self) {
        let stream = self.worker.borrow().host.enter(self.context);
        self.answer_now(stream);
    }

    fn is_over(&self) -> bool {
        self.is_over.get()
    }

    fn is_late(&self, now: Micros) -> bool {
        let worker = self.worker.borrow();
        let has_no_root = worker.fleet.as_ref().is_none_or(|fleet| fleet.root.is_none());
        has_no_root || now.saturating_sub(self.since) >= PATIENCE
    }
}
