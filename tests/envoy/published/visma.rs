//! Visma.

use super::*;
use crate::harness::new_key;

const VISMA: &str = concat!(
    r#"{"ErrorCode":4010,"DeveloperErrorMessage":"API calls quota exceeded! maximum admitted 600 per Minute. "#,
    r#"Try again in <60> seconds.","ErrorId":"<id>"}"#
);

#[test]
fn visma_allows_600_a_minute_for_each_client_and_endpoint() {
    let api = Api::of("visma");
    api.answers(|| {
        let client = new_key();
        let ask = |path: &str| api.get(path).metadata("client", &client);
        let over = "retry-after: <60>\ncontent-type: application/json;charset=UTF-8";
        vec![
            admits(600, &ask("/v2/customers"), ""),
            rejects(&ask("/v2/customers?page=2"), 429, over, VISMA),
            admits(600, &ask("/v2/articles"), ""),
            rejects(&ask("/v2/articles"), 429, over, VISMA),
        ]
    });
}
