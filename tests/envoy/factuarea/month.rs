//! The month beside the minute: FA-1, FA-4, FA-7, FA-16, FA-22, FA-23.
//!
//! No test sees a month end (FA-25): that would need another date than the machine's.

use super::*;
use crate::harness::{Period, end_of};

const CODE: &str = "rate_limit_exceeded";
const MESSAGE: &str = "Has agotado tu cuota mensual. Se renueva el día 1.";

/// No wait is told that is longer: most timers of Node clients would end at once.
const LONGEST: u64 = 2_147_483;

/// Three a month for the free tier.
fn small_month() -> Setup {
    file().replacing("free: 100,", "free: 3,")
}

#[test]
fn fa_1_fa_4_fa_16_a_month_that_is_used_up_rejects_until_the_next_begins_in_madrid() {
    let gateway = small_month().start();
    let (rejected, left) = end_of(Period::MonthInMadrid, || {
        let request = list(&gateway, &new_key());
        assert_eq!(request.admitted_of(3), 3);
        timed(&request)
    });
    let response = &rejected.response;
    assert_rejected(response, CODE, MESSAGE);
    let wait = response.retry_after();
    assert!(wait.abs_diff(left.min(LONGEST)) <= 2, "told {wait} s of {left} s");
    // No slot frees before; the limit stays the minute's, of which nothing was spent.
    if wait == LONGEST {
        rejected.assert_after(reset(response), Duration::from_secs(wait));
    } else {
        assert_eq!(reset(response) % 3_600, 0, "midnight itself, not a second later: {response:?}");
    }
    assert_eq!((limit(response), remaining(response)), (10, 7));
}

#[test]
fn fa_22_what_the_month_rejects_spends_nothing_of_the_minute() {
    let gateway = small_month().start();
    let request = list(&gateway, &new_key());
    assert_eq!(request.admitted_of(3), 3);
    for _ in 0..15 {
        let rejected = request.send();
        assert_eq!((rejected.status, remaining(&rejected)), (429, 7));
    }
}

#[test]
fn fa_1_fa_22_what_the_minute_rejects_spends_nothing_of_the_month() {
    let gateway = telling_the_month().start();
    let request = list(&gateway, &new_key());
    assert_eq!(request.admitted_of(FREE), FREE);
    for _ in 0..15 {
        let rejected = request.send();
        assert_eq!((rejected.status, limit(&rejected), remaining(&rejected)), (429, 100, 90));
        assert!(rejected.retry_after() <= 60 + SLOT);
    }
}

#[test]
fn fa_7_fa_8_each_key_has_a_month_and_a_minute_of_its_own() {
    let gateway = small_month().start();
    let month = || list(&gateway, &new_key()).admitted_of(FREE);
    assert_eq!([month(), month()], [3, 3]);
    // Two keys of one company, too.
    for (key, quota) in [(EXPORT, 30), (DASHBOARD, 300)] {
        assert_eq!(list(&gateway, key).admitted_of(quota + 5), quota, "{key}");
    }
}

#[test]
fn fa_23_the_month_counts_whatever_the_upstream_answers() {
    let gateway = small_month().start();
    let key = new_key();
    for status in [404, 422, 503] {
        assert_eq!(list(&gateway, &key).answered(status).send().status, status);
    }
    assert_rejected(&list(&gateway, &key).send(), CODE, MESSAGE);
}
