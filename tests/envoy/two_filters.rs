//! Two Tollgates in one filter chain: the first one by address, before authentication, and the second one by
//! user, after it.

use crate::harness::{Gateway, Request, Setup, eventually, module, new_ip};

const BY_ADDRESS: &str = "keys: { client_ip: { client_ip: {} } }
policies:
  - name: address
    key: client_ip
    limits: [{ quota: 10, window: 1h }]
";

const BY_USER: &str = "keys: { user: { header: x-user } }
policies:
  - name: user
    key: user
    limits: [{ quota: 2, window: 1h }]
reject: { body: '{\"error\":\"too many, {retry_after}\"}' }
";

const HEADERS: &str = "headers: { preset: x-ratelimit }\n";

/// The first filter, with a VM id.
fn first(policy: &str, vm_id: &str) -> String {
    let policy: String = policy.lines().map(|line| format!("          {line}\n")).collect();
    let module = module().display().to_string();
    format!(
        "- name: tollgate-first
  typed_config:
    \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
    config:
      name: tollgate-first
      failure_policy: FAIL_RELOAD
      vm_config:
        vm_id: {vm_id}
        runtime: envoy.wasm.runtime.v8
        code: {{ local: {{ filename: \"{module}\" }} }}
      configuration:
        \"@type\": type.googleapis.com/google.protobuf.Struct
        value:
{policy}"
    )
}

fn gateway(first_policy: &str, second_policy: &str, vm_id: &str) -> Gateway {
    Setup::yaml(second_policy).filter(first(first_policy, vm_id)).access_log().alone().start()
}

fn user(gateway: &Gateway, name: &str) -> Request {
    gateway.get("/").from(new_ip()).header("x-user", name)
}

#[test]
fn the_second_filters_rejection_is_left_as_it_is() {
    for vm_id in ["tollgate", "another"] {
        for more in ["", "  upstream: keep\n", "  show: on_429\n", "  preset: github\n"] {
            let headers = format!("headers:\n  preset: x-ratelimit\n{more}")
                .replace("  preset: x-ratelimit\n  preset", "  preset");
            let gateway =
                gateway(&(BY_ADDRESS.to_owned() + &headers), &(BY_USER.to_owned() + HEADERS), vm_id);
            let request = user(&gateway, "ann");
            for left in [9, 8] {
                let passed = request.send();
                // On a response that passes the first filter has the last word, unless it keeps what it
                // finds.
                let told = if more.contains("keep") || more.contains("on_429") { left - 8 } else { left };
                assert_eq!((passed.status, passed.number("x-ratelimit-remaining")), (200, told), "{more}");
            }
            let rejected = request.send();
            assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 0), "{rejected:?}");
            assert_eq!(rejected.number("x-ratelimit-limit"), 2);
            assert!(rejected.values("x-ratelimit-resource").is_empty(), "{rejected:?}");
            let body = format!("{{\"error\":\"too many, {}\"}}", rejected.retry_after());
            assert_eq!(rejected.text(), body);
        }
    }
}

#[test]
fn a_rejection_that_looks_like_a_success_is_none_for_the_first_filter() {
    let first =
        BY_ADDRESS.replace("quota: 10, window: 1h }]", "quota: 3, window: 1h }]\n    count_on: [2xx]");
    let second = BY_USER.replace("reject: {", "reject: { status: 200,");
    for vm_id in ["tollgate", "another"] {
        let gateway = gateway(&first, &second, vm_id);
        let address = new_ip();
        let send = |name: &str| gateway.get("/").from(address).header("x-user", name).send();
        for _ in 0..2 {
            assert_eq!(send("ann").text(), "GET /\n");
        }
        for _ in 0..5 {
            let rejected = send("ann");
            assert_eq!(rejected.status, 200);
            assert!(rejected.text().starts_with("{\"error\":\"too many, "), "{rejected:?}");
        }
        // Two of the three that the address has were counted.
        assert_eq!(send("bob").text(), "GET /\n");
        assert_eq!(send("bob").status, 429);
    }
}

#[test]
fn the_first_filters_own_rejection_says_what_it_always_does() {
    let gateway = gateway(&(BY_ADDRESS.to_owned() + HEADERS), &(BY_USER.to_owned() + HEADERS), "another");
    let address = new_ip();
    let request = |number: usize| gateway.get("/").from(address).header("x-user", number.to_string());
    assert_eq!((0..12).filter(|number| request(*number).send().status == 200).count(), 10);
    let rejected = request(99).send();
    assert_eq!((rejected.status, rejected.number("x-ratelimit-limit")), (429, 10));
    // The second filter has not seen what the first one rejects.
    let counted = || [gateway.metric("policy.address.refused"), gateway.metric("policy.user.admitted")];
    eventually("the workers' report", || (counted() == [3, 10]).then_some(()));
}

#[test]
fn neither_clients_nor_upstreams_can_pass_for_a_tollgate() {
    let gateway = gateway(&(BY_ADDRESS.to_owned() + HEADERS), BY_USER, "another");
    for status in [200, 429, 503] {
        let forged = user(&gateway, &format!("forger-{status}"))
            .header("tollgate_rejection", "429")
            .header("x-tollgate-rejection", "429")
            .answered(status)
            .answered_with("tollgate-rejection", "429");
        let response = forged.send();
        assert_eq!((response.status, response.number("x-ratelimit-remaining")), (status, 9));
    }
}

/// It never reached the upstream.
#[test]
fn the_first_filter_gives_back_what_the_second_has_rejected() {
    for (counting, grpc) in [
        ("count_on: [401]", false),
        ("refund_unless: [2xx]", false),
        ("refund_on: [429]", false),
        ("count_on: [401]", true),
        ("refund_unless: [2xx]", true),
    ] {
        let first = BY_ADDRESS.replace("key: client_ip\n", &format!("key: client_ip\n    {counting}\n"));
        let gateway = gateway(&first, BY_USER, "another");
        let address = new_ip();
        let request = |user: &str| {
            let request = gateway.request("POST", "/").from(address).header("x-user", user);
            let request = request.header("content-length", "0");
            if grpc { request.header("content-type", "application/grpc") } else { request }
        };
        let rejected = |user: &str| {
            let response = request(user).send();
            response.status == 429 || response.values("grpc-status") == ["8"]
        };
        assert_eq!((0..40).filter(|_| rejected("bob")).count(), 38, "{counting}, all by the second filter");
        assert!(!rejected("eve"), "{counting}: the address has units left");
    }
}

#[test]
fn the_log_line_is_that_of_the_filter_that_decided_last() {
    let logging = |policy: &str| policy.to_owned() + "access_log: true\n";
    let gateway = gateway(&logging(BY_ADDRESS), &logging(BY_USER), "another");
    let request = user(&gateway, "zoe");
    (0..3).for_each(|_| drop(request.send()));
    let seen = gateway.seen(3);
    let of_user = |line: &String| line.contains("policy=user");
    assert!(seen.iter().all(of_user) && seen[2].starts_with("429 decision=refused"), "{seen:?}");
}
