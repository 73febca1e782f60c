//! The further period of rejections, which the document leaves open: BI-6.

use std::thread;
use std::time::Duration;

use super::*;

const QUOTA: usize = 3;

/// Billium's IP layer with small numbers and these further fields, in front of its key layer.
fn with(fields: &str) -> Gateway {
    let limits = "limits: [{ quota: 50, window: 60s }]";
    policy().replacing(limits, &format!("limits: [{{ quota: {QUOTA}, window: 2s }}]{fields}")).start()
}

#[test]
fn bi_6_by_default_a_rejected_ip_is_admitted_as_soon_as_its_window_allows() {
    let gateway = with("");
    let request = gateway.get("/invoices").from(new_ip());
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
    thread::sleep(Duration::from_secs(request.send().retry_after()));
    assert_eq!(request.send().status, 200);
}

#[test]
fn bi_6_with_a_penalty_it_is_rejected_for_longer_and_nobody_else_is() {
    let gateway = with("\n    block_for: 6s");
    let request = gateway.get("/invoices").from(new_ip());
    assert_eq!(request.admitted_of(QUOTA), QUOTA);
    let rejected = request.send();
    assert_eq!((rejected.status, rejected.retry_after()), (429, 6));

    thread::sleep(Duration::from_secs(3));
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    assert!(rejected.retry_after() <= 3, "{rejected:?}");
    assert_eq!(gateway.get("/invoices").from(new_ip()).admitted_of(QUOTA), QUOTA);

    thread::sleep(Duration::from_secs(rejected.retry_after()));
    assert_eq!(request.send().status, 200);
}
