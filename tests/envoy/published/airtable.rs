//! Airtable.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const AIRTABLE: &str =
    r#"{"errors":[{"error":"RATE_LIMIT_REACHED","message":"Rate limit exceeded. Please try again later"}]}"#;

#[test]
fn airtable_allows_5_a_second_for_each_base_and_then_blocks_for_30_seconds() {
    let api = Api::of("airtable");
    api.answers_within(SECOND, || {
        let list = api.get(&format!("/v0/app{}/Contacts", new_key())).metadata("user", new_key());
        let blocked = "retry-after: <30>\ncontent-type: application/json";
        vec![admits(5, &list, ""), exactly(3, rejects(&list, 429, blocked, AIRTABLE))]
    });
}

#[test]
fn airtable_allows_50_a_second_for_each_user_over_all_bases() {
    let api = Api::of("airtable");
    api.answers_within(SECOND, || {
        let user = new_key();
        let list = || api.get(&format!("/v0/app{}/Contacts", new_key())).metadata("user", &user);
        let mut steps: Vec<_> = (0..10).map(|_| admits(5, &list(), "")).collect();
        let blocked = "retry-after: <30>\ncontent-type: application/json";
        steps.push(rejects(&list(), 429, blocked, AIRTABLE));
        steps
    });
}

#[test]
fn airtable_allows_a_free_workspace_1000_calls_a_month_and_a_business_one_any_number() {
    let api = Api::of("airtable");
    api.answers(|| {
        let (free, business) = (new_key(), new_key());
        let list = |plan: &str, workspace: &str| {
            let request = api.get(&format!("/v0/app{}/Contacts", new_key())).metadata("user", new_key());
            request.metadata("workspace", workspace).metadata("plan", plan)
        };
        let mut steps: Vec<_> = (0..200).map(|_| admits(5, &list("free", &free), "")).collect();
        let over = "retry-after: <id>\ncontent-type: application/json";
        steps.push(rejects(&list("free", &free), 429, over, AIRTABLE));
        steps.extend((0..201).map(|_| admits(5, &list("business", &business), "")));
        steps
    });
}
