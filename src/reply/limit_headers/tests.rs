//! Each preset, to the byte, for two policies: `api` with a limit per minute and one per month, and `flight`,
//! which counts what is in flight.

use super::super::ReplyRules;
use crate::decision::{Decision, PolicyDecision};
use crate::identity::Identity;
use crate::limiter::Verdict;
use crate::table::Outcome;
use crate::testing::compiled;
use crate::time::{Now, SECOND};
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

const NOW: Now = Now { mono: 500 * SECOND, wall: 1_747_314_000 * SECOND };

fn set(headers: &str) -> ReplyRules {
    let json = format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}}, "headers": {{{headers}}}, "policies": [
            {{"name": "api", "key": "ip", "limits": [
                {{"name": "minute", "quota": 30, "window": "60s"}}, {{"name": "month", "quota": 5000, "window": "month"}}]}},
            {{"name": "flight", "key": "ip", "limits": [{{"algorithm": "concurrency", "quota": 8}}]}}]}}"#
    );
    compiled(&json).replies
}

/// A verdict; `next` and `full` are seconds from now.
fn verdict(quota: u32, remaining: u64, next: u64, full: u64, retry: u64) -> Verdict {
    Verdict {
        admitted: retry == 0,
        quota: NonZeroU32::new(quota).unwrap(),
        remaining,
        next_slot: NOW.mono + next * SECOND,
        full_reset: NOW.mono + full * SECOND,
        retry_after: retry * SECOND,
    }
}

fn decision(policies: &[(usize, &[Verdict])]) -> Decision {
    let policy_decision = |(policy, verdicts): &(usize, &[Verdict])| PolicyDecision {
        policy: *policy,
        identity: Identity { page: 1, fingerprint: 2 },
        limit_set: 0,
        cost: 1,
        outcome: Outcome { verdicts: verdicts.to_vec(), charged: true, ..Outcome::default() },
    };
    Decision::new(policies.iter().map(policy_decision).collect(), NOW)
}

/// 30 a minute, of which 17 are left, 5,000 a month, of which 4,000 are, and 8 in flight, of which 3 are.
fn admitted() -> Decision {
    let api = [verdict(30, 17, 7, 55, 0), verdict(5_000, 4_000, 900_000, 900_000, 0)];
    decision(&[(0, &api), (1, &[verdict(8, 3, 1, 1, 0)])])
}

/// The minute is used up, for 7 s.
fn rejected() -> Decision {
    let api = [verdict(30, 0, 7, 55, 7), verdict(5_000, 4_000, 900_000, 900_000, 0)];
    decision(&[(0, &api), (1, &[verdict(8, 3, 1, 1, 0)])])
}

fn said(headers: &str, decision: &Decision) -> Vec<String> {
    let set = set(headers);
    let headers = set.limit_headers(decision);
    headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

fn table(rows: &[(&str, &Decision, &[&str])]) {
    for (headers, decision, expected) in rows {
        assert_eq!(said(headers, decision), *expected, "{headers}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_9_pa_3_x_ratelimit_to_the_byte() {
    let begin = r#""preset": "x-ratelimit", "describes": "#;
    let rows: [(&str, &Decision, &[&str]); 9] = [
        (
            r#""api/minute""#,
            &admitted(),
            &["x-ratelimit-limit: 30", "x-ratelimit-remaining: 17", "x-ratelimit-reset: 1747314007"],
        ),
        (
            r#""api/minute", "reset": "full_reset""#,
            &admitted(),
            &["x-ratelimit-limit: 30", "x-ratelimit-remaining: 17", "x-ratelimit-reset: 1747314055"],
        ),
        (
            r#""api/minute", "reset": "window_end""#,
            &admitted(),
            &["x-ratelimit-limit: 30", "x-ratelimit-remaining: 17", "x-ratelimit-reset: 1747314055"],
        ),
        (
            r#""api/month", "reset": "window_end", "format": "delta""#,
            &admitted(),
            &["x-ratelimit-limit: 5000", "x-ratelimit-remaining: 4000", "x-ratelimit-reset: 900000"],
        ),
        (
            r#""api/minute""#,
            &rejected(),
            &["x-ratelimit-limit: 30", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314007"],
        ),
        (
            r#""flight", "format": "delta""#,
            &rejected(),
            &["x-ratelimit-limit: 8", "x-ratelimit-remaining: 3", "x-ratelimit-reset: 7"],
        ),
        (
            r#""violated""#,
            &rejected(),
            &["x-ratelimit-limit: 30", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314007"],
        ),
        (
            r#""violated""#,
            &admitted(),
            &["x-ratelimit-limit: 8", "x-ratelimit-remaining: 3", "x-ratelimit-reset: 1747314001"],
        ),
        (
            r#""api/minute", "names": {"limit": "X-Rate-Limit-Limit", "used": "x-used"}"#,
            &admitted(),
            &[
                "x-rate-limit-limit: 30",
                "x-ratelimit-remaining: 17",
                "x-ratelimit-reset: 1747314007",
                "x-used: 13",
            ],
        ),
    ];
    for (describes, decision, expected) in rows {
        assert_eq!(said(&[begin, describes].concat(), decision), expected, "{describes}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn github_adds_what_is_used_and_by_whom() {
    let begin = r#""preset": "github", "describes": "api/minute""#;
    let usual = [
        "x-ratelimit-limit: 30",
        "x-ratelimit-remaining: 17",
        "x-ratelimit-reset: 1747314007",
        "x-ratelimit-used: 13",
        "x-ratelimit-resource: api",
    ];
    assert_eq!(said(begin, &admitted()), usual);
    let over = decision(&[(0, &[verdict(30, 35, 7, 55, 0)])]);
    assert_eq!(said(begin, &over)[3], "x-ratelimit-used: 0");
}

#[wasm_bindgen_test(unsupported = test)]
fn okta_has_a_hyphen_more_to_the_byte() {
    table(&[
        (
            r#""preset": "okta", "describes": "api/minute""#,
            &admitted(),
            &["x-rate-limit-limit: 30", "x-rate-limit-remaining: 17", "x-rate-limit-reset: 1747314007"],
        ),
        (
            r#""preset": "okta", "describes": "api/month", "reset": "window_end", "format": "delta""#,
            &admitted(),
            &["x-rate-limit-limit: 5000", "x-rate-limit-remaining: 4000", "x-rate-limit-reset: 900000"],
        ),
        (
            r#""preset": "okta", "describes": "violated", "names": {"used": "x-rate-limit-used"}"#,
            &rejected(),
            &[
                "x-rate-limit-limit: 30",
                "x-rate-limit-remaining: 0",
                "x-rate-limit-reset: 1747314007",
                "x-rate-limit-used: 30",
            ],
        ),
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn envoys_form_lists_all_quotas_behind_the_one_that_is_told_of() {
    let quotas = r#"30;w=60;name="api/minute", 5000;w=2678400;name="api/month", 8;name="flight""#;
    table(&[
        (
            r#""preset": "envoy""#,
            &admitted(),
            &[&format!("x-ratelimit-limit: 8, {quotas}"), "x-ratelimit-remaining: 3", "x-ratelimit-reset: 1"],
        ),
        (
            r#""preset": "envoy""#,
            &rejected(),
            &[
                &format!("x-ratelimit-limit: 30, {quotas}"),
                "x-ratelimit-remaining: 0",
                "x-ratelimit-reset: 7",
            ],
        ),
        (
            r#""preset": "envoy", "describes": "api/month", "format": "epoch""#,
            &admitted(),
            &[
                &format!("x-ratelimit-limit: 5000, {quotas}"),
                "x-ratelimit-remaining: 4000",
                "x-ratelimit-reset: 1748214000",
            ],
        ),
    ]);
    let one = decision(&[(0, &[verdict(10, 9, 1, 1, 0)])]);
    assert_eq!(said(r#""preset": "envoy""#, &one)[0], r#"x-ratelimit-limit: 10, 10;w=60;name="api/minute""#);
}

#[wasm_bindgen_test(unsupported = test)]
fn ietf_fields_list_what_is_described_and_a_limit_without_a_window_has_none() {
    table(&[
        (
            r#""preset": "ietf""#,
            &admitted(),
            &[
                r#"ratelimit-policy: "api/minute";q=30;w=60, "api/month";q=5000;w=2678400, "flight";q=8;qu="concurrent-requests""#,
                r#"ratelimit: "api/minute";r=17;t=7, "api/month";r=4000;t=900000, "flight";r=3"#,
            ],
        ),
        (
            r#""preset": "ietf", "describes": ["api/minute", "flight"], "reset": "full_reset", "format": "delta""#,
            &rejected(),
            &[
                r#"ratelimit-policy: "api/minute";q=30;w=60, "flight";q=8;qu="concurrent-requests""#,
                r#"ratelimit: "api/minute";r=0;t=55, "flight";r=3"#,
            ],
        ),
        (
            r#""preset": "ietf", "describes": "violated""#,
            &rejected(),
            &[r#"ratelimit-policy: "api/minute";q=30;w=60"#, r#"ratelimit: "api/minute";r=0;t=7"#],
        ),
        (r#""preset": "ietf""#, &decision(&[]), &[]),
        (r#""preset": "ietf", "describes": "flight""#, &decision(&[(0, &[])]), &[]),
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_4_x_9_no_reset_is_before_the_wait_is_over_whichever_limit_rejects() {
    let short = decision(&[
        (0, &[verdict(30, 17, 7, 55, 0), verdict(5_000, 0, 900_000, 900_000, 900_000)]),
        (1, &[verdict(8, 3, 1, 1, 0)]),
    ]);
    for headers in [
        r#""preset": "x-ratelimit", "describes": "api/minute", "format": "delta""#,
        r#""preset": "envoy", "describes": "flight""#,
    ] {
        assert_eq!(said(headers, &short).last().unwrap(), "x-ratelimit-reset: 900000", "{headers}");
    }
    assert_eq!(
        said(r#""preset": "ietf", "describes": "api/minute""#, &short)[1],
        r#"ratelimit: "api/minute";r=17;t=7"#,
        "a client that knows these fields reads retry-after, too"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_of_a_list_the_first_that_applies_is_described() {
    let headers = r#""preset": "x-ratelimit", "describes": ["flight", "api/month"]"#;
    assert_eq!(said(headers, &admitted())[0], "x-ratelimit-limit: 8");
    let only_api = decision(&[(0, &[verdict(30, 1, 1, 1, 0), verdict(5_000, 1, 1, 1, 0)])]);
    assert_eq!(said(headers, &only_api)[0], "x-ratelimit-limit: 5000");
    assert_eq!(said(headers, &decision(&[])), [""; 0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_5_headers_may_be_for_rejections_only_and_fp_8_secret() {
    let headers = r#""preset": "x-ratelimit", "describes": "api/minute", "show": "on_429""#;
    assert_eq!(said(headers, &admitted()), [""; 0]);
    assert_eq!(said(headers, &rejected()).len(), 3);
    for decision in [admitted(), rejected()] {
        assert_eq!(said(r#""preset": "secret""#, &decision), [""; 0]);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_limit_without_a_name_is_never_spoken_of() {
    let penalty = verdict(1, 0, 3_600, 3_600, 3_600);
    let punished = decision(&[(1, &[verdict(8, 3, 1, 1, 0), penalty])]);
    for describes in ["violated", "most_constrained"] {
        let headers = format!(r#""preset": "x-ratelimit", "describes": "{describes}""#);
        assert_eq!(
            said(&headers, &punished),
            ["x-ratelimit-limit: 8", "x-ratelimit-remaining: 3", "x-ratelimit-reset: 1747317600"]
        );
    }
    assert_eq!(said(r#""preset": "ietf""#, &punished)[1], r#"ratelimit: "flight";r=3"#);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_8_limit_headers_are_known_in_all_their_spellings() {
    for name in [
        "x-ratelimit-limit",
        "x-ratelimit-limit-minute",
        "x-rate-limit-reset",
        "ratelimit",
        "ratelimit-policy",
        "rate-limit-remaining",
    ] {
        assert!(super::super::is_limit_header(name.as_bytes()), "{name}");
    }
    for name in ["x-request-id", "retry-after", "x-limit", "content-length", "x-", ""] {
        assert!(!super::super::is_limit_header(name.as_bytes()), "{name}");
    }
}

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
fn a_list_may_begin_with_the_limit_that_rejects() {
    let headers = r#""preset": "x-ratelimit", "describes": ["violated", "flight", "api/month"]"#;
    assert_eq!(said(headers, &admitted())[0], "x-ratelimit-limit: 8");
    assert_eq!(said(headers, &rejected())[0], "x-ratelimit-limit: 30");
    let penalty = verdict(1, 0, 3_600, 3_600, 3_600);
    let punished = decision(&[(1, &[verdict(8, 3, 1, 1, 0), penalty])]);
    assert_eq!(said(headers, &punished)[0], "x-ratelimit-limit: 8", "a block has no name");
    let alone = r#""preset": "x-ratelimit", "describes": ["violated"]"#;
    assert_eq!(said(alone, &admitted()), [""; 0]);
    assert_eq!(said(alone, &rejected())[0], "x-ratelimit-limit: 30");
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
        let one = PolicyDecision { policy: 0, identity, limit_set, cost: 1, outcome };
        let decision = Decision::new(vec![one], NOW);
        let headers = rules.limit_headers(&decision);
        assert_eq!((&*headers[0].1, &*headers[1].1), (rate, "32/40"));
    }
}
