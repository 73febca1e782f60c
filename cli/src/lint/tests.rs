mod callers;
mod classes;
mod said;

use crate::document::{Document, Syntax};
use tollgate::compile::compile;

/// What is warned in a policy of YAML.
fn warnings(yaml: &str) -> Vec<String> {
    let value = Document::read(yaml, Syntax::Yaml).map_err(|error| error.error()).unwrap().value;
    let set = compile(&value).map_err(|errors| errors.to_string()).unwrap();
    let warnings = super::warnings(&set).into_iter().chain(super::warnings_as_written(&set, &value));
    warnings.map(|warning| warning.to_string()).collect()
}

/// A policy `p` for `ip` with these limits, and what else there is.
fn limits(limits: &str, more: &str) -> Vec<String> {
    warnings(&format!(
        "keys: {{ ip: {{ client_ip: {{}} }} }}\npolicies:\n  - name: p\n    key: ip\n    limits: [{limits}]\n{more}"
    ))
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_is_usual_is_not_warned() {
    let usual = "{ name: minute, quota: 300, window: 1m }, { name: month, quota: 50000, window: month }, \
                 { name: at_once, algorithm: concurrency, quota: 5 }, { name: all, algorithm: stock, quota: 5 }";
    assert_eq!(limits(usual, ""), NOTHING);
    assert_eq!(
        limits("{ quota: 2000000, window: 1m }", ""),
        NOTHING,
        "a default page does for any usual quota"
    );
}

#[test]
fn a_limit_that_another_one_always_comes_before_is_warned() {
    let day = "{ name: minute, quota: 100, window: 1m }, { name: day, quota: 50, window: day }";
    assert_eq!(
        limits(day, ""),
        [
            "policies[0].limits[0]: minute never rejects anything: day admits 50 in a longer time, and minute 100 in a shorter one"
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
fn a_window_of_the_clock_comes_before_another_one_only_if_no_edge_of_it_is_within() {
    let told = |longer: &str, shorter: &str| {
        !limits(&format!("{{ name: a, {shorter} }}, {{ name: b, {longer} }}"), "").is_empty()
    };
    let hour = |algorithm: &str| format!("algorithm: {algorithm}, quota: 50, window: 1h");
    let minute = |algorithm: &str, quota: u32| format!("algorithm: {algorithm}, quota: {quota}, window: 1m");
    assert!(told(&hour("sliding_window"), &minute("sliding_window", 50)));
    assert!(told(&hour("sliding_window"), &minute("fixed_window", 50)));
    // 50 before the hour and 50 behind it are 100 in one minute.
    assert!(!told(&hour("fixed_window"), &minute("sliding_window", 99)));
    assert!(told(&hour("fixed_window"), &minute("sliding_window", 100)));
    assert!(told(&hour("fixed_window"), &minute("fixed_window", 50)));
    assert!(!told(&hour("sliding_counter"), &minute("fixed_window", 99)));
    assert!(!told("algorithm: fixed_window, quota: 50, window: 90s", &minute("fixed_window", 99)));
    let month = "quota: 50, window: month, time_zone: Europe/Madrid";
    assert!(told(month, "quota: 50, window: day, time_zone: Europe/Madrid"));
    assert!(!told(month, "quota: 50, window: day"), "its edges are not the month's");
    assert!(!told(month, "quota: 50, window: week, time_zone: Europe/Madrid"));
}

#[test]
fn a_key_that_nobody_uses_and_a_prefix_that_nobody_has_are_warned() {
    let keys =
        "keys:\n  a: { header: x, prefix: 41 }\n  b: { header: z, prefix: 40 }\n  c: { client_ip: {} }\n";
    let policies = "policies: [{ name: p, key: [a, b], limits: [{ quota: 5, window: 1m }] }]\n";
    assert_eq!(
        warnings(&format!("{keys}{policies}")),
        [
            "keys.a.prefix: 41 bytes are more than most keys have; if it is to be the whole key, leave prefix out",
            "keys.c: nothing uses this key"
        ]
    );
}

#[test]
fn a_page_too_small_for_a_quota_is_warned_and_one_that_does_is_named() {
    let told = limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 512 }\n");
    assert_eq!(
        told,
        [
            "policies[0].limits[0]: the page is small for this quota: rejections may come 1024 ms too early, more than 1/128 \
          of the window; table.page_bytes: 1216 would do"
        ]
    );
    assert_eq!(limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 1216 }\n"), NOTHING);
    assert_ne!(limits("{ quota: 100000, window: 1m }", "table: { page_bytes: 1152 }\n"), NOTHING);
}

#[test]
fn a_page_is_small_for_the_quotas_of_some_tiers() {
    let told = warnings(
        "keys: { ip: { client_ip: {} }, plan: { metadata: [filter, plan] } }
tiers: { names: [free, pro], default: free, from: plan }
policies: [{ name: p, key: ip, limits: [{ quota: { free: 1, pro: 100000 }, window: 1m }] }]
table: { page_bytes: 512 }
",
    );
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.starts_with("policies[0].limits[0]: for pro: the page is small"), "{told}");
    assert!(told.ends_with("table.page_bytes: 1216 would do"), "{told}");
}

#[test]
fn a_table_with_room_for_few_clients_is_warned() {
    let told = limits("{ quota: 5, window: 1m }", "table: { pages: 25 }\n");
    assert_eq!(
        told,
        ["table: there is room for some 984 clients; of more, those that used least are forgotten"]
    );
    assert_eq!(limits("{ quota: 5, window: 1m }", "table: { pages: 26 }\n"), NOTHING);
}
