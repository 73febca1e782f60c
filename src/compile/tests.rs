use super::*;
use crate::config::{ConfigError, parse};
use crate::http::client_ip::Prefixes;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{
    Algorithm, Concurrency, FixedWindow, SlidingCounter, SlidingWindow, Stock, TokenBucket,
};
use crate::rules::source::ClientIp;
use crate::table::ChargeMode;
use crate::time::SECOND;
use wasm_bindgen_test::wasm_bindgen_test;

#[cfg(not(target_arch = "wasm32"))] // which has no clock
mod scale;

pub(super) const KEYS: &str = r#""keys": {"ip": {"client_ip": {}}, "key": {"header": "Authorization", "scheme": "Bearer", "prefix": 16}}"#;

pub(super) fn compiled(json: &str) -> Result<Configuration, String> {
    compile(&parse(json.as_bytes()).unwrap()).map_err(|errors| errors.to_string())
}

/// The paths of all errors, a line each. What the errors say is pinned by `cli/tests/diagnostics`.
pub(super) fn error_paths(json: &str) -> String {
    let errors = compile(&parse(json.as_bytes()).unwrap()).err().unwrap_or_default();
    errors.iter().map(ConfigError::path).collect::<Vec<_>>().join("\n")
}

/// A configuration whose only policy has these limits.
fn with_limits(limits: &str) -> String {
    format!(r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": {limits}}}]}}"#)
}

/// A valid configuration with these further fields.
pub(super) fn with(fields: &str) -> String {
    format!(
        r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, "window": "1m"}}]}}], {fields}}}"#
    )
}

/// Compiles only if another thread may share a configuration, as a host with one process for several workers
/// does.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<crate::rules::PolicySet>();
    is_shared::<crate::reply::ReplyRules>();
};

#[wasm_bindgen_test(unsupported = test)]
fn of_hundreds_of_errors_the_first_are_reported_and_that_there_are_more() {
    let unknown: Vec<_> = (0..300).map(|i| format!(r#""unknown{i}": 1"#)).collect();
    let errors = compiled(&format!("{{{}}}", unknown.join(","))).unwrap_err();
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 201);
    assert!(lines[199].starts_with("unknown199: found an unknown field"), "{}", lines[199]);
    assert_eq!(lines[200], "$: found more errors; allowed: none; the others are shown once there are fewer");
}

#[wasm_bindgen_test(unsupported = test)]
fn of_hundreds_of_allowed_words_the_first_are_listed_and_that_there_are_more() {
    let keys: Vec<_> = (0..300).map(|i| format!(r#""k{i}": {{"header": "h"}}"#)).collect();
    let policies = r#"[{"name": "p", "key": "k2550", "limits": [{"quota": 5, "window": "1m"}]}]"#;
    let errors =
        compiled(&format!(r#"{{"keys": {{{}}}, "policies": {policies}}}"#, keys.join(","))).unwrap_err();
    assert!(errors.contains("k254, k255 and more"), "{errors}");
    assert!(errors.contains("did you mean k255?") || errors.contains("did you mean k250?"), "{errors}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_valid_policy_is_compiled_with_its_defaults() {
    let set = compiled(&with_limits(r#"[{"quota": 50, "window": "60s"}]"#)).unwrap();
    let limit = set.rules.policies[0].limits()[0];
    assert_eq!((limit.quota.get(), limit.window), (50, 60 * SECOND));
    assert_eq!(limit.algorithm, Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }));
    assert_eq!(set.rules.charging, ChargeMode::AllOrNothing);
    assert_eq!(
        set.rules.table_size,
        TableSize { pages: NonZeroU32::new(16_384).unwrap(), page_bytes: 1_536 }
    );
    assert!(set.rules.exempt_preflight);
    assert_eq!(set.rules.callers.keys[0].source, ClientIp { prefixes: Prefixes { v4: 32, v6: 64 } }.into());
    assert_eq!(set.rules.callers.keys[1].source.header(), Some("authorization"), "header names ignore case");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_that_envoy_delivers_as_text_because_of_its_size_is_a_number() {
    let set = compiled(&with_limits(r#"[{"quota": "4294967295", "window": "60s"}]"#)).unwrap();
    assert_eq!(set.rules.policies[0].limits()[0].quota.get(), u32::MAX);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_limits_id_is_its_names_so_a_new_quota_keeps_its_counts() {
    let id = |limits: &str| compiled(&with_limits(limits)).unwrap().rules.policies[0].limits()[0].id;
    let one = id(r#"[{"quota": 50, "window": "60s"}]"#);
    assert_eq!(one, id(r#"[{"quota": 70, "window": "2h"}]"#));
    assert_ne!(one, id(r#"[{"name": "minute", "quota": 50, "window": "60s"}]"#));
}

#[wasm_bindgen_test(unsupported = test)]
fn all_errors_are_reported_at_once() {
    let errors = error_paths(
        r#"{
            "keyz": {},
            "keys": {"ip": {"client_ip": {"ipv6_prefix": 129}}, "b": {"header": "a b"}},
            "policies": [
                {"name": "a b", "key": "ip", "limits": [{"quota": -1, "window": "60"}]},
                {"key": "ip", "limits": []}
            ],
            "charge": "sequentially",
            "retry_after": {"max": 0}
        }"#,
    );
    assert_eq!(
        errors,
        "keyz\nkeys.ip.client_ip.ipv6_prefix\nkeys.b.header\npolicies[0].name\npolicies[0].limits[0].quota\npolicies[0].limits[0].window\npolicies[1].name\npolicies[1].limits\ncharge\nretry_after.max"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_is_reported_with_its_path() {
    let cases = [
        ("[]", ""),
        ("null", ""),
        ("{}", "keys\npolicies"),
        (&with_limits("7"), "policies[0].limits"),
        (&with_limits(r#"[{"window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": 4294967296, "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": -1, "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": 1.5, "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": "10", "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": "4294967296", "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (&with_limits(r#"[{"quota": 1}]"#), "policies[0].limits[0].window"),
        (&with_limits(r#"[{"quota": 1, "window": "367d"}]"#), "policies[0].limits[0].window"),
        (&with_limits(r#"[{"quota": 1, "window": 60}]"#), "policies[0].limits[0].window"),
        (
            &with_limits(r#"[{"quota": 1, "window": "1s", "algorithm": "sliding-window"}]"#),
            "policies[0].limits[0].algorithm",
        ),
        (&with_limits(r#"[{"quota": 1, "window": "1s", "qouta": 2}]"#), "policies[0].limits[0].qouta"),
        (&with_limits(r#"[{"quota": 1, "quota": 2, "window": "1s"}]"#), "policies[0].limits[0].quota"),
        (
            &with_limits(r#"[{"quota": 1, "window": "1s"}, {"quota": 2, "window": "2s"}]"#),
            "policies[0].limits[1]",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ipp", "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": ["ip", 7], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key[1]",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": [], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "match": [{{"path": "v1/x"}}], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].match[0].path",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "match": [{{"method": "post"}}], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].match[0].method",
        ),
        (
            r#"{"keys": {"k": {}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k",
        ),
        (
            r#"{"keys": {"k": {"header": "x", "client_ip": {}}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k",
        ),
        (
            r#"{"keys": {"k": {"client_ip": {}, "prefix": 3}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k.prefix",
        ),
        (
            r#"{"keys": {"a key": {"client_ip": {}}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys[\"a key\"]",
        ),
        (&with(r#""charge": true"#), "charge"),
        (&with(r#""exempt_preflight": "yes""#), "exempt_preflight"),
        (&with(r#""table": {"pages": 0}"#), "table.pages"),
        (&with(r#""table": {"page_bytes": 100}"#), "table.page_bytes"),
    ];
    for (json, paths) in cases {
        assert_eq!(error_paths(json), paths, "{json}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn more_limits_than_a_page_has_room_for_are_an_error() {
    let policies = |n: usize, limits: usize| {
        let limit = |l| format!(r#"{{"name": "l{l}", "quota": 5, "window": "1m"}}"#);
        let limits = (0..limits).map(limit).collect::<Vec<_>>().join(",");
        let policy = |p| format!(r#"{{"name": "p{p}", "key": "ip", "limits": [{limits}]}}"#);
        let policies = (0..n).map(policy).collect::<Vec<_>>().join(",");
        format!(r#"{{{KEYS}, "policies": [{policies}], "table": {{"page_bytes": 512}}}}"#)
    };
    assert_eq!(error_paths(&policies(1, 9)), "policies[0].limits");
    // Several policies share a record if it has room for all of them, and else have one each.
    for (policies, apart) in [(policies(2, 4), false), (policies(3, 3), true), (policies(100, 1), true)] {
        let set = compiled(&policies).unwrap();
        assert!(set.rules.policies.iter().all(|policy| policy.own_record == apart), "{policies}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn two_policies_of_one_name_are_an_error() {
    let policy = r#"{"name": "p", "key": "ip", "limits": [{"quota": 5, "window": "1m"}]}"#;
    assert_eq!(error_paths(&format!(r#"{{{KEYS}, "policies": [{policy}, {policy}]}}"#)), "policies[1]");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_long_text_is_shown_shortened_and_on_one_line() {
    let text = format!("secret\\n{}", "x".repeat(100));
    let errors = compiled(&with(&format!(r#""charge": "{text}""#))).unwrap_err();
    assert_eq!(
        errors,
        "charge: found \"secret\\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\"; allowed: all_or_nothing, sequential"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn each_algorithm_is_compiled_with_its_defaults() {
    let algorithm = |limit: &str| {
        let set = compiled(&with_limits(&format!("[{limit}]"))).unwrap();
        (set.rules.policies[0].limits()[0].algorithm, set.rules.policies[0].limits()[0].window / SECOND)
    };
    let burst = |units| NonZeroU32::new(units).unwrap();
    let fixed = r#"{"algorithm": "fixed_window", "quota": 9, "window": "1h"}"#;
    assert_eq!(algorithm(fixed), (Algorithm::FixedWindow(FixedWindow), 3_600));
    let counter = r#"{"algorithm": "sliding_counter", "quota": 9, "window": "1m"}"#;
    assert_eq!(algorithm(counter), (Algorithm::SlidingCounter(SlidingCounter), 60));
    let bucket = r#"{"algorithm": "token_bucket", "quota": 9, "window": "1m"}"#;
    assert_eq!(algorithm(bucket), (Algorithm::TokenBucket(TokenBucket { burst: burst(9) }), 60));
    let small = r#"{"algorithm": "token_bucket", "quota": 9, "window": "1m", "burst": 2}"#;
    assert_eq!(algorithm(small), (Algorithm::TokenBucket(TokenBucket { burst: burst(2) }), 60));
    assert_eq!(
        algorithm(r#"{"algorithm": "concurrency", "quota": 9}"#),
        (Algorithm::Concurrency(Concurrency { after: 0 }), 1)
    );
    assert_eq!(
        algorithm(r#"{"algorithm": "stock", "quota": 9, "retry_after": "1d"}"#),
        (Algorithm::Stock(Stock { reported: false }), 86_400)
    );
    let month = r#"{"quota": 9, "window": "month", "time_zone": "Europe/Madrid"}"#;
    assert!(matches!(algorithm(month).0, Algorithm::Calendar(_)), "a month is the calendar's");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_field_that_does_not_apply_to_the_algorithm_is_an_error() {
    let cases = [
        (r#"{"quota": 1, "window": "1s", "burst": 2}"#, "burst"),
        (r#"{"quota": 1, "window": "1s", "time_zone": "UTC"}"#, "time_zone"),
        (r#"{"quota": 1, "window": "1s", "retry_after": "1s"}"#, "retry_after"),
        (r#"{"algorithm": "concurrency", "quota": 1, "window": "1s"}"#, "window"),
        (r#"{"algorithm": "calendar", "quota": 1, "window": "60s"}"#, "window"),
        (r#"{"algorithm": "calendar", "quota": 1}"#, "window"),
        (r#"{"algorithm": "fixed_window", "quota": 1, "window": "day"}"#, "window"),
        (r#"{"algorithm": "token_bucket", "quota": 1, "window": "1s", "burst": 0}"#, "burst"),
    ];
    for (limit, field) in cases {
        let path = error_paths(&with_limits(&format!("[{limit}]")));
        assert_eq!(path, format!("policies[0].limits[0].{field}"), "{limit}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn errors_in_what_counts_are_reported() {
    let policy = |fields: &str| {
        let limits = r#""limits": [{"quota": 5, "window": "1m"}]"#;
        error_paths(&format!(r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", {limits}, {fields}}}]}}"#))
    };
    let cases = [
        (r#""count": "none""#, "count"),
        (r#""count": "all", "count_on": [401]"#, "count_on"),
        (r#""count_on": []"#, "count_on"),
        (r#""count_on": 401"#, "count_on"),
        (r#""count_on": [99]"#, "count_on[0]"),
        (r#""refund_on": ["6xx"]"#, "refund_on[0]"),
        (r#""returns": [{"method": "DELETE"}]"#, "returns"),
        (r#""match": [{"method": "POST"}], "returns": [{"method": "delete"}]"#, "returns[0].method"),
        (r#""on_contention": "block""#, "on_contention"),
        (r#""block_for": 5"#, "block_for"),
    ];
    for (fields, field) in cases {
        assert_eq!(policy(fields), format!("policies[0].{field}"), "{fields}");
    }
    assert_eq!(policy(r#""refund_on": [500], "refund_unless": [201]"#), "policies[0].refund_unless");
    for fields in [
        r#""count": "all", "on_contention": "deny""#,
        r#""count_on": [401, "5xx"]"#,
        r#""match": [{"method": "POST"}], "refund_unless": [201], "returns": [{"method": "DELETE", "path": "/x/{id}", "on": ["2xx"]}]"#,
    ] {
        assert_eq!(policy(fields), "", "{fields}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn block_for_is_one_more_limit_of_the_record_and_none_of_the_names() {
    let json = with_limits(r#"[{"quota": 5, "window": "1m"}], "block_for": "5m""#);
    let json =
        json.replacen(r#"{"keys""#, r#"{"headers": {"preset": "x-ratelimit", "describes": "p"}, "keys""#, 1);
    let set = compiled(&json).unwrap();
    let policy = &set.rules.policies[0];
    assert_eq!((policy.limits().len(), policy.limit_names.len()), (2, 1));
    assert_eq!(policy.limits()[1], crate::limiter::Limit::penalty("p", 300 * SECOND, Default::default()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_with_an_invalid_name_is_not_offered_as_another() {
    let json = r#"{"keys": {"a\nb": {"header": "x"}, "ip": {"client_ip": {}}, "k": {"first_of": ["ab", "ip"]}},
        "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 5, "window": "1m"}]}]}"#;
    let errors = compile(&parse(json.as_bytes()).unwrap()).unwrap_err();
    let errors: Vec<_> = errors.iter().map(|error| (error.path(), error.found())).collect();
    assert_eq!(errors, [("keys[\"a\\nb\"]", "\"a\\nb\""), ("keys.k.first_of[0]", "\"ab\"")]);
    assert!(compiled(json).unwrap_err().ends_with("allowed: ip, k"));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_out_of_range_is_shown_as_it_was_found() {
    for (quota, found) in [
        ("4294967296", "4294967296"),
        ("-1", "-1"),
        ("1.5", "1.5"),
        (r#""10""#, r#""10""#),
        (r#""4294967296""#, r#""4294967296""#),
    ] {
        let json = with_limits(&format!(r#"[{{"quota": {quota}, "window": "1s"}}]"#));
        let errors = compile(&parse(json.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(errors.iter().map(ConfigError::found).collect::<Vec<_>>(), [found]);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn counters_of_consumers_are_for_at_most_a_thousand_of_them() {
    let consumers = |number: usize, metrics: &str| {
        let list: Vec<_> =
            (0..number).map(|n| format!(r#"{{"name": "c{n}", "keys": {{"key": ["k{n}"]}}}}"#)).collect();
        with(&format!(r#""consumers": [{}], "metrics": {metrics}"#, list.join(",")))
    };
    let counted = compiled(&consumers(1_000, r#"{"consumers": true}"#)).unwrap().rules;
    assert!(counted.counts_consumers && counted.names_callers);
    assert_eq!(error_paths(&consumers(1_001, r#"{"consumers": true}"#)), "metrics.consumers");
    let silent = compiled(&consumers(1_001, r#"{"consumers": false}"#)).unwrap().rules;
    assert!(!silent.counts_consumers && !silent.names_callers);
    assert_eq!(error_paths(&with(r#""metrics": {"consumers": true}"#)), "metrics.consumers");
}
