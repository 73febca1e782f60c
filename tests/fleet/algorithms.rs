//! Each algorithm keeps over two Envoys what it promises in one.

use std::thread;
use std::time::Duration;

use crate::exactness::flood_all;
use crate::harness::{Call, eventually, new_key};
use crate::stage::{Stage, by_path, start};

const FIVE: Duration = Duration::from_secs(5);

#[test]
fn a_fixed_window_passes_its_quota_in_each_window_of_the_clock() {
    let stage =
        start(by_path(&[("fixed", "algorithm: fixed_window, quota: 100, window: 5s", "on_outage: deny")]));
    let [record] = flood_all(&stage, ["fixed"], FIVE * 3);
    println!("{:?}", record.statuses());
    assert_eq!(record.worst_aligned(FIVE), 100, "{:?}", record.statuses());
    assert!(record.worst(FIVE) <= 200);
}

#[test]
fn a_token_bucket_passes_its_burst_and_what_flows_in() {
    let limit = "algorithm: token_bucket, quota: 50, window: 5s, burst: 20";
    let stage = start(by_path(&[("bucket", limit, "on_outage: deny")]));
    let [record] = flood_all(&stage, ["bucket"], FIVE * 2);
    // A rejection is repeated for a moment, so some of what flows in is given out later.
    assert!(record.passed() >= 90, "{:?}", record.statuses());
    for seconds in [1, 2, 5, 9] {
        let window = Duration::from_secs(seconds);
        let most = 20 + 10 * usize::try_from(seconds).unwrap();
        let worst = record.worst(window);
        assert!(worst <= most, "{worst} in {seconds} s, {:?}", record.statuses());
    }
}

#[test]
fn a_sliding_counter_passes_no_more_than_its_approximation_may() {
    let stage = start(by_path(&[(
        "counter",
        "algorithm: sliding_counter, quota: 50, window: 5s",
        "on_outage: deny",
    )]));
    let [record] = flood_all(&stage, ["counter"], FIVE * 3);
    let worst = record.worst(FIVE);
    assert!((50..=99).contains(&worst), "{worst}, {:?}", record.statuses());
}

#[test]
fn a_month_passes_its_quota_once() {
    let stage = start(by_path(&[("month", "quota: 60, window: month", "on_outage: deny")]));
    let [record] = flood_all(&stage, ["month"], FIVE);
    // A month may end meanwhile, once in a blue moon.
    assert_eq!(record.passed(), 60, "{:?}", record.statuses());
}

/// Starts `number` requests on each Envoy whose answers wait, and says how many came to the upstream.
fn hold(stage: &Stage, key: &str, number: usize) -> (Vec<Call>, usize) {
    let requests = (0..2 * number).map(|n| stage.get(n % 2, "/open/held").key(key).begin());
    let requests: Vec<_> = requests.collect();
    let mut calls = Vec::new();
    eventually("each request at the upstream, or answered", || {
        calls.extend(std::iter::from_fn(|| stage.upstream.next_call()));
        let answered = requests.iter().filter(|request| request.answered()).count();
        (answered + calls.len() >= requests.len()).then_some(())
    });
    let held = calls.len();
    // Their clients stay until the test is over.
    std::mem::forget(requests);
    (calls, held)
}

#[test]
fn no_more_than_the_quota_are_in_flight_over_two_envoys() {
    let policy = by_path(&[("open", "algorithm: concurrency, quota: 10", "on_outage: deny")]);
    let stage = start(policy.replace("path: /open", "path: /open/**"));
    let key = new_key();
    let (calls, held) = hold(&stage, &key, 20);
    assert_eq!(held, 10);
    calls.into_iter().for_each(|call| call.answer(200));
    // Each worker says within a moment that they are over.
    let mut more = Vec::new();
    eventually("ten places again", || {
        let (calls, _) = hold(&stage, &key, 1);
        more.extend(calls);
        (more.len() >= 10).then_some(())
    });
    assert_eq!(more.len(), 10);
    assert_eq!(hold(&stage, &key, 10).1, 0);
    more.into_iter().for_each(|call| call.answer(200));
    stage.assert_no_trap();
}

#[test]
fn a_stock_is_exact_over_two_envoys_and_what_one_returns_the_other_gives_out() {
    let policy = by_path(&[("stock", "algorithm: stock, quota: 20", "on_outage: deny")]);
    let returns = "returns: [{ method: DELETE, path: /stock }]";
    let counted = "match: [{ method: GET, path: /stock }]";
    let policy = policy.replace("match: [{ path: /stock }]", &format!("{counted}\n    {returns}"));
    let stage = start(policy);
    let key = new_key();
    let record = stage.flood("/stock", &key, Duration::from_secs(3), || ());
    assert_eq!(record.passed(), 20, "{:?}", record.statuses());
    let delete = stage.on(0, |gateway| gateway.request("DELETE", "/stock").key(&key));
    (0..3).for_each(|_| assert_eq!(delete.send().status, 200));
    let mut passed = 0;
    eventually("the three returned ones", || {
        passed += usize::from(stage.get(1, "/stock").key(&key).send().status == 200);
        (passed == 3).then_some(())
    });
    assert_eq!(stage.flood("/stock", &key, Duration::from_secs(2), || ()).passed(), 0);
}

#[test]
fn a_stock_that_the_upstream_reports_is_the_same_for_both_envoys() {
    let policy = by_path(&[("stock", "algorithm: stock, quota: 20", "on_outage: deny")]);
    let stage = start(policy.replace("    limits", "    stock_header: x-stock\n    limits"));
    let key = new_key();
    // There are 15 already, which nobody has counted.
    let first = stage.get(0, "/stock").key(&key).answered_with("x-stock", "15").send();
    assert_eq!(first.status, 200);
    // The report goes to the service within a moment; what passes before it is there counts on top.
    thread::sleep(Duration::from_secs(2));
    let mut passed = 0;
    eventually("the report to be known", || {
        let response = stage.get(1, "/stock").key(&key).send();
        passed += usize::from(response.status == 200);
        (response.status == 429).then_some(())
    });
    assert_eq!(passed, 5);
}
