//! Parseo's document, clause by clause, on the policy file that ships; with smaller numbers where a test
//! would have to wait for the real ones.

mod anonymous;
mod headers;
mod limits;
mod scope;

use std::time::Duration;

use crate::harness::{Gateway, Request, Response, Setup};

/// A key of the default plan, and one of a larger plan. The file knows them by their digests.
const SHOP: &str = "parseo_shop";
const BANK: &str = "parseo_bank";

const STANDARD: usize = 600;
const ANONYMOUS: usize = 20;

fn shipped() -> Setup {
    Setup::file("parseo.yaml")
}

/// So many requests in so long for a key of the default plan, and five times as many for one of the larger
/// plan.
fn small(standard: usize, window: &str) -> Setup {
    let quotas = format!("standard: {standard}, business: {}", 5 * standard);
    shipped().replacing("standard: 600, business: 3000", &quotas).replacing("60s", window)
}

fn list(gateway: &Gateway) -> Request {
    gateway.get("/external/v1/invoices")
}

/// What the three headers say, each of which must be there once and with no other beside them.
fn told(response: &Response) -> (u64, u64, u64) {
    assert_eq!(response.limit_headers().len(), 3, "{response:?}");
    let number = |name| response.number(name);
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), number("x-ratelimit-reset"))
}

/// Limit and remaining.
fn quota(response: &Response) -> (u64, u64) {
    let (limit, remaining, _) = told(response);
    (limit, remaining)
}
