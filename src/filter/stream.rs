//! One request on its way through the filter.

use super::host::{Host, REJECTION, SharedData, StreamRequest, StreamResponse, new_id};
use super::worker::Worker;
use crate::decision::Decision;
use crate::http::Response;
use crate::reply::{ReplyRules, is_limit_header};
use crate::table::Table;
use std::cell::RefCell;
use std::rc::Rc;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It goes on to the next filter.
    Continue,
    /// It was answered here.
    Answered,
}

/// A request, from its headers to the end of its stream.
pub(super) struct TollgateStream<H: Host> {
    worker: Option<Rc<RefCell<Worker<H>>>>,
    decision: Option<Decision>,
}

impl<H: Host> TollgateStream<H> {
    pub fn new(worker: Option<Rc<RefCell<Worker<H>>>>) -> TollgateStream<H> {
        TollgateStream { worker, decision: None }
    }

    /// The request's headers have come: decides about it, and answers it if it is rejected.
    pub fn request(&mut self, stream: H::Stream) -> Flow {
        let Some(worker) = &self.worker else { return Flow::Continue };
        let Worker { host, engine, replies, clock, metrics, table, .. } = &mut *worker.borrow_mut();
        let (host, now) = (*host, clock.now::<H>());
        let request = StreamRequest { host, stream };
        let decide = |table: &mut Table| engine.decide(&request, &mut table.begin(&SharedData(host), now));
        let Some(decision) = table.with(decide) else { return Flow::Continue };
        metrics.count(replies, &decision);
        if let Some(line) = replies.access_line(&decision) {
            host.set_filter_state(stream, "tollgate", &line);
        }
        let flow = if decision.rejected() { reject(request, replies, &decision) } else { Flow::Continue };
        self.decision = Some(decision);
        flow
    }

    /// The response's headers have come: counts what depends on them, removes those that are not for the
    /// client, and adds the limit headers.
    pub fn response(&mut self, stream: H::Stream) {
        let Some(worker) = &self.worker else { return };
        let Worker { host, engine, replies, clock, metrics, removed_headers, table } =
            &mut *worker.borrow_mut();
        let host = *host;
        let response = StreamResponse { host, stream };
        if let Some(decision) = &mut self.decision {
            if decision.rejected() {
                return; // the reply is our own, and has all that it needs
            }
            if engine.awaits_response(decision) {
                let now = clock.now::<H>();
                let unread = table.with(|table| {
                    engine.on_response(decision, &response, &mut table.begin(&SharedData(host), now))
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
        let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) else { return };
        let Worker { host, engine, clock, table, .. } = &*worker.borrow();
        if engine.awaits_stream_end(decision) {
            let now = clock.now::<H>();
            table.with(|table| engine.on_stream_end(decision, &mut table.begin(&SharedData(*host), now)));
        }
    }
}

/// Answers a rejected request in the upstream's place.
#[inline(never)]
fn reject<H: Host>(request: StreamRequest<H>, replies: &ReplyRules, decision: &Decision) -> Flow {
    match replies.reply(decision, &request, new_id::<H>) {
        Some(reply) => {
            let reply = reply.with_limit_headers(replies.limit_headers(decision));
            let mut digits = itoa::Buffer::new();
            request.host.set_filter_state(request.stream, REJECTION, digits.format(reply.status));
            request.host.reply(request.stream, &reply);
            Flow::Answered
        }
        None => Flow::Continue,
    }
}

fn set_limit_headers<H: Host>(response: StreamResponse<H>, replies: &ReplyRules, decision: &Decision) {
    let StreamResponse { host, stream } = response;
    let headers = replies.limit_headers(decision);
    if replies.removes_limit_headers() {
        response.remove_headers(is_limit_header);
    }
    // Another Tollgate's rejection says what it has to say. These headers would contradict it: a 429 with
    // units left.
    if headers.is_empty() || response.rejection().is_some() {
        return;
    }
    let keep = replies.keeps_limit_headers();
    // The upstream's are one statement: with any of them kept, ours would contradict it.
    if !(keep && headers.iter().any(|(name, _)| host.response_header(stream, name).is_some())) {
        headers.iter().for_each(|(name, value)| host.set_response_header(stream, name, value));
    }
}
