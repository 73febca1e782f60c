//! One request on its way through the filter.

use super::host::{Host, StreamResponse};
use super::operator::OperatorStream;
use super::request::{Flow, conclude, decide};
use super::waiting_request::WaitingRequest;
use super::worker::Worker;
use crate::body::{BodyFormat, BodyReader};
use crate::decision::Decision;
use crate::engine::Trailers;
use crate::http::Response;
use crate::reply::{ReplyRules, is_limit_header};
use crate::rules::BodySeen;
use std::cell::RefCell;
use std::rc::Rc;

/// A request, from its headers to the end of its stream.
pub(super) struct TollgateStream<H: Host> {
    worker: Option<Rc<RefCell<Worker<H>>>>,
    /// Set in place of `worker` if an operator is answered. Boxed, since few streams are.
    operator: Option<Box<OperatorStream<H>>>,
    decision: Option<Decision>,
    /// The stream's context.
    context: u32,
    /// Set if the request has waited for units of the fleet: its decision comes by this way.
    waiting: Option<Rc<WaitingRequest<H>>>,
    /// Reads the body of the response, if a policy awaits what it reports.
    body: Option<Box<BodyReader>>,
}

/// So much of a body is copied from the host at once.
const PIECE: usize = 64 * 1024;

impl<H: Host> TollgateStream<H> {
    pub fn new(worker: Option<Rc<RefCell<Worker<H>>>>, context: u32) -> TollgateStream<H> {
        TollgateStream { worker, operator: None, decision: None, context, waiting: None, body: None }
    }

    /// A request of an operator.
    pub fn of_operator(worker: Option<Rc<RefCell<Worker<H>>>>, context: u32) -> TollgateStream<H> {
        let operator = worker.map(|worker| Box::new(OperatorStream::new(worker, context)));
        let (decision, waiting, body) = (None, None, None);
        TollgateStream { worker: None, operator, decision, context, waiting, body }
    }

    /// The request's headers have come: decides about it, and answers it if it is rejected.
    pub fn request(&mut self, stream: H::Stream) -> Flow {
        let Some(worker) = &self.worker else {
            return self.operator.as_mut().map_or(Flow::Continue, |operator| operator.request(stream));
        };
        let mut borrowed = worker.borrow_mut();
        let mut decided = decide(&mut borrowed, stream, true);
        if let Err(caller) = decided {
            let waiting = WaitingRequest::new(worker, self.context);
            if borrowed.fleet.as_ref().is_some_and(|fleet| fleet.wait(caller, waiting.clone())) {
                drop(borrowed);
                let flow = waiting.pause();
                self.waiting = Some(waiting);
                self.take_decision();
                return flow;
            }
            decided = decide(&mut borrowed, stream, false);
        }
        let Ok(Some(decision)) = decided else {
            // Nothing was decided, so nothing the client says about it goes on.
            if let Some(name) = &borrowed.replies.shadow_header {
                borrowed.host.replace_request_header(stream, name, None);
            }
            return Flow::Continue;
        };
        let flow = conclude(&mut borrowed, stream, &decision);
        self.decision = Some(decision);
        flow
    }

    /// If the request has waited, takes over what was decided then.
    pub(super) fn take_decision(&mut self) {
        if let Some(decision) = self.waiting.as_ref().and_then(|waiting| waiting.take()) {
            self.decision = Some(decision);
            self.waiting = None;
        }
    }

    /// The response's headers have come: counts what depends on them, removes those that are not for the
    /// client, and adds the limit headers.
    pub fn response(&mut self, stream: H::Stream) {
        self.take_decision();
        let Some(worker) = &self.worker else { return };
        let worker = &mut *worker.borrow_mut();
        let host = worker.host;
        let response = StreamResponse { host, stream };
        if let Some(decision) = &mut self.decision {
            if decision.rejected() {
                return; // the reply is our own, and has all that it needs
            }
            if worker.engine.awaits_response(decision) {
                worker.settle_request(|engine, transaction| {
                    engine.on_response(decision, &response, transaction)
                });
            } else if worker.replies.counts_from_now() {
                decision.as_of = worker.clock.now::<H>();
            }
        }
        // Whether or not a policy applied: what the upstream reports is not for clients.
        let removed = worker.removed_headers.iter();
        removed.for_each(|name| host.remove_response_header(stream, name.as_bytes()));
        if let Some(decision) = &self.decision {
            set_limit_headers(response, &worker.replies, decision);
        }
        if worker.engine.reads_bodies()
            && let Some(decision) = self.decision.as_mut().filter(|decision| decision.awaits_body())
        {
            self.body = begin_body(worker, response, decision);
        }
    }

    /// A piece of the response's body has come, of `size` bytes; `ends`: it is the last one.
    #[inline]
    pub fn response_body(&mut self, stream: H::Stream, size: usize, ends: bool) {
        if self.body.is_some() {
            self.read_body(stream, size);
            if ends {
                self.response_ended();
            }
        }
    }

    #[inline(never)]
    fn read_body(&mut self, stream: H::Stream, size: usize) {
        let (Some(worker), Some(body)) = (&self.worker, &mut self.body) else { return };
        let Worker { host, engine, .. } = &*worker.borrow();
        for start in (0..size).step_by(PIECE) {
            let piece = host.response_body(stream, start, PIECE.min(size.saturating_sub(start)));
            body.read(&piece, &engine.rules().pointers);
        }
    }

    /// The response is complete.
    pub fn response_ended(&mut self) {
        if let Some(body) = self.body.take() {
            self.settle(BodySeen::Whole(body.values()));
        }
    }

    /// Counts what the body has reported.
    #[inline(never)]
    fn settle(&mut self, body: BodySeen<'_>) {
        if let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) {
            let worker = &mut *worker.borrow_mut();
            worker.settle_request(|engine, transaction| engine.on_body(decision, body, transaction));
        }
    }
}

/// The reader of the response's body. `None`: it cannot be read, and the request is settled without it.
#[inline(never)]
fn begin_body<H: Host>(
    worker: &mut Worker<H>,
    response: StreamResponse<H>,
    decision: &mut Decision,
) -> Option<Box<BodyReader>> {
    let [encoding, media_type] = ["content-encoding", "content-type"].map(|name| response.header(name));
    match BodyFormat::of(encoding.as_deref(), media_type.as_deref()) {
        Ok(format) => Some(Box::new(BodyReader::new(format, &worker.engine.rules().pointers))),
        Err(why) => {
            let body = BodySeen::Unreadable(why);
            worker.settle_request(|engine, transaction| engine.on_body(decision, body, transaction));
            None
        }
    }
}

impl<H: Host> TollgateStream<H> {
    /// The response's trailers have come: counts what depends on them, and removes those that are not for the
    /// client.
    #[inline(never)]
    pub fn trailers(&mut self, stream: H::Stream) {
        let Some(worker) = &self.worker else { return };
        let host = worker.borrow().host;
        self.settle_trailers(Some(&|name| host.response_trailer(stream, name)));
        let Some(worker) = &self.worker else { return };
        let removed = &worker.borrow().removed_trailers;
        removed.iter().for_each(|name| host.remove_response_trailer(stream, name.as_bytes()));
    }

    /// The response is complete, and has no trailers.
    #[inline]
    pub fn ends_without_trailers(&mut self) {
        if self.decision.as_ref().is_some_and(Decision::awaits_trailers) {
            self.settle_trailers(Some(&|_| None));
        }
    }

    /// Counts what depends on the response's trailers. `None`: it broke off before they came.
    #[inline(never)]
    fn settle_trailers(&mut self, trailers: Option<Trailers<'_>>) {
        let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) else { return };
        if !decision.awaits_trailers() {
            return;
        }
        let worker = &mut *worker.borrow_mut();
        worker.settle_request(|engine, transaction| engine.on_trailers(decision, trailers, transaction));
    }
}

/// The end of the stream, however it came: the response is sent, the client has left, or it timed out.
impl<H: Host> Drop for TollgateStream<H> {
    fn drop(&mut self) {
        self.take_decision();
        if let Some(waiting) = &self.waiting {
            waiting.leave();
        }
        if self.decision.as_ref().is_some_and(Decision::awaits_trailers) {
            self.settle_trailers(None);
        }
        if let Some(body) = self.body.take() {
            self.settle(BodySeen::Part(body.values()));
        }
        let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) else { return };
        let worker = worker.borrow();
        if worker.engine.awaits_stream_end(decision) {
            worker.transact(|engine, transaction| engine.on_stream_end(decision, transaction));
        }
    }
}

fn set_limit_headers<H: Host>(response: StreamResponse<H>, replies: &ReplyRules, decision: &Decision) {
    let StreamResponse { host, stream } = response;
    let headers = replies.added_limit_headers(decision, &|name| host.response_header(stream, name).is_some());
    if replies.removes_limit_headers() {
        response.remove_headers(is_limit_header);
    }
    // Another Tollgate's rejection says what it has to say. These headers would contradict it: a 429 with
    // units left.
    if headers.is_empty() || response.rejection().is_some() {
        return;
    }
    headers.iter().for_each(|(name, value)| host.set_response_header(stream, name, value));
}
