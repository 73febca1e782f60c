//! The filter's rate-limit headers beside those the upstream sent: X-8.

use crate::harness::{Gateway, Response, Setup, Upstream, per_address};

const UPSTREAMS: &str = "9999";
const QUOTA: u32 = 5;

#[test]
fn x_8_an_upstreams_rate_limit_header_is_replaced() {
    let upstream = Upstream::answering(&[("X-RateLimit-Limit", UPSTREAMS)]);
    let response = first_response(&gateway(&upstream, "replace"));
    assert_eq!(response.value("x-ratelimit-limit"), "5");
    assert_eq!(response.value("x-ratelimit-remaining"), "4");
    assert_eq!(response.values("x-ratelimit-reset").len(), 1);
}

#[test]
fn x_8_an_upstreams_repeated_rate_limit_header_is_replaced_by_one() {
    let twice = [("x-ratelimit-limit", UPSTREAMS), ("x-ratelimit-limit", "1")];
    let upstream = Upstream::answering(&twice);
    let response = first_response(&gateway(&upstream, "replace"));
    assert_eq!(response.value("x-ratelimit-limit"), "5");
}

#[test]
fn x_8_an_upstreams_rate_limit_header_is_kept() {
    let upstream = Upstream::answering(&[("x-ratelimit-limit", UPSTREAMS)]);
    let response = first_response(&gateway(&upstream, "keep"));
    assert_eq!(response.value("x-ratelimit-limit"), UPSTREAMS);
    assert_eq!(
        response.limit_headers().len(),
        1,
        "beside it the filter's own would contradict: {response:?}"
    );
}

#[test]
fn x_8_the_filters_own_headers_are_sent_if_the_upstream_has_none_to_keep() {
    let upstream = Upstream::answering(&[]);
    let response = first_response(&gateway(&upstream, "keep"));
    assert_eq!(response.value("x-ratelimit-limit"), "5");
    assert_eq!(response.value("x-ratelimit-remaining"), "4");
}

#[test]
fn x_8_a_429_has_each_rate_limit_header_once() {
    let upstream = Upstream::answering(&[("x-ratelimit-limit", UPSTREAMS)]);
    for setting in ["replace", "keep"] {
        let gateway = gateway(&upstream, setting);
        let quota = usize::try_from(QUOTA).unwrap();
        assert_eq!(gateway.get("/").admitted_of(quota), quota);
        let rejected = gateway.get("/").send();
        assert_eq!(rejected.status, 429);
        assert_eq!(rejected.value("x-ratelimit-limit"), "5");
        assert_eq!(rejected.value("x-ratelimit-remaining"), "0");
        assert_eq!(rejected.values("x-ratelimit-reset").len(), 1);
    }
}

#[test]
fn x_8_without_headers_of_its_own_the_filter_leaves_the_upstreams_alone() {
    let upstream = Upstream::answering(&[("x-ratelimit-limit", UPSTREAMS)]);
    let setup = Setup::yaml(per_address(QUOTA, "1h"));
    let gateway = setup.upstream(upstream.address()).start();
    let response = first_response(&gateway);
    assert_eq!(response.value("x-ratelimit-limit"), UPSTREAMS);
    assert_eq!(response.limit_headers().len(), 1);
    assert_eq!(gateway.get("/").admitted_of(10), 4);
}

#[test]
fn x_8_the_described_limit_may_be_named_in_full() {
    let headers =
        "headers: { preset: x-ratelimit, describes: ip/limit, reset: next_slot, upstream: replace }\n";
    let gateway = Setup::yaml(per_address(QUOTA, "1h") + headers).start();
    assert_eq!(first_response(&gateway).value("x-ratelimit-limit"), "5");
}

fn gateway(upstream: &Upstream, setting: &str) -> Gateway {
    let headers =
        format!("headers: {{ preset: x-ratelimit, describes: ip, reset: next_slot, upstream: {setting} }}\n");
    let setup = Setup::yaml(per_address(QUOTA, "1h") + &headers);
    setup.upstream(upstream.address()).start()
}

fn first_response(gateway: &Gateway) -> Response {
    let response = gateway.get("/").send();
    assert_eq!(response.status, 200);
    response
}
