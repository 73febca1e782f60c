//! Anthropic's Claude API.

use std::time::Duration;

use super::bodies::{ANSWER, answering_bodies};
use super::*;
use crate::harness::new_key;

/// For limits of which a unit comes back each second.
const SECOND: Duration = Duration::from_millis(900);

const ANTHROPIC: &str = concat!(
    r#"{"type":"error","error":{"type":"rate_limit_error","message":"Your account has hit a rate limit."},"#,
    r#""request_id":"<id>"}"#
);

fn answer(input: u64, output: u64) -> String {
    format!(
        r#"{{"type":"message","usage":{{"input_tokens":{input},"cache_read_input_tokens":90000,"output_tokens":{output}}}}}"#
    )
}

#[test]
fn anthropic_allows_50_requests_30000_input_and_8000_output_tokens_a_minute() {
    let api = Api::with(published("anthropic").upstream(answering_bodies()));
    api.answers_within(SECOND, || {
        let message = |organization: &str, input, output| {
            let request = api.request("POST", "/v1/messages").header("content-length", "0");
            request.metadata("organization", organization).header(ANSWER, answer(input, output))
        };
        let (many, reader, writer) = (new_key(), new_key(), new_key());
        let fresh = "anthropic-ratelimit-requests-limit: 50
                     anthropic-ratelimit-requests-remaining: 49
                     anthropic-ratelimit-requests-reset: <z2>
                     anthropic-ratelimit-input-tokens-limit: 30000
                     anthropic-ratelimit-input-tokens-remaining: 29000
                     anthropic-ratelimit-input-tokens-reset: <z2>
                     anthropic-ratelimit-output-tokens-limit: 8000
                     anthropic-ratelimit-output-tokens-remaining: 7000
                     anthropic-ratelimit-output-tokens-reset: <z8>";
        let rejected = "anthropic-ratelimit-requests-limit: 50
                        anthropic-ratelimit-requests-remaining: <id>
                        anthropic-ratelimit-requests-reset: <z60>
                        anthropic-ratelimit-input-tokens-limit: 30000
                        anthropic-ratelimit-input-tokens-remaining: <id>
                        anthropic-ratelimit-input-tokens-reset: <z1>
                        anthropic-ratelimit-output-tokens-limit: 8000
                        anthropic-ratelimit-output-tokens-remaining: <id>
                        anthropic-ratelimit-output-tokens-reset: <z4>
                        request-id: <id>
                        retry-after: <id>
                        content-type: application/json";
        let read = "anthropic-ratelimit-requests-limit: 50
                    anthropic-ratelimit-requests-remaining: 49
                    anthropic-ratelimit-requests-reset: <z1>
                    anthropic-ratelimit-input-tokens-limit: 30000
                    anthropic-ratelimit-input-tokens-remaining: <id>
                    anthropic-ratelimit-input-tokens-reset: <z60>
                    anthropic-ratelimit-output-tokens-limit: 8000
                    anthropic-ratelimit-output-tokens-remaining: <id>
                    anthropic-ratelimit-output-tokens-reset: <z0>
                    request-id: <id>
                    retry-after: <id>
                    content-type: application/json";
        let written = "anthropic-ratelimit-requests-limit: 50
                       anthropic-ratelimit-requests-remaining: 49
                       anthropic-ratelimit-requests-reset: <z1>
                       anthropic-ratelimit-input-tokens-limit: 30000
                       anthropic-ratelimit-input-tokens-remaining: <id>
                       anthropic-ratelimit-input-tokens-reset: <z0>
                       anthropic-ratelimit-output-tokens-limit: 8000
                       anthropic-ratelimit-output-tokens-remaining: <id>
                       anthropic-ratelimit-output-tokens-reset: <z60>
                       request-id: <id>
                       retry-after: <id>
                       content-type: application/json";
        vec![
            admits(1, &message(&many, 10, 10), fresh),
            overruns(49, &message(&many, 10, 10), 429, rejected, ANTHROPIC),
            admits(1, &message(&reader, 30_000, 10), fresh),
            rejects(&message(&reader, 10, 10), 429, read, ANTHROPIC),
            admits(1, &message(&writer, 10, 8_000), fresh),
            rejects(&message(&writer, 10, 10), 429, written, ANTHROPIC),
        ]
    });
}
