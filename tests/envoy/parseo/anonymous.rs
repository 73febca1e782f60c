//! Callers without a valid key, and the three ways in which a key is valid: PA-8.

use super::*;
use crate::harness::{new_ip, new_key};

/// The line of the file that says so, up to its comment.
const BY_CONSUMER: &str = "valid: consumer #";

/// What the address of a caller without a valid key is told and allowed.
fn assert_anonymous(request: &Request) {
    assert_eq!(quota(&request.send()), (20, 19));
    assert_eq!(request.admitted_of(ANONYMOUS + 5), ANONYMOUS - 1);
    let rejected = request.send();
    assert_eq!((rejected.status, quota(&rejected)), (429, (20, 0)));
    rejected.retry_after();
}

#[test]
fn pa_8_whoever_shows_no_key_that_is_known_has_20_and_is_told_so() {
    let gateway = shipped().start();
    for authorization in [
        "Bearer unknown",
        "Bearer parseo_sho",
        "Bearer parseo_shop2",
        "Bearer PARSEO_SHOP",
        "Bearer \u{ff}parseo_shop",
        "Basic parseo_shop",
        "parseo_shop",
        "Bearer",
        // Who has read the policy has no key.
        "Bearer f54a2481117ab38fda69a1850b518ca3f93d9a5021c004fee85481a546a3e0cf",
        "Bearer sha256:f54a2481117ab38fda69a1850b518ca3f93d9a5021c004fee85481a546a3e0cf",
    ] {
        assert_anonymous(&list(&gateway).from(new_ip()).header("authorization", authorization));
    }
    assert_anonymous(&list(&gateway).from(new_ip()));
    assert_anonymous(&list(&gateway).from(new_ip()).header("x-api-key", SHOP));
}

#[test]
fn pa_8_made_up_keys_share_the_20_of_their_address() {
    let gateway = shipped().start();
    let ip = new_ip();
    let admitted = (0..2 * ANONYMOUS).filter(|_| list(&gateway).from(ip).key(new_key()).send().status == 200);
    assert_eq!(admitted.count(), ANONYMOUS);
    assert_eq!(list(&gateway).from(ip).send().status, 429);
}

#[test]
fn pa_8_each_address_has_20_of_its_own() {
    let gateway = shipped().start();
    for _ in 0..3 {
        assert_anonymous(&list(&gateway).from(new_ip()));
    }
}

#[test]
fn pa_8_a_valid_key_and_its_address_spend_nothing_of_each_other() {
    let gateway = shipped().start();
    let nobody = list(&gateway).from(new_ip());
    let shop = nobody.clone().key(SHOP);
    assert_eq!(shop.admitted_of(30), 30);
    assert_anonymous(&nobody);
    assert_eq!(quota(&shop.send()), (600, 569));
}

#[test]
fn pa_8_a_key_may_be_valid_by_what_an_earlier_filter_has_left() {
    let setup = shipped().replacing(BY_CONSUMER, "valid: { metadata: [test.auth, key] } #");
    let gateway = setup.metadata_from_headers().start();
    let proven = list(&gateway).from(new_ip()).metadata("key", "k-7");
    for key in [new_key(), new_key()] {
        assert_eq!(quota(&proven.clone().key(&key).send()), (600, 599));
        assert_eq!(quota(&proven.clone().key(&key).send()), (600, 598));
    }
    assert_eq!(quota(&proven.clone().key(BANK).send()), (3_000, 2_999));
    assert_anonymous(&proven);
    // Without the proof no key is one, and another filter's word about something else is none.
    assert_anonymous(&list(&gateway).from(new_ip()).key(SHOP));
    assert_anonymous(&list(&gateway).from(new_ip()).key(SHOP).metadata("user", "u-1"));
    assert_anonymous(&list(&gateway).from(new_ip()).key(SHOP).metadata("key", ""));
}

/// A filter that leaves a flag: whether the key begins with `good`.
const FLAGGING: &str = r#"- name: flagging
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(request)
          local key = request:headers():get("authorization") or ""
          local good = key:match("^Bearer good") ~= nil
          request:streamInfo():dynamicMetadata():set("test.auth", "valid", good)
        end"#;

#[test]
fn pa_8_what_the_earlier_filter_has_left_may_be_a_flag() {
    let setup = shipped().replacing(BY_CONSUMER, "valid: { metadata: [test.auth, valid] } #");
    let gateway = setup.filter(FLAGGING).start();
    assert_eq!(quota(&list(&gateway).key("good-1").send()), (600, 599));
    assert_eq!(quota(&list(&gateway).key("good-2").send()), (600, 599));
    assert_anonymous(&list(&gateway).from(new_ip()).key("bad-1"));
    assert_anonymous(&list(&gateway).from(new_ip()).key(BANK));
}

/// A gateway at which keys are valid until the upstream says 401, and again after so long.
fn judged_by_the_upstream(lasts: &str) -> Gateway {
    shipped().replacing(BY_CONSUMER, &format!("valid: {{ unless: [401], for: {lasts} }} #")).start()
}

#[test]
fn pa_8_a_key_that_the_upstream_has_rejected_is_none_for_a_while() {
    let gateway = judged_by_the_upstream("10m");
    let ip = new_ip();
    let made_up = list(&gateway).from(ip).key(new_key());
    assert_eq!(made_up.clone().answered(401).send().status, 401);
    // That request is one of the address's 20, and so are all after it, whatever their answers.
    assert_eq!(quota(&made_up.send()), (20, 18));
    assert_eq!(made_up.admitted_of(ANONYMOUS + 5), 18);
    // From elsewhere it is no key either.
    assert_anonymous(&made_up.clone().from(new_ip()));
    // A good one is good from that address, too.
    let good = list(&gateway).from(ip).key(new_key());
    assert_eq!(quota(&good.send()), (600, 599));
    assert_eq!(good.clone().answered(403).send().status, 403);
    assert_eq!(quota(&good.send()), (600, 597));
}

#[test]
fn pa_8_every_key_that_the_upstream_rejects_is_at_the_addresss_expense() {
    let gateway = judged_by_the_upstream("10m");
    let ip = new_ip();
    for _ in 0..ANONYMOUS {
        assert_eq!(list(&gateway).from(ip).key(new_key()).answered(401).send().status, 401);
    }
    let rejected = list(&gateway).from(ip).send();
    assert_eq!((rejected.status, quota(&rejected)), (429, (20, 0)));
    assert_eq!(list(&gateway).from(new_ip()).send().status, 200);
}

#[test]
fn pa_8_after_the_while_the_key_is_tried_again() {
    let gateway = judged_by_the_upstream("3s");
    let request = list(&gateway).from(new_ip()).key(new_key());
    assert_eq!(request.clone().answered(401).send().status, 401);
    assert_eq!(quota(&request.send()).0, 20);
    std::thread::sleep(Duration::from_millis(3_100));
    assert_eq!(quota(&request.send()).0, 600);
}
