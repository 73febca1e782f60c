//! Limits that begin at an instant, and that change later: FP-2, FP-3.

use std::time::Duration;

use super::*;
use crate::harness::{Update, eventually, unix_time};

/// 19 May 2026, 00:00 in Mexico City, in UNIX seconds.
const BEGINS: u64 = 1_779_170_400;

#[test]
fn fp_3_the_file_as_it_ships_begins_on_19_may_2026() {
    let gateway = Setup::file("facturapi.yaml").start();
    let begun = unix_time().as_secs() >= BEGINS;
    let admitted = heavy(&gateway).admitted_of(HEAVY_QUOTA + 5);
    assert_eq!(admitted, if begun { HEAVY_QUOTA } else { HEAVY_QUOTA + 5 });
}

#[test]
fn fp_3_until_it_begins_a_policy_rejects_nobody_and_shows_what_it_would() {
    let gateway = beginning_at("2999-05-19T00:00:00-06:00").alone().start();
    let heavy = heavy(&gateway).from(new_ip());
    for response in heavy.connect().exchange_all(&vec![heavy; HEAVY_QUOTA + 10]) {
        assert_eq!(response.status, 200);
        response.lacks("retry-after");
        assert!(response.limit_headers().is_empty());
    }
    eventually("the workers' report", || {
        let shadow = ["admitted", "shadow_refused", "refused"];
        (shadow.map(|name| gateway.metric(&format!("policy.heavy.{name}"))) == [20, 10, 0]).then_some(())
    });
}

/// What each request could see of the clock, before it was sent and after it was answered, tells what its
/// answer may be.
#[test]
fn fp_3_a_policy_begins_while_it_serves_and_has_counted_before() {
    /// More than it takes to start; what each worker takes for the time is not older than a second.
    const AHEAD: u64 = 6;
    let begins = unix_time().as_secs() + AHEAD;
    let text = jiff::Timestamp::from_second(begins as i64).expect("an instant").to_string();
    let gateway = beginning_at(&text).start();
    let request = heavy(&gateway).from(new_ip());
    let mut connection = request.connect();
    let begins = Duration::from_secs(begins);
    let mut sent = 0;
    eventually("the first rejection", || {
        let before = unix_time();
        let response = connection.exchange(&request);
        sent += 1;
        if response.status == 429 {
            assert!(unix_time() >= begins, "rejected too early");
            return Some(());
        }
        assert!(before <= begins + Duration::from_secs(1), "admitted too late: {response:?}");
        None
    });
    assert!(sent > HEAVY_QUOTA, "{sent} sent");
}

#[test]
fn fp_2_limits_change_while_their_counters_stay() {
    let gateway = in_force().live().start();
    let heavy = heavy(&gateway).from(new_ip());
    assert_eq!(heavy.admitted_of(HEAVY_QUOTA + 5), HEAVY_QUOTA);
    assert_eq!(
        gateway.update_replacing("quota: 20, window: 60s", "quota: 30, window: 60s"),
        Update::Accepted
    );
    // A worker that has not changed over yet rejects, and that spends nothing.
    let mut more = 0;
    eventually("ten more to pass", || {
        more += heavy.admitted_of(1);
        (more == 10).then_some(())
    });
    assert_eq!((0..20).map(|_| heavy.admitted_of(1)).sum::<usize>(), 0);
}
