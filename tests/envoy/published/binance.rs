//! Binance.

use std::time::Duration;

use super::*;
use crate::harness::{new_ip, new_key};

const BINANCE: &str = concat!(
    r#"{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "#,
    r#"Please use WebSocket Streams for live updates to avoid polling the API."}"#
);
const BINANCE_BAN: &str = concat!(
    r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until <@120>000. "#,
    r#"Please use WebSocket Streams for live updates to avoid bans."}"#
);

#[test]
fn binance_weighs_the_order_book_and_bans_who_goes_on() {
    let api = Api::of("binance");
    api.answers(|| {
        let ip = new_ip();
        let depth = |query: &str| api.get(&format!("/api/v3/depth?symbol=BTCUSDT{query}")).from(ip);
        let over =
            "x-mbx-used-weight-1m: 5990\nretry-after: <55>\ncontent-type: application/json;charset=UTF-8";
        let last = "x-mbx-used-weight-1m: 5990
                    retry-after: <60>
                    content-type: application/json;charset=UTF-8";
        let banned =
            "x-mbx-used-weight-1m: 5990\nretry-after: <120>\ncontent-type: application/json;charset=UTF-8";
        vec![
            admits(1, &depth(""), "x-mbx-used-weight-1m: 5"),
            admits(1, &depth("&limit=100"), "x-mbx-used-weight-1m: 10"),
            admits(1, &depth("&limit=500"), "x-mbx-used-weight-1m: 35"),
            admits(1, &depth("&limit=1000"), "x-mbx-used-weight-1m: 85"),
            admits(23, &depth("&limit=5000"), "x-mbx-used-weight-1m: 5835"),
            admits(3, &depth("&limit=1000"), "x-mbx-used-weight-1m: 5985"),
            admits(1, &depth(""), "x-mbx-used-weight-1m: 5990"),
            exactly(9, rejects(&depth("&limit=1000"), 429, over, BINANCE)),
            rejects(&depth("&limit=1000"), 429, last, BINANCE), // then the ban has counted ten
            exactly(3, rejects(&depth("&limit=1000"), 418, banned, BINANCE_BAN)),
        ]
    });
}

#[test]
fn binance_allows_100_orders_in_ten_seconds() {
    let api = Api::of("binance");
    api.answers_within(Duration::from_secs(4), || {
        let order = api.request("POST", "/api/v3/order?symbol=BTCUSDT").header("content-length", "0");
        let order = order.from(new_ip()).metadata("account", new_key());
        vec![
            admits(1, &order, "x-mbx-used-weight-1m: 1\nx-mbx-order-count-10s: 1\nx-mbx-order-count-1d: 1"),
            admits(
                99,
                &order,
                "x-mbx-used-weight-1m: 100\nx-mbx-order-count-10s: 100\nx-mbx-order-count-1d: 100",
            ),
            rejects(
                &order,
                429,
                "x-mbx-used-weight-1m: 100\nretry-after: <5>\ncontent-type: application/json;charset=UTF-8",
                r#"{"code":-1015,"msg":"Too many new orders; current limit is 100 orders per 10s."}"#,
            ),
        ]
    });
}

/// A server may read each of these as 5,000.
#[test]
fn binance_weighs_a_limit_in_any_spelling_as_the_largest_that_a_server_may_read() {
    let api = Api::of("binance");
    api.answers(|| {
        let spellings = ["05000", "%35000", "%2B5000", "5000.0", "10&limit=5000", "5000&limit=10", "5e3"];
        let heavy = |spelling: &&str| {
            let depth = api.get(&format!("/api/v3/depth?symbol=BTCUSDT&limit={spelling}")).from(new_ip());
            admits(1, &depth, "x-mbx-used-weight-1m: 250")
        };
        spellings.iter().map(heavy).collect()
    });
}
