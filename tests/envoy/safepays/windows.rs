//! Minutes and hours of the clock for each key: SP-1, SP-2, SP-3, SP-8.

use std::thread;
use std::time::Duration;

use super::*;
use crate::harness::unix_time;

#[test]
fn sp_1_sp_2_each_key_has_exactly_a_thousand_a_minute_of_its_own() {
    let gateway = file().start();
    let admitted = within_a_minute(|| [(); 2].map(|()| ask(&gateway, &new_key()).admitted_of(1_100)));
    assert_eq!(admitted, [1_000; 2]);
}

#[test]
fn sp_2_and_exactly_ten_thousand_an_hour() {
    let gateway = file().replacing("quota: 1000,", "quota: 100000,").start();
    let (admitted, _) = end_of(Period::Hour, || ask(&gateway, &new_key()).admitted_of(10_100));
    assert_eq!(admitted, 10_000);
}

#[test]
fn sp_8_a_key_can_have_more() {
    // Where it has asked for nothing yet, each time.
    let admitted = within_a_minute(|| ask(&file().start(), BUSY).admitted_of(5_100));
    assert_eq!(admitted, 5_000);
    let gateway = telling_the_hour().start();
    for (key, hour) in [(BUSY, 50_000), (&new_key(), 10_000)] {
        assert_eq!(ask(&gateway, key).send().number("x-ratelimit-limit"), hour, "{key}");
    }
}

const QUOTA: usize = 5;
const WINDOW: Duration = Duration::from_secs(2);

/// Workers look at the wall clock once a second.
const READING: Duration = Duration::from_millis(50);

/// Five in two seconds of the clock.
fn short() -> Setup {
    file().replacing("quota: 1000, window: 1m", "quota: 5, window: 2s")
}

/// The number of the window that an instant is in.
fn window_of(instant: Duration) -> u128 {
    instant.as_nanos() / WINDOW.as_nanos()
}

/// A request's answer and the windows, from the first to the last, that it may have been decided in.
struct Decided {
    first: u128,
    last: u128,
    admitted: bool,
}

fn flood(request: &Request, length: Duration) -> Vec<Decided> {
    let mut connection = request.connect();
    let end = unix_time() + length;
    let mut decided = Vec::new();
    while unix_time() < end {
        let first = window_of(unix_time() - READING);
        let admitted = connection.exchange(request).status == 200;
        decided.push(Decided { first, last: window_of(unix_time() + READING), admitted });
        thread::sleep(Duration::from_millis(3));
    }
    decided
}

#[test]
fn sp_3_of_each_window_of_the_clock_exactly_the_quota_passes() {
    let decided = flood(&ask(&short().start(), &new_key()), 3 * WINDOW + WINDOW / 2);
    let (first, last) = (decided[0].first, decided[decided.len() - 1].last);
    for window in first..=last {
        let admitted = decided.iter().filter(|one| one.admitted);
        let surely = admitted.clone().filter(|one| (one.first, one.last) == (window, window)).count();
        assert!(surely <= QUOTA, "{surely} in one window");
        let perhaps = admitted.filter(|one| (one.first..=one.last).contains(&window)).count();
        let rejected = decided.iter().any(|one| !one.admitted && (one.first, one.last) == (window, window));
        assert!(!rejected || perhaps >= QUOTA, "rejected after {perhaps}");
    }
    // Three windows at least were whole.
    let admitted = decided.iter().filter(|one| one.admitted).count();
    assert!((3 * QUOTA..=5 * QUOTA).contains(&admitted), "{admitted} passed");
}

fn sleep_until(instant: Duration) {
    thread::sleep(instant.saturating_sub(unix_time()));
}

/// A burst just before the edge of a window, and one just after it: how many pass of each?
fn bursts_around_an_edge(gateway: &Gateway) -> [usize; 2] {
    const BEFORE: Duration = Duration::from_millis(500);
    // Again, if the machine is too slow for the first to be done before the edge, or the second soon after
    // it.
    for _ in 0..20 {
        let mut edge = WINDOW * (window_of(unix_time()) as u32 + 1);
        if unix_time() + BEFORE > edge {
            edge += WINDOW;
        }
        let request = ask(gateway, &new_key());
        sleep_until(edge - BEFORE);
        let before = request.admitted_of(QUOTA);
        let in_time = unix_time() + READING < edge;
        sleep_until(edge + READING);
        let after = request.admitted_of(QUOTA);
        if in_time && unix_time() + BEFORE + READING < edge + WINDOW {
            return [before, after];
        }
    }
    panic!("too slow for windows of {WINDOW:?}");
}

#[test]
fn sp_3_around_an_edge_twice_the_quota_passes() {
    assert_eq!(bursts_around_an_edge(&short().start()), [QUOTA; 2]);
}

#[test]
fn sp_3_a_window_that_slides_is_a_matter_of_configuration() {
    let gateway = short().replacing("algorithm: fixed_window, ", "").start();
    assert_eq!(bursts_around_an_edge(&gateway), [QUOTA, 0]);
}
