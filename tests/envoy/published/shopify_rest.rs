//! Shopify's REST Admin API.

use std::time::Duration;

use super::*;
use crate::harness::new_key;

const SHOPIFY: &str = concat!(
    r#"{"errors":"Exceeded 2 calls per second for api client. "#,
    r#"Reduce request rates to resume uninterrupted service."}"#
);

#[test]
fn shopify_rest_allows_40_at_once_and_shows_the_bucket() {
    let api = Api::of("shopify-rest");
    api.answers_within(Duration::from_millis(450), || {
        let store = format!("{}.myshopify.com", new_key());
        let products = api.get("/admin/api/2026-04/products.json").host(&store).metadata("app", "1");
        let over = "x-shopify-shop-api-call-limit: 40/40\nretry-after: 1\ncontent-type: application/json; charset=utf-8";
        vec![
            admits(1, &products, "x-shopify-shop-api-call-limit: 1/40"),
            admits(31, &products, "x-shopify-shop-api-call-limit: 32/40"),
            admits(8, &products, "x-shopify-shop-api-call-limit: 40/40"),
            rejects(&products, 429, over, SHOPIFY),
        ]
    });
}
