//! How long a rejected caller is told to wait, and that the wait is true.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Response, Setup, eventually, new_key, per_key};

/// 60 days, further than most clients can sleep.
const LONG_WINDOW: &str = "60d";
const LONGEST_WAIT: u64 = 2_147_483;

#[test]
fn x_2_a_request_exactly_retry_after_later_is_admitted() {
    let gateway = Setup::yaml(per_key(2, "3s")).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(2), 2);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);

    // The one wait of these tests that is real: it is what the promise is about.
    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.send().status, 200);
}

#[test]
fn x_9_retry_after_is_never_zero_not_even_for_the_last_fraction_of_a_second() {
    let gateway = Setup::yaml(per_key(1, "1s")).start();
    let request = gateway.get("/").key(new_key());
    let mut connection = request.connect();
    let mut next = || connection.exchange(&request);
    assert_eq!(next().status, 200);
    assert_eq!(next().status, 429);
    // Rejections all through the second that the window lasts.
    eventually("the window's end", || {
        let response = next();
        if response.status == 200 {
            return Some(());
        }
        assert_eq!(response.retry_after(), 1, "{response:?}");
        None
    });
}

#[test]
fn x_9_retry_after_covers_the_whole_wait() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let rejected = rejection(&gateway);
    assert!((3_500..=3_600).contains(&rejected.retry_after()), "{rejected:?}");
}

#[test]
fn x_9_retry_after_is_capped_where_clients_would_overflow() {
    let gateway = Setup::yaml(per_key(1, LONG_WINDOW)).start();
    assert_eq!(rejection(&gateway).retry_after(), LONGEST_WAIT);
}

#[test]
fn x_9_with_a_higher_cap_the_whole_wait_is_told() {
    let policy = per_key(1, LONG_WINDOW) + "retry_after: { max: 31622400 }\n";
    let gateway = Setup::yaml(policy).start();
    let told = rejection(&gateway).retry_after();
    assert!((60 * 86_400 - 100..=60 * 86_400).contains(&told), "told {told} s");
}

#[test]
fn x_9_the_cap_on_retry_after_is_configurable() {
    let policy = per_key(1, "1h") + "retry_after: { max: 5 }\n";
    let gateway = Setup::yaml(policy).start();
    assert_eq!(rejection(&gateway).retry_after(), 5);
}

#[test]
fn x_9_only_a_rejection_has_retry_after() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let request = gateway.get("/").key(new_key());
    let admitted = request.send();
    assert_eq!(admitted.status, 200);
    admitted.lacks("retry-after");
    assert_eq!(request.send().values("retry-after").len(), 1);
}

/// The answer to the second request of a new key.
fn rejection(gateway: &Gateway) -> Response {
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.send().status, 200);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected
}

/// With `count: all` a window has slots of many milliseconds.
#[test]
fn a_client_that_waits_as_it_is_told_is_served_although_rejections_count() {
    let policy = per_key(3, "2s").replace("limits:", "count: all\n    limits:");
    let gateway = Setup::yaml(policy + "headers: { preset: ietf }\n").start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(3), 3);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert!(rejected.retry_after() <= 2, "{rejected:?}");
    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.send().status, 200);
}
