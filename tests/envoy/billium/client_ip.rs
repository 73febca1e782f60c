//! Who counts as one client address: BI-10.

use super::*;

/// Behind one proxy that is trusted, the last entry of x-forwarded-for is the client.
const ONE_TRUSTED_HOP: &str = "xff_num_trusted_hops: 1";

#[test]
fn bi_10_a_made_up_forwarded_for_does_not_make_a_new_client() {
    let gateway = gateway();
    let ip = new_ip();
    exhaust_ip(&gateway, ip);
    for forwarded in ["203.0.113.7", "203.0.113.8, 198.51.100.9", "2001:db8::1"] {
        let request = gateway.get("/invoices").from(ip);
        let response = request.header("x-forwarded-for", forwarded).send();
        assert_eq!(response.status, 429, "{forwarded}");
    }
}

#[test]
fn bi_10_behind_a_trusted_proxy_only_the_entry_it_added_counts() {
    let gateway = policy().manager(ONE_TRUSTED_HOP).start();
    exhaust_forwarded(&gateway, "198.51.100.9");
    assert_eq!(status_of_forwarded(&gateway, "203.0.113.7, 198.51.100.9"), 429);
    assert_eq!(status_of_forwarded(&gateway, "198.51.100.9, 203.0.113.7"), 200);
}

#[test]
fn bi_10_an_ipv4_address_mapped_into_ipv6_is_the_ipv4_address() {
    let gateway = policy().manager(ONE_TRUSTED_HOP).start();
    exhaust_forwarded(&gateway, "::ffff:1.2.3.4");
    assert_eq!(status_of_forwarded(&gateway, "1.2.3.4"), 429);
    assert_eq!(status_of_forwarded(&gateway, "::ffff:102:304"), 429);
    // Their first 64 bits are the same.
    assert_eq!(status_of_forwarded(&gateway, "::ffff:1.2.3.5"), 200);
    assert_eq!(status_of_forwarded(&gateway, "1.2.3.5"), 200);
}

#[test]
fn bi_10_ipv6_addresses_of_one_64_bit_network_share_a_budget() {
    let gateway = policy().manager(ONE_TRUSTED_HOP).start();
    exhaust_forwarded(&gateway, "2001:db8:1:1::1");
    assert_eq!(status_of_forwarded(&gateway, "2001:db8:1:1:ffff:ffff:ffff:ffff"), 429);
    assert_eq!(status_of_forwarded(&gateway, "2001:db8:1:2::1"), 200);
}

#[test]
fn bi_10_the_length_of_the_ipv6_network_is_configurable() {
    let policy = policy().replacing("ipv6_prefix: 64", "ipv6_prefix: 48");
    let gateway = policy.manager(ONE_TRUSTED_HOP).start();
    exhaust_forwarded(&gateway, "2001:db8:1:1::1");
    assert_eq!(status_of_forwarded(&gateway, "2001:db8:1:ffff::1"), 429);
    assert_eq!(status_of_forwarded(&gateway, "2001:db8:2:1::1"), 200);
}

fn exhaust_forwarded(gateway: &Gateway, forwarded: &str) {
    let request = gateway.get("/invoices").header("x-forwarded-for", forwarded);
    assert_eq!(request.admitted_of(IP_QUOTA + 1), IP_QUOTA);
}

fn status_of_forwarded(gateway: &Gateway, forwarded: &str) -> u16 {
    let request = gateway.get("/invoices").header("x-forwarded-for", forwarded);
    request.send().status
}
