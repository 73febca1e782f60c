//! Failed authentication, counted by the upstream's answers: FA-17.

use std::net::Ipv4Addr;

use crate::harness::{Gateway, Request, Setup, new_ip, new_key};

const FAILURES: usize = 5;
const KEY_QUOTA: usize = 10;

const POLICY: &str = "
keys:
  client_ip: { client_ip: {} }
  api_key: { header: authorization, scheme: Bearer }
policies:
  - name: failures
    key: client_ip
    count_on: [401]
    limits: [{ quota: 5, window: 1h }]
  - name: key
    key: api_key
    refund_on: [401]
    limits: [{ quota: 10, window: 1h }]
";

fn gateway() -> Gateway {
    Setup::yaml(POLICY).start()
}

/// A request that the upstream answers with this status.
fn answered(gateway: &Gateway, from: Ipv4Addr, key: &str, status: u16) -> Request {
    gateway.get("/").from(from).key(key).answered(status)
}

/// Fails until the address is rejected. Answers how often it took.
fn failures_before_rejection(gateway: &Gateway, from: Ipv4Addr) -> usize {
    let attempt = |_: &usize| answered(gateway, from, &new_key(), 401).send().status == 401;
    (0..2 * FAILURES).take_while(attempt).count()
}

#[test]
fn fa_17_after_five_failures_even_a_good_request_from_that_address_is_rejected() {
    let gateway = gateway();
    let ip = new_ip();
    assert_eq!(failures_before_rejection(&gateway, ip), FAILURES);
    assert_eq!(answered(&gateway, ip, &new_key(), 200).send().status, 429);
    assert_eq!(gateway.get("/").from(ip).send().status, 429);
}

#[test]
fn fa_17_other_addresses_are_unaffected() {
    let gateway = gateway();
    assert_eq!(failures_before_rejection(&gateway, new_ip()), FAILURES);
    let other = new_ip();
    assert_eq!(answered(&gateway, other, &new_key(), 200).admitted_of(KEY_QUOTA), KEY_QUOTA);
    assert_eq!(failures_before_rejection(&gateway, other), FAILURES);
}

#[test]
fn fa_17_good_requests_never_count() {
    let gateway = gateway();
    let ip = new_ip();
    for _ in 0..4 {
        assert_eq!(answered(&gateway, ip, &new_key(), 200).admitted_of(KEY_QUOTA), KEY_QUOTA);
    }
    assert_eq!(failures_before_rejection(&gateway, ip), FAILURES);
}

#[test]
fn fa_17_other_failures_do_not_count() {
    let gateway = gateway();
    let ip = new_ip();
    for status in [400, 402, 403, 404, 500, 503] {
        assert_eq!(answered(&gateway, ip, &new_key(), status).send().status, status);
    }
    assert_eq!(failures_before_rejection(&gateway, ip), FAILURES);
}

#[test]
fn fa_17_failures_with_a_victims_key_spend_nothing_of_its_quota() {
    let gateway = gateway();
    let victim = new_key();
    // From several addresses, together more than the key could bear.
    for _ in 0..3 {
        let attack = answered(&gateway, new_ip(), &victim, 401);
        let statuses: Vec<_> = (0..2 * FAILURES).map(|_| attack.send().status).collect();
        assert_eq!(statuses, [[401; FAILURES], [429; FAILURES]].concat());
    }
    assert_eq!(answered(&gateway, new_ip(), &victim, 200).admitted_of(2 * KEY_QUOTA), KEY_QUOTA);
}

#[test]
fn fa_17_good_requests_between_failures_do_not_make_up_for_them() {
    let gateway = gateway();
    let ip = new_ip();
    let good = |key: &str| answered(&gateway, ip, key, 200).send().status;
    for _ in 0..FAILURES {
        assert_eq!(good(&new_key()), 200);
        assert_eq!(answered(&gateway, ip, &new_key(), 401).send().status, 401);
    }
    assert_eq!(good(&new_key()), 429);
}

#[test]
fn fa_17_classes_of_statuses_count_too() {
    let policy = POLICY.replace("count_on: [401]", "count_on: [401, 403, 5xx]");
    let gateway = Setup::yaml(policy).start();
    let ip = new_ip();
    for status in [401, 403, 500, 503, 599] {
        assert_eq!(answered(&gateway, ip, &new_key(), status).send().status, status);
    }
    assert_eq!(answered(&gateway, ip, &new_key(), 200).send().status, 429);
}
