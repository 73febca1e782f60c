//! Pipedrive.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const TWO_SECONDS: Duration = Duration::from_millis(1_900);

const PIPEDRIVE: &str = r#"{"success":false,"error":"Rate limit exceeded","errorCode":429}"#;

#[test]
fn pipedrive_allows_20_requests_in_two_seconds_and_10_searches() {
    let api = Api::of("pipedrive");
    api.answers_within(TWO_SECONDS, || {
        let (company, token) = (new_key(), new_key());
        let ask = |path: &str| api.get(path).metadata("company", &company).metadata("token_id", &token);
        let (deals, search) = (ask("/api/v2/deals/7"), ask("/api/v2/deals/search?term=x"));
        vec![
            admits(1, &deals, "x-ratelimit-limit: 20\nx-ratelimit-remaining: 19\nx-ratelimit-reset: <2>"),
            admits(19, &deals, "x-ratelimit-limit: 20\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <2>"),
            rejects(
                &deals,
                429,
                "x-ratelimit-limit: 20\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <2>
                 retry-after: <2>\ncontent-type: application/json",
                PIPEDRIVE,
            ),
            admits(10, &search, "x-ratelimit-limit: 10\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <2>"),
            rejects(
                &search,
                429,
                "x-ratelimit-limit: 10\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <2>
                 retry-after: <2>\ncontent-type: application/json",
                PIPEDRIVE,
            ),
        ]
    });
}

#[test]
fn pipedrive_allows_30000_tokens_a_day_for_each_company_or_what_it_has_bought() {
    let api = Api::of("pipedrive");
    api.answers(|| {
        // Searches of API v1 cost 40 tokens: 750 are 30,000.
        let search = |company: &str, budget: &str| {
            let request = api.get("/api/v1/deals/search?term=x").metadata("company", company);
            request.metadata("token_id", new_key()).metadata("budget", budget)
        };
        let told = "x-ratelimit-limit: 10\nx-ratelimit-remaining: 0\nx-ratelimit-reset: <2>";
        let over = "x-ratelimit-limit: 10\nx-ratelimit-remaining: 10\nx-ratelimit-reset: <id>
                    retry-after: <43195>\ncontent-type: application/json";
        let (one, more) = (new_key(), new_key());
        let mut steps: Vec<_> = (0..75).map(|_| admits(10, &search(&one, "30000"), told)).collect();
        steps.push(rejects(&search(&one, "30000"), 429, over, PIPEDRIVE));
        steps.extend((0..76).map(|_| admits(10, &search(&more, "60000"), told)));
        steps
    });
}
