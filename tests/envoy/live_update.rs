//! A new policy while Envoy serves: counts stay, and a faulty one changes nothing.

use crate::harness::{Gateway, Setup, Update, eventually, new_key, per_key};

/// Enough for both workers to have been asked several times.
const MANY: usize = 40;

#[test]
fn x_5_counters_survive_a_policy_update() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, MANY), 5);

    assert_eq!(gateway.update(&per_key(8, "1h")), Update::Accepted);

    // A worker that has not changed over yet refuses, and that spends nothing.
    let mut more = 0;
    eventually("three more requests to pass", || {
        more += admitted(&gateway, &key, 1);
        (more == 3).then_some(())
    });
    assert_eq!(admitted(&gateway, &key, MANY), 0);
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
fn a_faulty_update_is_refused_and_says_why() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    assert_eq!(gateway.update(&per_key(0, "60x")), Update::Refused);
    let log = gateway.log();
    assert!(log.contains("policies[0].limits[0].quota: found 0; allowed: "));
    assert!(log.contains("policies[0].limits[0].window: found "));
}

#[test]
fn an_update_that_would_lose_the_counts_to_a_table_of_another_size_is_refused() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, 5), 5);
    let smaller = per_key(5, "1h") + "table: { pages: 8 }\n";
    assert_eq!(gateway.update(&smaller), Update::Refused);
    assert!(gateway.log().contains("table.pages: found 8; allowed: 16384"));
    assert_eq!(admitted(&gateway, &key, MANY), 0);
}

#[test]
fn x_5_after_a_refused_update_the_old_policy_serves_with_its_counts() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    let key = new_key();
    assert_eq!(admitted(&gateway, &key, 2), 2);
    assert_eq!(gateway.update(&per_key(0, "1h")), Update::Refused);
    assert_eq!(admitted(&gateway, &key, MANY), 3);
    assert_eq!(admitted(&gateway, &new_key(), MANY), 5);
}

#[test]
fn after_a_refused_update_a_good_one_is_taken() {
    let gateway = Setup::yaml(per_key(5, "1h")).live().start();
    assert_eq!(gateway.update(&per_key(0, "1h")), Update::Refused);
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
