//! Billium's document, clause by clause, on the policy file that ships: unchanged, unless a test says in
//! what.
//!
//! One Envoy serves most of these tests. Each brings callers and keys of its own, so none sees another's
//! counts.

mod client_ip;
mod keys;
mod layers;
mod penalty;
mod rejection;

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use crate::harness::{Gateway, Setup, Shared, new_ip};

const IP_QUOTA: usize = 50;
const KEY_QUOTA: usize = 300;

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| policy().start());

fn gateway() -> Shared {
    Shared(&GATEWAY)
}

fn policy() -> Setup {
    Setup::file("billium.yaml")
}

/// How many of `times` requests pass, sent with this key by callers who are at their first request each.
fn admitted_from_new_ips(gateway: &Gateway, key: &str, times: usize) -> usize {
    let request = gateway.get("/invoices").key(key);
    (0..times)
        .step_by(IP_QUOTA)
        .map(|sent| request.clone().from(new_ip()).admitted_of(IP_QUOTA.min(times - sent)))
        .sum()
}

/// Uses up the whole budget of a key.
fn exhaust_key(gateway: &Gateway, key: &str) {
    assert_eq!(admitted_from_new_ips(gateway, key, KEY_QUOTA + 1), KEY_QUOTA);
}

/// Uses up the whole budget of an address, without a key.
fn exhaust_ip(gateway: &Gateway, ip: Ipv4Addr) {
    let request = gateway.get("/invoices").from(ip);
    assert_eq!(request.admitted_of(IP_QUOTA + 1), IP_QUOTA);
}
