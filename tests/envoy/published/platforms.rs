//! Cloudflare, Okta.

use std::time::Duration;

use super::*;
use crate::harness::{new_ip, new_key};

const CLOUDFLARE: &str = concat!(
    r#"{"success":false,"errors":[{"code":971,"message":"Please wait and consider throttling your request speed"}],"#,
    r#""messages":[],"result":null}"#
);

/// 200 a second for each address is a limit, too, so the user of this test has several.
#[test]
fn cloudflare_allows_1200_in_five_minutes_and_then_blocks_for_five() {
    let api = Api::of("cloudflare");
    api.answers(|| {
        let user = new_key();
        let zones = || api.get("/client/v4/zones").from(new_ip()).metadata("user", &user);
        let mut steps = vec![admits(
            1,
            &zones(),
            r#"ratelimit-policy: "default";q=1200;w=300
               ratelimit: "default";r=1199;t=<300>"#,
        )];
        let some = r#"ratelimit-policy: "default";q=1200;w=300
                      ratelimit: "default";r=<id>;t=<300>"#;
        steps.extend((0..11).map(|_| admits(100, &zones(), some)));
        steps.push(admits(
            99,
            &zones(),
            r#"ratelimit-policy: "default";q=1200;w=300
               ratelimit: "default";r=0;t=<300>"#,
        ));
        let blocked = r#"ratelimit-policy: "default";q=1200;w=300
                         ratelimit: "default";r=0;t=<300>
                         retry-after: <300>
                         content-type: application/json"#;
        steps.push(exactly(3, rejects(&zones(), 429, blocked, CLOUDFLARE)));
        steps
    });
}

#[test]
fn cloudflare_allows_200_a_second_for_each_address() {
    let api = Api::of("cloudflare");
    api.answers_within(Duration::from_millis(900), || {
        let zones = api.get("/client/v4/zones").from(new_ip());
        let blocked = "retry-after: 1\ncontent-type: application/json";
        vec![admits(200, &zones, ""), rejects(&zones, 429, blocked, CLOUDFLARE)]
    });
}

const OKTA: &str = concat!(
    r#"{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.","#,
    r#""errorLink":"E0000047","errorId":"<id>","errorCauses":[]}"#
);

#[test]
fn okta_counts_each_of_its_apis_per_org() {
    let api = Api::of("okta");
    api.answers(|| {
        let org = format!("{}.okta.com", new_key());
        let ask = |path: &str| api.get(path).host(&org);
        vec![
            admits(
                1,
                &ask("/api/v1/users"),
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 599\nx-rate-limit-reset: <@55>",
            ),
            admits(
                599,
                &ask("/api/v1/users?limit=1"),
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 0\nx-rate-limit-reset: <@55>",
            ),
            rejects(
                &ask("/api/v1/users"),
                429,
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 0\nx-rate-limit-reset: <@55>
                 retry-after: <55>\ncontent-type: application/json",
                OKTA,
            ),
            admits(
                1,
                &ask("/api/v1/users/00u1"),
                "x-rate-limit-limit: 2000\nx-rate-limit-remaining: 1999\nx-rate-limit-reset: <@55>",
            ),
            admits(
                1,
                &ask("/api/v1/policies"),
                "x-rate-limit-limit: 1200\nx-rate-limit-remaining: 1199\nx-rate-limit-reset: <@55>",
            ),
        ]
    });
}
