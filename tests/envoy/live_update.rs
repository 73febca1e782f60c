//! A new policy while Envoy serves: counts stay, and an invalid one changes nothing.

use crate::harness::{
    Crowd, Gateway, Request, Setup, Update, assert_more_pass, eventually, new_key, per_key, per_key_limit,
};

/// Enough for both workers to have been asked several times.
const MANY: usize = 40;

#[test]
fn x_5_counters_survive_a_policy_update() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, MANY), 5);

    assert_eq!(gateway.update(&per_key(8, "1h")), Update::Accepted);

    // A worker that has not changed over yet rejects, and that spends nothing.
    assert_more_pass(3, || admitted(&gateway, &key, 1) == 1);
}

#[test]
fn x_5_a_lower_quota_counts_what_was_used_before() {
    let gateway = Setup::yaml(per_key(8, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, 5), 5);

    assert_eq!(gateway.update(&per_key(5, "1h")), Update::Accepted);

    wait_until_quota_is(&gateway, 5);
    assert_eq!(admitted(&gateway, &key, MANY), 0);
}

#[test]
fn x_5_counters_survive_another_algorithm_beside_theirs() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, MANY), 5);

    let beside = [
        "{ name: bucket, algorithm: token_bucket, quota: 3, window: 1h }",
        "{ name: counter, algorithm: sliding_counter, quota: 3, window: 1h }",
        "{ name: fixed, algorithm: fixed_window, quota: 3, window: 1d }",
        "{ name: day, quota: 3, window: day }",
        "{ name: open, algorithm: concurrency, quota: 1 }",
    ];
    let limits = format!("quota: 8, window: 1h }}, {}", beside.join(", "));
    let limits = limits.trim_end_matches(" }");
    assert_eq!(gateway.update(&per_key_limit(limits)), Update::Accepted);

    // Three are left of the first limit, and three are what the new ones allow.
    wait_until_quota_is(&gateway, 3);
    assert_eq!(admitted(&gateway, &key, MANY), 3);
}

#[test]
fn x_5_counters_survive_a_new_vm_of_the_module() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, MANY), 5);

    assert_eq!(gateway.update_with_another_vm(&per_key(8, "1h")), Update::Accepted);

    wait_until_quota_is(&gateway, 8);
    assert_eq!(admitted(&gateway, &key, MANY), 3);
}

#[test]
fn x_5_counts_far_below_a_large_quota_survive_too() {
    let gateway = Setup::yaml(showing_limit(10_000)).live().start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(Crowd(4).admitted_of(1_250, &request), 5_000);
    // Or nothing was in a worker's own memory.
    eventually("leases to be reported", || (gateway.metric("table.leased") > 0).then_some(()));

    assert_eq!(gateway.update(&showing_limit(6_000)), Update::Accepted);

    wait_until_limit_is(&gateway, "6000");
    assert_another_thousand_pass(&request);
}

/// Here an old VM goes as soon as it is replaced, before a tick. Units that its workers had leased would
/// otherwise stay counted for the whole window, and so many requests too few would pass.
#[test]
fn x_5_counts_far_below_a_large_quota_survive_a_new_vm_exactly() {
    let gateway = Setup::yaml(showing_limit(10_000)).live().draining_at_once().start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(Crowd(4).admitted_of(1_250, &request), 5_000);

    assert_eq!(gateway.update_with_another_vm(&showing_limit(6_000)), Update::Accepted);

    wait_until_limit_is(&gateway, "6000");
    assert_another_thousand_pass(&request);
}

/// What a worker had leased may be free for others only after a tick.
fn assert_another_thousand_pass(request: &Request) {
    let mut more = 0;
    eventually("the other thousand to pass", || {
        more += Crowd(4).admitted_before_rejections(100, request);
        (more >= 1_000).then_some(())
    });
    assert_eq!(more, 1_000);
}

#[test]
fn an_invalid_update_is_rejected_and_says_why() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    assert_eq!(gateway.update(&per_key(5, "60x").replace("quota: 5", "quota: -5")), Update::Rejected);
    let log = gateway.log();
    assert!(log.contains("policies[0].limits[0].quota: found -5; allowed: "));
    assert!(log.contains("policies[0].limits[0].window: found "));
}

#[test]
fn an_update_that_would_lose_the_counts_to_a_table_of_another_size_is_rejected() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, 5), 5);
    let smaller = per_key(5, "1h") + "table: { pages: 8 }\n";
    assert_eq!(gateway.update(&smaller), Update::Rejected);
    assert!(gateway.log().contains("table.pages: found 8; allowed: 16384"));
    assert_eq!(admitted(&gateway, &key, MANY), 0);
}

#[test]
fn x_5_after_a_rejected_update_the_old_policy_serves_with_its_counts() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, 2), 2);
    assert_eq!(gateway.update(&per_key(5, "0h")), Update::Rejected);
    assert_eq!(admitted(&gateway, &key, MANY), 3);
    assert_eq!(admitted(&gateway, &new_key(), MANY), 5);
}

#[test]
fn after_a_rejected_update_a_good_one_is_taken() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    assert_eq!(gateway.update(&per_key(5, "0h")), Update::Rejected);
    assert_eq!(gateway.update(&per_key(1, "1h")), Update::Accepted);
    wait_until_quota_is(&gateway, 1);
}

/// How many of `times` requests pass, each on a connection of its own, so that any worker may serve it.
fn admitted(gateway: &Gateway, key: &str, times: usize) -> usize {
    let request = gateway.get("/").key(key);
    (0..times).map(|_| request.admitted_of(1)).sum()
}

/// Waits until both workers have changed over to a policy with this quota.
fn wait_until_quota_is(gateway: &Gateway, quota: usize) {
    eventually("the new quota to hold", || (admitted(gateway, &new_key(), MANY) == quota).then_some(()));
}

/// A policy whose quota can be seen without using it up.
fn showing_limit(quota: u32) -> String {
    per_key(quota, "2m") + "headers: { preset: x-ratelimit, describes: key }\n"
}

/// Waits until both workers have changed over to a policy that shows this limit.
fn wait_until_limit_is(gateway: &Gateway, limit: &str) {
    let request = gateway.get("/").key(new_key());
    eventually("the new limit to be shown", || {
        (0..MANY).all(|_| request.send().value("x-ratelimit-limit") == limit).then_some(())
    });
}
