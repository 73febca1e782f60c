//! What operators can count: by policy, limit, tier and consumer, and how near callers come.

use super::*;

const TIERED: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "consumers": [
        {"name": "acme", "keys": {"client": ["acme"]}, "tier": "pro"},
        {"name": "own", "keys": {"client": ["own"]}, "tier": "pro", "quotas": {"tiered/minute": 1}},
        {"name": "idle", "keys": {"client": ["idle"]}}
    ],
    "tiers": {"names": ["free", "pro", "all-in"], "default": "free"},
    "policies": [
        {"name": "tiered", "key": "client", "limits": [
            {"name": "minute", "quota": {"free": 2, "pro": 4, "all-in": "unlimited"}, "window": "60s"},
            {"name": "day", "quota": 3, "window": "24h"}
        ]},
        {"name": "flat", "key": "client", "limits": [{"quota": 8, "window": "60s"}]},
        {"name": "tried", "key": "client", "mode": "shadow", "limits": [{"quota": 1, "window": "60s"}]}
    ],
    "metrics": {"consumers": true}
}"#;

const TWO_LIMITS: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [{"name": "per-client", "key": "client", "mode": "MODE", "limits": [
        {"name": "a", "quota": 20, "window": "60s"}, {"name": "b", "quota": 1000, "window": "60s"}
    ]}]
}"#;

/// The counters below `tollgate.policy.` whose names have `about` in them, and that have counted.
fn counters(about: &str) -> Vec<(String, u64)> {
    let mut counters = defined(about);
    counters.retain(|(_, count)| *count > 0);
    counters
}

/// All of them.
fn defined(about: &str) -> Vec<(String, u64)> {
    let found = host(|knows| knows.counters.clone());
    let found = found.into_iter().filter_map(|(name, count)| {
        let name = name.strip_prefix("tollgate.policy.")?.to_string();
        name.contains(about).then_some((name, count))
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

fn named(counters: &[(&str, u64)]) -> Vec<(String, u64)> {
    counters.iter().map(|(name, count)| (name.to_string(), *count)).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn each_limit_that_rejects_is_counted_and_no_other() {
    let worker = Worker::start(TIERED);
    // A stranger of tier free has two a minute; acme has four, but three a day.
    assert_eq!((worker.passed("stranger", 5), worker.passed("acme", 5)), (2, 3));
    // Both limits reject at once.
    assert_eq!((worker.passed("own", 1), worker.passed("own", 2)), (1, 0));
    worker.root.tick();
    let shadow = ("tried.limit.limit.shadow_refused", 10);
    let expected = [("tiered.limit.day.refused", 2), ("tiered.limit.minute.refused", 3 + 2), shadow];
    assert_eq!(counters(".limit."), named(&expected));
    assert_eq!(counter("policy.tiered.refused"), 7);
    // What has not counted since is not touched, and goes on where it was.
    worker.root.tick();
    assert_eq!(worker.passed("stranger", 1), 0);
    worker.root.tick();
    assert_eq!(counter("policy.tiered.limit.minute.refused"), 6);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_counters_of_limits_and_tiers_are_there_before_they_count() {
    let _worker = Worker::start(TIERED);
    let names = [
        "flat.limit.limit.refused",
        "tiered.limit.day.refused",
        "tiered.limit.minute.refused",
        "tried.limit.limit.shadow_refused",
    ];
    assert_eq!(defined(".limit."), named(&names.map(|name| (name, 0))));
    let tiers = ["all-in", "free", "pro"];
    let tiers = tiers.iter().flat_map(|tier| ["admitted", "refused"].map(|event| (*tier, event)));
    let tiers: Vec<_> = tiers.map(|(tier, event)| (format!("tiered.tier.{tier}.{event}"), 0)).collect();
    assert_eq!((defined(".tier."), defined(".consumer.")), (tiers, vec![]));
    // A policy that is enforced for some callers is in shadow for the others.
    let _worker = Worker::start(&TWO_LIMITS.replace(r#""mode": "MODE""#, r#""enforce": "10%""#));
    let names = ["a.refused", "a.shadow_refused", "b.refused", "b.shadow_refused"];
    let names = names.map(|name| (format!("per-client.limit.{name}"), 0));
    assert_eq!(defined(".limit."), names);
}

#[wasm_bindgen_test(unsupported = test)]
fn of_very_many_limits_some_counters_are_defined_when_they_count() {
    const POLICIES: usize = 1_500;
    let policy = |number| {
        format!(
            r#"{{"name": "p{number:04}", "key": "client", "limits": [
                {{"name": "a", "quota": 1, "window": "60s"}}, {{"name": "b", "quota": 2, "window": "60s"}},
                {{"name": "c", "quota": 3, "window": "60s"}}]}}"#
        )
    };
    let policies: Vec<String> = (0..POLICIES).map(policy).collect();
    let all = format!(
        r#"{{"keys": {{"client": {{"header": "x-client"}}}}, "policies": [{}]}}"#,
        policies.join(",")
    );
    let worker = Worker::start(&all);
    assert_eq!(defined(".limit.").len(), 4_096);
    assert_eq!(worker.passed("acme", 2), 1);
    worker.root.tick();
    let rejecting = counters(".limit.");
    assert_eq!(rejecting.len(), POLICIES, "each policy's first limit");
    assert!(rejecting.iter().all(|(name, count)| name.ends_with(".a.refused") && *count == 1));
}

#[wasm_bindgen_test(unsupported = test)]
fn requests_are_counted_by_tier_where_tiers_have_quotas_and_by_listed_consumer() {
    let worker = Worker::start(TIERED);
    assert_eq!((worker.passed("stranger", 3), worker.passed("acme", 5), worker.passed("own", 2)), (2, 3, 1));
    worker.root.tick();
    let tiers = [("free.admitted", 2), ("free.refused", 1), ("pro.admitted", 3 + 1), ("pro.refused", 2 + 1)];
    let tiers = tiers.map(|(name, count)| (format!("tiered.tier.{name}"), count));
    assert_eq!(counters(".tier."), tiers, "a consumer with a quota of its own is of its tier");
    let consumers = [
        ("flat.consumer.acme.admitted", 3),
        ("flat.consumer.own.admitted", 1),
        ("tiered.consumer.acme.admitted", 3),
        ("tiered.consumer.acme.refused", 2),
        ("tiered.consumer.own.admitted", 1),
        ("tiered.consumer.own.refused", 1),
        ("tried.consumer.acme.admitted", 1),
        ("tried.consumer.own.admitted", 1),
    ];
    assert_eq!(counters(".consumer."), named(&consumers), "strangers and idle ones have no counter");
}

#[wasm_bindgen_test(unsupported = test)]
fn callers_that_a_policy_does_not_limit_are_of_their_tier_too() {
    let unlimited = TIERED
        .replace(r#""default": "free""#, r#""default": "all-in""#)
        .replace(r#""quota": 3, "#, r#""quota": {"free": 3, "pro": 3, "all-in": "unlimited"}, "#);
    let worker = Worker::start(&unlimited);
    assert_eq!(worker.passed("stranger", 9), 8);
    worker.root.tick();
    // The ninth is rejected by another policy, so this one has neither admitted nor rejected it.
    assert_eq!(counters(".tier."), named(&[("tiered.tier.all-in.admitted", 8)]));
}

#[wasm_bindgen_test(unsupported = test)]
fn made_up_keys_make_no_new_counters() {
    let worker = Worker::start(TIERED);
    for client in 0..200 {
        worker.passed(&format!("made-up-{client}"), 3);
    }
    worker.root.tick();
    let known = host(|knows| knows.counters.len());
    for client in 200..1_000 {
        worker.passed(&format!("made-up-{client}"), 3);
    }
    worker.root.tick();
    assert_eq!(host(|knows| knows.counters.len()), known);
    assert!(counters("made-up").is_empty());
    assert_eq!(counter("policy.tiered.tier.free.refused"), 1_000);
}

#[wasm_bindgen_test(unsupported = test)]
fn without_tiers_and_the_option_nothing_is_counted_by_caller() {
    let worker = Worker::start(TWO_PER_MINUTE);
    assert_eq!(worker.passed("acme", 3), 2);
    worker.root.tick();
    assert_eq!(counters(".limit."), named(&[("per-client.limit.limit.refused", 1)]));
    assert_eq!((counters(".tier."), counters(".consumer.")), (vec![], vec![]));
}

#[wasm_bindgen_test(unsupported = test)]
fn admitted_requests_are_counted_by_how_much_of_a_quota_is_used() {
    for mode in ["enforce", "shadow"] {
        let worker = Worker::start(&TWO_LIMITS.replace("MODE", mode));
        worker.passed("acme", 9);
        worker.passed("other", 1);
        let used = || {
            worker.root.tick();
            ["admitted", "from_50", "from_75", "near_limit", "from_100"]
                .map(|name| counter(&format!("policy.per-client.{name}")))
        };
        assert_eq!(used(), [10, 0, 0, 0, 0], "{mode}");
        worker.passed("acme", 1);
        assert_eq!(used(), [11, 1, 0, 0, 0], "{mode}");
        worker.passed("acme", 5);
        assert_eq!(used(), [16, 6, 1, 0, 0], "{mode}");
        worker.passed("acme", 3);
        assert_eq!(used(), [19, 9, 4, 1, 0], "{mode}");
        // The last ones have nothing left; rejected ones are not near, but over.
        worker.passed("acme", 7);
        assert_eq!(used(), [21, 11, 6, 3, 1], "{mode}");
    }
}
