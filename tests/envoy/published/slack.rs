//! Slack.

use super::*;
use crate::harness::new_key;

const SLACK: &str = r#"{"ok":false,"error":"ratelimited"}"#;

#[test]
fn slack_counts_each_method_of_a_tier() {
    let api = Api::of("slack");
    api.answers(|| {
        let team = new_key();
        let ask = |path: &str| {
            let request = api.get(path).metadata("team", &team).metadata("app", "1");
            request.metadata("distribution", "commercial")
        };
        let over = "retry-after: <60>\ncontent-type: application/json; charset=utf-8";
        vec![
            admits(20, &ask("/api/conversations.list?limit=10"), ""),
            rejects(&ask("/api/conversations.list"), 429, over, SLACK),
            admits(20, &ask("/api/users.list"), ""),
            rejects(&ask("/api/users.list"), 429, over, SLACK),
            admits(50, &ask("/api/conversations.info"), ""),
            rejects(&ask("/api/conversations.info"), 429, over, SLACK),
            admits(100, &ask("/api/users.info"), ""),
            rejects(&ask("/api/users.info"), 429, over, SLACK),
            admits(1, &ask("/api/conversations.history"), ""),
            rejects(&ask("/api/conversations.history"), 429, over, SLACK),
        ]
    });
}
