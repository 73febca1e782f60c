//! A further period of refusals after the first excess: BI-6.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Request, Response, Setup, new_key, per_key};

const QUOTA: usize = 2;

fn blocking() -> Gateway {
    Setup::yaml(per_key(QUOTA as u32, "1s") + "    block_for: 6s\n").start()
}

/// The first refusal of this caller, who has used up what it may.
fn first_excess(request: &Request) -> Response {
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
    let refused = request.send();
    assert_eq!(refused.status, 429);
    refused
}

#[test]
fn bi_6_after_the_first_excess_a_caller_is_refused_for_the_further_period_and_no_longer() {
    let gateway = blocking();
    let request = gateway.get("/").key(new_key());
    let refused = first_excess(&request);
    assert_eq!(refused.retry_after(), 6, "{refused:?}");

    // The limit itself would long admit it again. What is tried meanwhile prolongs nothing.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(request.admitted_of(5), 0);
    let refused = request.send();
    assert!(refused.retry_after() <= 4, "{refused:?}");
    assert_eq!(gateway.get("/").key(new_key()).send().status, 200, "nobody else is refused");

    thread::sleep(Duration::from_secs(refused.retry_after()));
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
}

#[test]
fn bi_6_without_block_for_a_caller_is_admitted_as_soon_as_the_limit_allows() {
    let gateway = Setup::yaml(per_key(QUOTA as u32, "1s")).start();
    let request = gateway.get("/").key(new_key());
    let refused = first_excess(&request);
    assert_eq!(refused.retry_after(), 1, "{refused:?}");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(request.send().status, 200);
}
