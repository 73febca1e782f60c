//! What else a policy can say holds over the fleet, too.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Request, eventually, new_key, within};
use crate::soon::soon;
use crate::stage::{FLEET, Stage, start};

const KEYS: &str = "keys: { api_key: { header: authorization, scheme: Bearer } }\npolicies:\n";

/// A fleet with these policies, each an item of the list in one line.
fn with(policies: &[&str], more: &str) -> Stage {
    let policies: String = policies.iter().map(|policy| format!("  - {{ {policy} }}\n")).collect();
    start(format!("{KEYS}{policies}{more}{FLEET}"))
}

const OF_FLEET: &str = "key: api_key, scope: fleet, on_outage: deny";

/// The statuses of so many requests, spread over both Envoys, each on a connection of its own.
fn statuses(stage: &Stage, number: usize, change: impl Fn(Request) -> Request, target: &str) -> Vec<u16> {
    (0..number).map(|n| change(stage.get(n % 2, target)).send().status).collect()
}

/// How many of them were 200.
fn passed(stage: &Stage, number: usize, target: &str, key: &str) -> usize {
    let statuses = statuses(stage, number, |request| request.key(key), target);
    statuses.iter().filter(|status| **status == 200).count()
}

/// How many units come back in all, while a caller asks for half a minute at most, and then some more.
fn passed_until(stage: &Stage, target: &str, key: &str, expected: usize) -> usize {
    let mut all = 0;
    within(Duration::from_secs(30), "so many units", || {
        all += passed(stage, 4, target, key);
        thread::sleep(Duration::from_millis(100));
        (all >= expected).then_some(())
    });
    all + passed(stage, 20, target, key)
}

fn both(charge: &str) -> Stage {
    with(
        &[
            &format!(
                "name: fleet, {OF_FLEET}, match: [{{ path: /both }}, {{ path: /fleet }}], limits: [{{ quota: 10, window: 1h }}]"
            ),
            "name: proxy, key: api_key, match: [{ path: /both }, { path: /proxy }], limits: [{ quota: 5, window: 1h }]",
        ],
        charge,
    )
}

#[test]
fn all_or_nothing_a_request_that_the_proxy_rejects_spends_nothing_in_the_fleet_and_the_other_way_round() {
    let stage = both("");
    let (key, one) = (new_key(), |key: &str, target: &str| stage.get(0, target).key(key).admitted_of(1));
    assert_eq!((0..9).map(|_| one(&key, "/both")).sum::<usize>(), 5);
    assert_eq!(passed_until(&stage, "/fleet", &key, 5), 5);
    let key = new_key();
    assert_eq!(passed_until(&stage, "/fleet", &key, 10), 10);
    assert_eq!((0..9).map(|_| one(&key, "/both")).sum::<usize>(), 0);
    assert_eq!((0..9).map(|_| one(&key, "/proxy")).sum::<usize>(), 5);
}

#[test]
fn sequentially_a_request_that_the_proxy_rejects_has_been_counted_by_the_fleet() {
    let stage = both("charge: sequential\n");
    let key = new_key();
    assert_eq!((0..9).map(|_| stage.get(0, "/both").key(&key).admitted_of(1)).sum::<usize>(), 5);
    assert_eq!(passed_until(&stage, "/fleet", &key, 1), 1);
}

#[test]
fn tiers_have_their_own_quotas_and_costs_are_units() {
    let stage = with(
        &[&format!(
            "name: api, {OF_FLEET}, match: [{{ path: /api }}, {{ path: /dear, cost: 3 }}], limits: [{{ quota: {{ free: 4, pro: 8 }}, window: 1h }}]"
        )],
        "consumers: [{ name: acme, keys: { api_key: [acme-key] }, tier: pro }]\n\
         tiers: { names: [free, pro], default: free }\n",
    );
    let free = new_key();
    assert_eq!(passed(&stage, 3, "/dear", &free), 1);
    assert_eq!(passed_until(&stage, "/api", &free, 1), 1);
    assert_eq!(passed(&stage, 4, "/dear", "acme-key"), 2);
    assert_eq!(passed_until(&stage, "/api", "acme-key", 2), 2);
}

#[test]
fn a_cost_that_the_response_knows_counts_for_both_envoys() {
    let stage = with(
        &[&format!("name: api, {OF_FLEET}, cost_header: x-cost, limits: [{{ quota: 100, window: 1h }}]")],
        "",
    );
    let key = new_key();
    let send = |n: usize| {
        let status = stage.get(n % 2, "/").key(&key).answered_with("x-cost", "30").send().status;
        // What a response has cost is said within a moment.
        thread::sleep(Duration::from_millis(400));
        status
    };
    assert_eq!((0..6).map(send).collect::<Vec<_>>(), [200, 200, 200, 200, 429, 429]);
}

#[test]
fn refunds_reach_the_fleet_and_units_come_back_once() {
    let stage = with(
        &[&format!("name: api, {OF_FLEET}, refund_on: [5xx], limits: [{{ quota: 6, window: 1h }}]")],
        "",
    );
    let key = new_key();
    let failed = |n: usize| {
        thread::sleep(Duration::from_millis(150));
        stage.get(n % 2, "/").key(&key).answered(500).send().status
    };
    let statuses: Vec<_> = (0..30).map(failed).collect();
    println!("{statuses:?}");
    assert_eq!(passed_until(&stage, "/", &key, 6), 6);
}

#[test]
fn only_the_statuses_of_count_on_count_and_then_both_envoys_reject() {
    let stage =
        with(&[&format!("name: api, {OF_FLEET}, count_on: [401], limits: [{{ quota: 5, window: 1h }}]")], "");
    let key = new_key();
    let ok = statuses(&stage, 20, |request| request.key(&key), "/");
    assert_eq!(ok, [200; 20]);
    let attempt = |n: usize| {
        thread::sleep(Duration::from_millis(700));
        stage.get(n % 2, "/").key(&key).answered(401).send().status
    };
    let failed: Vec<_> = (0..16).map(attempt).collect();
    // A standing is at most a second old. On a busy machine what was held for the twenty may come back later.
    assert_eq!(failed.iter().filter(|status| **status == 401).count(), 5, "{failed:?}");
    assert_eq!(failed[12..], [429; 4], "{failed:?}");
}

#[test]
fn rejected_requests_count_if_the_policy_says_so() {
    let stage =
        with(&[&format!("name: api, {OF_FLEET}, count: all, limits: [{{ quota: 20, window: 3s }}]")], "");
    let key = new_key();
    let flood = stage.flood("/", &key, Duration::from_secs(9), || ());
    let late = flood.between(Duration::from_secs(5), Duration::from_secs(9));
    assert_eq!(late.filter(|outcome| outcome.status == 200).count(), 0, "{:?}", flood.statuses());
    assert_eq!(flood.passed(), 20);
    thread::sleep(Duration::from_secs(5));
    assert_eq!(stage.get(1, "/").key(&key).send().status, 200);
}

#[test]
fn a_caller_that_goes_on_is_banned_by_both_envoys() {
    let stage = with(
        &[
            &format!(
                "name: ban, {OF_FLEET}, count: rejected, limits: [{{ quota: 6, window: 1h }}], block_for: 1h"
            ),
            &format!("name: api, {OF_FLEET}, limits: [{{ quota: 3, window: 1s }}]"),
        ],
        "",
    );
    let key = new_key();
    for n in 0..60 {
        stage.get(n % 2, "/").key(&key).send();
        thread::sleep(Duration::from_millis(30));
    }
    thread::sleep(Duration::from_secs(3));
    for i in [0, 1] {
        let rejected = stage.get(i, "/").key(&key).send();
        assert_eq!(rejected.status, 429);
        assert!(rejected.retry_after() > 3_000, "{rejected:?}");
    }
    assert_eq!(passed(&stage, 2, "/", &new_key()), 2);
}

#[test]
fn a_block_that_one_envoy_begins_holds_at_the_other() {
    let stage =
        with(&[&format!("name: api, {OF_FLEET}, limits: [{{ quota: 2, window: 1s }}], block_for: 6s")], "");
    let key = new_key();
    let first = stage.get(0, "/").key(&key);
    let begin = Instant::now();
    assert!((0..20).any(|_| first.send().status == 429));
    let began = Instant::now();
    thread::sleep(Duration::from_millis(2_500));
    for i in [1, 0, 1] {
        let rejected = stage.get(i, "/").key(&key).send();
        assert_eq!(rejected.status, 429, "the limit alone would admit it");
        assert!(rejected.retry_after() <= 4, "{rejected:?}");
    }
    thread::sleep(Duration::from_secs(7).saturating_sub(began.elapsed()));
    assert_eq!(stage.get(1, "/").key(&key).send().status, 200, "after {:?}", begin.elapsed());
}

#[test]
fn a_policy_in_shadow_counts_and_never_makes_a_request_wait() {
    let stage =
        with(&[&format!("name: api, {OF_FLEET}, mode: shadow, limits: [{{ quota: 5, window: 1h }}]")], "");
    let key = new_key();
    for n in 0..30 {
        assert_eq!(stage.get(n % 2, "/").key(&key).send().status, 200);
        thread::sleep(Duration::from_millis(50));
    }
    within(Duration::from_secs(20), "what it would have rejected", || {
        assert_eq!(stage.get(0, "/").key(&key).send().status, 200);
        (stage.metric("policy.api.shadow_refused") >= 10).then_some(())
    });
    stage.to_service.stop();
    // A request that waited would take the fleet's whole second.
    soon(Duration::from_millis(500), || {
        let took = (0..20).map(|n| {
            let begin = Instant::now();
            assert_eq!(stage.get(n % 2, "/").key(new_key()).send().status, 200);
            begin.elapsed()
        });
        let mut took: Vec<_> = took.collect();
        took.sort();
        took[10]
    });
    stage.to_service.go_on();
}

#[test]
fn limit_headers_of_both_envoys_speak_of_one_limit() {
    let stage = with(
        &[&format!("name: api, {OF_FLEET}, limits: [{{ quota: 12, window: 1h }}]")],
        "headers: { preset: x-ratelimit, reset: window_end }\n",
    );
    let key = new_key();
    let mut resets = Vec::new();
    for n in 0..12u64 {
        let response = stage.get((n % 2) as usize, "/").key(&key).send();
        assert_eq!((response.status, response.number("x-ratelimit-limit")), (200, 12));
        let left = response.number("x-ratelimit-remaining");
        // Others may have some in hand.
        assert!(left < 12 - n, "{left} after {n}");
        assert!(left + 4 >= 11 - n, "{left} after {n}");
        resets.push(response.number("x-ratelimit-reset"));
    }
    for i in [0, 1] {
        let rejected = stage.get(i, "/").key(&key).send();
        assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 0));
        resets.push(rejected.number("x-ratelimit-reset"));
    }
    let (first, last) = (resets.iter().min().unwrap(), resets.iter().max().unwrap());
    assert!(last - first <= 30, "{resets:?}");
}

#[test]
fn a_rejected_credential_is_none_any_more_where_the_fleet_counts() {
    let policy = format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer, valid: {{ unless: [401], for: 10m }} }}
  client_ip: {{ client_ip: {{}} }}
policies:
  - {{ name: keyed, class: caller, {OF_FLEET}, limits: [{{ quota: 1000, window: 1h }}] }}
  - {{ name: anonymous, class: caller, key: client_ip, scope: fleet, on_outage: deny, limits: [{{ quota: 4, window: 1h }}] }}
{FLEET}"
    );
    let stage = start(policy);
    let key = new_key();
    let known: Vec<_> =
        (0..12).map(|n| stage.get(n % 2, "/").key(&key).answered(401).send().status).collect();
    println!("{known:?}");
    assert!(known.iter().filter(|status| **status == 401).count() <= 2 + 4, "{known:?}");
    assert_eq!(known[6..], [429; 6], "{known:?}");
}

/// What is held or in hand elsewhere comes back within seconds, so a rejection that is due to it lasts no longer.
#[test]
fn a_rejection_that_is_due_to_requests_in_flight_ends_soon_after_them() {
    let stage = with(
        &[&format!("name: api, {OF_FLEET}, count_on: [401], limits: [{{ quota: 4, window: month }}]")],
        "",
    );
    let key = new_key();
    let held: Vec<_> = (0..4).map(|n| stage.get(n % 2, "/held").key(&key).begin()).collect();
    let calls: Vec<_> = (0..4).map(|_| eventually("a call", || stage.upstream.next_call())).collect();
    // Each worker hears that nothing is left.
    assert_eq!(statuses(&stage, 16, |request| request.key(&key), "/"), [429; 16]);
    calls.into_iter().for_each(|call| call.answer(200));
    held.into_iter().for_each(|request| assert_eq!(request.response().status, 200));
    within(Duration::from_secs(15), "each worker to admit again", || {
        let all = statuses(&stage, 16, |request| request.key(&key), "/");
        thread::sleep(Duration::from_millis(200));
        (all == [200; 16]).then_some(())
    });
}

#[test]
fn a_rejection_that_is_due_to_units_in_another_workers_hand_ends_soon_after_they_are_back() {
    let stage = with(&[&format!("name: api, {OF_FLEET}, limits: [{{ quota: 6, window: month }}]")], "");
    let key = new_key();
    stage.to_service.delay(Duration::from_millis(250));
    let waiting: Vec<_> = (0..6).map(|_| stage.get(0, "/").key(&key).begin()).collect();
    thread::sleep(Duration::from_millis(100));
    drop(waiting);
    stage.to_service.go_on();
    let mut told = Vec::new();
    let begin = Instant::now();
    let mut passed = 0;
    // All of them come back, and no worker of the other Envoy clings to what it was told meanwhile.
    within(Duration::from_secs(20), "all units at the other Envoy", || {
        let status = stage.get(1, "/").key(&key).send().status;
        told.push(status);
        passed += usize::from(status == 200);
        thread::sleep(Duration::from_millis(50));
        (passed == 6).then_some(())
    });
    println!("{told:?} after {:?}", begin.elapsed());
}
