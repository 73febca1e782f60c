//! A further period of rejections after the first excess: BI-6.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Request, Response, Setup, new_key, per_key};

const QUOTA: usize = 2;

fn blocking() -> Gateway {
    Setup::yaml(per_key(QUOTA as u32, "1s") + "    block_for: 6s\n").start()
}

/// The first rejection of this caller, who has used up what it may.
fn first_excess(request: &Request) -> Response {
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected
}

#[test]
fn bi_6_after_the_first_excess_a_caller_is_rejected_for_the_further_period_and_no_longer() {
    let gateway = blocking();
    let request = gateway.get("/").key(new_key());
    let rejected = first_excess(&request);
    assert_eq!(rejected.retry_after(), 6, "{rejected:?}");

    // The limit itself would long admit it again. What is tried meanwhile prolongs nothing.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(request.admitted_of(5), 0);
    let rejected = request.send();
    assert!(rejected.retry_after() <= 4, "{rejected:?}");
    assert_eq!(gateway.get("/").key(new_key()).send().status, 200, "nobody else is rejected");

    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
}

#[test]
fn a_caller_that_exceeds_its_limit_again_and_again_is_blocked_for_longer_each_time() {
    let gateway = Setup::yaml(per_key(1, "1s") + "    block_for: [2s, 4s, 30m]\n").workers(2).start();
    let request = gateway.get("/").key(new_key());
    for length in [2, 4] {
        assert_eq!(request.send().status, 200);
        assert_eq!(request.send().retry_after(), length);
        thread::sleep(Duration::from_millis(length * 1_000 + 20));
    }
    assert_eq!(request.send().status, 200);
    assert_eq!(request.send().retry_after(), 30 * 60);
    thread::sleep(Duration::from_secs(2));
    let wait = request.send().retry_after();
    assert!((1_790..=1_798).contains(&wait), "{wait}: what comes while blocked adds nothing");
    let other = gateway.get("/").key(new_key());
    assert_eq!(other.send().status, 200);
    assert_eq!(other.send().retry_after(), 2, "nobody else's row");
}

#[test]
fn bi_6_without_block_for_a_caller_is_admitted_as_soon_as_the_limit_allows() {
    let gateway = Setup::yaml(per_key(QUOTA as u32, "1s")).start();
    let request = gateway.get("/").key(new_key());
    let rejected = first_excess(&request);
    assert_eq!(rejected.retry_after(), 1, "{rejected:?}");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(request.send().status, 200);
}
