//! The form of a rejection, and what is never rejected: X-4.

use crate::harness::{Request, Setup, new_ip, new_key, per_address, per_key};

const TEXT_REJECTION: &str = "reject: { status: 429, body: 'slow down', content_type: text/plain }\n";

#[test]
fn x_4_a_head_429_has_no_body() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let key = new_key();
    let get = gateway.get("/").key(&key);
    assert_eq!(get.send().status, 200);

    let head = gateway.request("HEAD", "/").key(&key);
    let mut connection = head.connect();
    let rejected = connection.exchange(&head);
    assert_eq!(rejected.status, 429);
    rejected.retry_after();
    // The next thing on the connection is the next response, and not a body.
    assert_eq!(connection.exchange(&get).status, 429);
}

#[test]
fn x_4_a_429_may_not_be_stored() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let request = gateway.get("/").key(new_key());
    let admitted = request.send();
    admitted.lacks("cache-control");
    assert_eq!(request.send().value("cache-control"), "no-store");
}

#[test]
fn x_4_the_content_type_is_the_bodys() {
    let gateway = Setup::yaml(per_key(1, "1h") + TEXT_REJECTION).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(1), 1);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert_eq!(rejected.body, b"slow down");
    assert_eq!(rejected.value("content-type"), "text/plain");
    assert_eq!(rejected.value("content-length"), "9");
}

#[test]
fn x_4_without_a_reject_block_a_rejection_is_still_a_429_with_a_body_of_its_content_type() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(1), 1);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert_eq!(rejected.value("content-length"), rejected.body.len().to_string());
    if rejected.value("content-type") == "application/json" {
        rejected.json();
    }
}

#[test]
fn x_4_the_status_of_a_rejection_is_configurable() {
    let rejection = "reject: { status: 503, body: '{}', content_type: application/json }\n";
    let gateway = Setup::yaml(per_key(1, "1h") + rejection).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.send().status, 200);
    assert_eq!(request.send().status, 503);
}

#[test]
fn a_429_of_the_upstreams_own_is_left_as_it_is() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let request = gateway.get("/").key(new_key()).answered(429);
    let response = request.send();
    assert_eq!(response.status, 429);
    assert_eq!(response.body, b"GET /\n");
    response.lacks("retry-after");
    response.lacks("cache-control");
}

#[test]
fn x_4_a_preflight_is_exempt() {
    let gateway = Setup::yaml(per_address(1, "1h")).start();
    let ip = new_ip();
    let preflight = preflight(gateway.request("OPTIONS", "/").from(ip));
    assert_eq!(preflight.admitted_of(5), 5);
    // It took nothing from others, and is let through where they are not.
    assert_eq!(gateway.get("/").from(ip).admitted_of(5), 1);
    assert_eq!(preflight.send().status, 200);
}

#[test]
fn x_4_a_preflight_counts_if_the_policy_says_so() {
    let policy = per_address(1, "1h") + "exempt_preflight: false\n";
    let gateway = Setup::yaml(policy).start();
    let preflight = preflight(gateway.request("OPTIONS", "/").from(new_ip()));
    assert_eq!(preflight.admitted_of(5), 1);
}

#[test]
fn x_4_what_shows_any_credential_is_no_preflight() {
    let keys = "  other: { header: x-api-key }\n  query: { query: apikey }\n  cookie: { cookie: session }\n";
    let policy = per_address(1, "1h").replace("keys:\n", &format!("keys:\n{keys}"));
    for policy in [per_key(1, "1h"), per_address(1, "1h"), policy] {
        let gateway = Setup::yaml(policy.clone()).start();
        let options = |target| preflight(gateway.request("OPTIONS", target).from(new_ip()));
        assert_eq!(options("/").header("user-agent", "b").admitted_of(5), 5);
        assert_eq!(options("/").key(new_key()).admitted_of(5), 1);
        // What no key reads is no credential.
        let admitted = if policy.contains("x-api-key") { 1 } else { 5 };
        assert_eq!(options("/").header("x-api-key", "k").admitted_of(5), admitted);
        assert_eq!(options("/?apikey=k").admitted_of(5), admitted);
        assert_eq!(options("/").header("cookie", "a=1; session=k").admitted_of(5), admitted);
        assert_eq!(options("/?apikey=k&apikey=l").admitted_of(5), admitted);
        assert_eq!(options("/?key=k").header("cookie", "sessions=k").admitted_of(5), 5);
    }
}

#[test]
fn x_4_an_options_request_that_is_no_preflight_counts() {
    let gateway = Setup::yaml(per_key(1, "1h")).start();
    let options = gateway.request("OPTIONS", "/").key(new_key());
    assert_eq!(options.admitted_of(5), 1);
}

fn preflight(options: Request) -> Request {
    options.header("origin", "https://app.example").header("access-control-request-method", "POST")
}
