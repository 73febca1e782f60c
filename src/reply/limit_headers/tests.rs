//! Each preset, to the byte, for two policies: `api` with a limit per minute and one per month, and `flight`,
//! which counts what is in flight.

mod sets;

use super::super::ReplyRules;
use crate::decision::{Decision, PolicyDecision};
use crate::identity::Identity;
use crate::limiter::Verdict;
use crate::table::Outcome;
use crate::testing::compiled;
use crate::time::{Now, SECOND};
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
        quota,
        remaining,
        next_slot: NOW.mono + next * SECOND,
        full_reset: NOW.mono + full * SECOND,
        retry_after: retry * SECOND,
    }
}

fn decision(policies: &[(usize, &[Verdict])]) -> Decision {
    let policy_decision = |(policy, verdicts): &(usize, &[Verdict])| PolicyDecision {
        awaits_body: false,
        policy: *policy,
        identity: Identity { page: 1, fingerprint: 2 },
        limit_set: 0,
        own_limits: None,
        awaits_trailers: false,
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
