//! Plans whose quotas are far apart, as Parseo's.

use super::*;
use crate::time::MILLISECOND;

/// Parseo's own file as far as keys go, as JSON would carry it.
const PARSEO: &str = r#"{
    "keys": {"api_key": {"header": "authorization", "scheme": "Bearer", "valid": "consumer"}},
    "tiers": {"names": ["standard", "business"], "default": "standard"},
    "consumers": [
        {"name": "shop", "keys": {"api_key": ["shop"]}},
        {"name": "bank", "keys": {"api_key": ["bank"]}, "tier": "business"}
    ],
    "policies": [{"name": "key", "key": "api_key",
                  "limits": [{"quota": {"standard": 600, "business": 3000}, "window": "60s"}]}]
}"#;

#[wasm_bindgen_test(unsupported = test)]
fn pa_7_ten_a_second_all_pass_for_five_minutes_beside_a_larger_plan() {
    let mut fixture = Fixture::new(PARSEO);
    let start = fixture.now;
    for i in 0..3_000 {
        fixture.now =
            Now { mono: start.mono + i * 100 * MILLISECOND, wall: start.wall + i * 100 * MILLISECOND };
        assert!(!fixture.decide(&FakeRequest::default().key("shop")).rejected(), "request {i}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_change_between_plans_whose_logs_differ_keeps_the_count() {
    // The plan is told from outside, the caller stays the same.
    let policy = PARSEO
        .replace(r#", "valid": "consumer""#, "")
        .replace(r#""keys": {"api_key": {"#, r#""keys": {"plan": {"header": "x-plan"}, "api_key": {"#)
        .replace(r#""default": "standard""#, r#""default": "standard", "from": "plan""#)
        .replace(r#", "tier": "business""#, "");
    let mut fixture = Fixture::new(&policy);
    let on = |plan: &'static str| move |_| FakeRequest::default().key("anyone").with("x-plan", plan);
    assert_eq!(fixture.passed(400, on("standard")), 400);
    fixture.wait(30);
    assert_eq!(fixture.passed(3_000, on("business")), 2_600);
    assert_eq!(fixture.passed(10, on("standard")), 0);
    // The 400 have left, the 2,600 have not.
    fixture.wait(31);
    assert_eq!(fixture.passed(10, on("standard")), 0);
    assert_eq!(fixture.passed(3_000, on("business")), 400);
    // After a whole window without a request the log is as exact as any.
    fixture.wait(62);
    assert_eq!(fixture.passed(700, on("standard")), 600);
    fixture.now.mono += 60 * SECOND - MILLISECOND;
    assert_eq!(fixture.passed(1, on("standard")), 0);
    fixture.now.mono += MILLISECOND;
    assert_eq!(fixture.passed(700, on("standard")), 600);
}
