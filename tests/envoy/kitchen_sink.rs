//! The policy file that has every field once: what it has in it works together.

use serde_json::json;

use crate::harness::{Gateway, Request, Setup};

/// The header `host` is one that the file is about.
const HOST: &str = "a.example.com";

fn gateway() -> Gateway {
    // So that it is in force whatever the clock says.
    let setup = Setup::file("kitchen-sink.yaml").replacing("effective_from: 2026", "effective_from: 2016");
    setup.start()
}

/// A request of the file's one consumer, whose key is the word whose digest is there.
fn by_acme(gateway: &Gateway, method: &str, target: &str) -> Request {
    gateway.request(method, target).host(HOST).key("test").header("content-length", "0")
}

#[test]
fn a_request_is_answered_by_the_upstream_and_told_its_limits() {
    let gateway = gateway();
    let request = by_acme(&gateway, "POST", "/v1/invoices").header("x-app", "").header("x-env", "live-1");
    let response = request.header("cookie", "beta=1").send();
    assert_eq!((response.status, response.text()), (200, "POST /v1/invoices\n"));
    // A consumer's own quota, and what the first match costs.
    assert_eq!((response.number("x-limit"), response.number("x-remaining")), (1_200, 1_195));
    assert_eq!((response.number("x-used"), response.value("x-resource")), (5, "api"));
    assert!(response.number("x-reset") > 1_700_000_000, "{response:?}");
}

#[test]
fn a_rejection_tells_all_that_there_is_to_tell() {
    let gateway = gateway();
    let send = by_acme(&gateway, "POST", "/v1/invoices/7/send");
    assert_eq!(send.send().status, 200);
    let rejected = send.send();
    assert_eq!((rejected.status, rejected.value("content-type")), (429, "application/json"));
    let expected = json!({
        "code": "rate_limited",
        "message": "Too many requests.",
        "policy": "send",
        "limit": "limit",
        "quota": 1,
        "left": 0,
        "window": 600,
        "reset": rejected.json()["reset"],
        "wait": rejected.retry_after(),
        "consumer": "acme",
        "tier": "pro",
        "request": rejected.value("x-request-id"),
    });
    assert_eq!(rejected.json(), expected);
    assert!(rejected.json()["reset"].as_u64().unwrap() > 1_700_000_000, "{rejected:?}");
    assert!((590..=606).contains(&rejected.retry_after()), "ten minutes and some jitter: {rejected:?}");
    assert_eq!(by_acme(&gateway, "POST", "/v1/invoices/8/send").send().status, 200);
}

#[test]
fn what_is_exempt_or_excepted_is_told_no_limits() {
    let gateway = gateway();
    for path in ["/healthz", "/v1/status"] {
        let response = by_acme(&gateway, "GET", path).send();
        assert_eq!(response.status, 200);
        response.lacks("x-limit");
    }
}
