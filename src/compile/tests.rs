use super::*;
use crate::config::parse;
use crate::limiter::Algorithm;
use crate::limiter::sliding_window::Slots;
use crate::rules::KeySource;
use crate::time::SECOND;
use wasm_bindgen_test::wasm_bindgen_test;

#[cfg(not(target_arch = "wasm32"))] // which has no clock
mod scale;

pub(super) const KEYS: &str = r#""keys": {"ip": {"client_ip": {}}, "key": {"header": "Authorization", "scheme": "Bearer", "prefix": 16}}"#;

pub(super) fn compiled(json: &str) -> Result<Configuration, String> {
    compile(&parse(json.as_bytes()).unwrap()).map_err(|errors| errors.to_string())
}

/// A configuration whose only policy has these limits.
fn with_limits(limits: &str) -> String {
    format!(r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": {limits}}}]}}"#)
}

/// A sound configuration with these further fields.
pub(super) fn with(fields: &str) -> String {
    format!(
        r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, "window": "1m"}}]}}], {fields}}}"#
    )
}

/// Compiles only if another thread may share a configuration, as a host with one process for several workers does.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<crate::rules::PolicySet>();
    is_shared::<crate::reply::ReplyRules>();
};

#[wasm_bindgen_test(unsupported = test)]
fn of_hundreds_of_errors_the_first_are_told_and_that_there_are_more() {
    let unknown: Vec<_> = (0..300).map(|i| format!(r#""unknown{i}": 1"#)).collect();
    let errors = compiled(&format!("{{{}}}", unknown.join(","))).unwrap_err();
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 201);
    assert!(lines[199].starts_with("unknown199: found an unknown field"), "{}", lines[199]);
    assert_eq!(lines[200], "$: found more errors; allowed: none; they are told once there are fewer");
}

#[wasm_bindgen_test(unsupported = test)]
fn of_hundreds_of_words_the_first_are_told_and_that_there_are_more() {
    let keys: Vec<_> = (0..300).map(|i| format!(r#""k{i}": {{"header": "h"}}"#)).collect();
    let policies = r#"[{"name": "p", "key": "k2550", "limits": [{"quota": 5, "window": "1m"}]}]"#;
    let errors =
        compiled(&format!(r#"{{"keys": {{{}}}, "policies": {policies}}}"#, keys.join(","))).unwrap_err();
    assert!(errors.contains("k254, k255 and more"), "{errors}");
    assert!(errors.contains("did you mean k255?") || errors.contains("did you mean k250?"), "{errors}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_sound_policy_is_compiled_with_its_defaults() {
    let set = compiled(&with_limits(r#"[{"quota": 50, "window": "60s"}]"#)).unwrap();
    let limit = set.rules.policies[0].limits()[0];
    assert_eq!((limit.quota.get(), limit.window), (50, 60 * SECOND));
    assert_eq!(limit.algorithm, Algorithm::SlidingWindow(Slots::EXACT));
    assert_eq!(set.rules.charging, Charging::AllOrNothing);
    assert_eq!(set.rules.geometry, Geometry { pages: NonZeroU32::new(16_384).unwrap(), page_bytes: 1_536 });
    assert!(set.rules.exempt_preflight);
    assert_eq!(set.rules.callers.keys[0].source, KeySource::ClientIp { ipv6_prefix: 64 });
    let KeySource::Header { name, .. } = &set.rules.callers.keys[1].source else { panic!("a header") };
    assert_eq!(name, "authorization", "header names are case-insensitive");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_that_envoy_made_text_of_for_its_size_is_a_number() {
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
fn all_errors_are_told_at_once() {
    let errors = compiled(
        r#"{
            "keyz": {},
            "keys": {"ip": {"client_ip": {"ipv6_prefix": 129}}, "b": {"header": "a b"}},
            "policies": [
                {"name": "a b", "key": "ip", "limits": [{"quota": 0, "window": "60"}]},
                {"key": "ip", "limits": []}
            ],
            "charge": "sequentially",
            "retry_after": {"max": 0}
        }"#,
    );
    assert_eq!(
        errors.unwrap_err(),
        "keyz: found an unknown field; allowed: keys, consumers, tiers, policies, exempt, exempt_preflight, paths, charge, reject, retry_after, headers, access_log, table; did you mean keys?\n\
         keys.ip.client_ip.ipv6_prefix: found 129; allowed: a whole number from 1 to 128\n\
         keys.b.header: found \"a b\"; allowed: a header name (letters, digits and !#$%&'*+-.^_`|~)\n\
         policies[0].name: found \"a b\"; allowed: a name of letters, digits, _ and -, at most 64\n\
         policies[0].limits[0].quota: found 0; allowed: a whole number from 1 to 4294967295\n\
         policies[0].limits[0].window: found \"60\"; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d\n\
         policies[1].name: found nothing; allowed: a name of letters, digits, _ and -, at most 64\n\
         policies[1].limits: found a list of 0; allowed: a list of at least one limit\n\
         charge: found \"sequentially\"; allowed: all_or_nothing, sequential; did you mean sequential?\n\
         retry_after.max: found 0; allowed: a whole number from 1 to 31622400"
    );
}

/// One error each: what is written, and what is answered.
#[wasm_bindgen_test(unsupported = test)]
fn each_error_has_its_path_what_was_found_and_what_is_allowed() {
    let zoo = [
        (
            "[]",
            "$: found a list of 0; allowed: an object with keys, consumers, tiers, policies, exempt, exempt_preflight, paths, charge, reject, retry_after, headers, access_log, table",
        ),
        (
            "null",
            "$: found null; allowed: an object with keys, consumers, tiers, policies, exempt, exempt_preflight, paths, charge, reject, retry_after, headers, access_log, table",
        ),
        (
            "{}",
            "keys: found nothing; allowed: an object of named keys\npolicies: found nothing; allowed: a list of at least one policy",
        ),
        (&with_limits("7"), "policies[0].limits: found 7; allowed: a list of at least one limit"),
        (
            &with_limits(r#"[{"window": "1s"}]"#),
            "policies[0].limits[0].quota: found nothing; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": 4294967296, "window": "1s"}]"#),
            "policies[0].limits[0].quota: found 4294967296; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": -1, "window": "1s"}]"#),
            "policies[0].limits[0].quota: found -1; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": 1.5, "window": "1s"}]"#),
            "policies[0].limits[0].quota: found 1.5; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": "10", "window": "1s"}]"#),
            "policies[0].limits[0].quota: found \"10\"; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": "4294967296", "window": "1s"}]"#),
            "policies[0].limits[0].quota: found \"4294967296\"; allowed: a whole number from 1 to 4294967295",
        ),
        (
            &with_limits(r#"[{"quota": 1}]"#),
            "policies[0].limits[0].window: found nothing; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d",
        ),
        (
            &with_limits(r#"[{"quota": 1, "window": "367d"}]"#),
            "policies[0].limits[0].window: found \"367d\"; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d",
        ),
        (
            &with_limits(r#"[{"quota": 1, "window": 60}]"#),
            "policies[0].limits[0].window: found 60; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d",
        ),
        (
            &with_limits(r#"[{"quota": 1, "window": "1s", "algorithm": "sliding-window"}]"#),
            "policies[0].limits[0].algorithm: found \"sliding-window\"; allowed: sliding_window, sliding_counter, fixed_window, calendar, token_bucket, concurrency, stock; did you mean sliding_window?",
        ),
        (
            &with_limits(r#"[{"quota": 1, "window": "1s", "qouta": 2}]"#),
            "policies[0].limits[0].qouta: found an unknown field; allowed: name, algorithm, quota, window, time_zone, burst, retry_after, message; did you mean quota?",
        ),
        (
            &with_limits(r#"[{"quota": 1, "quota": 2, "window": "1s"}]"#),
            "policies[0].limits[0].quota: found the same name twice; allowed: each name once",
        ),
        (
            &with_limits(r#"[{"quota": 1, "window": "1s"}, {"quota": 2, "window": "2s"}]"#),
            "policies[0].limits[1]: found a second limit of the same name; allowed: a name of its own for each limit of a policy",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ipp", "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key: found \"ipp\"; allowed: ip, key; did you mean ip?",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": ["ip", 7], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key[1]: found 7; allowed: ip, key",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": [], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].key: found a list of 0; allowed: the name of a key, or a list of such names",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "match": [{{"path": "v1/x"}}], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].match[0].path: found \"v1/x\"; allowed: a path such as /v1/invoices/{id}: starting with /, with {name} or * for one whole segment, each name once, ** only at the end",
        ),
        (
            &format!(
                r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "match": [{{"method": "post"}}], "limits": [{{"quota": 5, "window": "1m"}}]}}]}}"#
            ),
            "policies[0].match[0].method: found \"post\"; allowed: a method in capitals, such as POST, or a list of them",
        ),
        (
            r#"{"keys": {"k": {}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k: found no source; allowed: exactly one source: header, query, cookie, client_ip, path, metadata, consumer, constant or first_of",
        ),
        (
            r#"{"keys": {"k": {"header": "x", "client_ip": {}}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k: found header beside client_ip; allowed: exactly one source: header, query, cookie, client_ip, path, metadata, consumer, constant or first_of",
        ),
        (
            r#"{"keys": {"k": {"client_ip": {}, "prefix": 3}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys.k.prefix: found 3; allowed: only beside header, query or cookie",
        ),
        (
            r#"{"keys": {"a key": {"client_ip": {}}}, "policies": [{"name": "p", "key": "k", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
            "keys[\"a key\"]: found \"a key\"; allowed: a name of letters, digits, _ and -, at most 64",
        ),
        (&with(r#""charge": true"#), "charge: found true; allowed: all_or_nothing, sequential"),
        (&with(r#""exempt_preflight": "yes""#), "exempt_preflight: found \"yes\"; allowed: true or false"),
        (
            &with(r#""table": {"pages": 0}"#),
            "table.pages: found 0; allowed: a whole number from 1 to 1048576",
        ),
        (
            &with(r#""table": {"page_bytes": 100}"#),
            "table.page_bytes: found 100; allowed: a whole number from 512 to 65535",
        ),
    ];
    for (json, errors) in zoo {
        assert_eq!(compiled(json).unwrap_err(), errors, "{json}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn more_limits_than_a_page_has_room_for_are_a_error() {
    let policies = |n: usize, limits: usize| {
        let limit = |l| format!(r#"{{"name": "l{l}", "quota": 5, "window": "1m"}}"#);
        let limits = (0..limits).map(limit).collect::<Vec<_>>().join(",");
        let policy = |p| format!(r#"{{"name": "p{p}", "key": "ip", "limits": [{limits}]}}"#);
        let policies = (0..n).map(policy).collect::<Vec<_>>().join(",");
        format!(r#"{{{KEYS}, "policies": [{policies}], "table": {{"page_bytes": 512}}}}"#)
    };
    let error = "policies[0].limits: found 9 limits, which one record must hold; \
                 allowed: at most 8, what a page of 512 bytes has room for";
    assert_eq!(compiled(&policies(1, 9)).unwrap_err(), error);
    // Several policies share a record if it has room for all of them, and else have one each.
    for (policies, apart) in [(policies(2, 4), false), (policies(3, 3), true), (policies(100, 1), true)] {
        let set = compiled(&policies).unwrap();
        assert!(set.rules.policies.iter().all(|policy| policy.own_record == apart), "{policies}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn two_policies_of_one_name_are_a_error() {
    let policy = r#"{"name": "p", "key": "ip", "limits": [{"quota": 5, "window": "1m"}]}"#;
    assert_eq!(
        compiled(&format!(r#"{{{KEYS}, "policies": [{policy}, {policy}]}}"#)).unwrap_err(),
        "policies[1]: found a second policy named p; allowed: each policy's own name"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn what_was_found_is_shown_short_and_on_one_line() {
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
    assert_eq!(algorithm(fixed), (Algorithm::FixedWindow, 3_600));
    let counter = r#"{"algorithm": "sliding_counter", "quota": 9, "window": "1m"}"#;
    assert_eq!(algorithm(counter), (Algorithm::SlidingCounter, 60));
    let bucket = r#"{"algorithm": "token_bucket", "quota": 9, "window": "1m"}"#;
    assert_eq!(algorithm(bucket), (Algorithm::TokenBucket { burst: burst(9) }, 60));
    let small = r#"{"algorithm": "token_bucket", "quota": 9, "window": "1m", "burst": 2}"#;
    assert_eq!(algorithm(small), (Algorithm::TokenBucket { burst: burst(2) }, 60));
    assert_eq!(algorithm(r#"{"algorithm": "concurrency", "quota": 9}"#), (Algorithm::Concurrency, 1));
    assert_eq!(
        algorithm(r#"{"algorithm": "stock", "quota": 9, "retry_after": "1d"}"#),
        (Algorithm::Stock { reported: false }, 86_400)
    );
    let month = r#"{"quota": 9, "window": "month", "time_zone": "Europe/Madrid"}"#;
    assert!(matches!(algorithm(month).0, Algorithm::Calendar(_)), "a month is the calendar's");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_field_that_an_algorithm_does_not_know_is_a_error() {
    let zoo = [
        (
            r#"{"quota": 1, "window": "1s", "burst": 2}"#,
            "burst: found 2; allowed: only with algorithm token_bucket",
        ),
        (
            r#"{"quota": 1, "window": "1s", "time_zone": "UTC"}"#,
            "time_zone: found \"UTC\"; allowed: only with algorithm calendar",
        ),
        (
            r#"{"quota": 1, "window": "1s", "retry_after": "1s"}"#,
            "retry_after: found \"1s\"; allowed: only with algorithm concurrency or stock",
        ),
        (
            r#"{"algorithm": "concurrency", "quota": 1, "window": "1s"}"#,
            "window: found \"1s\"; allowed: no window with algorithm concurrency or stock",
        ),
        (
            r#"{"algorithm": "calendar", "quota": 1, "window": "60s"}"#,
            "window: found \"60s\"; allowed: day, week, month",
        ),
        (r#"{"algorithm": "calendar", "quota": 1}"#, "window: found nothing; allowed: day, week or month"),
        (
            r#"{"algorithm": "fixed_window", "quota": 1, "window": "day"}"#,
            "window: found \"day\"; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d",
        ),
        (
            r#"{"algorithm": "token_bucket", "quota": 1, "window": "1s", "burst": 0}"#,
            "burst: found 0; allowed: a whole number from 1 to 4294967295",
        ),
    ];
    for (limit, error) in zoo {
        let found = compiled(&with_limits(&format!("[{limit}]"))).unwrap_err();
        assert_eq!(found, format!("policies[0].limits[0].{error}"), "{limit}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_counts_has_its_errors_told() {
    let policy = |fields: &str| {
        let limits = r#""limits": [{"quota": 5, "window": "1m"}]"#;
        compiled(&format!(r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", {limits}, {fields}}}]}}"#))
    };
    let statuses = "a list of statuses such as 401, or classes of them such as 5xx";
    let zoo = [
        (r#""count": "none""#, "count: found \"none\"; allowed: accepted, all".to_string()),
        (
            r#""count": "all", "count_on": [401]"#,
            "count_on: found count_on beside count; allowed: one of them".into(),
        ),
        (r#""count_on": []"#, format!("count_on: found a list of 0; allowed: {statuses}")),
        (r#""count_on": 401"#, format!("count_on: found 401; allowed: {statuses}")),
        (r#""count_on": [99]"#, "count_on[0]: found 99; allowed: a whole number from 100 to 599".into()),
        (
            r#""refund_on": ["6xx"]"#,
            "refund_on[0]: found \"6xx\"; allowed: 1xx, 2xx, 3xx, 4xx, 5xx; did you mean 1xx?".into(),
        ),
        (
            r#""returns": [{"method": "DELETE"}]"#,
            "returns: found returns without match; allowed: match beside it".into(),
        ),
        (
            r#""match": [{"method": "POST"}], "returns": [{"method": "delete"}]"#,
            "returns[0].method: found \"delete\"; allowed: a method in capitals, such as POST, or a list of them".into(),
        ),
        (
            r#""on_contention": "block""#,
            "on_contention: found \"block\"; allowed: bucket, deny, allow".into(),
        ),
        (
            r#""block_for": 5"#,
            "block_for: found 5; allowed: a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d"
                .into(),
        ),
    ];
    for (fields, error) in zoo {
        assert_eq!(policy(fields).unwrap_err(), format!("policies[0].{error}"), "{fields}");
    }
    assert_eq!(
        policy(r#""refund_on": [500], "refund_unless": [201]"#).unwrap_err(),
        "policies[0]: found both refund_on and refund_unless; allowed: one of them"
    );
    for fields in [
        r#""count": "all", "on_contention": "deny""#,
        r#""count_on": [401, "5xx"]"#,
        r#""match": [{"method": "POST"}], "refund_unless": [201], "returns": [{"method": "DELETE", "path": "/x/{id}", "on": ["2xx"]}]"#,
    ] {
        assert!(policy(fields).is_ok(), "{fields}");
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
    assert_eq!(policy.limits()[1], crate::limiter::Limit::penalty("p", 300 * SECOND));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_whose_name_is_no_name_is_not_offered_as_another() {
    let errors = compiled(
        r#"{"keys": {"a\nb": {"header": "x"}, "ip": {"client_ip": {}}, "k": {"first_of": ["ab", "ip"]}},
            "policies": [{"name": "p", "key": "ip", "limits": [{"quota": 5, "window": "1m"}]}]}"#,
    );
    assert_eq!(
        errors.unwrap_err(),
        "keys[\"a\\nb\"]: found \"a\\nb\"; allowed: a name of letters, digits, _ and -, at most 64\n\
         keys.k.first_of[0]: found \"ab\"; allowed: ip, k"
    );
}
