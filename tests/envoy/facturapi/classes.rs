//! A policy for each kind of operation: FP-4, and what operators see of them: FP-12.

use super::*;
use crate::harness::eventually;

/// The name and the quota of each class, and requests that are in it.
type Class = (&'static str, usize, &'static [(&'static str, &'static str)]);

const CLASSES: [Class; 5] = [
    ("heavy", HEAVY_QUOTA, &[("POST", "/v2/invoices/7/stamp"), ("POST", HEAVY)]),
    ("detail", 600, &[("GET", "/v2/invoices/7"), ("GET", "/v2/customers/7/tax"), ("HEAD", "/v2/products/8")]),
    ("list", 120, &[("GET", "/v2/invoices"), ("GET", "/v2/customers?q=ana/2"), ("HEAD", "/v2/products")]),
    ("create", 100, &[("POST", "/v2/invoices"), ("POST", "/v2/customers")]),
    (
        "write",
        100,
        &[
            ("PUT", "/v2/invoices/7"),
            ("PATCH", "/v2/customers/7"),
            ("DELETE", "/v2/products/7"),
            ("POST", "/v2/invoices/7/cancel"),
        ],
    ),
];

/// How many requests pass until one is rejected, each by another of the ways.
fn admitted_in_turns(ways: &[Request]) -> usize {
    let mut connection = ways[0].connect();
    let statuses = ways.iter().cycle().map(|request| connection.exchange(request).status);
    statuses.take_while(|status| *status == 200).count()
}

#[test]
fn fp_4_each_class_has_a_quota_of_its_own_that_all_its_operations_share() {
    let gateway = gateway();
    let caller = new_ip();
    // One after the other, so that each finds the ones before it used up.
    for (class, quota, operations) in CLASSES {
        let ways = operations.iter().map(|(method, path)| ask(&gateway, method, path).from(caller));
        let ways: Vec<_> = ways.collect();
        assert_eq!(admitted_in_turns(&ways), quota, "{class}");
        for request in &ways {
            assert_eq!(request.send().status, 429, "{class}: {request:?}");
        }
    }
}

#[test]
fn fp_4_what_is_in_no_class_is_not_limited() {
    let gateway = gateway();
    for (method, path) in [("GET", "/"), ("POST", "/v1/exports"), ("POST", "/v22/exports")] {
        assert_eq!(ask(&gateway, method, path).from(new_ip()).admitted_of(150), 150, "{method} {path}");
    }
}

#[test]
fn fp_12_each_decision_is_counted_under_the_class_that_made_it() {
    let gateway = in_force().alone().start();
    let heavy = heavy(&gateway).from(new_ip());
    assert_eq!(heavy.admitted_of(HEAVY_QUOTA + 7), HEAVY_QUOTA);
    assert_eq!(ask(&gateway, "GET", "/v2/invoices").from(new_ip()).admitted_of(5), 5);
    let metrics = || {
        ["heavy.admitted", "heavy.refused", "list.admitted", "list.refused", "detail.admitted"]
            .map(|name| gateway.metric(&format!("policy.{name}")))
    };
    eventually("the workers' report", || (metrics() == [20, 7, 5, 0, 0]).then_some(()));
    // What is in flight is no class: it judges each request.
    assert_eq!(gateway.metric("policy.concurrency.admitted"), 25);
    assert_eq!(gateway.metric("policy.concurrency.refused"), 0);
}

/// How long requests take is Envoy's to measure, of each listener and each upstream.
#[test]
fn fp_12_latency_is_measured_beside_them() {
    let gateway = in_force().alone().start();
    assert_eq!(ask(&gateway, "GET", "/v2/invoices").from(new_ip()).send().status, 200);
    eventually("Envoy's percentiles", || {
        let page = gateway.admin().page("/stats?filter=^http.gateway.downstream_rq_time$");
        (page.contains("P95(") && page.contains("P99(")).then_some(())
    });
}
