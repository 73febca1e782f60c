//! What a rejected caller is told: BI-7, BI-8, BI-9.

use super::*;
use crate::harness::{Response, new_key};

const BODY: &str =
    r#"{"statusCode":429,"message":"ThrottlerException: Too Many Requests","error":"Too Many Requests"}"#;

#[test]
fn bi_7_the_body_is_exactly_the_documents() {
    for response in rejections_of_both_layers() {
        assert_eq!(response.body, BODY.as_bytes());
        assert_eq!(response.value("content-length"), BODY.len().to_string());
        assert_eq!(response.value("content-type"), "application/json");
    }
}

#[test]
fn bi_8_retry_after_is_whole_seconds_within_the_window() {
    for response in rejections_of_both_layers() {
        assert!((1..=60).contains(&response.retry_after()), "{response:?}");
    }
}

#[test]
fn bi_9_no_response_has_a_rate_limit_header() {
    let gateway = gateway();
    let admitted = gateway.get("/invoices").from(new_ip()).key(new_key()).send();
    assert_eq!(admitted.status, 200);
    assert!(admitted.limit_headers().is_empty(), "{admitted:?}");
    admitted.lacks("retry-after");
    for rejected in rejections_of_both_layers() {
        assert!(rejected.limit_headers().is_empty(), "{rejected:?}");
    }
}

/// A 429 of the IP layer and one of the key layer.
fn rejections_of_both_layers() -> [Response; 2] {
    let gateway = gateway();
    let (ip, key) = (new_ip(), new_key());
    exhaust_ip(&gateway, ip);
    exhaust_key(&gateway, &key);
    let request = gateway.get("/invoices");
    let by_ip = request.clone().from(ip).send();
    let by_key = request.from(new_ip()).key(key).send();
    assert_eq!((by_ip.status, by_key.status), (429, 429));
    [by_ip, by_key]
}
