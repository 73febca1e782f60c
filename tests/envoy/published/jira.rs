//! Jira Cloud.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const JIRA: &str = r#"{"errorMessages":["Rate limit exceeded"],"errors":{}}"#;

#[test]
fn jira_allows_65000_points_an_hour_and_says_when_few_are_left() {
    let api = Api::of("jira");
    api.answers(|| {
        let app = new_key();
        let issue = |cost: &str| {
            let request = api.get(&format!("/rest/api/3/issue/{}", new_key())).metadata("app", &app);
            request.host(&format!("{app}.atlassian.net")).answered_with("x-points-used", cost)
        };
        vec![
            admits(
                1,
                &issue("2"),
                r#"x-ratelimit-limit: 65000
                   x-ratelimit-remaining: 64998
                   x-ratelimit-reset: <z3595>
                   beta-ratelimit-policy: "global-app-quota";q=65000;w=3600
                   beta-ratelimit: "global-app-quota";r=64998;t=<3595>"#,
            ),
            admits(
                1,
                &issue("52000"),
                r#"x-ratelimit-limit: 65000
                   x-ratelimit-remaining: 12998
                   x-ratelimit-reset: <z3595>
                   x-ratelimit-nearlimit: true
                   beta-ratelimit-policy: "global-app-quota";q=65000;w=3600
                   beta-ratelimit: "global-app-quota";r=12998;t=<3595>"#,
            ),
            admits(
                1,
                &issue("12998"),
                r#"x-ratelimit-limit: 65000
                   x-ratelimit-remaining: 0
                   x-ratelimit-reset: <z3595>
                   x-ratelimit-nearlimit: true
                   beta-ratelimit-policy: "global-app-quota";q=65000;w=3600
                   beta-ratelimit: "global-app-quota";r=0;t=<3595>"#,
            ),
            rejects(
                &issue("2"),
                429,
                r#"x-ratelimit-limit: 65000
                   x-ratelimit-remaining: 0
                   x-ratelimit-reset: <z3595>
                   x-ratelimit-nearlimit: true
                   ratelimit-reason: jira-quota-global-based
                   beta-ratelimit-policy: "global-app-quota";q=65000;w=3600
                   beta-ratelimit: "global-app-quota";r=0;t=<3595>
                   retry-after: <3595>
                   content-type: application/json"#,
                JIRA,
            ),
        ]
    });
}

#[test]
fn jira_allows_20_writes_of_an_issue_in_two_seconds_and_100_requests_of_an_endpoint_in_one() {
    let api = Api::of("jira");
    api.answers_within(SECOND, || {
        let host = format!("{}.atlassian.net", new_key());
        let write = api.request("PUT", "/rest/api/3/issue/ABC-1").host(&host).header("content-length", "0");
        let over = "x-ratelimit-limit: 20
                    x-ratelimit-remaining: 0
                    x-ratelimit-reset: <z2>
                    ratelimit-reason: jira-per-issue-on-write
                    retry-after: <2>
                    content-type: application/json";
        let read = api.get("/rest/api/3/project/search").host(&host);
        let burst = "x-ratelimit-limit: 100
                     x-ratelimit-remaining: 0
                     x-ratelimit-reset: <z1>
                     ratelimit-reason: jira-burst-based
                     retry-after: 1
                     content-type: application/json";
        // The bucket refills with 100 per second, so some more than 100 pass.
        vec![admits(20, &write, ""), rejects(&write, 429, over, JIRA), overruns(100, &read, 429, burst, JIRA)]
    });
}
