//! Cloudflare.

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
