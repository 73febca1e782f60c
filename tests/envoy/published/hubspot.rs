//! HubSpot.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const HUBSPOT_SECONDS: &str = concat!(
    r#"{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","#,
    r#""correlationId":"<id>","policyName":"TEN_SECONDLY_ROLLING","requestId":"<id>"}"#
);
const HUBSPOT_DAY: &str = concat!(
    r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","#,
    r#""correlationId":"<id>","policyName":"DAILY","requestId":"<id>"}"#
);
const HUBSPOT_SEARCH: &str = concat!(
    r#"{"status":"error","message":"You have reached your secondly limit.","errorType":"RATE_LIMIT","#,
    r#""correlationId":"<id>","policyName":"SECONDLY","requestId":"<id>"}"#
);

#[test]
fn hubspot_allows_100_in_ten_seconds_and_shows_both_limits() {
    let api = Api::of("hubspot");
    api.answers(|| {
        let contacts =
            api.get("/crm/v3/objects/contacts").metadata("account", new_key()).metadata("app", "1");
        vec![
            admits(
                1,
                &contacts,
                "x-hubspot-ratelimit-daily: 250000
                 x-hubspot-ratelimit-daily-remaining: 249999
                 x-hubspot-ratelimit-interval-milliseconds: 10000
                 x-hubspot-ratelimit-max: 100
                 x-hubspot-ratelimit-remaining: 99",
            ),
            admits(
                99,
                &contacts,
                "x-hubspot-ratelimit-daily: 250000
                 x-hubspot-ratelimit-daily-remaining: 249900
                 x-hubspot-ratelimit-interval-milliseconds: 10000
                 x-hubspot-ratelimit-max: 100
                 x-hubspot-ratelimit-remaining: 0",
            ),
            rejects(
                &contacts,
                429,
                "x-hubspot-ratelimit-daily: 250000
                 x-hubspot-ratelimit-daily-remaining: 249900
                 x-hubspot-ratelimit-interval-milliseconds: 10000
                 x-hubspot-ratelimit-max: 100
                 x-hubspot-ratelimit-remaining: 0
                 retry-after: <10>
                 content-type: application/json;charset=utf-8",
                HUBSPOT_SECONDS,
            ),
        ]
    });
}

/// 250,000 a day is 3 here.
#[test]
fn hubspot_says_which_limit_is_used_up() {
    let api = Api::with(published("hubspot").replacing("free: 250000", "free: 3"));
    api.answers(|| {
        let contacts =
            api.get("/crm/v3/objects/contacts").metadata("account", new_key()).metadata("app", "1");
        let told = "x-hubspot-ratelimit-daily: 3
                    x-hubspot-ratelimit-daily-remaining: 0
                    x-hubspot-ratelimit-interval-milliseconds: 10000
                    x-hubspot-ratelimit-max: 100
                    x-hubspot-ratelimit-remaining: 97";
        let over = "x-hubspot-ratelimit-daily: 3
                    x-hubspot-ratelimit-daily-remaining: 0
                    x-hubspot-ratelimit-interval-milliseconds: 10000
                    x-hubspot-ratelimit-max: 100
                    x-hubspot-ratelimit-remaining: 97
                    retry-after: <43195>
                    content-type: application/json;charset=utf-8";
        vec![admits(3, &contacts, told), rejects(&contacts, 429, over, HUBSPOT_DAY)]
    });
}

#[test]
fn hubspot_apps_by_oauth_have_no_day_and_searches_have_a_second() {
    let api = Api::of("hubspot");
    api.answers_within(SECOND, || {
        let ask = |method, path| {
            let request = api.request(method, path).metadata("account", new_key()).metadata("app", "1");
            request.metadata("plan", "oauth")
        };
        let search = ask("POST", "/crm/v3/objects/contacts/search").header("content-length", "0");
        vec![
            admits(
                1,
                &ask("GET", "/crm/v3/objects/deals"),
                "x-hubspot-ratelimit-interval-milliseconds: 10000
                 x-hubspot-ratelimit-max: 110
                 x-hubspot-ratelimit-remaining: 109",
            ),
            admits(5, &search, ""),
            rejects(
                &search,
                429,
                "retry-after: 1\ncontent-type: application/json;charset=utf-8",
                HUBSPOT_SEARCH,
            ),
        ]
    });
}
