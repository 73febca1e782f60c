//! The three headers and the wait: FA-9 to FA-13.

use std::net::SocketAddr;
use std::thread;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn fa_9_fa_12_fa_13_each_response_tells_what_is_left_after_it_whatever_the_upstream_says() {
    let gateway = gateway();
    let key = new_key();
    let statuses = [200, 201, 204, 304, 400, 403, 404, 422, 500];
    for (sent, status) in (1..).zip(statuses) {
        let response = list(&gateway, &key).answered(status).send();
        assert_eq!((response.status, limit(&response)), (status, 10));
        assert_eq!(remaining(&response), 10 - sent);
        assert_eq!((response.limit_headers().len(), response.values("x-ratelimit-reset").len()), (3, 1));
        response.lacks("retry-after");
    }
    let head = ask(&gateway, "HEAD", "/v1/invoices").key(&key);
    for status in [200, 429] {
        let response = head.send();
        assert_eq!((response.status, limit(&response), remaining(&response)), (status, 10, 0));
        assert_eq!(response.values("retry-after").len(), usize::from(status == 429));
        reset(&response);
    }
}

#[test]
fn fa_9_a_response_that_envoy_makes_itself_has_the_headers_too() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let gateway = file().upstream(nobody).start();
    let response = list(&gateway, &new_key()).send();
    assert_eq!((response.status, limit(&response), remaining(&response)), (503, 10, 9));
    reset(&response);
    response.lacks("retry-after");
}

#[test]
fn fa_9_an_upstreams_headers_of_these_names_are_replaced() {
    let gateway = gateway();
    let response = list(&gateway, &new_key()).answered_with("x-ratelimit-limit", "9999").send();
    assert_eq!((limit(&response), remaining(&response)), (10, 9));
}

/// That it is a 429 with the numbers of the minute, which it has spent nothing of.
fn assert_tells_the_minute(response: &Response, of: u64, left: u64) {
    assert_eq!((response.status, limit(response), remaining(response)), (429, of, left), "{response:?}");
    let (told, now) = (reset(response), unix_time().as_secs());
    assert!(told + 1 >= now + response.retry_after().min(30), "{told} at {now}: {response:?}");
}

#[test]
fn fa_9_a_429_of_any_policy_tells_the_minute() {
    let gateway = file().start();
    let rejected = |request: Request, admitted: usize| {
        for _ in 0..admitted {
            assert_ne!(request.send().status, 429);
        }
        request.send()
    };
    let pdf = rejected(ask(&gateway, "GET", "/v1/invoices/7/pdf").key(DASHBOARD), 20);
    assert_tells_the_minute(&pdf, 300, 280);
    let send = rejected(ask(&gateway, "POST", "/v1/invoices/7/send").key(EXPORT), 1);
    assert_tells_the_minute(&send, 30, 29);
    let create = ask(&gateway, "POST", "/v1/webhook_endpoints").key(LARGE).answered(201);
    assert_tells_the_minute(&rejected(create, 5), 1_200, 1_195);
    let ip = new_ip();
    assert_eq!(failures_before_rejection(&gateway, ip), 10);
    assert_tells_the_minute(&list(&gateway, &new_key()).from(ip).send(), 10, 10);
}

#[test]
fn fa_10_reset_is_when_the_oldest_request_is_a_minute_old() {
    let gateway = gateway();
    let request = list(&gateway, &new_key());
    let first = timed(&request);
    first.assert_after(reset(&first.response), MINUTE);
    // Long enough for the newest to be another second's.
    thread::sleep(Duration::from_millis(2_100));
    assert_eq!(reset(&request.send()), reset(&first.response));
}

#[test]
fn fa_10_once_the_oldest_has_left_reset_is_when_the_next_does() {
    const WINDOW: Duration = Duration::from_secs(4);
    let gateway = file().replacing("window: 60s", "window: 4s").start();
    // A machine that is too slow for the second to be there still, when the first has left, tries again.
    for _ in 0..10 {
        let request = list(&gateway, &new_key());
        let first = timed(&request);
        thread::sleep(WINDOW / 2);
        let second = timed(&request);
        thread::sleep((first.came + WINDOW + Duration::from_millis(100)).saturating_sub(unix_time()));
        let third = timed(&request);
        if third.came < second.asked + WINDOW {
            second.assert_after(reset(&third.response), WINDOW);
            assert_eq!(remaining(&third.response), 8);
            return;
        }
    }
    panic!("too slow for a window of {WINDOW:?}");
}

#[test]
fn fa_11_on_a_429_reset_and_retry_after_name_the_same_instant() {
    let gateway = gateway();
    let request = list(&gateway, &new_key());
    let first = timed(&request);
    assert_eq!(request.admitted_of(FREE - 1), FREE - 1);
    thread::sleep(Duration::from_millis(1_300));
    let rejected = timed(&request);
    let (wait, told) = (rejected.response.retry_after(), reset(&rejected.response));
    assert!(wait < 60, "{wait} s");
    // Each is rounded up by itself, and the reset is never before the wait is over.
    first.assert_at_most_a_second_after(told, MINUTE);
    let from = (rejected.asked.as_secs() + wait).saturating_sub(1);
    let to = rejected.came.as_secs() + wait + 1;
    assert!((from..=to).contains(&told), "reset {told}, wait {wait}: {from}..={to}");
}
