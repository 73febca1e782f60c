//! Zendesk.

use super::*;
use crate::harness::new_key;

const ZENDESK: &str = "Number of allowed API requests per minute exceeded";

#[test]
fn zendesk_allows_200_a_minute_for_each_account_of_the_plan_team() {
    let api = Api::of("zendesk");
    api.answers(|| {
        let host = format!("{}.zendesk.com", new_key());
        let users = api.get("/api/v2/users").host(&host);
        vec![
            admits(
                1,
                &users,
                "x-rate-limit: 200\nx-rate-limit-remaining: 199
                 ratelimit-limit: 200\nratelimit-remaining: 199\nratelimit-reset: <60>",
            ),
            admits(
                199,
                &users,
                "x-rate-limit: 200\nx-rate-limit-remaining: 0
                 ratelimit-limit: 200\nratelimit-remaining: 0\nratelimit-reset: <60>",
            ),
            rejects(
                &users,
                429,
                "x-rate-limit: 200\nx-rate-limit-remaining: 0
                 ratelimit-limit: 200\nratelimit-remaining: 0\nratelimit-reset: <60>
                 retry-after: <60>\ncontent-type: text/plain",
                ZENDESK,
            ),
        ]
    });
}

#[test]
fn zendesk_allows_50_deep_pages_of_tickets_a_minute() {
    let api = Api::of("zendesk");
    api.answers(|| {
        let host = format!("{}.zendesk.com", new_key());
        let page = |page: &str| api.get(&format!("/api/v2/tickets.json?page={page}")).host(&host);
        vec![
            admits(
                1,
                &page("500"),
                "x-rate-limit: 200\nx-rate-limit-remaining: 199
                 ratelimit-limit: 200\nratelimit-remaining: 199\nratelimit-reset: <60>",
            ),
            admits(
                50,
                &page("501"),
                "x-rate-limit: 200\nx-rate-limit-remaining: 149
                 ratelimit-limit: 200\nratelimit-remaining: 149\nratelimit-reset: <60>
                 zendesk-ratelimit-tickets-index: total=50; remaining=0; resets=<60>",
            ),
            rejects(
                &page("1000"),
                429,
                "x-rate-limit: 200\nx-rate-limit-remaining: 149
                 ratelimit-limit: 200\nratelimit-remaining: 149\nratelimit-reset: <60>
                 zendesk-ratelimit-tickets-index: total=50; remaining=0; resets=<60>
                 retry-after: <60>\ncontent-type: text/plain",
                ZENDESK,
            ),
        ]
    });
}
