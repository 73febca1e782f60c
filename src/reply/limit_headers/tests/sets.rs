//! Headers that a policy file writes itself as templates, and several sets of them.

use super::*;

/// Headers of `fields` only.
fn fields(fields: &str, more: &str, decision: &Decision) -> Vec<String> {
    said(&format!(r#""fields": {{{fields}}}{more}"#), decision)
}

#[wasm_bindgen_test(unsupported = test)]
fn published_headers_to_the_byte() {
    let minute = r#", "describes": "api/minute""#;
    let describes = |more: &str| format!("{minute}{more}");
    for (written, more, expected) in [
        (
            r#""Zendesk-RateLimit-{policy}-index": "total={limit}; remaining={remaining}; resets={reset}""#,
            describes(r#", "format": "delta""#),
            "zendesk-ratelimit-api-index: total=30; remaining=17; resets=7",
        ),
        (r#""RateLimit-Limit": "{limit};w={window}""#, describes(""), "ratelimit-limit: 30;w=60"),
        (
            r#""X-Shopify-Shop-Api-Call-Limit": "{used}/{limit}""#,
            describes(""),
            "x-shopify-shop-api-call-limit: 13/30",
        ),
        (
            r#""X-RateLimit-Reset": "{reset}""#,
            describes(r#", "format": "rfc3339""#),
            "x-ratelimit-reset: 2025-05-15T13:00:07Z",
        ),
        (
            r#""X-HubSpot-RateLimit-Interval-Milliseconds": "{window_ms}""#,
            describes(""),
            "x-hubspot-ratelimit-interval-milliseconds: 60000",
        ),
        (
            r#""x-ratelimit-reset-requests": "{reset}""#,
            describes(r#", "format": "duration", "reset": "full_reset""#),
            "x-ratelimit-reset-requests: 55s",
        ),
        (
            r#""anthropic-ratelimit-{limit_name}-remaining": "{remaining}""#,
            describes(""),
            "anthropic-ratelimit-minute-remaining: 17",
        ),
        (
            r#""x-ratelimit-reset": "{reset}""#,
            describes(r#", "format": "epoch_decimal""#),
            "x-ratelimit-reset: 1747314007.000",
        ),
        (
            r#""x-ratelimit-reset-after": "{reset}""#,
            describes(r#", "format": "delta_decimal""#),
            "x-ratelimit-reset-after: 7",
        ),
        (
            r#""X-RateLimit-Reset": "{reset}""#,
            describes(r#", "format": "epoch_ms""#),
            "x-ratelimit-reset: 1747314007000",
        ),
        (
            r#""X-RateLimit-Reset": "{reset}""#,
            describes(r#", "format": "delta_ms""#),
            "x-ratelimit-reset: 7000",
        ),
        (r#""x-ratelimit-bucket": "{policy}""#, describes(""), "x-ratelimit-bucket: api"),
        (r#""x-amzn-RateLimit-Limit": "{rate}""#, describes(""), "x-amzn-ratelimit-limit: 0.5"),
        (r#""X-MBX-USED-WEIGHT-1M": "{used}""#, describes(""), "x-mbx-used-weight-1m: 13"),
        (
            r#""Sforce-Limit-Info": "api-usage={used}/{limit}""#,
            describes(""),
            "sforce-limit-info: api-usage=13/30",
        ),
        (r#""X-MinLimit-Remaining": "{remaining}""#, describes(""), "x-minlimit-remaining: 17"),
        (r#""x-usage": "{percent_used} % at {cost}""#, describes(""), "x-usage: 43 % at 1"),
    ] {
        assert_eq!(fields(written, &more, &admitted()), [expected]);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reset_is_rounded_up_in_each_format() {
    let mut late = verdict(30, 17, 0, 0, 0);
    late.next_slot = NOW.mono + 1_199_001;
    late.full_reset = NOW.mono + 249_001;
    let decision = decision(&[(0, &[late, late])]);
    for (format, next, full) in [
        ("epoch", "1747314002", "1747314001"),
        ("delta", "2", "1"),
        ("epoch_ms", "1747314001200", "1747314000250"),
        ("delta_ms", "1200", "250"),
        ("epoch_decimal", "1747314001.200", "1747314000.250"),
        ("delta_decimal", "1.2", "0.25"),
        ("rfc3339", "2025-05-15T13:00:02Z", "2025-05-15T13:00:01Z"),
        ("duration", "2s", "250ms"),
    ] {
        for (reset, expected) in [("next_slot", next), ("full_reset", full)] {
            let more = format!(r#", "describes": "api/minute", "format": "{format}", "reset": "{reset}""#);
            assert_eq!(
                fields(r#""x-a": "{reset}""#, &more, &decision),
                [format!("x-a: {expected}")],
                "{format}"
            );
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn each_limit_that_applies_has_headers_of_its_own() {
    let headers = |names: &str, decision: &Decision| {
        fields(
            &format!(r#""x-{names}": "{{remaining}}", "Y-{names}": "{{reset}}""#),
            r#", "describes": "all", "format": "delta""#,
            decision,
        )
    };
    let names = "{policy}-{limit_name}";
    assert_eq!(
        headers(names, &rejected()),
        [
            "x-api-minute: 0",
            "y-api-minute: 7",
            "x-api-month: 4000",
            "y-api-month: 900000",
            "x-flight-limit: 3",
            "y-flight-limit: 1",
        ],
        "each shows its own reset, also while another rejects"
    );
    let only = decision(&[(1, &[verdict(8, 3, 1, 1, 0)])]);
    assert_eq!(headers(names, &only), ["x-flight-limit: 3", "y-flight-limit: 1"]);
    assert_eq!(headers(names, &decision(&[])), [""; 0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_header_without_a_value_is_left_out() {
    let all = r#""x-wait": "{retry_after}", "x-who": "{consumer}", "x-window": "w={window}", "x-rate": "{rate}", "x-left": "{remaining}""#;
    let of =
        |limit: &str, decision: &Decision| fields(all, &format!(r#", "describes": "{limit}""#), decision);
    assert_eq!(of("api/minute", &admitted()), ["x-window: w=60", "x-rate: 0.5", "x-left: 17"]);
    assert_eq!(of("api/minute", &rejected()), ["x-wait: 7", "x-window: w=60", "x-rate: 0.5", "x-left: 0"]);
    assert_eq!(of("flight", &admitted()), ["x-left: 3"], "nothing in flight has a window");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_share_of_the_limit_is_used_before_headers_are_sent() {
    let of = |from: u32, left: u64| {
        let decision = decision(&[(0, &[verdict(30, left, 1, 1, 0), verdict(5_000, 5_000, 1, 1, 0)])]);
        let more = format!(r#", "describes": "api/minute", "from": "{from}%""#);
        fields(r#""x-a": "true""#, &more, &decision).len()
    };
    assert_eq!((of(80, 7), of(80, 6), of(80, 0)), (0, 1, 1), "80 % of 30 are 24");
    assert_eq!((of(100, 1), of(100, 0), of(1, 30), of(1, 29)), (0, 1, 0, 1));
    let list = |from: &str| said(&format!(r#""preset": "ietf", "from": "{from}""#), &admitted());
    assert_eq!(list("43%")[1], r#"ratelimit: "api/minute";r=17;t=7, "flight";r=3"#, "each limit by itself");
    assert_eq!(list("63%"), [""; 0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_may_be_for_what_is_admitted_only() {
    let headers = r#""preset": "x-ratelimit", "describes": "api/minute", "show": "on_success""#;
    assert_eq!((said(headers, &admitted()).len(), said(headers, &rejected()).len()), (3, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn several_sets_are_sent_side_by_side_and_one_is_kept_without_the_others() {
    let json = r#"{"keys": {"ip": {"client_ip": {}}}, "headers": [
            {"preset": "x-ratelimit", "upstream": "keep"}, {"fields": {"x-a": "{used}"}}],
        "policies": [{"name": "api", "key": "ip", "limits": [{"quota": 30, "window": "60s"}]}]}"#;
    let rules = compiled(json).replies;
    let decision = decision(&[(0, &[verdict(30, 17, 7, 55, 0)])]);
    let names = |headers: Vec<crate::reply::Header<'_>>| {
        headers.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    let all = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-a"];
    assert_eq!(names(rules.limit_headers(&decision)), all);
    assert_eq!(names(rules.added_limit_headers(&decision, &|_| false)), all);
    assert_eq!(names(rules.added_limit_headers(&decision, &|name| name == "x-ratelimit-reset")), ["x-a"]);
    assert_eq!(names(rules.added_limit_headers(&decision, &|name| name == "x-a")), all, "it replaces");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_rate_of_a_bucket_is_that_of_its_refill_for_each_tier() {
    let json = r#"{"keys": {"ip": {"client_ip": {}}}, "tiers": {"names": ["free", "pro"], "default": "free"},
        "headers": {"fields": {"x-rate": "{rate}", "x-used": "{used}/{limit}"}}, "policies": [{"name": "api", "key": "ip", "limits": [
            {"algorithm": "token_bucket", "quota": {"free": 1, "pro": 4}, "window": "6s", "burst": 40}]}]}"#;
    let rules = compiled(json).replies;
    for (limit_set, rate) in [(0, "0.166666"), (1, "0.666666")] {
        let outcome =
            Outcome { verdicts: vec![verdict(40, 8, 1, 1, 0)], charged: true, ..Outcome::default() };
        let identity = Identity { page: 1, fingerprint: 2 };
        let one = PolicyDecision {
            policy: 0,
            identity,
            limit_set,
            cost: 1,
            outcome,
            own_limits: None,
            awaits_trailers: false,
            awaits_body: false,
        };
        let decision = Decision::new(vec![one], NOW);
        let headers = rules.limit_headers(&decision);
        assert_eq!((&*headers[0].1, &*headers[1].1), (rate, "32/40"));
    }
}
