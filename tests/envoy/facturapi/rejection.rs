//! What clients are told, and what they are not: FP-8, FP-9, FP-10, FP-11.

use super::*;
use crate::harness::Upstream;

/// All that a rejection may have.
const HEADERS: [&str; 8] = [
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "server",
    "x-facturapi-log-id",
];

/// The body is the document's code and a message with the wait; no header is of another kind.
pub(super) fn assert_tells_the_wait_and_nothing_else(rejected: &Response) {
    let wait = rejected.retry_after();
    let body = format!(
        r#"{{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests. Retry after {wait} seconds."}}"#
    );
    assert_eq!(rejected.text(), body);
    for (name, value) in &rejected.headers {
        assert!(HEADERS.contains(&name.as_str()), "{name}: {value}");
    }
}

#[test]
fn fp_9_fp_10_a_429_has_a_wait_to_count_with_and_the_code() {
    let rejected = rejection(&gateway());
    // The window, and what its times are rounded up by.
    assert!((1..=61).contains(&rejected.retry_after()));
    assert_eq!(rejected.json()["code"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(rejected.value("content-type"), "application/json");
    assert_eq!(rejected.value("content-length"), rejected.body.len().to_string());
    assert_eq!(rejected.value("cache-control"), "no-store");
}

#[test]
fn fp_8_a_429_tells_the_wait_and_no_threshold() {
    assert_tells_the_wait_and_nothing_else(&rejection(&gateway()));
}

#[test]
fn fp_8_no_response_has_limit_headers_not_even_the_upstreams() {
    let upstream = Upstream::answering(&[
        ("X-RateLimit-Limit", "120"),
        ("x-ratelimit-remaining", "119"),
        ("RateLimit-Policy", "\"list\";q=120"),
        ("x-facturapi-log-id", "log-7"),
    ]);
    let gateway = in_force().upstream(upstream.address()).start();
    for (method, path) in [("GET", "/v2/invoices"), ("GET", "/v2/invoices/7"), ("POST", HEAVY), ("GET", "/")]
    {
        let admitted = ask(&gateway, method, path).send();
        assert_eq!(admitted.status, 200);
        assert!(admitted.limit_headers().is_empty(), "{admitted:?}");
        admitted.lacks("retry-after");
    }
    assert_tells_the_wait_and_nothing_else(&rejection(&gateway));
}

#[test]
fn fp_11_the_upstreams_log_id_is_left_alone_and_each_rejection_has_its_own() {
    let upstream = Upstream::answering(&[("X-Facturapi-Log-Id", "log-7")]);
    let gateway = in_force().upstream(upstream.address()).start();
    assert_eq!(gateway.get("/v2/invoices").send().value("x-facturapi-log-id"), "log-7");
    let ids = [(); 2].map(|()| rejection(&gateway).value("x-facturapi-log-id").to_owned());
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        assert!(id.len() >= 32 && id != "log-7", "{id}");
    }
}
