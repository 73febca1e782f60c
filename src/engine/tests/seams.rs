//! What the parts of the language do together.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn a_number_of_a_key_that_servers_may_read_otherwise_costs_the_dearest_match() {
    for (field, fit) in [("keys", "size"), ("headers", "x-size")] {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"ip": {{"client_ip": {{}}}}, "size": {{"header": "x-size"}}}}, "policies": [{{"name": "p", "key": "ip",
                "match": [{{"{field}": {{"{fit}": {{"max": 100}}}}, "cost": 1}}, {{"cost": 50}}],
                "limits": [{{"quota": 1000, "window": "1m"}}]}}]}}"#
        ));
        let mut costs = |size: &str| {
            let request = FakeRequest::from("192.0.2.1").with("x-size", size);
            fixture.decide(&request).policies()[0].cost
        };
        for (size, cost) in [("100", 1), ("101", 50), ("+5000", 50), ("5000.0", 50), ("0x1388", 50)] {
            assert_eq!(costs(size), cost, "{field} {size}");
        }
    }
}

fn stating(quota: &str) -> FakeRequest {
    FakeRequest::from("192.0.2.1").with_metadata(MetadataPath::new(["auth", "rpm"]), quota)
}

#[wasm_bindgen_test(unsupported = test)]
fn the_rate_of_a_stated_quota_is_its_own() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "rpm": {"metadata": ["auth", "rpm"]}},
            "policies": [{"name": "p", "key": "ip", "limits": [{"algorithm": "token_bucket", "quota": 60, "burst": 10,
                "window": "1m", "quota_from": {"key": "rpm", "max": 1000}}]}],
            "headers": {"fields": {"x-rate": "{rate}"}, "describes": "p"}}"#,
    );
    assert_eq!(fixture.headers(&FakeRequest::from("192.0.2.1")), ["x-rate: 1"]);
    assert_eq!(fixture.headers(&stating("120")), ["x-rate: 2"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_is_counted_by_two_matches_has_each_limit_header_once() {
    for headers in
        [r#"{"preset": "ietf"}"#, r#"{"fields": {"x-{limit_name}-left": "{remaining}"}, "describes": "all"}"#]
    {
        let mut fixture = Fixture::new(&format!(
            r#"{{"keys": {{"m": {{"request": "match"}}}}, "policies": [{{"name": "p", "key": "m",
                "match": [{{"name": "login", "path": "/login"}}, {{"name": "rest"}}],
                "limits": [{{"name": "a", "quota": 3, "window": "1m"}}]}}],
                "headers": {headers}}}"#
        ));
        let found = fixture.headers(&FakeRequest::to("/LOGIN"));
        let mut names: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
        names.dedup();
        assert_eq!(names.len(), found.len(), "{found:?}");
        assert!(found.iter().all(|line| line.matches("\"p\"").count() < 2), "{found:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn of_two_matches_that_count_a_request_the_one_that_rejects_is_described() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"m": {"request": "match"}}, "policies": [{"name": "p", "key": "m",
            "match": [{"name": "login", "path": "/login"}, {"name": "rest"}],
            "limits": [{"quota": 3, "window": "1m"}]}],
            "headers": {"preset": "x-ratelimit", "describes": "p"}}"#,
    );
    assert_eq!(fixture.passed(9, |_| FakeRequest::to("/")), 3);
    let decision = fixture.decide(&FakeRequest::to("/LOGIN"));
    assert!(decision.rejected());
    assert_eq!(fixture.replies.limit_headers(&decision)[1], ("x-ratelimit-remaining", "0".into()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_by_a_quota_of_0_is_described_from_any_share_on() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}},
            "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 0, "window": "1m"}]}],
            "headers": {"preset": "x-ratelimit", "describes": "p", "from": "80%"}}"#,
    );
    assert_eq!(
        fixture.headers(&FakeRequest::from("192.0.2.1")),
        ["x-ratelimit-limit: 0", "x-ratelimit-remaining: 0"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_part_of_a_header_is_a_number_as_the_whole_is() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}, "size": {"header": "x-size", "after": "n=", "before": ";"}},
            "policies": [{"name": "p", "key": "ip", "cost_from": {"key": "size", "max": 900},
                "limits": [{"quota": 1000, "window": "1m"}]}]}"#,
    );
    let mut cost = |sizes: &[&str]| {
        let request =
            sizes.iter().fold(FakeRequest::from("192.0.2.1"), |request, size| request.with("x-size", size));
        fixture.decide(&request).policies().first().map(|one| one.cost)
    };
    for (sizes, expected) in [
        (&["n=5;x"][..], 5),
        (&["n=5;"], 5),
        (&["7"], 7),
        (&["n=1;", "n=800;"], 900),
        (&["n=1;, n=800;"], 900),
        (&["n=five;"], 900),
        (&[], 1),
    ] {
        assert_eq!(cost(sizes), Some(expected), "{sizes:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_access_log_names_a_policy_in_shadow_once() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"m": {"request": "match"}}, "access_log": true, "policies": [{"name": "p", "key": "m", "mode": "shadow",
            "match": [{"name": "login", "path": "/login"}, {"name": "rest"}],
            "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    fixture.decide(&FakeRequest::to("/LOGIN"));
    let decision = fixture.decide(&FakeRequest::to("/LOGIN"));
    assert!(fixture.replies.access_line(&decision).unwrap().ends_with(" shadow=p"));
}

#[wasm_bindgen_test(unsupported = test)]
fn no_spelling_chooses_by_which_match_a_parameter_of_the_path_is_read() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"id": {"path": "id"}}, "policies": [{"name": "p", "key": "id",
            "match": [{"path": "/a/{id}/**"}, {"path": "/b/{id}"}],
            "limits": [{"quota": 3, "window": "1m"}]}]}"#,
    );
    assert_eq!(fixture.passed(3, |_| FakeRequest::to("/b/2")), 3);
    // Tomcat reads /b/2.
    assert_eq!(fixture.passed(9, |i| FakeRequest::to(&format!("/a/{i}/..;/..;/b/2"))), 0);
    assert_eq!(
        fixture.passed(9, |i| FakeRequest::to(&format!("/a/x{}/y", i % 3))),
        9,
        "others are not affected"
    );
}
