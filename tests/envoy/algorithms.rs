//! What each algorithm promises of its own, one window at a time (SP-3, FA-1, FA-4, PA-5, X-2).

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Period, Response, Setup, end_of, new_key, per_algorithm, per_key_limit};

/// The test's clock and Envoy's are read at different moments, and seconds are rounded up.
const READING: u64 = 2;

const WITH_A_WINDOW: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];

#[test]
fn a_bucket_that_is_refilled_at_once_gets_its_whole_quota_back_a_window_after_its_first_use() {
    let policy = "
keys:
  key: { header: authorization, scheme: Bearer }
policies:
  - name: p
    key: key
    limits: [{ algorithm: token_bucket, refill: at_once, quota: 3, window: 3s, burst: 5 }]
";
    let gateway = Setup::yaml(policy).workers(2).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.send().status, 200);
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(request.admitted_of(6), 4);
    assert_eq!(request.send().retry_after(), 2, "in a second and a half");
    thread::sleep(Duration::from_millis(1_000));
    assert_eq!(request.admitted_of(2), 0, "unit by unit there would be two");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(request.admitted_of(6), 3);
}

#[test]
fn sp_3_a_fixed_window_passes_its_quota_and_ends_with_the_clock_hour() {
    let gateway = with_limit("algorithm: fixed_window, quota: 20, window: 1h");
    assert_ends_with(Period::Hour, &gateway, 20);
}

#[test]
fn fa_1_a_calendar_day_passes_its_quota_and_ends_at_midnight() {
    for zone in ["", ", time_zone: UTC"] {
        let gateway = with_limit(&format!("quota: 20, window: day{zone}"));
        assert_ends_with(Period::Day, &gateway, 20);
    }
}

#[test]
fn fa_4_a_calendar_month_passes_its_quota_and_ends_with_its_last_day() {
    let gateway = with_limit("quota: 20, window: month, time_zone: UTC");
    assert_ends_with(Period::Month, &gateway, 20);
}

#[test]
fn fa_1_madrid_has_another_midnight_than_utc() {
    let utc = with_limit("quota: 1, window: day");
    let madrid = with_limit("quota: 1, window: day, time_zone: Europe/Madrid");
    let ahead = (rejection(&utc, 1).retry_after() + 86_400 - rejection(&madrid, 1).retry_after()) % 86_400;
    let hours = [3_600, 7_200];
    assert!(hours.iter().any(|hour| ahead.abs_diff(*hour) <= READING), "{ahead} seconds ahead of UTC");
}

#[test]
fn a_token_bucket_passes_its_burst_at_once_and_then_one_at_a_time() {
    // One every two seconds.
    let gateway = with_limit("algorithm: token_bucket, quota: 30, window: 60s, burst: 5");
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(10), 5);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert!(rejected.retry_after() <= 2, "{rejected:?}");

    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.admitted_of(5), 1);
}

#[test]
fn a_token_bucket_without_a_burst_passes_its_quota_at_once() {
    let gateway = with_limit("algorithm: token_bucket, quota: 20, window: 1h");
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(40), 20);
}

#[test]
fn pa_5_every_algorithm_passes_its_quota_at_once_and_not_one_more() {
    let gateway = Setup::yaml(per_algorithm(&WITH_A_WINDOW, "quota: 50, window: 7d", "")).start();
    let key = new_key();
    for algorithm in WITH_A_WINDOW {
        let request = gateway.get(&format!("/{algorithm}")).key(&key);
        assert_eq!(request.admitted_of(80), 50, "{algorithm}");
    }
}

#[test]
fn a_leaky_bucket_passes_one_at_a_time_and_saves_nothing_up() {
    // One every three seconds.
    let gateway = with_limit("algorithm: leaky_bucket, quota: 20, window: 60s");
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(10), 1);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert!((1..=3).contains(&rejected.retry_after()), "{rejected:?}");

    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.send().status, 200);
    thread::sleep(Duration::from_secs(7));
    assert_eq!(request.admitted_of(10), 1, "an idle caller has no more");
}

/// The tests above are within one window; this one waits for the next.
#[test]
fn x_2_a_request_exactly_retry_after_later_is_admitted_by_every_algorithm() {
    let gateway = Setup::yaml(per_algorithm(&WITH_A_WINDOW, "quota: 2, window: 2s", "")).start();
    for algorithm in WITH_A_WINDOW {
        let request = gateway.get(&format!("/{algorithm}")).key(new_key());
        let mut connection = request.connect();
        // The window may be any instant's, so that more than two may pass before one is rejected.
        let mut responses = (0..10).map(|_| connection.exchange(&request));
        let rejected = responses.find(|response| response.status == 429).unwrap();
        thread::sleep(Duration::from_secs(rejected.retry_after()));
        assert_eq!(request.send().status, 200, "{algorithm} after {} s", rejected.retry_after());
    }
}

/// A gateway with one limit and no cap on what a rejection tells.
fn with_limit(fields: &str) -> Gateway {
    Setup::yaml(per_key_limit(fields) + "retry_after: { max: 31622400 }\n").start()
}

fn assert_ends_with(period: Period, gateway: &Gateway, quota: usize) {
    let (rejected, left) = end_of(period, || rejection(gateway, quota));
    let told = rejected.retry_after();
    assert!(told.abs_diff(left) <= READING, "told {told} s of {left} s");
}

/// The answer to a new key's first request beyond the quota.
fn rejection(gateway: &Gateway, quota: usize) -> Response {
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(quota), quota);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected
}
