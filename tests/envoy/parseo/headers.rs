//! What every response and every rejection tell: PA-3, PA-4.

use std::thread;

use serde_json::json;

use super::*;
use crate::harness::{free_address, new_ip, unix_time};

const WINDOW: u64 = 60;

#[test]
fn pa_3_every_response_has_the_three_headers_whatever_the_upstream_answers() {
    let gateway = shipped().start();
    let request = list(&gateway).key(SHOP);
    let statuses = [200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503];
    for (status, left) in statuses.into_iter().zip((0..600).rev()) {
        let response = request.clone().answered(status).send();
        assert_eq!((response.status, quota(&response)), (status, (600, left)));
    }
    let head = gateway.request("HEAD", "/external/v1/invoices").key(SHOP).send();
    assert_eq!(quota(&head).0, 600);
}

#[test]
fn pa_3_what_envoy_answers_itself_has_them_too() {
    let nobody = free_address();
    let gateway = shipped().upstream(nobody).start();
    let response = list(&gateway).key(SHOP).send();
    assert_eq!((response.status, quota(&response)), (503, (600, 599)));
}

#[test]
fn pa_3_a_rejection_has_them_too() {
    let gateway = small(3, "60s").start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(request.admitted_of(3), 3);
    for _ in 0..3 {
        let rejected = request.send();
        assert_eq!((rejected.status, quota(&rejected)), (429, (3, 0)));
    }
}

/// The window is whole again when the newest request has left it; a slot is free when the oldest has.
#[test]
fn pa_3_reset_is_a_window_after_the_newest_request() {
    let gateway = shipped().start();
    let request = list(&gateway).key(SHOP);
    let reset = || {
        let before = unix_time().as_secs();
        let (_, _, reset) = told(&request.send());
        let after = unix_time().as_secs();
        // Rounded up, and another second for a stamp that is rounded up itself.
        assert!((before + WINDOW..=after + WINDOW + 2).contains(&reset), "{before} to {after}: {reset}");
        reset
    };
    let first = reset();
    thread::sleep(Duration::from_secs(3));
    let second = reset();
    assert!(second >= first + 2, "{first}, then {second}");
}

#[test]
fn pa_3_at_the_reset_and_not_before_the_window_is_whole_again() {
    let gateway = small(4, "12s").start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(quota(&request.send()).1, 3);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(quota(&request.send()).1, 2);
    let (_, left, reset) = told(&request.send());
    assert_eq!(left, 1);

    thread::sleep(Duration::from_secs(reset).saturating_sub(unix_time()) + Duration::from_millis(20));
    assert_eq!(quota(&request.send()).1, 3);
}

#[test]
fn pa_4_only_a_rejection_has_retry_after() {
    let gateway = small(3, "60s").start();
    let request = list(&gateway).key(SHOP);
    for _ in 0..3 {
        request.send().lacks("retry-after");
    }
    assert!((1..=WINDOW).contains(&request.send().retry_after()));
}

#[test]
fn pa_4_retry_after_is_the_next_admission_and_reset_is_the_whole_windows() {
    const HAIR: Duration = Duration::from_millis(10);
    let gateway = small(3, "60s").start();
    let request = list(&gateway).key(SHOP);
    let window = Duration::from_secs(WINDOW);
    let earliest = unix_time() + window;
    assert_eq!(request.send().status, 200);
    let latest = unix_time() + window;
    thread::sleep(Duration::from_secs(3));
    assert_eq!(request.admitted_of(2), 2);

    let asked = unix_time();
    let rejected = request.send();
    let answered = unix_time();
    let (wait, (_, _, reset)) = (Duration::from_secs(rejected.retry_after()), told(&rejected));
    // The first request's slot, rounded up to a second.
    assert!(answered + wait + HAIR >= earliest, "{rejected:?}");
    assert!(asked + wait <= latest + Duration::from_secs(1) + HAIR, "{rejected:?}");
    // The newest is three seconds younger; one second is rounding's.
    assert!(reset >= (asked + wait).as_secs() + 2, "{rejected:?}");
}

#[test]
fn pa_4_reset_is_never_before_retry_after_is_over() {
    let gateway = small(3, "2s").start();
    let request = list(&gateway).key(SHOP);
    let mut connection = request.connect();
    let mut rejections = 0;
    for _ in 0..100 {
        let asked = unix_time();
        let response = connection.exchange(&request);
        if response.status == 429 {
            let over = asked + Duration::from_secs(response.retry_after());
            assert!(Duration::from_secs(told(&response).2) >= over, "{over:?}: {response:?}");
            rejections += 1;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(rejections > 20, "{rejections} rejections");
}

/// Both of the document's samples do so, up to three times.
#[test]
fn pa_4_x_2_a_client_that_sleeps_as_told_is_served_at_its_next_try() {
    let gateway = small(3, "3s").start();
    let served = |request: Request| {
        let mut connection = request.connect();
        let rejected =
            (0..100).map(|_| connection.exchange(&request)).find(|response| response.status == 429);
        thread::sleep(Duration::from_secs(rejected.unwrap().retry_after()));
        assert_eq!(connection.exchange(&request).status, 200);
    };
    thread::scope(|scope| {
        let callers = [list(&gateway).key(SHOP), list(&gateway).key(BANK), list(&gateway).from(new_ip())];
        for request in callers {
            scope.spawn(|| served(request));
        }
    });
}

#[test]
fn pa_4_a_rejection_says_in_words_how_long_to_wait() {
    let gateway = small(1, "60s").start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(request.send().status, 200);
    let rejected = request.send();
    assert_eq!(rejected.value("content-type"), "application/json");
    let message = format!("Too many requests. Retry after {} seconds.", rejected.retry_after());
    assert_eq!(rejected.json(), json!({ "error": "rate_limited", "message": message }));
}
