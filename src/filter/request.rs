//! The decision about one request, and its reply if it is rejected.

use super::host::{Host, REJECTION, StreamRequest, new_id};
use super::request_headers::RequestHeaders;
use super::worker::Worker;
use crate::decision::Decision;
use crate::identity::Identity;
use crate::reply::ReplyRules;
use crate::table::Table;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It goes on to the next filter.
    Continue,
    /// It was answered here.
    Answered,
    /// It waits for units of the fleet.
    Paused,
}

/// Decides a request. `Ok(None)`: there is no table. `Err`: it has to wait for this caller's units.
#[inline]
pub(super) fn decide<H: Host>(
    worker: &mut Worker<H>,
    stream: H::Stream,
    may_wait: bool,
) -> Result<Option<Decision>, Identity> {
    let Worker { host, engine, clock, table, store, fleet, read_together, .. } = worker;
    let (host, now) = (*host, clock.now::<H>());
    let request = StreamRequest { host, stream, headers: RequestHeaders::new(read_together) };
    let mut member = fleet.as_ref().map(|fleet| fleet.membership.member.borrow_mut());
    let decide = |table: &mut Table| {
        let mut transaction = table.begin(store, now).in_fleet(member.as_deref_mut(), may_wait);
        engine.decide_or_wait(&request, &mut transaction)
    };
    table.with(decide).transpose()
}

/// Counts a decision in the metrics, and answers the request if it is rejected.
#[inline]
pub(super) fn conclude<H: Host>(worker: &mut Worker<H>, stream: H::Stream, decision: &Decision) -> Flow {
    let Worker { host, replies, metrics, .. } = worker;
    let host = *host;
    metrics.count(replies, decision);
    if let Some(line) = replies.access_line(decision) {
        host.set_filter_state(stream, "tollgate", &line);
    }
    match decision.rejected() {
        true => reject(host, stream, replies, decision),
        false => {
            if let Some(name) = &replies.shadow_header {
                host.replace_request_header(stream, name, Some(&replies.shadow_line(decision)));
            }
            Flow::Continue
        }
    }
}

/// Answers a rejected request in the upstream's place.
#[inline(never)]
fn reject<H: Host>(host: H, stream: H::Stream, replies: &ReplyRules, decision: &Decision) -> Flow {
    let request = StreamRequest { host, stream, headers: RequestHeaders::new(&[]) };
    match replies.reply(decision, &request, new_id::<H>) {
        Some(reply) => {
            // Nobody knows how much is left while the fleet's service does not answer.
            let reply = match decision.unavailable() {
                true => reply,
                false => reply.with_limit_headers(replies.limit_headers(decision)),
            };
            let mut digits = itoa::Buffer::new();
            request.host.set_filter_state(request.stream, REJECTION, digits.format(reply.status));
            request.host.reply(request.stream, &reply);
            Flow::Answered
        }
        None => Flow::Continue,
    }
}
