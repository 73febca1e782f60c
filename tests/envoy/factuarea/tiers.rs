//! Numbers by tier, and another tier while it serves: FA-2, FA-3, FA-8, FA-24.

use super::*;
use crate::harness::{Crowd, Update, eventually};

#[test]
fn fa_2_fa_3_fa_8_each_key_has_the_minute_of_its_tier_or_its_own_and_exactly_that() {
    let gateway = file().start();
    let unknown = new_key();
    for (key, quota) in [(unknown.as_str(), FREE), (EXPORT, 30), (DASHBOARD, 300), (LARGE, 1_200)] {
        let request = list(&gateway, key);
        assert_eq!(request.admitted_of(quota), quota, "{key}");
        let rejected = request.send();
        assert_eq!((rejected.status, limit(&rejected)), (429, quota as u64), "{key}");
    }
}

#[test]
fn fa_2_fa_3_each_key_has_the_month_of_its_tier_or_its_own() {
    let gateway = telling_the_month().start();
    let unknown = new_key();
    for (key, quota) in [(unknown.as_str(), 100), (EXPORT, 5_000), (DASHBOARD, 50_000), (LARGE, 500_000)] {
        let response = list(&gateway, key).send();
        assert_eq!((limit(&response), remaining(&response)), (quota, quota - 1), "{key}");
    }
}

/// With a minute so wide that the month is what rejects.
fn wide_minute(algorithm: &str) -> Gateway {
    let minute = "free: 10, starter: 30, pro: 300, scale: 300 }";
    let wide = "free: 90000, starter: 90000, pro: 90000, scale: 90000 }";
    file().replacing(minute, &format!("{wide}\n        algorithm: {algorithm}")).start()
}

#[test]
fn fa_3_a_month_has_exactly_its_tiers_number() {
    // Like the file's own small minutes this one is never leased.
    let gateway = wide_minute("sliding_counter");
    assert_eq!(list(&gateway, &new_key()).admitted_of(130), 100);
    assert_eq!(Crowd(4).admitted_of(1_300, &list(&gateway, EXPORT)), 5_000);
}

#[test]
fn fa_3_a_month_that_is_leased_is_never_above_and_comes_to_its_number() {
    let gateway = wide_minute("sliding_window");
    let request = list(&gateway, EXPORT);
    let mut admitted = Crowd(4).admitted_of(1_300, &request);
    // What one worker has leased and not used may reject the other's, until it is given back.
    let early = 2 * 5_000 / 32;
    assert!((5_000 - early..=5_000).contains(&admitted), "{admitted}");
    eventually("the last unit of the month", || {
        admitted += request.admitted_of(10);
        (admitted >= 5_000).then_some(())
    });
    assert_eq!(admitted + request.admitted_of(50), 5_000);
}

/// Asks until the limit that is told is `to`. Each answer is right by one of the two: admitted with as much
/// left as was not used, or rejected with nothing left. Answers the last, and how many were admitted in all.
fn until_limit_is(gateway: &Gateway, key: &str, (from, to): (u64, u64), mut used: u64) -> (Response, u64) {
    let response = eventually("the other tier", || {
        let response = list(gateway, key).send();
        used += u64::from(response.status == 200);
        let quota = limit(&response);
        assert!([from, to].contains(&quota), "{response:?}");
        assert_eq!(remaining(&response), quota.saturating_sub(used), "of {quota} after {used}");
        assert_eq!(response.status == 429, response.values("retry-after").len() == 1);
        (quota == to).then_some(response)
    });
    (response, used)
}

#[test]
fn fa_24_another_tier_applies_to_the_same_key_at_once_and_what_was_used_stays() {
    for (setup, starter, pro) in [(file(), 30, 300), (telling_the_month(), 5_000, 50_000)] {
        let gateway = setup.live().start();
        assert_eq!(list(&gateway, EXPORT).admitted_of(20), 20);
        assert_eq!(gateway.update_replacing("tier: starter", "tier: pro"), Update::Accepted);
        let (response, used) = until_limit_is(&gateway, EXPORT, (starter, pro), 20);
        assert_eq!((response.status, remaining(&response)), (200, pro - used));
        // Of the other tier's minute, not less for what the old one has admitted.
        if pro == 300 {
            let left = remaining(&response) as usize;
            assert_eq!(list(&gateway, EXPORT).admitted_of(left), left);
        }
    }
}

#[test]
fn fa_24_after_a_downgrade_nothing_is_left_and_never_less() {
    let small_month = telling_the_month().replacing("free: 100,", "free: 12,");
    for (setup, pro, free) in [(file(), 300, 10), (small_month, 50_000, 12)] {
        let gateway = setup.live().start();
        assert_eq!(list(&gateway, DASHBOARD).admitted_of(20), 20);
        assert_eq!(gateway.update_replacing("tier: pro", "tier: free"), Update::Accepted);
        let (response, used) = until_limit_is(&gateway, DASHBOARD, (pro, free), 20);
        assert_eq!((response.status, remaining(&response)), (429, 0));
        // Back where it was, with what it had.
        assert_eq!(gateway.update_replacing("tier: pro", "tier: pro"), Update::Accepted);
        until_limit_is(&gateway, DASHBOARD, (free, pro), used);
    }
}
