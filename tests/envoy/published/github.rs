//! GitHub.

use super::*;
use crate::harness::{new_ip, new_key};

const GITHUB: &str = concat!(
    r#"{"message":"API rate limit exceeded for user ID <id>.","documentation_url":"#,
    r#""https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting"}"#
);
const GITHUB_ANONYMOUS: &str = concat!(
    r#"{"message":"API rate limit exceeded for user ID .","documentation_url":"#,
    r#""https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting"}"#
);
const GITHUB_SECONDARY: &str = concat!(
    r#"{"documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/"#,
    r#"rate-limits-for-the-rest-api#about-secondary-rate-limits","message":"You have exceeded a secondary rate "#,
    r#"limit. Please wait a few minutes before you try again."}"#
);

#[test]
fn github_allows_60_an_hour_without_a_user_and_looking_costs_nothing() {
    let api = Api::of("github");
    api.answers(|| {
        let ip = new_ip();
        let (zen, look) = (api.get("/zen").from(ip), api.get("/rate_limit").from(ip));
        vec![
            admits(
                1,
                &zen,
                "x-ratelimit-limit: 60\nx-ratelimit-remaining: 59\nx-ratelimit-used: 1
                 x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core",
            ),
            admits(
                5,
                &look,
                "x-ratelimit-limit: 60\nx-ratelimit-remaining: 59\nx-ratelimit-used: 1
                 x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core",
            ),
            admits(
                59,
                &zen,
                "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\nx-ratelimit-used: 60
                 x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core",
            ),
            rejects(
                &zen,
                403,
                "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\nx-ratelimit-used: 60
                 x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core
                 retry-after: <3600>\ncontent-type: application/json; charset=utf-8",
                GITHUB_ANONYMOUS,
            ),
            admits(
                1,
                &look,
                "x-ratelimit-limit: 60\nx-ratelimit-remaining: 0\nx-ratelimit-used: 60
                 x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core",
            ),
        ]
    });
}

#[test]
fn github_allows_a_user_5000_an_hour_and_30_searches_a_minute() {
    let api = Api::of("github");
    api.answers(|| {
        let user = new_key();
        let ask = |path: &str| api.get(path).metadata("user", &user).metadata("plan", "user");
        // 900 points a minute for one path are a limit, too.
        let some = "x-ratelimit-limit: 5000\nx-ratelimit-remaining: <id>\nx-ratelimit-used: <id>
                    x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core";
        let all = "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 0\nx-ratelimit-used: 5000
                   x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core";
        let over = "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 0\nx-ratelimit-used: 5000
                    x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core
                    retry-after: <3600>\ncontent-type: application/json; charset=utf-8";
        let mut steps: Vec<_> =
            (0..5).map(|repo| admits(900, &ask(&format!("/repos/acme/{repo}")), some)).collect();
        steps.extend([
            admits(500, &ask("/user"), all),
            rejects(&ask("/user"), 403, over, GITHUB),
            admits(
                30,
                &ask("/search/issues?q=tollgate"),
                "x-ratelimit-limit: 30\nx-ratelimit-remaining: 0\nx-ratelimit-used: 30
                 x-ratelimit-reset: <@60>\nx-ratelimit-resource: search",
            ),
            rejects(
                &ask("/search/issues?q=tollgate"),
                403,
                "x-ratelimit-limit: 30\nx-ratelimit-remaining: 0\nx-ratelimit-used: 30
                 x-ratelimit-reset: <@60>\nx-ratelimit-resource: search
                 retry-after: <60>\ncontent-type: application/json; charset=utf-8",
                GITHUB,
            ),
        ]);
        steps
    });
}

#[test]
fn github_allows_80_new_things_a_minute() {
    let api = Api::of("github");
    api.answers(|| {
        let issue = api.request("POST", "/repos/acme/app/issues").header("content-length", "0");
        let issue = issue.metadata("user", new_key()).metadata("plan", "user");
        let told = "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 4920\nx-ratelimit-used: 80
                    x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core";
        let over = "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 4920\nx-ratelimit-used: 80
                    x-ratelimit-reset: <@3600>\nx-ratelimit-resource: core
                    retry-after: <60>\ncontent-type: application/json; charset=utf-8";
        vec![admits(80, &issue, told), rejects(&issue, 403, over, GITHUB_SECONDARY)]
    });
}
