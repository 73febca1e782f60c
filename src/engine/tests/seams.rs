//! What holds between parts: stated quotas, returns, credentials, bodies and trailers, together.

use super::*;

const STATED: &str = r#"{
    "keys": {"ip": {"client_ip": {}}, "rpm": {"metadata": ["auth", "rpm"]},
             "api_key": {"header": "x-key", "valid": {"unless": [401]}}, "who": {"first_of": ["api_key", "ip"]}},
    "policies": [{"name": "p", "key": "KEY", MORE "limits": [
        {"name": "minute", "algorithm": "ALGORITHM", "quota": QUOTA, WINDOW
         "quota_from": {"key": "rpm", "min": 2, "max": 2000000}}]}]
}"#;

fn stated(algorithm: &str, key: &str, quota: &str, more: &str) -> Fixture {
    let window = if algorithm == "concurrency" { "" } else { r#""window": "1h","# };
    let policy = STATED.replace("ALGORITHM", algorithm).replace("WINDOW", window).replace("MORE", more);
    Fixture::new(&policy.replace("KEY", key).replace("QUOTA", quota))
}

fn stating(quota: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with_metadata(MetadataPath::new(["auth", "rpm"]), quota)
}

fn left(fixture: &mut Fixture, request: &FakeRequest) -> u64 {
    fixture.decide(request).verdict(0, 0).unwrap().remaining
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejected_credential_is_counted_under_the_quota_that_its_request_has_stated() {
    for (algorithm, quota) in [("token_bucket", "3"), ("sliding_window", "3"), ("sliding_window", "0")] {
        let mut fixture = stated(algorithm, "who", quota, "");
        assert_eq!(fixture.passed(100, |_| stating("1000")), 100);
        assert!(fixture.served(&stating("1000").with("x-key", "made-up"), 401));
        assert_eq!(left(&mut fixture, &stating("1000")), 898, "{algorithm} {quota}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_unit_goes_back_under_the_quota_that_its_request_has_stated() {
    for (algorithm, quota) in
        [("token_bucket", "3"), ("sliding_window", "3"), ("sliding_window", "0"), ("stock", "0")]
    {
        let window = if algorithm == "stock" { "" } else { r#""window": "1h","# };
        let mut fixture = Fixture::new(
            &STATED
                .replace("ALGORITHM", algorithm)
                .replace("KEY", "ip")
                .replace("QUOTA", quota)
                .replace("WINDOW", window)
                .replace("MORE", r#""match": [{"method": "POST"}], "returns": [{"method": "DELETE"}], "#),
        );
        let create = || stating("1000").with(":method", "POST");
        for _ in 0..100 {
            assert!(fixture.served(&create(), 201));
        }
        assert!(fixture.served(&stating("1000").with(":method", "DELETE"), 204));
        assert_eq!(left(&mut fixture, &create()), 900, "{algorithm} {quota}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn units_kept_in_flight_under_a_large_quota_do_not_serve_a_small_one() {
    let mut fixture = stated("concurrency", "ip", "3", "");
    let mut large: Vec<Decision> = (0..3_000).map(|_| fixture.decide(&stating("200000"))).collect();
    let first = fixture.decide(&stating("1000"));
    assert!(first.rejected());
    large.iter_mut().for_each(|one| fixture.on_stream_end(one));
    assert!(fixture.passed(3_000, |_| stating("1000")) <= 1_000);
    let mut fixture = stated("concurrency", "ip", "3", "");
    let mut small = fixture.decide(&stating("1000"));
    let mut large: Vec<Decision> = (0..3_000).map(|_| fixture.decide(&stating("200000"))).collect();
    fixture.on_stream_end(&mut small);
    large.iter_mut().for_each(|one| fixture.on_stream_end(one));
    let passed = fixture.passed(3_000, |_| stating("1000"));
    assert!(passed <= 1_000, "{passed}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_in_the_body_of_a_response_whose_trailers_decide_is_settled() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [
            {"name": "p", "key": "ip", "cost": 1, "count_on": ["2xx", "grpc:ok"],
             "cost_body": {"sum": [{"json": "/usage/total"}], "without": 7}, "limits": [{"quota": 20, "window": "1m"}]}]}"#,
    );
    let request = FakeRequest::from("192.0.2.1");
    let mut decision = fixture.decide(&request);
    fixture
        .on_response(&mut decision, &FakeResponse::of_upstream(200).with("content-type", "application/grpc"));
    fixture.on_trailers(&mut decision, &[("grpc-status", "0")]);
    fixture.on_stream_end(&mut decision);
    assert!(!decision.awaits_body());
    assert_eq!(left(&mut fixture, &request), 12);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_quota_of_0_for_callers_without_credentials_does_not_lock_a_consumer_out() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"api_key": {"header": "x-key", "valid": {"unless": [401]}}, "ip": {"client_ip": {}},
                     "who": {"first_of": ["api_key", "ip"]}},
            "tiers": {"names": ["anonymous", "known"], "default": "anonymous"},
            "consumers": [{"name": "anna", "keys": {"api_key": ["anna"]}, "tier": "known"}],
            "policies": [{"name": "p", "key": "who",
                          "limits": [{"quota": {"anonymous": 0, "known": 5}, "window": "60s"}]}]}"#,
    );
    let by = |key: &str| FakeRequest::from("192.0.2.1").with("x-key", key);
    assert!(!fixture.served(&by("made-up"), 200));
    assert!(fixture.served(&by("anna"), 200), "nothing could ever prove her credential");
    assert!((0..9).filter(|_| fixture.served(&by("anna"), 200)).count() == 4);
    assert!(!fixture.served(&FakeRequest::from("192.0.2.1"), 200));
}
