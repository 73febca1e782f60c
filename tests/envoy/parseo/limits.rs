//! How many requests a key may make, and when: PA-1, PA-2, PA-5, PA-6, PA-7, PA-9.

use std::thread;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn pa_1_pa_5_a_key_of_the_default_plan_may_make_its_600_requests_at_once_and_not_one_more() {
    let gateway = shipped().start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(quota(&request.send()), (600, 599));
    assert_eq!(request.admitted_of(STANDARD + 20), STANDARD - 1);
    // Another key is not concerned.
    assert_eq!(quota(&list(&gateway).key(BANK).send()), (3_000, 2_999));
}

#[test]
fn pa_1_a_key_has_the_number_of_its_plan() {
    let gateway = small(3, "60s").start();
    assert_eq!(list(&gateway).key(SHOP).admitted_of(30), 3);
    assert_eq!(list(&gateway).key(BANK).admitted_of(30), 15);
}

#[test]
fn pa_2_requests_leave_the_window_one_by_one_as_they_came() {
    let gateway = small(4, "8s").start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(request.admitted_of(2), 2);
    thread::sleep(Duration::from_secs(4));
    assert_eq!(request.admitted_of(5), 2);

    thread::sleep(Duration::from_secs(request.send().retry_after()));
    // Of a window that begins anew all four would be back.
    assert_eq!(request.admitted_of(5), 2);
}

#[test]
fn pa_6_pa_9_who_spends_all_at_once_waits_for_the_whole_window_and_trying_prolongs_nothing() {
    const QUOTA: usize = 10;
    const WINDOW: Duration = Duration::from_secs(4);
    let gateway = small(QUOTA, "4s").start();
    let request = list(&gateway).key(SHOP);
    let begin = Instant::now();
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
    let end = Instant::now();

    let mut connection = request.connect();
    let mut late = 0;
    while begin.elapsed() < WINDOW - Duration::from_millis(200) {
        let response = connection.exchange(&request);
        if begin.elapsed() < WINDOW {
            assert_eq!(response.status, 429, "{:?} after the first", begin.elapsed());
        } else {
            // The machine has slept over the window's end.
            late += usize::from(response.status == 200);
        }
        thread::sleep(Duration::from_millis(50));
    }

    // Stamps are rounded up to a millisecond.
    thread::sleep((end + WINDOW + Duration::from_millis(2)).saturating_duration_since(Instant::now()));
    assert_eq!(request.admitted_of(2 * QUOTA), QUOTA - late);
}

/// Ten a second, as the document advises, where 20 in two seconds are allowed. A request is sent when the one
/// 20 before it is two seconds old, as its own clock measures it, so that no pause of the machine makes the
/// pace higher.
#[test]
fn pa_7_a_steady_pace_at_exactly_the_limit_is_never_rejected() {
    const QUOTA: usize = 20;
    const BETWEEN: Duration = Duration::from_millis(100);
    let gateway = small(QUOTA, "2s").start();
    let request = list(&gateway).key(SHOP);
    let mut connections: Vec<_> = (0..4).map(|_| request.connect()).collect();
    let mut answered: Vec<Instant> = Vec::new();
    let mut least_left = u64::MAX;
    for i in 0..4 * QUOTA {
        let next = match i.checked_sub(QUOTA) {
            Some(before) => answered[before] + QUOTA as u32 * BETWEEN + Duration::from_millis(1),
            None => answered.last().map_or_else(Instant::now, |last| *last + BETWEEN),
        };
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let response = connections[i % 4].exchange(&request);
        assert_eq!(response.status, 200, "request {i}: {response:?}");
        least_left = least_left.min(quota(&response).1);
        answered.push(Instant::now());
    }
    assert_eq!(least_left, 0, "the pace was below the limit");
}

#[test]
fn pa_9_rejected_requests_do_not_put_the_reset_off() {
    let gateway = small(3, "60s").start();
    let request = list(&gateway).key(SHOP);
    assert_eq!(request.admitted_of(3), 3);
    let (_, _, reset) = told(&request.send());
    thread::sleep(Duration::from_secs(3));
    assert_eq!(request.admitted_of(20), 0);
    let (_, remaining, later) = told(&request.send());
    assert_eq!(remaining, 0);
    // Between the two clocks there is a hair, which rounding can make a second.
    assert!(later <= reset + 1, "{reset} became {later}");
}
