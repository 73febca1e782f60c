//! One request on its way through the filter.

use super::host::{Host, SharedData, StreamResponse};
use super::request::{Flow, conclude, decide};
use super::waiting_request::WaitingRequest;
use super::worker::Worker;
use crate::decision::Decision;
use crate::http::Response;
use crate::reply::{ReplyRules, is_limit_header};
use std::cell::RefCell;
use std::rc::Rc;

/// A request, from its headers to the end of its stream.
pub(super) struct TollgateStream<H: Host> {
    worker: Option<Rc<RefCell<Worker<H>>>>,
    decision: Option<Decision>,
    /// The stream's context.
    context: u32,
    /// Set if the request has waited for units of the fleet: its decision comes by this way.
    waiting: Option<Rc<WaitingRequest<H>>>,
}

impl<H: Host> TollgateStream<H> {
    pub fn new(worker: Option<Rc<RefCell<Worker<H>>>>, context: u32) -> TollgateStream<H> {
        TollgateStream { worker, decision: None, context, waiting: None }
    }

    /// The request's headers have come: decides about it, and answers it if it is rejected.
    pub fn request(&mut self, stream: H::Stream) -> Flow {
        let Some(worker) = &self.worker else { return Flow::Continue };
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
        let Worker { host, engine, replies, clock, metrics, removed_headers, table, fleet, .. } =
            &mut *worker.borrow_mut();
        let host = *host;
        let response = StreamResponse { host, stream };
        if let Some(decision) = &mut self.decision {
            if decision.rejected() {
                return; // the reply is our own, and has all that it needs
            }
            if engine.awaits_response(decision) {
                let now = clock.now::<H>();
                let mut member = fleet.as_ref().map(|fleet| fleet.membership.member.borrow_mut());
                let unread = table.with(|table| {
                    let store = SharedData(host);
                    let mut transaction = table.begin(&store, now).in_fleet(member.as_deref_mut(), false);
                    engine.on_response(decision, &response, &mut transaction)
                });
                metrics.count_unread(&unread.unwrap_or_default());
            } else if replies.counts_from_now() {
                decision.as_of = clock.now::<H>();
            }
        }
        // Whether or not a policy applied: what the upstream reports is not for clients.
        removed_headers.iter().for_each(|name| host.remove_response_header(stream, name.as_bytes()));
        if let Some(decision) = &self.decision {
            set_limit_headers(response, replies, decision);
        }
    }
}

/// The end of the stream, however it came: the response is sent, the client has left, or it timed out.
impl<H: Host> Drop for TollgateStream<H> {
    fn drop(&mut self) {
        self.take_decision();
        if let Some(waiting) = &self.waiting {
            waiting.leave();
        }
        let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) else { return };
        let Worker { host, engine, clock, table, fleet, .. } = &*worker.borrow();
        if engine.awaits_stream_end(decision) {
            let now = clock.now::<H>();
            let mut member = fleet.as_ref().map(|fleet| fleet.membership.member.borrow_mut());
            table.with(|table| {
                let store = SharedData(*host);
                let mut transaction = table.begin(&store, now).in_fleet(member.as_deref_mut(), false);
                engine.on_stream_end(decision, &mut transaction);
            });
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
