mod bans;
mod callers;
mod classes;
mod client_headers;
mod clients;
mod exposure;
mod fleet;
mod freeing;
mod literal;
mod never_shown;
mod numbers;
mod quotas;

use crate::document::{Document, Syntax};
use tollgate::compile::compile;

/// The warnings about a policy in YAML.
fn warnings(yaml: &str) -> Vec<String> {
    let value = Document::read(yaml, Syntax::Yaml).map_err(|error| error.to_config_error()).unwrap().value;
    let set = compile(&value).map_err(|errors| errors.to_string()).unwrap();
    let warnings = super::warnings(&set).into_iter().chain(super::source_warnings(&set, &value, u64::MAX));
    warnings.map(|warning| warning.to_string()).collect()
}

/// The warnings about a policy `p` by `ip` with these limits, and with these further fields.
fn limits(limits: &str, more: &str) -> Vec<String> {
    warnings(&format!(
        "keys: {{ ip: {{ client_ip: {{}} }} }}\npolicies:\n  - name: p\n    key: ip\n    scope: proxy\n    limits: [{limits}]\n{more}"
    ))
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_cost_that_no_request_has_is_warned_about() {
    let of = |more: &str| limits("{ quota: 50, window: 1m }", &format!("    cost: 5\n{more}"));
    let expected = "policies[0].cost: no request has this cost, since each match has one of its own";
    assert_eq!(of("    match: [{ path: /a, cost: 2 }, { path: /b, cost: 3 }]\n"), [expected]);
    assert_eq!(of("    match: [{ path: /a, cost: 2 }, { path: /b }]\n"), NOTHING);
    assert_eq!(of(""), NOTHING);
    let free = "policies[0].cost: no request costs anything here, so the policy never counts or rejects one";
    let of = |more: &str| limits("{ quota: 50, window: 1m }", more);
    assert_eq!(of("    cost: 0\n"), [free]);
    assert_eq!(of("    match: [{ path: /a, cost: 0 }]\n"), [free]);
    assert_eq!(of("    cost: 0\n    match: [{ path: /a, cost: 1 }, {}]\n"), NOTHING);
    assert_eq!(of("    match: [{ path: /a, cost: 0 }, {}]\n"), NOTHING);
}

#[test]
fn a_limit_on_long_requests_with_none_on_short_ones_is_warned_about() {
    let long = "{ name: long, algorithm: concurrency, quota: 25, after: 20s }";
    let found = limits(long, "");
    assert_eq!(
        found,
        [
            "policies[0].limits[0].after: nothing limits requests of up to 20 s: a client that opens thousands at once has them all in flight before the first counts; set another limit for the same key, such as one of algorithm concurrency without after"
        ]
    );
    for other in ["algorithm: concurrency, quota: 200", "quota: 200, window: 1m"] {
        assert_eq!(limits(&format!("{long}, {{ name: all, {other} }}"), ""), NOTHING, "{other}");
    }
    assert_eq!(limits(long, "    block_for: 1m\n"), found, "a block limits nothing by itself");
}

#[test]
fn usual_limits_have_no_warnings() {
    let usual = "{ name: minute, quota: 300, window: 1m }, { name: month, quota: 50000, window: month }, { name: at_once, algorithm: concurrency, quota: 5 }, { name: all, algorithm: stock, quota: 5 }";
    assert_eq!(limits(usual, ""), NOTHING);
    assert_eq!(
        limits("{ quota: 2000000, window: 1m }", ""),
        NOTHING,
        "a default page is enough for any usual quota"
    );
}

#[test]
fn with_the_default_table_no_page_is_too_small() {
    for quota in [1, 5, 100, 1_000, 100_000, 4_294_967_295_u32] {
        for window in ["1s", "2s", "3s", "7s", "10s", "61s", "1m", "13m", "1h", "5h", "1d", "100d", "366d"] {
            for count in ["", "count: all", "count: accepted"] {
                let limit = format!("{{ quota: {quota}, window: {window} }}");
                assert_eq!(limits(&limit, &format!("    {count}")), NOTHING, "{limit} {count}");
            }
        }
    }
    let small = limits("{ quota: 100000, window: 2s }", "table: { page_bytes: 512 }");
    assert!(small.iter().any(|warning| warning.contains("the page is too small")), "{small:?}");
}

#[test]
fn a_limit_that_another_one_makes_superfluous_is_warned_about() {
    let day = "{ name: minute, quota: 100, window: 1m }, { name: day, quota: 50, window: day }";
    assert_eq!(
        limits(day, ""),
        [
            "policies[0].limits[0]: minute never rejects anything: day admits 50 in a longer window than minute, which admits 100"
        ]
    );
    assert_eq!(limits(&day.replace("50,", "101,"), ""), NOTHING);
    assert_eq!(
        limits(&day.replace("window: 1m", "window: 7d"), ""),
        NOTHING,
        "the shorter one is the stricter"
    );
    let bucket =
        "{ name: a, algorithm: token_bucket, quota: 100, window: 1m }, { name: b, quota: 50, window: 1h }";
    assert_eq!(limits(bucket, ""), NOTHING, "a bucket's burst is something of its own");
}

#[test]
fn a_window_of_the_clock_makes_another_superfluous_only_if_no_edge_of_it_is_within() {
    let found = |longer: &str, shorter: &str| {
        !limits(&format!("{{ name: a, {shorter} }}, {{ name: b, {longer} }}"), "").is_empty()
    };
    let hour = |algorithm: &str| format!("algorithm: {algorithm}, quota: 50, window: 1h");
    let minute = |algorithm: &str, quota: u32| format!("algorithm: {algorithm}, quota: {quota}, window: 1m");
    assert!(found(&hour("sliding_window"), &minute("sliding_window", 50)));
    assert!(found(&hour("sliding_window"), &minute("fixed_window", 50)));
    // 50 before the hour and 50 behind it are 100 in one minute.
    assert!(!found(&hour("fixed_window"), &minute("sliding_window", 99)));
    assert!(found(&hour("fixed_window"), &minute("sliding_window", 100)));
    assert!(found(&hour("fixed_window"), &minute("fixed_window", 50)));
    // At most 2 × 50 − 1 in any hour, and of a bucket 50 at once and 50 that come back.
    assert!(!found(&hour("sliding_counter"), &minute("fixed_window", 98)));
    assert!(found(&hour("sliding_counter"), &minute("fixed_window", 99)));
    assert!(!found(&hour("token_bucket"), &minute("fixed_window", 99)));
    assert!(found(&hour("token_bucket"), &minute("fixed_window", 100)));
    assert!(!found("algorithm: fixed_window, quota: 50, window: 90s", &minute("fixed_window", 99)));
    let month = "quota: 50, window: month, time_zone: Europe/Madrid";
    assert!(found(month, "quota: 50, window: day, time_zone: Europe/Madrid"));
    assert!(!found(month, "quota: 50, window: day"), "its edges are not the month's");
    assert!(!found(month, "quota: 50, window: week, time_zone: Europe/Madrid"));
}

#[test]
fn an_unused_key_and_a_prefix_longer_than_keys_are_warned_about() {
    let keys =
        "keys:\n  a: { header: x, prefix: 41 }\n  b: { header: z, prefix: 40 }\n  c: { client_ip: {} }\n";
    let policies = "policies: [{ name: p, key: [a, b], limits: [{ quota: 5, window: 1m }] }]\n";
    assert_eq!(
        warnings(&format!("{keys}{policies}")),
        [
            "keys.a.prefix: most keys are shorter than 41 bytes; to use the whole key, leave prefix out",
            "keys.c: nothing uses this key"
        ]
    );
}

#[test]
fn a_page_too_small_for_a_quota_is_warned_about_with_a_sufficient_size() {
    let found = limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 512 }\n");
    assert_eq!(
        found,
        [
            "policies[0].limits[0]: the page is too small for this quota: callers may be rejected up to 1024 ms longer than necessary, more than 1/100 of the window; table.page_bytes: 768 is enough"
        ]
    );
    assert_eq!(limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 768 }\n"), NOTHING);
    assert_ne!(limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 704 }\n"), NOTHING);
}

#[test]
fn a_page_may_be_too_small_for_the_quotas_of_some_tiers() {
    let found = warnings(
        "keys: { ip: { client_ip: {} }, plan: { metadata: [filter, plan] } }
tiers: { names: [free, pro], default: free, from: plan }
policies: [{ name: p, key: ip, limits: [{ quota: { free: 1, pro: 100000 }, window: 1m }] }]
table: { page_bytes: 512 }
",
    );
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.starts_with("policies[0].limits[0]: for pro: the page is too small"), "{found}");
    assert!(found.ends_with("table.page_bytes: 768 is enough"), "{found}");
}

#[test]
fn a_table_with_room_for_few_clients_is_warned_about() {
    let found = limits("{ quota: 5, window: 1m }", "table: { pages: 25 }\n");
    assert_eq!(
        found,
        [
            "table: there is room for about 984 clients; if there are more, those that used least are forgotten"
        ]
    );
    assert_eq!(limits("{ quota: 5, window: 1m }", "table: { pages: 26 }\n"), NOTHING);
}

#[test]
fn a_cost_that_is_known_later_beside_a_hold_of_one_unit_is_warned_about() {
    let found = |more: &str| limits("{ quota: 1500, window: 1m }", more);
    let warning = "policies[0].cost_header: a request holds 1 unit until its response: requests in flight can overshoot a quota by in flight × (x-tokens − 1); set cost near the largest usual cost";
    for more in [
        "    cost_header: x-tokens\n",
        "    cost: 1\n    cost_header: { name: X-Tokens }\n",
        "    match: [{ path: /a, cost: 100 }, { path: /b }]\n    cost_header: x-tokens\n",
    ] {
        assert_eq!(found(more), [warning], "{more}");
    }
    for more in [
        "    cost: 100\n    cost_header: x-tokens\n",
        "    match: [{ path: /a, cost: 100 }, { path: /b, cost: 2 }]\n    cost_header: x-tokens\n",
        "    count_on: [401]\n",
    ] {
        assert_eq!(found(more), NOTHING, "{more}");
    }
}

#[test]
fn a_cost_in_the_body_is_warned_about_beside_a_hold_of_one_unit_or_if_clients_can_escape_it() {
    let found = |more: &str| limits("{ quota: 1500, window: 1m }", more);
    let hold = "policies[0].cost_body: a request holds 1 unit until its response's body has ended: requests in flight can overshoot a quota by in flight × (real cost − 1); set cost so that nine in ten requests cost no more";
    let without = "policies[0].cost_body.without: a request costs less than it holds if its response's body cannot be read: a client that asks for a compressed response, or for a stream without numbers, may bring that about; use keep, or a number not below cost";
    for (more, warnings) in [
        ("    cost_body: { format: openai }\n", &[hold][..]),
        ("    cost: 100\n    cost_body: { format: openai, without: refund }\n", &[without]),
        ("    cost: 100\n    cost_body: { json: /n, without: 99 }\n", &[without]),
        ("    cost_body: { json: /n, without: refund }\n", &[hold, without]),
        ("    cost: 100\n    cost_body: { format: openai }\n", &[]),
        ("    cost: 100\n    cost_body: { json: /n, without: 100 }\n", &[]),
        (
            "    match: [{ path: /a, cost: 100 }, { path: /b, cost: 2 }]\n    cost_body: { format: gemini }\n",
            &[],
        ),
    ] {
        assert_eq!(found(more), warnings, "{more}");
    }
}

#[test]
fn a_host_that_clients_make_up_is_warned_about_unless_addresses_are_limited() {
    let keys = "keys:\n  host: { host: {} }\n  client_ip: { client_ip: {} }\n";
    let by =
        |key: &str| format!("  - {{ name: by_{key}, key: {key}, limits: [{{ quota: 50, window: 1m }}] }}\n");
    let of = |policies: &str| warnings(&format!("{keys}policies:\n{policies}"));
    assert_eq!(
        of(&by("host")),
        [
            "keys.client_ip: nothing uses this key",
            "policies[0].key: a client that makes up values of host gets a new quota of limit with each; add a policy by client_ip"
        ]
    );
    assert_eq!(of(&(by("host") + &by("client_ip"))), NOTHING);
}
