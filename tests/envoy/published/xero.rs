//! Xero.

use super::*;
use crate::harness::{HELD, Upstream, eventually, new_key};

#[test]
fn xero_allows_60_a_minute_for_each_tenant_and_shows_three_limits() {
    let api = Api::of("xero");
    api.answers(|| {
        let invoices =
            api.get("/api.xro/2.0/Invoices").metadata("app", new_key()).header("Xero-Tenant-Id", "1");
        vec![
            admits(
                1,
                &invoices,
                "x-daylimit-remaining: 4999\nx-minlimit-remaining: 59\nx-appminlimit-remaining: 9999",
            ),
            admits(
                59,
                &invoices,
                "x-daylimit-remaining: 4940\nx-minlimit-remaining: 0\nx-appminlimit-remaining: 9940",
            ),
            rejects(
                &invoices,
                429,
                "x-daylimit-remaining: 4940\nx-minlimit-remaining: 0\nx-appminlimit-remaining: 9940
                 x-rate-limit-problem: minute\nretry-after: <60>\ncontent-type: text/plain; charset=utf-8",
                "Too many requests\n",
            ),
        ]
    });
}

#[test]
fn xero_allows_5_calls_in_progress() {
    let upstream = Upstream::answering(&[]);
    let api = Api::with(published("xero").upstream(upstream.address()));
    let call = api.get(&format!("/api.xro/2.0{HELD}")).metadata("app", "1").header("Xero-Tenant-Id", "2");
    let held: Vec<_> = (0..5).map(|_| call.begin()).collect();
    eventually("five calls", || (upstream.requests() == 5).then_some(()));
    let rejected = call.send();
    assert_eq!((rejected.status, rejected.value("x-rate-limit-problem")), (429, "concurrent"));
    for _ in &held {
        eventually("a call", || upstream.next_call()).answer(200);
    }
    assert!(held.into_iter().all(|call| call.response().status == 200));
}
