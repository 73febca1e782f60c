//! Who is counted: FP-5, FP-6, FP-7, FP-13, FP-15. In front of the module is Envoy's own filter for tokens.

use std::net::Ipv4Addr;

use super::*;
use crate::harness::new_key;

/// Verifies tokens and leaves their claims; lets pass who has none.
const TOKENS: &str = r#"- name: envoy.filters.http.jwt_authn
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      auth:
        issuer: auth
        local_jwks: { inline_string: '{"keys":[{"kty":"oct","alg":"HS256","kid":"t","k":"dGhlIHRlc3Qgc2lnbnMgd2l0aCB0aGlzLCBub2JvZHkgZWxzZSBkb2Vz"}]}' }
        payload_in_metadata: payload
        forward: true
    rules:
      - match: { prefix: / }
        requires: { requires_any: { requirements: [{ provider_name: auth }, { allow_missing_or_failed: {} }] } }"#;

/// A token's head and claims, and the signature that goes with them.
struct Token(&'static str, &'static str);

/// `{"iss":"auth","organization":"org-1"}`
const ORGANIZATION: Token = Token(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InQifQ.eyJpc3MiOiJhdXRoIiwib3JnYW5pemF0aW9uIjoib3JnLTEifQ",
    "ekJ3w9NFs0WIh0_OwHjDxPjrYtclPcPPAKfVMUuBfew",
);
/// `{"iss":"auth","sub":"org-1"}`
const USER: Token = Token(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InQifQ.eyJpc3MiOiJhdXRoIiwic3ViIjoib3JnLTEifQ",
    "9E_ALMa8wn-S9kDIrsm0XQ1FaS3HQDxbIKj_n6ItufQ",
);

impl Token {
    fn text(&self) -> String {
        format!("{}.{}", self.0, self.1)
    }

    /// Signed by somebody who does not have the key.
    fn forged(&self) -> String {
        format!("{}.{}", self.0, self.1.chars().rev().collect::<String>())
    }
}

fn verifying() -> Gateway {
    in_force().filter(TOKENS).start()
}

/// How many of `times` heavy requests with this credential pass, each from another address.
fn admitted(gateway: &Gateway, credential: &str, times: usize) -> usize {
    (0..times).map(|_| heavy(gateway).from(new_ip()).key(credential).admitted_of(1)).sum()
}

#[test]
fn fp_5_fp_7_two_keys_of_one_organization_test_and_live_share_a_budget() {
    let gateway = verifying();
    assert_eq!(admitted(&gateway, "sk_test_acme", 15), 15);
    assert_eq!(admitted(&gateway, "sk_live_acme", 15), HEAVY_QUOTA - 15);
    assert_eq!(admitted(&gateway, "sk_test_acme", 5), 0);
}

#[test]
fn fp_5_a_verified_token_and_a_key_of_one_organization_share_a_budget() {
    let gateway = verifying();
    assert_eq!(admitted(&gateway, &ORGANIZATION.text(), 15), 15);
    assert_eq!(admitted(&gateway, "sk_live_acme", 15), HEAVY_QUOTA - 15);
    assert_eq!(admitted(&gateway, &ORGANIZATION.text(), 5), 0);
}

#[test]
fn fp_5_a_verified_token_and_a_key_of_one_user_share_a_budget() {
    let gateway = verifying();
    assert_eq!(admitted(&gateway, "sk_live_ana", 15), 15);
    assert_eq!(admitted(&gateway, &USER.text(), 15), HEAVY_QUOTA - 15);
}

#[test]
fn fp_5_an_organization_is_not_the_user_of_the_same_number() {
    let gateway = verifying();
    assert_eq!(admitted(&gateway, &USER.text(), 25), HEAVY_QUOTA);
    assert_eq!(admitted(&gateway, &ORGANIZATION.text(), 25), HEAVY_QUOTA);
    assert_eq!(admitted(&gateway, "sk_live_ana", 5), 0);
    assert_eq!(admitted(&gateway, "sk_live_acme", 5), 0);
}

#[test]
fn fp_6_without_a_proven_identity_the_address_counts_whatever_a_client_calls_itself() {
    let gateway = verifying();
    let ip = new_ip();
    let heavy = heavy(&gateway).from(ip);
    let mut claims: Vec<_> = (0..12).map(|_| heavy.clone().key(new_key())).collect();
    claims.push(heavy.clone().key(ORGANIZATION.forged()));
    claims.push(heavy.clone().key(USER.forged()));
    claims.push(heavy.clone().key("sk_live_acme2"));
    claims.push(heavy.clone().header("authorization", "Basic c2tfbGl2ZV9hY21lOg=="));
    claims.push(heavy.clone());
    let passed: usize = claims.iter().map(|request| request.admitted_of(1)).sum();
    assert_eq!(passed, claims.len());
    assert_eq!(heavy.admitted_of(HEAVY_QUOTA), HEAVY_QUOTA - claims.len());
    for request in &claims {
        assert_eq!(request.send().status, 429, "{request:?}");
    }
    // Nobody else has paid for it.
    assert_eq!(admitted(&gateway, "sk_live_acme", 25), HEAVY_QUOTA);
    assert_eq!(heavy.from(new_ip()).admitted_of(25), HEAVY_QUOTA);
}

fn from_with_key(gateway: &Gateway, ip: Ipv4Addr, key: &str) -> usize {
    heavy(gateway).from(ip).key(key).admitted_of(HEAVY_QUOTA + 5)
}

#[test]
fn fp_15_clients_without_an_identity_spend_nothing_of_one_at_the_same_address() {
    let gateway = verifying();
    let ip = new_ip();
    assert_eq!(from_with_key(&gateway, ip, &new_key()), HEAVY_QUOTA);
    assert_eq!(from_with_key(&gateway, ip, "sk_live_acme"), HEAVY_QUOTA);
    assert_eq!(from_with_key(&gateway, ip, "sk_live_bulk"), HEAVY_QUOTA);
}

#[test]
fn fp_15_an_identity_spends_nothing_of_its_addresss_budget() {
    let gateway = verifying();
    let ip = new_ip();
    assert_eq!(from_with_key(&gateway, ip, "sk_live_acme"), HEAVY_QUOTA);
    assert_eq!(from_with_key(&gateway, ip, &new_key()), HEAVY_QUOTA);
}

#[test]
fn fp_13_a_high_volume_identity_has_numbers_of_its_own_for_what_it_does_much() {
    let gateway = verifying();
    let passed = |key, method, path| ask(&gateway, method, path).key(key).admitted_of(610);
    for (method, path, usual) in [("POST", "/v2/invoices", 100), ("PUT", "/v2/invoices/7", 100)] {
        assert_eq!(passed("sk_live_bulk", method, path), 600, "{method}");
        assert_eq!(passed("sk_live_acme", method, path), usual, "{method}");
    }
    for key in ["sk_live_bulk", "sk_live_acme"] {
        assert_eq!(passed(key, "GET", "/v2/invoices"), 120, "{key}");
    }
}
