//! The two layers and how they are charged: BI-1, BI-2, BI-4, BI-5, BI-11, BI-12.

use super::*;
use crate::harness::new_key;

#[test]
fn bi_1_a_request_must_pass_both_layers() {
    let gateway = gateway();
    let (spent_ip, spent_key) = (new_ip(), new_key());
    exhaust_ip(&gateway, spent_ip);
    exhaust_key(&gateway, &spent_key);

    let request = gateway.get("/invoices");
    let by_ip = request.clone().from(spent_ip).key(new_key()).send();
    let by_key = request.clone().from(new_ip()).key(spent_key).send();
    let by_neither = request.from(new_ip()).key(new_key()).send();

    assert_eq!(by_ip.status, 429);
    assert_eq!(by_key.status, 429);
    assert_eq!(by_neither.status, 200);
}

#[test]
fn bi_2_an_ip_gets_50_requests_with_and_without_a_key_together() {
    let gateway = gateway();
    let request = gateway.get("/invoices").from(new_ip());
    let half = IP_QUOTA / 2;

    let without = request.admitted_of(half);
    let with_one_key_each = (0..half).filter(|_| request.clone().key(new_key()).send().status == 200).count();
    assert_eq!(without + with_one_key_each, IP_QUOTA);

    assert_eq!(request.send().status, 429);
    assert_eq!(request.key(new_key()).send().status, 429);
}

#[test]
fn bi_4_one_ip_is_stopped_at_50_and_never_reaches_300() {
    let request = gateway().get("/invoices").from(new_ip()).key(new_key());
    assert_eq!(request.admitted_of(KEY_QUOTA + 20), IP_QUOTA);
}

#[test]
fn bi_4_seven_ips_with_one_key_get_exactly_300() {
    let gateway = gateway();
    let key = new_key();
    assert_eq!(admitted_from_new_ips(&gateway, &key, 6 * IP_QUOTA), KEY_QUOTA);
    assert_eq!(admitted_from_new_ips(&gateway, &key, IP_QUOTA), 0);
}

#[test]
fn bi_5_a_rejection_by_the_key_has_spent_the_ips_unit() {
    assert_eq!(keyless_requests_left_after_rejections_by_key(&gateway(), 10), IP_QUOTA - 10);
}

#[test]
fn bi_5_a_rejection_by_the_key_spends_nothing_when_charging_is_all_or_nothing() {
    let gateway = policy().replacing("charge: sequential", "charge: all_or_nothing").start();
    assert_eq!(keyless_requests_left_after_rejections_by_key(&gateway, 10), IP_QUOTA);
}

#[test]
fn bi_5_a_rejection_by_the_ip_spends_nothing_of_the_key() {
    let gateway = gateway();
    let (ip, key) = (new_ip(), new_key());
    exhaust_ip(&gateway, ip);
    let request = gateway.get("/invoices").from(ip).key(&key);
    assert_eq!(request.admitted_of(10), 0);
    assert_eq!(admitted_from_new_ips(&gateway, &key, KEY_QUOTA + 10), KEY_QUOTA);
}

#[test]
fn bi_11_without_a_key_only_the_ip_layer_counts() {
    let gateway = gateway();
    for authorization in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"] {
        // Together more than one key could have, each within what its IP may.
        for _ in 0..7 {
            let request = gateway.get("/invoices").from(new_ip());
            let request = request.header("authorization", authorization);
            assert_eq!(request.admitted_of(IP_QUOTA + 1), IP_QUOTA, "{authorization:?}");
        }
    }
}

#[test]
fn bi_11_without_an_authorization_header_only_the_ip_layer_counts() {
    let gateway = gateway();
    for _ in 0..7 {
        let request = gateway.get("/invoices").from(new_ip());
        assert_eq!(request.admitted_of(IP_QUOTA + 1), IP_QUOTA);
    }
}

#[test]
fn bi_12_of_two_rejections_the_longer_wait_is_told_when_it_is_the_keys() {
    assert!(retry_after_when_both_layers_reject("10s", "1h", "sequential") > 10);
    assert!(retry_after_when_both_layers_reject("10s", "1h", "all_or_nothing") > 10);
}

#[test]
fn bi_12_of_two_rejections_the_longer_wait_is_told_when_it_is_the_ips() {
    assert!(retry_after_when_both_layers_reject("1h", "10s", "sequential") > 10);
    assert!(retry_after_when_both_layers_reject("1h", "10s", "all_or_nothing") > 10);
}

fn keyless_requests_left_after_rejections_by_key(gateway: &Gateway, rejections: usize) -> usize {
    let (ip, key) = (new_ip(), new_key());
    exhaust_key(gateway, &key);
    let request = gateway.get("/invoices").from(ip);
    assert_eq!(request.clone().key(key).admitted_of(rejections), 0);
    request.admitted_of(IP_QUOTA + 1)
}

/// Both layers with one request each, both used up by one request.
fn retry_after_when_both_layers_reject(ip_window: &str, key_window: &str, charge: &str) -> u64 {
    let one_request = |window| format!("quota: 1, window: {window}");
    let gateway = policy()
        .replacing("quota: 50, window: 60s", &one_request(ip_window))
        .replacing("quota: 300, window: 60s", &one_request(key_window))
        .replacing("charge: sequential", &format!("charge: {charge}"))
        .start();
    let request = gateway.get("/invoices").key(new_key());
    assert_eq!(request.send().status, 200);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected.retry_after()
}
