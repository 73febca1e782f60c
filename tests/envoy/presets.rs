//! Limit headers in each form that clients know: on what the upstream answers, good or bad, and on
//! rejections.

use crate::harness::{Gateway, Request, Response, Setup, Upstream, new_key, unix_time};

const HOUR: u64 = 3_600;

/// Two requests an hour and nine a day for each key, with these header rules.
fn policy(headers: &str) -> String {
    format!(
        "keys: {{ api_key: {{ header: authorization, scheme: Bearer }} }}
policies:
  - name: api
    key: api_key
    limits: [{{ name: hour, quota: 2, window: 1h }}, {{ name: day, quota: 9, window: 1d }}]
headers: {{ {headers} }}
"
    )
}

/// An admitted request, one whose upstream fails, and a rejected one, all of one caller.
fn responses(gateway: &Gateway) -> [Response; 3] {
    let request = gateway.get("/").key(new_key());
    let responses = [request.send(), request.clone().header("x-demo-status", "503").send(), request.send()];
    assert_eq!(responses.each_ref().map(|response| response.status), [200, 503, 429]);
    responses
}

/// That a header tells this instant, in seconds of some kind, give or take what a busy machine takes.
fn assert_near(told: &str, expected: u64) {
    let told: u64 = told.parse().expect("whole seconds");
    assert!(told <= expected + 1 && told + 30 >= expected, "{told} is not {expected}");
}

fn now() -> u64 {
    unix_time().as_secs()
}

#[test]
fn fa_9_x_ratelimit_is_on_every_response() {
    let gateway = Setup::yaml(policy("preset: x-ratelimit, describes: api/hour")).start();
    for (response, remaining) in responses(&gateway).iter().zip(["1", "0", "0"]) {
        assert_eq!(response.value("x-ratelimit-limit"), "2");
        assert_eq!(response.value("x-ratelimit-remaining"), remaining);
        assert_near(response.value("x-ratelimit-reset"), now() + HOUR);
        assert_eq!(response.limit_headers().len(), 3, "{response:?}");
    }
}

#[test]
fn names_and_format_of_x_ratelimit_are_configurable() {
    let names =
        "names: { limit: X-Rate-Limit-Limit, remaining: X-Rate-Limit-Remaining, reset: X-Rate-Limit-Reset }";
    let headers =
        format!("preset: x-ratelimit, describes: [api/day], format: delta, reset: window_end, {names}");
    let gateway = Setup::yaml(policy(&headers)).start();
    for response in responses(&gateway) {
        assert_eq!(response.value("x-rate-limit-limit"), "9");
        assert_near(response.value("x-rate-limit-reset"), 24 * HOUR);
        assert_eq!(response.limit_headers().len(), 3, "{response:?}");
    }
}

#[test]
fn github_tells_what_is_used_too() {
    let gateway = Setup::yaml(policy("preset: github, describes: api/hour")).start();
    for (response, used) in responses(&gateway).iter().zip(["1", "2", "2"]) {
        assert_eq!(response.value("x-ratelimit-limit"), "2");
        assert_eq!(response.value("x-ratelimit-used"), used);
        assert_eq!(response.value("x-ratelimit-resource"), "api");
        assert_near(response.value("x-ratelimit-reset"), now() + HOUR);
        assert_eq!(response.limit_headers().len(), 5, "{response:?}");
    }
}

#[test]
fn okta_is_on_every_response_once_whatever_the_upstream_sends() {
    let upstream = Upstream::answering(&UPSTREAMS);
    let policy = policy("preset: okta, describes: api/hour");
    let gateway = Setup::yaml(policy).upstream(upstream.address()).start();
    let request = gateway.get("/").key(new_key());
    for (status, remaining) in [(200, "1"), (200, "0"), (429, "0")] {
        let response = request.send();
        assert_eq!(response.status, status);
        assert_eq!(response.value("x-rate-limit-limit"), "2");
        assert_eq!(response.value("x-rate-limit-remaining"), remaining);
        assert_near(response.value("x-rate-limit-reset"), now() + HOUR);
    }
}

#[test]
fn envoys_form_tells_the_most_constrained_limit_and_lists_all() {
    let gateway = Setup::yaml(policy("preset: envoy")).start();
    for (response, remaining) in responses(&gateway).iter().zip(["1", "0", "0"]) {
        let limits = r#"2, 2;w=3600;name="api/hour", 9;w=86400;name="api/day""#;
        assert_eq!(response.value("x-ratelimit-limit"), limits);
        assert_eq!(response.value("x-ratelimit-remaining"), remaining);
        assert_near(response.value("x-ratelimit-reset"), HOUR);
    }
}

#[test]
fn ietf_fields_are_lists_of_all_limits() {
    let gateway = Setup::yaml(policy("preset: ietf")).start();
    for (response, (hour, day)) in responses(&gateway).iter().zip([(1, 8), (0, 7), (0, 7)]) {
        let policies = r#""api/hour";q=2;w=3600, "api/day";q=9;w=86400"#;
        assert_eq!(response.value("ratelimit-policy"), policies);
        let (first, second) = response.value("ratelimit").split_once(", ").expect("two items");
        assert_near(first.strip_prefix(&format!(r#""api/hour";r={hour};t="#)).expect("hour"), HOUR);
        assert_near(second.strip_prefix(&format!(r#""api/day";r={day};t="#)).expect("day"), 24 * HOUR);
        assert_eq!(response.limit_headers().len(), 2, "{response:?}");
    }
    let rejected = &responses(&gateway)[2];
    assert!(
        rejected.value("ratelimit").contains(&format!(";t={},", rejected.retry_after())),
        "X-9: {rejected:?}"
    );
}

#[test]
fn headers_may_be_for_rejections_only() {
    let gateway = Setup::yaml(policy("preset: x-ratelimit, describes: violated, show: on_429")).start();
    let [admitted, failed, rejected] = responses(&gateway);
    assert!(admitted.limit_headers().is_empty() && failed.limit_headers().is_empty(), "{admitted:?}");
    assert_eq!(rejected.value("x-ratelimit-limit"), "2");
    assert_eq!(rejected.limit_headers().len(), 3);
}

/// What an upstream may tell of limits of its own, and two headers that tell of none.
const UPSTREAMS: [(&str, &str); 8] = [
    ("X-RateLimit-Limit", "1"),
    ("x-ratelimit-limit", "2"),
    ("X-RateLimit-Remaining-Minute", "3"),
    ("X-Rate-Limit-Reset", "4"),
    ("RateLimit", "\"a\";r=5"),
    ("RateLimit-Policy", "\"a\";q=6"),
    ("X-Rate", "kept"),
    ("X-Request-Cost", "kept"),
];

fn secret(option: &str) -> (Upstream, Gateway) {
    let upstream = Upstream::answering(&UPSTREAMS);
    let gateway =
        Setup::yaml(policy(&format!("preset: secret{option}"))).upstream(upstream.address()).start();
    (upstream, gateway)
}

fn first_two(request: &Request) -> [Response; 2] {
    let first = request.send();
    request.send();
    [first, request.send()]
}

#[test]
fn fp_8_where_limits_are_secret_no_header_tells_them_not_even_the_upstreams() {
    let (_upstream, gateway) = secret("");
    let [admitted, rejected] = first_two(&gateway.get("/").key(new_key()));
    assert_eq!((admitted.status, rejected.status), (200, 429));
    for response in [&admitted, &rejected] {
        assert!(response.limit_headers().is_empty(), "{response:?}");
    }
    assert_eq!((admitted.value("x-rate"), admitted.value("x-request-cost")), ("kept", "kept"));
    assert_eq!(admitted.body, b"ok");
    rejected.retry_after();
    // Also where no policy applies.
    assert!(gateway.get("/").send().limit_headers().is_empty());
}

#[test]
fn x_8_beside_secret_limits_of_our_own_the_upstreams_may_be_kept() {
    let (_upstream, gateway) = secret(", upstream: keep");
    let [admitted, rejected] = first_two(&gateway.get("/").key(new_key()));
    assert_eq!(admitted.limit_headers().len(), 6, "{admitted:?}");
    assert!(rejected.limit_headers().is_empty(), "{rejected:?}");
}

#[test]
fn x_8_each_presets_headers_are_there_once_whatever_the_upstream_sends() {
    let upstream = Upstream::answering(&UPSTREAMS);
    for (headers, name, ours) in [
        ("preset: x-ratelimit, describes: api/hour", "x-ratelimit-limit", "2"),
        ("preset: github, describes: api/hour", "x-ratelimit-limit", "2"),
        ("preset: ietf, describes: api/hour", "ratelimit-policy", r#""api/hour";q=2;w=3600"#),
        ("preset: ietf, upstream: keep", "ratelimit-policy", "\"a\";q=6"),
    ] {
        let gateway = Setup::yaml(policy(headers)).upstream(upstream.address()).start();
        assert_eq!(gateway.get("/").key(new_key()).send().value(name), ours, "{headers}");
    }
}

/// Five a second and one an hour for each key.
fn second_and_hour(headers: &str) -> Gateway {
    let limits = "[{ name: second, quota: 5, window: 1s }, { name: hour, quota: 1, window: 1h }]";
    let policy = policy(headers)
        .replace("[{ name: hour, quota: 2, window: 1h }, { name: day, quota: 9, window: 1d }]", limits);
    assert!(policy.contains(limits));
    Setup::yaml(policy).start()
}

#[test]
fn ietf_reports_each_limits_own_reset_while_another_rejects() {
    for describes in ["", ", describes: api/second"] {
        let gateway = second_and_hour(&format!("preset: ietf{describes}"));
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.send().status, 200);
        let rejected = request.send();
        assert_eq!((rejected.status, rejected.retry_after()), (429, HOUR));
        let (second, _) =
            rejected.value("ratelimit").split_once(", ").unwrap_or((rejected.value("ratelimit"), ""));
        let (_, told) = second.split_once(";t=").expect("a reset");
        assert!(told == "1" || told == "0", "{rejected:?}");
    }
}

#[test]
fn a_form_with_one_limit_reports_its_own_reset_if_configured() {
    for (choice, earliest, latest) in [("", HOUR - 60, HOUR), (", reset_on_429: own", 0, 1)] {
        let gateway = second_and_hour(&format!("preset: envoy, describes: api/second{choice}"));
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.send().status, 200);
        let rejected = request.send();
        assert_eq!(rejected.status, 429);
        let told = rejected.number("x-ratelimit-reset");
        assert!((earliest..=latest).contains(&told), "{choice}: {rejected:?}");
    }
}

#[test]
fn one_instant_is_one_number_on_a_response_and_on_its_rejection() {
    for (algorithm, reset) in
        [("sliding_window", "next_slot"), ("sliding_window", "window_end"), ("fixed_window", "window_end")]
    {
        let limit = format!("[{{ algorithm: {algorithm}, quota: 1, window: 60s }}]");
        let policy = policy(&format!("preset: x-ratelimit, reset: {reset}"))
            .replace("[{ name: hour, quota: 2, window: 1h }, { name: day, quota: 9, window: 1d }]", &limit);
        let gateway = Setup::yaml(policy).start();
        let pairs = (0..40).map(|_| {
            let request = gateway.get("/").key(new_key());
            [request.send(), request.send()].map(|response| response.number("x-ratelimit-reset"))
        });
        let differing = pairs.filter(|[admitted, rejected]| admitted != rejected).count();
        // A unit counts from the millisecond in which it was spent, and a window may end meanwhile.
        assert!(differing <= 1, "{differing} of 40: {algorithm} {reset}");
    }
}
