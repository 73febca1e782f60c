//! The limit of what is in flight, beside those of the rate: FP-1, FP-14.

use super::*;
use crate::harness::{Call, InFlight, Upstream, eventually, within};
use std::time::Duration;

const QUOTA: usize = 20;

/// In the class of lists, and as slow as the test wants it.
const SLOW: &str = "/v2/held";
const QUICK: &str = "/v2/invoices";
const LIST_QUOTA: usize = 120;

/// Far less than the 30 seconds after which what a worker has in flight is no longer believed.
const SOON: Duration = Duration::from_secs(10);

fn slow() -> (Gateway, Upstream) {
    let upstream = Upstream::answering(&[]);
    (in_force().upstream(upstream.address()).start(), upstream)
}

/// Puts so many requests in flight.
fn fly(request: &Request, upstream: &Upstream, count: usize) -> Vec<(InFlight, Call)> {
    let one = |_| {
        let client = request.begin();
        let call = eventually("the request at the upstream", || {
            assert!(!client.answered(), "rejected, or answered by nobody");
            upstream.next_call()
        });
        (client, call)
    };
    (0..count).map(one).collect()
}

#[test]
fn fp_1_twenty_may_be_in_flight_and_when_they_have_ended_twenty_more() {
    let (gateway, upstream) = slow();
    let ip = new_ip();
    let (slow, quick) = (gateway.get(SLOW).from(ip), gateway.get(QUICK).from(ip));
    let flights = fly(&slow, &upstream, QUOTA);
    assert_eq!(quick.admitted_of(5), 0);
    assert_eq!(gateway.get(QUICK).from(new_ip()).send().status, 200, "others are not concerned");

    for (number, (client, call)) in flights.into_iter().enumerate() {
        // Answered, failed, left by the client, reset by the upstream.
        match number % 4 {
            0 => call.answer(200),
            1 => call.answer(500),
            2 => client.leave(),
            _ => call.reset(),
        }
    }
    within(SOON, "room for all again", || {
        let clients: Vec<_> = (0..QUOTA).map(|_| slow.begin()).collect();
        let mut calls = Vec::new();
        eventually("a rejection, or all at the upstream", || {
            calls.extend(upstream.next_call());
            let rejected = clients.iter().any(InFlight::answered);
            (rejected || calls.len() == QUOTA).then_some(())
        });
        (calls.len() == QUOTA).then_some(())
    });
}

#[test]
fn fp_1_the_rate_limits_what_passes_one_by_one() {
    let (gateway, _upstream) = slow();
    assert_eq!(gateway.get(QUICK).from(new_ip()).admitted_of(LIST_QUOTA + 10), LIST_QUOTA);
}

#[test]
fn fp_1_what_is_rejected_for_being_too_many_at_once_spends_nothing_of_the_rate() {
    let (gateway, upstream) = slow();
    let ip = new_ip();
    let quick = gateway.get(QUICK).from(ip);
    let flights = fly(&gateway.get(SLOW).from(ip), &upstream, QUOTA);
    assert_eq!(quick.admitted_of(50), 0);
    for (client, call) in flights {
        call.answer(200);
        assert_eq!(client.response().status, 200);
    }
    within(SOON, "room again", || (quick.send().status == 200).then_some(()));
    assert_eq!(quick.admitted_of(LIST_QUOTA), LIST_QUOTA - QUOTA - 1);
}

#[test]
fn fp_14_a_rejection_for_being_too_many_at_once_tells_the_configured_wait() {
    let (gateway, upstream) = slow();
    let ip = new_ip();
    let flights = fly(&gateway.get(SLOW).from(ip), &upstream, QUOTA);
    let rejected = gateway.get(QUICK).from(ip).send();
    assert_eq!((rejected.status, rejected.retry_after()), (429, 1));
    rejection::assert_tells_the_wait_and_nothing_else(&rejected);
    drop(flights);
}
