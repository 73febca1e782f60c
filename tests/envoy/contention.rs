//! Many clients at once on one key: the count stays right when workers race for it.

use std::time::Instant;

use crate::harness::{
    Crowd, Gateway, Period, Request, Setup, end_of, eventually, new_key, per_key, per_key_limit,
};

const CROWD: Crowd = Crowd(8);
const REQUESTS_EACH: usize = 150;

/// A run of rejections that no race explains.
const RUN: usize = 300;

#[test]
fn x_3_eight_clients_on_one_key_get_exactly_the_quota() {
    let gateway = Setup::yaml(per_key(300, "1h")).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(CROWD.admitted_of(REQUESTS_EACH, &request), 300);
    assert_eq!(request.send().status, 429);
}

#[test]
fn x_3_eight_clients_and_four_workers_get_exactly_300_a_minute() {
    let gateway = Setup::yaml(per_key(300, "60s")).workers(4).start();
    let admitted = within_a_minute(|| CROWD.admitted_of(REQUESTS_EACH, &gateway.get("/").key(new_key())));
    assert_eq!(admitted, 300);
}

#[test]
fn x_3_eight_clients_and_four_workers_get_10000_a_minute_or_a_hundred_less() {
    let gateway = Setup::yaml(per_key(10_000, "60s")).workers(4).start();
    let crowd = || CROWD.admitted_before_rejections(RUN, &gateway.get("/").key(new_key()));
    let admitted = within_a_minute(crowd);
    assert!((9_900..=10_000).contains(&admitted), "{admitted} passed");
    leases_were_used(&gateway);
}

#[test]
fn x_3_algorithms_that_lease_admit_their_quota_or_a_hundredth_less() {
    for algorithm in ["fixed_window", "sliding_window"] {
        let policy = per_key_limit(&format!("algorithm: {algorithm}, quota: 3000, window: 60s"));
        let gateway = Setup::yaml(policy).workers(4).start();
        let (admitted, _) = end_of(Period::Minute, || {
            let request = gateway.get("/").key(new_key());
            CROWD.admitted_before_rejections(RUN, &request)
        });
        assert!((2_970..=3_000).contains(&admitted), "{algorithm}: {admitted} passed");
        leases_were_used(&gateway);
    }
}

#[test]
fn x_3_algorithms_that_never_lease_admit_exactly_their_quota() {
    for fields in [
        "algorithm: sliding_counter, quota: 2000, window: 1d",
        "algorithm: token_bucket, quota: 1, window: 1d, burst: 2000",
        "algorithm: stock, quota: 2000",
    ] {
        let gateway = Setup::yaml(per_key_limit(fields)).workers(4).start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(CROWD.admitted_before_rejections(RUN, &request), 2_000, "{fields}");
    }
}

#[test]
fn fa_22_a_rejection_by_either_policy_spends_nothing_of_the_other() {
    for (first, second) in [("narrow", "wide"), ("wide", "narrow")] {
        let gateway = two_policies(first, second, "all_or_nothing");
        let wide = race(&gateway);
        assert_eq!(wide.admitted_of(400), 200, "what 200 requests left of the wide policy after {first}");
    }
}

#[test]
fn bi_5_in_order_a_rejection_spends_what_comes_before_it_and_nothing_after() {
    let gateway = two_policies("narrow", "wide", "sequential");
    assert_eq!(race(&gateway).admitted_of(400), 200);
    let gateway = two_policies("wide", "narrow", "sequential");
    assert_eq!(race(&gateway).admitted_of(400), 0);
}

/// The word for who answers when a record can't be written changes nothing while it can.
#[test]
fn without_contention_its_three_answers_are_the_same() {
    for word in ["bucket", "deny", "allow"] {
        let policy = per_key(300, "1h") + &format!("    on_contention: {word}\n");
        let gateway = Setup::yaml(policy).alone().start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.admitted_of(400), 300, "{word}");
        assert_eq!(gateway.metric("table.degraded"), 0, "{word}");
    }
}

#[test]
fn who_may_never_be_one_too_many_is_not_under_contention_either() {
    let policy = per_key(300, "1h") + "    on_contention: deny\n";
    let gateway = Setup::yaml(policy).workers(4).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(CROWD.admitted_before_rejections(RUN, &request), 300);
}

/// 200 for the key `narrow`, 400 for the key `wide`, in this order.
fn two_policies(first: &str, second: &str, charge: &str) -> Gateway {
    let policy = |name: &str| {
        let quota = if name == "narrow" { 200 } else { 400 };
        format!("  - {{ name: {name}, key: {name}, limits: [{{ quota: {quota}, window: 1h }}] }}\n")
    };
    let keys = "keys:\n  narrow: { header: x-narrow }\n  wide: { header: x-wide }\npolicies:\n";
    let policies = policy(first) + &policy(second);
    Setup::yaml(format!("{keys}{policies}charge: {charge}\n")).workers(4).start()
}

/// A crowd of which 200 pass, counted by both policies. Answers a request that only the wide one counts.
fn race(gateway: &Gateway) -> Request {
    let wide = gateway.get("/").header("x-wide", new_key());
    let both = wide.clone().header("x-narrow", new_key());
    assert_eq!(CROWD.admitted_of(REQUESTS_EACH, &both), 200);
    wide
}

/// Or nothing was proved about them.
fn leases_were_used(gateway: &Gateway) {
    eventually("leases to be reported", || (gateway.metric("table.leased") > 0).then_some(()));
}

/// The result of a run that takes less than a minute. A slower run proves nothing about a quota per minute,
/// so it is repeated.
fn within_a_minute<T>(run: impl Fn() -> T) -> T {
    const RUNS: usize = 3;
    let timed = || {
        let start = Instant::now();
        let result = run();
        (start.elapsed().as_secs() < 60).then_some(result)
    };
    (0..RUNS).find_map(|_| timed()).expect("this machine needs more than a minute for each of 3 runs")
}
