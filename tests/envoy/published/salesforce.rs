//! Salesforce.

use super::*;
use crate::harness::{HELD, Upstream, eventually, new_key, within};
use std::time::Duration;

const SALESFORCE_DAY: &str =
    r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
/// 15,000 requests in 24 hours are documented for a Developer Edition.
#[test]
fn salesforce_allows_15000_in_24_hours_and_shows_them() {
    let api = Api::of("salesforce");
    api.answers(|| {
        let org = format!("{}.my.salesforce.com", new_key());
        let query = api.get("/services/data/v62.0/query?q=SELECT+Id+FROM+Account").host(&org);
        vec![
            admits(18, &query, "sforce-limit-info: api-usage=18/15000"),
            admits(14_982, &query, "sforce-limit-info: api-usage=15000/15000"),
            rejects(
                &query,
                403,
                "sforce-limit-info: api-usage=15000/15000\ncontent-type: application/json;charset=UTF-8",
                SALESFORCE_DAY,
            ),
        ]
    });
}

const SALESFORCE_LONG: &str = r#"[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;

/// 5 requests that run for 20 seconds or longer are documented for a Developer Edition.
#[test]
fn salesforce_allows_5_requests_at_once_that_run_for_20_seconds() {
    let upstream = Upstream::answering(&[]);
    let api = Api::with(published("salesforce").workers(2).route("timeout: 0s").upstream(upstream.address()));
    let org = format!("{}.my.salesforce.com", new_key());
    let get = |target: &str| api.get(&format!("/services/data/v62.0/{target}")).host(&org);
    let (long, quick) = (get(HELD.trim_start_matches('/')), get("query"));
    let held: Vec<_> = (0..5).map(|_| long.begin()).collect();
    eventually("five requests", || (upstream.requests() == 5).then_some(()));
    assert_eq!(quick.admitted_of(50), 50, "short ones are not limited");
    let rejected = within(Duration::from_secs(40), "the long ones to count", || {
        std::thread::sleep(Duration::from_secs(1));
        Some(quick.send()).filter(|response| response.status != 200)
    });
    assert_eq!((rejected.status, rejected.text()), (403, SALESFORCE_LONG));
    for _ in &held {
        eventually("a request", || upstream.next_call()).answer(200);
    }
    assert!(held.into_iter().all(|call| call.response().status == 200));
    within(Duration::from_secs(10), "room", || (quick.admitted_of(20) == 20).then_some(()));
}
