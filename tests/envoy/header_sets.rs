//! Limit headers as published APIs send them: several sets side by side, each as templates and about a limit of its
//! own.

use crate::harness::{Gateway, Period, Response, Setup, Upstream, end_of, new_key, unix_time};

/// Ten a minute and five an hour for each key, with these headers.
fn policy(headers: &str) -> String {
    format!(
        "keys: {{ api_key: {{ header: authorization, scheme: Bearer }} }}
policies:
  - name: api
    key: api_key
    limits: [{{ name: minute, algorithm: fixed_window, quota: 10, window: 60s }}, {{ name: Hour, quota: 5, window: 1h }}]
headers:
{headers}
"
    )
}

/// The responses to so many requests of one caller, all in one minute of the clock.
fn responses(gateway: &Gateway, number: usize) -> Vec<Response> {
    let of_a_new_caller = || {
        let request = gateway.get("/").key(new_key());
        (0..number).map(|_| request.send()).collect()
    };
    end_of(Period::Minute, of_a_new_caller).0
}

#[test]
fn several_sets_each_describe_their_limit_in_their_form() {
    let headers = r#"  - { preset: x-ratelimit, describes: api/minute }
  - fields: { X-Shopify-Shop-Api-Call-Limit: "{used}/{limit}", RateLimit-Limit: "{limit};w={window}" }
    describes: api/Hour
  - fields: { Zendesk-RateLimit-Tickets-Index: "total={limit}; remaining={remaining}; resets={reset}" }
    describes: api/Hour
    format: delta
    reset: full_reset
  - fields: { "anthropic-ratelimit-{limit_name}-remaining": "{remaining}", "anthropic-ratelimit-{limit_name}-reset": "{reset}" }
    describes: all
    format: rfc3339
  - fields: { X-RateLimit-NearLimit: "true" }
    describes: api/Hour
    from: 80%
  - fields: { X-Wait: "{retry_after}", X-Rejected-By: "{limit_name} at {percent_used} %" }
    describes: [violated, api/minute]"#;
    let gateway = Setup::yaml(policy(headers)).start();
    let responses = responses(&gateway, 6);
    for (number, response) in responses.iter().enumerate() {
        let used = (number + 1).min(5);
        let rejected = number == 5;
        assert_eq!(response.status, if rejected { 429 } else { 200 });
        assert_eq!(response.value("x-ratelimit-limit"), "10");
        assert_eq!(response.value("x-ratelimit-remaining"), (10 - used).to_string());
        assert_eq!(response.value("x-shopify-shop-api-call-limit"), format!("{used}/5"));
        assert_eq!(response.value("ratelimit-limit"), "5;w=3600");
        let zendesk = format!("total=5; remaining={}; resets=", 5 - used);
        assert!(response.value("zendesk-ratelimit-tickets-index").starts_with(&zendesk), "{response:?}");
        assert_eq!(response.value("anthropic-ratelimit-hour-remaining"), (5 - used).to_string());
        assert_eq!(response.value("anthropic-ratelimit-minute-remaining"), (10 - used).to_string());
        let reset = response.value("anthropic-ratelimit-hour-reset");
        assert!(reset.len() == 20 && reset.starts_with("20") && reset.ends_with('Z'), "{response:?}");
        let near: &[&str] = if used >= 4 { &["true"] } else { &[] };
        assert_eq!(response.values("x-ratelimit-nearlimit"), near, "from 80 % of 5 on");
        assert_eq!(response.values("x-wait").is_empty(), !rejected);
    }
    assert_eq!(responses[0].value("x-rejected-by"), "minute at 10 %");
    assert_eq!(responses[5].value("x-rejected-by"), "Hour at 100 %");
    assert_eq!(responses[5].value("x-wait"), responses[5].value("retry-after"));
}

#[test]
fn a_reset_is_written_in_each_format() {
    let format = |format: &str| {
        let headers =
            format!("  {{ fields: {{ X-Reset: \"{{reset}}\" }}, describes: api/Hour, format: {format} }}");
        let gateway = Setup::yaml(policy(&headers)).start();
        let now = unix_time();
        (responses(&gateway, 1)[0].value("x-reset").to_string(), now)
    };
    let near =
        |value: f64, expected: f64| assert!((value - expected).abs() < 30.0, "{value} is not {expected}");
    let (reset, now) = format("epoch_ms");
    near(reset.parse::<f64>().unwrap() / 1_000.0, now.as_secs_f64() + 3_600.0);
    let (reset, now) = format("epoch_decimal");
    assert_eq!(reset.split_once('.').unwrap().1.len(), 3, "{reset}");
    near(reset.parse().unwrap(), now.as_secs_f64() + 3_600.0);
    near(format("delta_ms").0.parse::<f64>().unwrap() / 1_000.0, 3_600.0);
    near(format("delta_decimal").0.parse().unwrap(), 3_600.0);
    let (reset, _) = format("duration");
    assert!(reset == "1h0m0s" || reset.starts_with("59m"), "{reset}");
}

#[test]
fn one_set_keeps_what_the_upstream_sends_and_another_replaces_it() {
    let upstream = Upstream::answering(&[("X-RateLimit-Limit", "9999"), ("X-Usage", "upstream")]);
    let headers = r#"  - { preset: x-ratelimit, describes: api/Hour, upstream: keep }
  - { fields: { X-Usage: "{used}/{limit}" }, describes: api/Hour, show: on_success }"#;
    let gateway = Setup::yaml(policy(headers)).upstream(upstream.address()).start();
    let responses = responses(&gateway, 6);
    assert_eq!(responses[0].values("x-ratelimit-limit"), ["9999"]);
    responses[0].lacks("x-ratelimit-remaining");
    assert_eq!(responses[0].values("x-usage"), ["1/5"]);
    assert_eq!((responses[5].status, responses[5].value("x-ratelimit-limit")), (429, "5"));
    responses[5].lacks("x-usage");
}

#[test]
fn a_rejection_may_have_a_status_of_success_and_is_counted_as_a_rejection() {
    let reject = r#"reject: { status: 200, body: '{"errors":[{"message":"Throttled"}],"left":{remaining}}', headers: { X-RateLimit-Left: "0" }, envoy_ratelimited: true }
access_log: true
"#;
    let headers = "  { preset: ietf }\n".to_string() + reject;
    let gateway = Setup::yaml(policy(&headers)).access_log().alone().start();
    let rejected = responses(&gateway, 6).pop().unwrap();
    assert_eq!((rejected.status, rejected.value("content-type")), (200, "application/json"));
    assert_eq!(rejected.json(), serde_json::json!({ "errors": [{ "message": "Throttled" }], "left": 0 }));
    assert_eq!((rejected.value("x-ratelimit-left"), rejected.value("x-envoy-ratelimited")), ("0", "true"));
    assert_eq!(rejected.value("cache-control"), "no-store");
    assert!((3_500..=3_600).contains(&rejected.retry_after()));
    crate::harness::eventually("the counter", || (gateway.metric("policy.api.refused") == 1).then_some(()));
    let lines = gateway.seen(6);
    assert!(lines[5].contains("decision=refused policy=api limit=Hour"), "{lines:?}");
}
