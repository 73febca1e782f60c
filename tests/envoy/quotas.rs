//! Quotas that are `unlimited` or 0, by plan and by consumer.

use crate::harness::{Gateway, Request, Setup, eventually, new_key};

/// `api` has two limits and a block; `all` counts whatever `api` leaves.
const POLICY: &str = "
keys:
  key: { header: authorization, scheme: Bearer }
  plan: { header: x-plan }
tiers: { names: [free, pro, internal, none], default: free, from: plan }
policies:
  - name: api
    key: key
    block_for: 1h
    limits:
      - { name: minute, quota: { free: 2, pro: unlimited, internal: unlimited, none: 0 }, window: 60s }
      - { name: day, quota: { free: 10, pro: 5, internal: unlimited, none: 7 }, window: 1d }
  - { name: all, key: key, count: all, limits: [{ quota: 100, window: 60s }] }
headers: { preset: ietf }
reject:
  content_type: text/plain
  body: \"{policy} {limit_name} {limit} {remaining} {retry_after}\"
";

fn on(gateway: &Gateway, plan: &str) -> Request {
    gateway.get("/").key(new_key()).header("x-plan", plan)
}

#[test]
fn a_plan_without_a_limit_is_neither_rejected_nor_shown_it() {
    let gateway = Setup::yaml(POLICY).alone().start();
    let pro = on(&gateway, "pro");
    let response = pro.send();
    assert_eq!(response.value("ratelimit-policy"), r#""api/day";q=5;w=86400, "all";q=100;w=60"#);
    assert_eq!(pro.admitted_of(10), 4);
    assert_eq!(pro.send().text(), "api day 5 0 86400");

    let internal = on(&gateway, "internal");
    assert_eq!(internal.send().value("ratelimit"), r#""all";r=99;t=60"#);
    assert_eq!(internal.admitted_of(150), 99, "the other policy still holds");
    eventually("requests without limits are counted", || {
        (gateway.metric("policy.api.admitted") >= 105).then_some(())
    });
}

#[test]
fn a_plan_that_does_not_have_it_is_rejected_at_once_and_told_no_time() {
    let gateway = Setup::yaml(POLICY).alone().start();
    let none = on(&gateway, "none");
    for _ in 0..200 {
        let response = none.send();
        assert_eq!((response.status, response.text()), (429, "api minute 0 0 0"));
        response.lacks("retry-after");
        assert_eq!(response.value("ratelimit-policy"), r#""api/minute";q=0;w=60"#);
        assert_eq!(response.value("ratelimit"), r#""api/minute";r=0"#);
    }
    eventually("rejections are counted", || (gateway.metric("policy.api.refused") == 200).then_some(()));
    assert_eq!(gateway.metric("policy.all.refused"), 0, "nobody else was asked");
}

#[test]
fn nothing_is_counted_nor_blocked_by_a_quota_of_0_or_none() {
    let gateway = Setup::yaml(POLICY).start();
    let key = new_key();
    let on = |plan: &str| gateway.get("/").key(&key).header("x-plan", plan);
    assert_eq!(on("none").admitted_of(5), 0);
    assert_eq!(on("internal").admitted_of(5), 5);
    assert_eq!(on("free").admitted_of(5), 2);
}

#[test]
fn a_grpc_client_without_the_plan_is_told_not_to_retry() {
    let gateway = Setup::yaml(POLICY).start();
    let response = on(&gateway, "none").header("content-type", "application/grpc").send();
    assert_eq!(response.value("grpc-retry-pushback-ms"), "-1");
    response.lacks("retry-after");
}
