//! Shopify's GraphQL Admin API.

use std::time::Duration;

use super::bodies::{ANSWER, answering_bodies};
use super::*;
use crate::harness::new_key;

const THROTTLED: &str = concat!(
    r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED","#,
    r#""documentation":"https://shopify.dev/api/usage/rate-limits"}}],"extensions":{"cost":{"#,
    r#""requestedQueryCost":50,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"#,
    r#""currentlyAvailable":<id>,"restoreRate":100.0}}}}"#
);

#[test]
fn shopify_graphql_takes_the_actual_cost_from_the_answer_and_answers_200_with_throttled() {
    let api = Api::with(published("shopify-graphql").upstream(answering_bodies()));
    // 100 points come back each second, and a query holds 50.
    api.answers_within(Duration::from_millis(400), || {
        let store = format!("{}.myshopify.com", new_key());
        let query = |cost: u64| {
            let answer = format!(r#"{{"data":{{}},"extensions":{{"cost":{{"actualQueryCost":{cost}}}}}}}"#);
            let request =
                api.request("POST", "/admin/api/2026-04/graphql.json").header("content-length", "0");
            request.host(&store).metadata("app", "1").header(ANSWER, answer)
        };
        let throttled = "content-type: application/json; charset=utf-8";
        vec![
            admits(10, &query(2), ""),
            admits(1, &query(1_000), ""),
            admits(1, &query(1_000), ""),
            rejects(&query(2), 200, throttled, THROTTLED),
        ]
    });
}
