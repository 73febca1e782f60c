//! Discord.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const DISCORD: &str = r#"{"message":"You are being rate limited.","retry_after":<5>,"global":false}"#;
const DISCORD_GLOBAL: &str = r#"{"message":"You are being rate limited.","retry_after":1,"global":true}"#;

#[test]
fn discord_shows_a_routes_limit_twice_and_rejects_with_its_scope() {
    let api = Api::of("discord");
    api.answers_within(Duration::from_secs(2), || {
        let path = format!("/api/v10/channels/{}/messages", new_key());
        let post = api.request("POST", &path).metadata("bot", new_key()).header("content-length", "0");
        vec![
            admits(
                1,
                &post,
                "x-ratelimit-limit: 5\nx-ratelimit-remaining: 4\nx-ratelimit-reset: <@5.>
                 x-ratelimit-reset-after: <5.>\nx-ratelimit-bucket: channel-messages",
            ),
            admits(
                4,
                &post,
                "x-ratelimit-limit: 5\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <@5.>
                 x-ratelimit-reset-after: <5.>\nx-ratelimit-bucket: channel-messages",
            ),
            rejects(
                &post,
                429,
                "x-ratelimit-limit: 5\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <@5.>
                 x-ratelimit-reset-after: <5.>\nx-ratelimit-bucket: channel-messages
                 x-ratelimit-scope: user\nretry-after: <5>\ncontent-type: application/json",
                DISCORD,
            ),
        ]
    });
}

#[test]
fn discord_allows_a_bot_50_a_second() {
    let api = Api::of("discord");
    api.answers_within(SECOND, || {
        let me = api.get("/api/v10/users/@me").metadata("bot", new_key());
        let over = "x-ratelimit-global: true\nx-ratelimit-scope: global\nretry-after: 1\ncontent-type: application/json";
        vec![admits(50, &me, ""), rejects(&me, 429, over, DISCORD_GLOBAL)]
    });
}
