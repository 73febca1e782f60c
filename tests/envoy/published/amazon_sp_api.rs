//! Amazon's Selling Partner API.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const AMAZON: &str = concat!(
    r#"{"errors":[{"code":"QuotaExceeded","message":"You exceeded your quota for the requested resource.","#,
    r#""details":""}]}"#
);

#[test]
fn amazon_allows_a_burst_of_each_operation_and_shows_its_rate() {
    let api = Api::of("amazon-sp-api");
    api.answers(|| {
        let seller = new_key();
        let ask = |path: &str| api.get(path).metadata("seller", &seller).metadata("application", "1");
        let over = "content-type: application/json";
        vec![
            admits(20, &ask("/orders/v0/orders?MarketplaceIds=1"), "x-amzn-ratelimit-limit: 0.0167"),
            rejects(&ask("/orders/v0/orders"), 429, over, AMAZON),
            admits(1, &ask("/orders/v0/orders/902-1"), "x-amzn-ratelimit-limit: 0.5"),
            admits(1, &ask("/orders/v0/orders/902-1/orderItems"), "x-amzn-ratelimit-limit: 0.5"),
        ]
    });
}

#[test]
fn amazon_allows_10_restricted_data_tokens_at_once() {
    let api = Api::of("amazon-sp-api");
    api.answers_within(SECOND, || {
        let token =
            api.request("POST", "/tokens/2021-03-01/restrictedDataToken").header("content-length", "0");
        let token = token.metadata("seller", new_key()).metadata("application", "1");
        let over = "content-type: application/json";
        vec![admits(10, &token, "x-amzn-ratelimit-limit: 1"), rejects(&token, 429, over, AMAZON)]
    });
}
