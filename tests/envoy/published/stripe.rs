//! Stripe.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SECOND: Duration = Duration::from_millis(900);

const STRIPE: &str = concat!(
    r#"{"error":{"message":"Request rate limit exceeded. Learn more about rate limits here "#,
    r#"https://stripe.com/docs/rate-limits.","type":"invalid_request_error","code":"rate_limit","#,
    r#""doc_url":"https://stripe.com/docs/error-codes/rate-limit"}}"#
);

#[test]
fn stripe_allows_25_a_second_of_an_endpoint_and_100_of_all() {
    let api = Api::of("stripe");
    api.answers_within(SECOND, || {
        let account = new_key();
        let ask = |path: &str| api.get(path).key("sk_live_1").metadata("account", &account);
        let endpoint = "stripe-rate-limited-reason: endpoint-rate\ncontent-type: application/json";
        let global = "stripe-rate-limited-reason: global-rate\ncontent-type: application/json";
        vec![
            admits(24, &ask("/v1/customers/cus_1"), ""),
            admits(1, &ask("/v1/customers/cus_2"), ""),
            rejects(&ask("/v1/customers/cus_3"), 429, endpoint, STRIPE),
            admits(25, &ask("/v1/customers"), ""),
            admits(25, &ask("/v1/charges"), ""),
            admits(25, &ask("/v1/payment_intents/pi_1"), ""),
            rejects(&ask("/v1/refunds"), 429, global, STRIPE),
        ]
    });
}

#[test]
fn stripe_allows_25_a_second_in_a_sandbox_and_20_searches() {
    let api = Api::of("stripe");
    api.answers_within(SECOND, || {
        let account = new_key();
        let ask = |path: &str| api.get(path).key("sk_test_1").metadata("account", &account);
        let endpoint = "stripe-rate-limited-reason: endpoint-rate\ncontent-type: application/json";
        let global = "stripe-rate-limited-reason: global-rate\ncontent-type: application/json";
        vec![
            admits(20, &ask("/v1/charges/search?query=x"), ""),
            rejects(&ask("/v1/customers/search?query=x"), 429, endpoint, STRIPE),
            admits(5, &ask("/v1/balance"), ""),
            rejects(&ask("/v1/balance"), 429, global, STRIPE),
        ]
    });
}
