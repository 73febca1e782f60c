//! Times that clients were once told wrongly, each as it was found.

use super::*;

fn two_limits(headers: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
            "policies": [{{"name": "p", "key": "ip", "limits": [
                {{"name": "second", "quota": 5, "window": "1s"}}, {{"name": "hour", "quota": 1, "window": "1h"}}]}}],
            "headers": {{{headers}}}}}"#
    ))
}

#[wasm_bindgen_test(unsupported = test)]
fn of_several_limits_each_reports_its_own_reset_whichever_rejects() {
    let second = r#"ratelimit: "p/second";r=4;t=1"#;
    for (describes, expected) in [
        ("", format!(r#"{second}, "p/hour";r=0;t=3600"#)),
        (r#", "describes": "p/second""#, second.to_string()),
        (r#", "describes": ["p/second"]"#, second.to_string()),
        (r#", "describes": "violated""#, r#"ratelimit: "p/hour";r=0;t=3600"#.to_string()),
        (r#", "describes": "p/second", "reset_on_429": "own""#, second.to_string()),
    ] {
        let mut fixture = two_limits(&format!(r#""preset": "ietf"{describes}"#));
        fixture.decide(&caller());
        assert_eq!(fixture.headers(&caller()).pop().unwrap(), expected, "{describes}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_reset_of_a_single_limit_is_after_the_wait_or_its_own_as_configured() {
    for (preset, own, wait) in [
        ("envoy", 1, 3_600),
        ("x-ratelimit", 1_747_314_001, 1_747_317_600),
        ("github", 1_747_314_001, 1_747_317_600),
    ] {
        for (choice, expected) in
            [("", wait), (r#", "reset_on_429": "after_wait""#, wait), (r#", "reset_on_429": "own""#, own)]
        {
            let headers = format!(r#""preset": "{preset}", "describes": "p/second"{choice}"#);
            let mut fixture = two_limits(&headers);
            fixture.decide(&caller());
            let headers = fixture.headers(&caller());
            let reset = headers.iter().find(|header| header.starts_with("x-ratelimit-reset"));
            assert_eq!(*reset.unwrap(), format!("x-ratelimit-reset: {expected}"), "{preset}{choice}");
        }
    }
}

/// Slots of a sliding window that also counts rejected requests are longer than 1 ms, and those of 366 days
/// are of three days.
#[wasm_bindgen_test(unsupported = test)]
fn a_reset_is_never_above_its_window_however_long_the_slots_and_the_wait_is_enough() {
    for (window, seconds) in [("1s", 1), ("2s", 2), ("60s", 60), ("366d", 31_622_400)] {
        let limit = format!(r#""window": "{window}""#);
        let json = format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
                "policies": [{{"name": "p", "key": "ip", "count": "all", "limits": [{{"quota": 2, {limit}}}]}}],
                "retry_after": {{"max": 31622400}}, "headers": {{"preset": "ietf", "reset": "full_reset"}}}}"#
        );
        let mut fixture = Fixture::new(&json);
        fixture.go_on(123_456);
        let (told, _) = fixture.told();
        assert_eq!(told, Some(seconds), "{window}");
        fixture.decide(&caller());
        let (told, wait) = fixture.told();
        assert_eq!((told, wait), (Some(seconds), Some(seconds)), "{window}");
        fixture.wait(seconds);
        assert!(
            !fixture.decide(&caller()).rejected(),
            "{window}: a client that waits as it is told is served"
        );
    }
}

/// With slots of 1 ms, a rejection within the same millisecond.
#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_within_the_same_millisecond_waits_no_longer_than_the_window() {
    let mut fixture = fixture(r#""window": "60s""#, r#""preset": "ietf""#);
    fixture.go_on(123_000);
    for request in 0..7 {
        fixture.go_on(10);
        let (told, wait) = fixture.told();
        assert_eq!((told, wait), (Some(60), (request >= 5).then_some(60)));
    }
}

/// The nanoseconds of a unit are rounded up, and the seconds of a bucket are not.
#[wasm_bindgen_test(unsupported = test)]
fn a_bucket_is_full_when_its_burst_has_refilled() {
    for (bucket, told) in [
        (r#""quota": 7, "window": "60s""#, 60),
        (r#""quota": 7, "window": "60s", "burst": 14"#, 120),
        (r#""quota": 3, "window": "7s", "burst": 6"#, 14),
        (r#""quota": 3, "window": "7s", "burst": 1"#, 3),
    ] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
                "policies": [{{"name": "p", "key": "ip", "limits": [{{"algorithm": "token_bucket", {bucket}}}]}}],
                "headers": {{"preset": "envoy", "reset": "full_reset"}}}}"#
        ));
        let last = (0..20).map(|_| fixture.decide(&caller())).filter(|decision| !decision.rejected()).last();
        let headers = fixture.replies.limit_headers(last.as_ref().unwrap());
        assert_eq!(headers[2].1, told.to_string(), "{bucket}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn one_instant_is_one_number_on_a_response_and_on_its_rejection() {
    for limit in [ALGORITHMS[0].0, ALGORITHMS[2].0, ALGORITHMS[3].0] {
        for reset in RESETS {
            for own in [true, false] {
                // A full reset of a sliding window is not before a clock shows that `retry-after` is over.
                if !own && reset == "full_reset" && limit == ALGORITHMS[0].0 {
                    continue;
                }
                let choice = if own { "own" } else { "after_wait" };
                let headers =
                    format!(r#""preset": "x-ratelimit", "reset": "{reset}", "reset_on_429": "{choice}""#);
                let mut fixture = fixture(limit, &headers);
                fixture.go_on(300_000);
                let (told, _) = (0..5).map(|_| fixture.told()).last().unwrap();
                for _ in 0..40 {
                    fixture.go_on(13_001);
                    let (again, wait) = fixture.told();
                    assert!(wait.is_some());
                    assert_eq!(again, told, "{limit} {headers}");
                }
            }
        }
    }
}

/// A response that charges more than the request was judged by reports when that comes back, from its own
/// instant.
#[wasm_bindgen_test(unsupported = test)]
fn a_response_with_the_real_cost_reports_the_resets_of_that() {
    let told = |reset: &str, cost: &str, elapsed: u64| {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
                "policies": [{{"name": "p", "key": "ip", "cost_header": "x-cost", "limits": [
                    {{"quota": 10, "window": "10s", "algorithm": "token_bucket"}}]}}],
                "headers": {{"preset": "ietf", "reset": "{reset}"}}}}"#
        ));
        let mut decision = fixture.decide(&caller());
        fixture.wait(elapsed);
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(200).with("x-cost", cost));
        fixture.replies.limit_headers(&decision)[1].1.to_string()
    };
    assert_eq!(told("full_reset", "6", 0), r#""p";r=4;t=6"#);
    assert_eq!(told("next_slot", "6", 0), r#""p";r=4;t=1"#);
    assert_eq!(told("full_reset", "6", 3), r#""p";r=5;t=5"#, "one unit has come back, five are new");
    assert_eq!(told("full_reset", "0", 0), r#""p";r=10;t=0"#);
    assert_eq!(told("next_slot", "14", 0), r#""p";r=0;t=5"#, "it owes four");
}

/// Billium's layers: a request that the second rejects has spent a unit of the first, perhaps its last.
#[wasm_bindgen_test(unsupported = test)]
fn a_rejected_request_that_a_layer_has_counted_waits_for_that_layer_too() {
    let waits = |charge: &str, count: &str| {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "charge": "{charge}", "policies": [
                {{"name": "a", "key": "ip", "count": "{count}", "limits": [{{"quota": 2, "window": "1h"}}]}},
                {{"name": "b", "key": "ip", "count": "{count}", "limits": [{{"quota": 1, "window": "10s"}}]}}]}}"#
        ));
        fixture.decide(&caller());
        let decision = fixture.decide(&caller());
        let reply = fixture.reply(&decision, &caller());
        assert_eq!(reply.details, "tollgate_refused_by_b");
        reply.headers.last().unwrap().1.parse::<u64>().unwrap()
    };
    assert_eq!(waits("all_or_nothing", "accepted"), 10);
    assert_eq!(waits("sequential", "accepted"), 3_600);
    assert_eq!(waits("all_or_nothing", "all"), 3_600);
    assert_eq!(waits("sequential", "all"), 3_600);
}

/// What only its response counts is not counted before, so its reset is not that of a unit.
#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_is_not_counted_reports_no_reset_of_its_own() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}},
            "policies": [{"name": "p", "key": "ip", "count_on": [401], "limits": [{"quota": 3, "window": "60s"}]}],
            "headers": {"preset": "ietf"}}"#,
    );
    let mut told = |status| {
        let mut decision = fixture.decide(&caller());
        fixture.wait(2);
        fixture.on_response(&mut decision, &FakeResponse::of_upstream(status));
        fixture.replies.limit_headers(&decision)[1].1.to_string()
    };
    assert_eq!(told(200), r#""p";r=3;t=0"#);
    assert_eq!(told(401), r#""p";r=2;t=60"#, "from the response, which is when it counts");
    assert_eq!(told(200), r#""p";r=2;t=58"#);
}
