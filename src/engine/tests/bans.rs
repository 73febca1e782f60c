//! `count: rejected`: policies that count what others reject, and then reject for themselves.

use super::*;

/// One request a minute, a ban of ten minutes after three rejections in ten minutes, and one of a day after
/// eight in a day.
fn growing(charge: &str) -> Fixture {
    let ban = |name: &str, quota: u32, window: &str| {
        format!(
            r#"{{"name": "{name}", "key": "ip", "count": "rejected", "block_for": "{window}",
                "limits": [{{"quota": {quota}, "window": "{window}"}}]}}"#
        )
    };
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "charge": "{charge}", "policies": [{}, {},
            {{"name": "api", "key": "ip", "limits": [{{"quota": 1, "window": "1m"}}]}}]}}"#,
        ban("day", 8, "1d"),
        ban("minutes", 3, "10m"),
    ))
}

const MODES: [&str; 2] = ["all_or_nothing", "sequential"];

fn caller() -> FakeRequest {
    FakeRequest::from("192.0.2.1")
}

fn wait_of(fixture: &mut Fixture) -> u64 {
    fixture.decide(&caller()).retry_after() / SECOND
}

#[wasm_bindgen_test(unsupported = test)]
fn a_ban_grows_with_what_others_reject() {
    for mode in MODES {
        let mut fixture = growing(mode);
        assert_eq!(fixture.passed(1, |_| caller()), 1);
        // Three rejections by the limit itself are counted. The third one announces the ban.
        for _ in 0..2 {
            assert!(wait_of(&mut fixture) <= 60, "{mode}");
        }
        for _ in 0..2 {
            assert_eq!(wait_of(&mut fixture), 600, "{mode}: the first ban");
        }
        fixture.wait(599);
        assert_eq!(wait_of(&mut fixture), 1, "{mode}: nothing has prolonged it");
        fixture.wait(1);
        assert_eq!(fixture.passed(1, |_| caller()), 1, "{mode}: it is over");
        // Five rejections so far: three by the limit, two by the first ban.
        for _ in 0..3 {
            assert!(fixture.decide(&caller()).rejected());
        }
        assert_eq!(wait_of(&mut fixture), 86_400, "{mode}: the second ban");
        assert_eq!(fixture.passed(1, |_| FakeRequest::from("192.0.2.2")), 1, "{mode}: of nobody else");
        fixture.wait(86_399);
        assert!(wait_of(&mut fixture) >= 1);
        fixture.wait(1);
        assert_eq!(fixture.passed(1, |_| caller()), 1, "{mode}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn admitted_requests_do_not_count_and_rejections_by_shadow_policies_do_not_either() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "ban", "key": "ip", "count": "rejected", "limits": [{"quota": 1, "window": "1m"}]},
            {"name": "api", "key": "ip", "mode": "shadow", "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    assert_eq!(fixture.passed(50, |_| caller()), 50);
    let decision = fixture.decide(&caller());
    assert_eq!(decision.verdict(0, 0).unwrap().remaining, 1, "nothing was counted, nor is this request");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_ban_in_shadow_counts_what_enforced_policies_reject() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "ban", "key": "ip", "count": "rejected", "mode": "shadow", "limits": [{"quota": 2, "window": "1h"}]},
            {"name": "api", "key": "ip", "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    assert_eq!(fixture.passed(3, |_| caller()), 1);
    fixture.wait(60);
    let decision = fixture.decide(&caller());
    assert!(!decision.rejected() && decision.shadows()[0].rejected(), "two were counted");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_ban_does_not_count_what_it_rejects_itself() {
    for mode in MODES {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "charge": "{mode}", "policies": [
                {{"name": "api", "key": "ip", "limits": [{{"quota": 1, "window": "1h"}}]}},
                {{"name": "ban", "key": "ip", "count": "rejected", "limits": [{{"quota": 2, "window": "1m"}}]}}]}}"#
        ));
        fixture.passed(1, |_| caller());
        for _ in 0..20 {
            assert!(fixture.decide(&caller()).rejected());
        }
        fixture.wait(60);
        let decision = fixture.decide(&caller());
        let ban = decision.verdict(1, 0).unwrap();
        assert_eq!((ban.admitted, ban.remaining), (true, 1), "{mode}: only this one is counted");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_costs_as_much_as_its_request() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "ban", "key": "ip", "count": "rejected", "cost": 3, "limits": [{"quota": 7, "window": "1h"}]},
            {"name": "api", "key": "ip", "limits": [{"quota": 1, "window": "1h"}]}]}"#,
    );
    fixture.passed(1, |_| caller());
    let left = |fixture: &mut Fixture| fixture.decide(&caller()).verdict(0, 0).unwrap().remaining;
    assert_eq!([left(&mut fixture), left(&mut fixture), left(&mut fixture)], [4, 1, 1]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_is_counted_for_whom_the_ban_counts_by_and_nobody_else() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "key": {"header": "x-key"}}, "policies": [
            {"name": "ban", "key": "ip", "count": "rejected", "block_for": "1h", "limits": [{"quota": 1, "window": "1h"}]},
            {"name": "api", "key": "key", "limits": [{"quota": 1, "window": "1h"}]}]}"#,
    );
    let attacker = || FakeRequest::from("192.0.2.66").with("x-key", "victim");
    fixture.passed(9, |_| attacker());
    // The victim's quota is used up, since its key is known; its address is not banned.
    assert!(fixture.decide(&FakeRequest::from("192.0.2.1").with("x-key", "victim")).rejected());
    assert!(!fixture.decide(&FakeRequest::from("192.0.2.2").with("x-key", "another")).rejected());
    assert!(fixture.decide(&FakeRequest::from("192.0.2.66").with("x-key", "third")).rejected());
}

/// The rejection that fills a ban says so: otherwise a client that waits as it is told would come back into
/// it.
#[wasm_bindgen_test(unsupported = test)]
fn a_client_that_waits_as_it_is_told_is_never_banned() {
    for mode in MODES {
        for algorithm in ["sliding_window", "fixed_window", "token_bucket"] {
            let mut fixture = Fixture::new(&format!(
                r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "charge": "{mode}", "policies": [
                    {{"name": "api", "key": "ip", "limits": [{{"quota": 1, "window": "10s"}}]}},
                    {{"name": "ban", "key": "ip", "count": "rejected", "block_for": "1d", "limits": [
                        {{"algorithm": "{algorithm}", "quota": 3, "window": "1h"}}]}}]}}"#
            ));
            assert!(!fixture.decide(&caller()).rejected());
            for turn in 0..20 {
                let rejected = fixture.decide(&caller());
                assert!(rejected.rejected());
                let wait = rejected.retry_after().div_ceil(SECOND);
                assert!(wait < 86_400, "{mode} {algorithm} {turn}: {wait}");
                fixture.wait(wait);
                assert!(!fixture.decide(&caller()).rejected(), "{mode} {algorithm} {turn}: waited {wait}");
            }
        }
    }
}
