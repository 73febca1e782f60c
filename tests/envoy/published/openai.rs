//! OpenAI.

use std::time::Duration;

use super::bodies::{ANSWER, answering_bodies};
use super::*;
use crate::harness::new_key;

/// For limits of which a unit comes back each second.
const SECOND: Duration = Duration::from_millis(900);

const OPENAI_REQUESTS: &str = concat!(
    r#"{"error":{"message":"Rate limit reached on requests per min: Limit 60. Please try again in 1s.","#,
    r#""type":"requests","param":null,"code":"rate_limit_exceeded"}}"#
);
const OPENAI_TOKENS: &str = concat!(
    r#"{"error":{"message":"Rate limit reached on tokens per min: Limit 150000. Please try again in <id>s.","#,
    r#""type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#
);

fn answer(tokens: u64) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","usage":{{"prompt_tokens":1,"completion_tokens":{},"total_tokens":{tokens}}}}}"#,
        tokens - 1
    )
}

#[test]
fn openai_allows_60_requests_and_150000_tokens_a_minute() {
    let api = Api::with(published("openai").upstream(answering_bodies()));
    api.answers_within(SECOND, || {
        let chat = |organization: &str, tokens| {
            let request = api.request("POST", "/v1/chat/completions").header("content-length", "0");
            request.metadata("organization", organization).header(ANSWER, answer(tokens))
        };
        let (many, large) = (new_key(), new_key());
        vec![
            admits(
                1,
                &chat(&many, 16),
                "x-ratelimit-limit-requests: 60
                 x-ratelimit-remaining-requests: 59
                 x-ratelimit-reset-requests: <go>
                 x-ratelimit-limit-tokens: 150000
                 x-ratelimit-remaining-tokens: 148000
                 x-ratelimit-reset-tokens: <go>",
            ),
            admits(
                59,
                &chat(&many, 16),
                "x-ratelimit-limit-requests: 60
                 x-ratelimit-remaining-requests: 0
                 x-ratelimit-reset-requests: <go>
                 x-ratelimit-limit-tokens: 150000
                 x-ratelimit-remaining-tokens: <id>
                 x-ratelimit-reset-tokens: <go>",
            ),
            rejects(
                &chat(&many, 16),
                429,
                "x-ratelimit-limit-requests: 60
                 x-ratelimit-remaining-requests: 0
                 x-ratelimit-reset-requests: <go>
                 x-ratelimit-limit-tokens: 150000
                 x-ratelimit-remaining-tokens: <id>
                 x-ratelimit-reset-tokens: <go>
                 retry-after: 1
                 content-type: application/json",
                OPENAI_REQUESTS,
            ),
            admits(
                1,
                &chat(&large, 150_000), // it holds 2,000
                "x-ratelimit-limit-requests: 60
                 x-ratelimit-remaining-requests: 59
                 x-ratelimit-reset-requests: <go>
                 x-ratelimit-limit-tokens: 150000
                 x-ratelimit-remaining-tokens: 148000
                 x-ratelimit-reset-tokens: <go>",
            ),
            rejects(
                &chat(&large, 16),
                429,
                "x-ratelimit-limit-requests: 60
                 x-ratelimit-remaining-requests: 59
                 x-ratelimit-reset-requests: <go>
                 x-ratelimit-limit-tokens: 150000
                 x-ratelimit-remaining-tokens: <id>
                 x-ratelimit-reset-tokens: 1m0s
                 retry-after: 1
                 content-type: application/json",
                OPENAI_TOKENS,
            ),
        ]
    });
}
