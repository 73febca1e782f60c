//! What of an API key counts: BI-3.

use super::*;
use crate::harness::new_key;

#[test]
fn bi_3_keys_that_share_their_first_16_characters_share_one_budget() {
    let gateway = gateway();
    let prefix = new_key();
    exhaust_key(&gateway, &format!("{prefix}-first"));
    for key in [format!("{prefix}-second"), format!("{prefix}x"), prefix] {
        assert_eq!(status_of(&gateway, &format!("Bearer {key}")), 429, "{key}");
    }
}

#[test]
fn bi_3_keys_that_differ_within_16_characters_have_a_budget_each() {
    let gateway = gateway();
    // The 16th character is the only difference.
    let spent = new_key();
    let other = format!("{}#", &spent[..15]);
    exhaust_key(&gateway, &spent);
    assert_eq!(status_of(&gateway, &format!("Bearer {other}")), 200);
}

#[test]
fn bi_3_the_word_bearer_is_no_part_of_the_key() {
    let gateway = gateway();
    let spent = new_key();
    exhaust_key(&gateway, &spent);
    for scheme in ["bearer", "BEARER", "Bearer", "Bearer "] {
        assert_eq!(status_of(&gateway, &format!("{scheme} {spent}")), 429, "{scheme:?}");
    }
}

#[test]
fn bi_3_a_key_shorter_than_16_characters_counts_whole() {
    let gateway = gateway();
    let spent = &new_key()[4..];
    exhaust_key(&gateway, spent);
    assert_eq!(status_of(&gateway, &format!("Bearer {spent}")), 429);
    assert_eq!(status_of(&gateway, &format!("Bearer {spent}0")), 200);
    assert_eq!(status_of(&gateway, &format!("Bearer {}", &spent[1..])), 200);
}

fn status_of(gateway: &Gateway, authorization: &str) -> u16 {
    let request = gateway.get("/invoices").from(new_ip());
    request.header("authorization", authorization).send().status
}
