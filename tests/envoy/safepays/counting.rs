//! Which requests count: SP-6.

use super::*;
use crate::harness::{HELD, Upstream, eventually};

#[test]
fn sp_6_whatever_the_upstream_answers_a_request_counts() {
    let gateway = five_a_minute().start();
    let statuses = within_a_minute(|| {
        let key = new_key();
        [200, 401, 404, 500, 503, 200].map(|status| ask(&gateway, &key).answered(status).send().status)
    });
    assert_eq!(statuses, [200, 401, 404, 500, 503, 429]);
}

#[test]
fn sp_6_a_request_without_an_answer_counts_too() {
    let upstream = Upstream::answering(&[]);
    let gateway = five_a_minute().upstream(upstream.address()).start();
    let statuses = within_a_minute(|| {
        let key = new_key();
        let held = gateway.get(&format!("/api/v2{HELD}")).key(&key);
        let call = || eventually("the request at the upstream", || upstream.next_call());
        for _ in 0..2 {
            let client = held.begin();
            let call = call();
            client.leave();
            drop(call);
        }
        let client = held.begin();
        call().reset();
        let reset = client.response().status;
        let answered = [(); 3].map(|()| ask(&gateway, &key).send().status);
        (reset, answered)
    });
    assert_eq!(statuses, (503, [200, 200, 429]));
}

#[test]
fn sp_6_where_nobody_answers_requests_count_as_well() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let gateway = five_a_minute().upstream(nobody).start();
    let statuses = within_a_minute(|| {
        let request = ask(&gateway, &new_key());
        [(); 6].map(|()| request.send().status)
    });
    assert_eq!(statuses, [503, 503, 503, 503, 503, 429]);
}

/// After five a minute passed and twenty were rejected, the wait, of a key that has twenty in a year.
fn wait_after_rejections(setup: Setup) -> u64 {
    let gateway = setup.replacing("quota: 10000, window: 1h", "quota: 20, window: 366d").start();
    let (admitted, rejected) = within_a_minute(|| {
        let request = ask(&gateway, &new_key());
        (request.admitted_of(25), request.send())
    });
    assert_eq!((admitted, rejected.status), (5, 429));
    rejected.retry_after()
}

#[test]
fn sp_6_a_rejected_request_does_not_count_or_does_by_choice() {
    assert!(wait_after_rejections(five_a_minute()) <= 60);
    let all = five_a_minute().replacing("count: accepted", "count: all");
    assert!(wait_after_rejections(all) > 60, "what the minute rejected has used up the longer window");
}
