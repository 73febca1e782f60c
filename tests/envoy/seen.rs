//! What operators see on two workers: counters by limit, tier and consumer, gauges, the live configuration, lines of
//! JSON, and no more than one warning a minute.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value as Json;
use tollgate_cli::command;

use crate::harness::{Crowd, Gateway, Setup, Update, eventually, new_ip, new_key, per_key};

const TIERED: &str = "keys:
  api_key: { header: authorization, scheme: Bearer }
consumers:
  - { name: acme, keys: { api_key: [acme-key-1] }, tier: pro }
  - { name: idle, keys: { api_key: [idle-key-1] } }
tiers: { names: [free, pro], default: free }
policies:
  - name: plan
    key: api_key
    limits:
      - { name: hour, quota: { free: 2, pro: 8 }, window: 1h }
      - { name: day, quota: 4, window: 24h }
  - { name: tried, key: api_key, mode: shadow, limits: [{ quota: 3, window: 1h }] }
metrics: { consumers: true }
access_log: { format: json, caller: true }
";

/// The filter's statistics with this in their names, without what all begin with.
fn statistics(gateway: &Gateway, about: &str) -> Vec<(String, u64)> {
    let all = gateway.admin().statistics("wasmcustom.tollgate");
    let all = all
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("wasmcustom.tollgate.")?.to_owned(), value)));
    let mut found: Vec<_> = all.filter(|(name, _)| name.contains(about)).collect();
    found.sort();
    found
}

/// Waits until exactly these are the statistics with `about` in their names.
fn until(gateway: &Gateway, about: &str, expected: &[(&str, u64)]) {
    let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let mut last = Vec::new();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("the workers' report", || {
            last = statistics(gateway, about);
            (last == expected).then_some(())
        });
    }));
    assert!(found.is_ok(), "{last:#?} instead of {expected:#?}");
}

/// Else `rate` would miss the first burst of rejections.
#[test]
fn the_counters_of_limits_and_tiers_are_zero_before_the_first_request() {
    let gateway = Setup::yaml(TIERED).alone().start();
    let limits = ["plan.limit.day.refused", "plan.limit.hour.refused", "tried.limit.limit.shadow_refused"];
    let zeros = |names: &[&str]| -> Vec<(String, u64)> {
        names.iter().map(|name| (format!("policy.{name}"), 0)).collect()
    };
    assert_eq!(statistics(&gateway, ".limit."), zeros(&limits));
    let tiers = ["free.admitted", "free.refused", "pro.admitted", "pro.refused"];
    let tiers = tiers.map(|name| format!("plan.tier.{name}"));
    assert_eq!(statistics(&gateway, ".tier."), zeros(&tiers.each_ref().map(String::as_str)));
    assert_eq!(statistics(&gateway, ".consumer."), []);
}

#[test]
fn requests_are_counted_exactly_by_limit_tier_and_consumer_over_two_workers() {
    let gateway = Setup::yaml(TIERED).access_log().alone().start();
    let stranger = new_key();
    assert_eq!(gateway.get("/").key("acme-key-1").admitted_of(10), 4);
    assert_eq!(gateway.get("/").key(&stranger).admitted_of(5), 2);
    until(
        &gateway,
        "policy.plan.limit.",
        &[("policy.plan.limit.day.refused", 6), ("policy.plan.limit.hour.refused", 3)],
    );
    let shadow = [("policy.tried.limit.limit.shadow_refused", gateway.metric("policy.tried.shadow_refused"))];
    until(&gateway, "policy.tried.limit.", &shadow);
    assert!(shadow[0].1 > 0);
    let tiers = ["free.admitted", "free.refused", "pro.admitted", "pro.refused"];
    let tiers: Vec<_> = tiers.iter().map(|name| format!("policy.plan.tier.{name}")).collect();
    let tiers: Vec<_> = tiers.iter().map(String::as_str).zip([2, 3, 4, 6]).collect();
    until(&gateway, ".tier.", &tiers);
    // Whoever is not listed has no counter, nor has who has not come.
    let consumers =
        ["plan.consumer.acme.admitted", "plan.consumer.acme.refused", "tried.consumer.acme.admitted"];
    let consumers: Vec<_> = consumers.iter().map(|name| format!("policy.{name}")).collect();
    let consumers: Vec<_> = consumers.iter().map(String::as_str).zip([4, 6, 3]).collect();
    until(&gateway, ".consumer.", &consumers);
    let near = ["admitted", "from_50", "from_75", "near_limit", "from_100"];
    // One and two of two; two, three and four of four.
    let near = near.map(|name| gateway.metric(&format!("policy.plan.{name}")));
    assert_eq!(near, [6, 5, 3, 2, 2]);

    // The same in the access log, each line an object of its own.
    let lines = gateway.seen(15);
    let lines: Vec<(&str, Json)> = lines.iter().map(|line| parsed(line)).collect();
    let callers = |tier: &str| -> BTreeSet<String> {
        let own = lines.iter().filter(|(_, line)| line["tier"] == tier);
        own.map(|(_, line)| line["caller"].as_str().expect("a pseudonym").to_owned()).collect()
    };
    let (pro, free) = (callers("pro"), callers("free"));
    assert_eq!((pro.len(), free.len()), (1, 1), "the same by both workers: {pro:?}, {free:?}");
    assert!(pro.is_disjoint(&free) && pro.iter().all(|caller| caller.len() == 16));
    for (status, line) in &lines {
        assert_eq!(line["decision"] == "refused", *status == "429", "{line}");
    }
    let log = gateway.log();
    assert!(!log.contains("acme-key-1") && !log.contains(&stranger), "no key is in the log");
}

fn parsed(line: &str) -> (&str, Json) {
    let (status, json) = line.split_once(' ').expect("a status and a decision");
    (status, serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}")))
}

#[test]
fn a_flood_of_made_up_keys_makes_no_new_metrics() {
    let gateway = Setup::yaml(TIERED).alone().start();
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(4), 2);
    eventually("the workers' report", || {
        (gateway.metric("policy.plan.limit.hour.refused") == 2).then_some(())
    });
    let names =
        || -> BTreeSet<String> { statistics(&gateway, "").into_iter().map(|(name, _)| name).collect() };
    let before = names();
    for _ in 0..300 {
        gateway.get("/").key(new_key()).admitted_of(3);
    }
    eventually("the workers' report", || {
        (gateway.metric("policy.plan.limit.hour.refused") == 302).then_some(())
    });
    // A gauge of the table may have come meanwhile.
    let new: Vec<_> =
        names().difference(&before).filter(|name| !name.starts_with("table.")).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
}

/// A table small enough to be counted each second.
const SMALL: &str = "table: { pages: 64 }\n";

#[test]
fn the_gauges_of_the_table_follow_its_callers() {
    let gateway = Setup::yaml(per_key(3, "2s") + SMALL).alone().start();
    let fill = || ["records", "bytes", "capacity_bytes"].map(|name| gateway.metric(&format!("table.{name}")));
    eventually("an empty table", || (fill() == [0, 0, 64 * 1_339]).then_some(()));
    eventually("its callers", || {
        for _ in 0..50 {
            gateway.get("/").key(new_key()).admitted_of(1);
        }
        let [records, bytes, _] = fill();
        (records >= 50 && bytes >= 50 * 20).then_some(())
    });
    eventually("their end", || (fill()[0] == 0).then_some(()));
}

/// What `tollgate check` prints for a policy.
fn revision(policy: &str) -> u64 {
    let path = std::env::temp_dir().join(format!("tollgate-revision-{}.yaml", new_key()));
    fs::write(&path, policy).expect("a policy file");
    let path_text = path.display().to_string();
    let outcome = command::run(["tollgate", "check", "--json", &path_text]).expect("valid arguments");
    fs::remove_file(&path).expect("the file");
    let reports: Json = serde_json::from_str(&outcome.stdout).expect("JSON");
    reports[0]["revision"].as_u64().unwrap_or_else(|| panic!("{reports}"))
}

#[test]
fn the_live_revision_is_the_number_that_check_prints_and_a_refused_update_counts() {
    let (old, new) = (per_key(5, "1h"), per_key(8, "1h"));
    let gateway = Setup::yaml(old.clone()).live().start();
    assert_eq!(gateway.metric("config.revision"), revision(&old));
    assert_eq!(gateway.metric("config.rejected"), 0);
    let accepted = gateway.metric("config.accepted");
    assert!(accepted >= 2, "each worker has taken it: {accepted}");

    assert_eq!(gateway.update(&per_key(5, "1x")), Update::Rejected);
    eventually("the refusal in the metrics", || (gateway.metric("config.rejected") > 0).then_some(()));
    assert_eq!(gateway.metric("config.revision"), revision(&old), "the old one is live");

    assert_eq!(gateway.update(&new), Update::Accepted);
    eventually("the new revision", || (gateway.metric("config.revision") == revision(&new)).then_some(()));
    assert_ne!(revision(&old), revision(&new));
    assert!(gateway.metric("config.accepted") > accepted);
}

#[test]
fn json_text_has_the_revision_of_the_same_yaml() {
    let json = r#"{"policies": [{"limits": [{"window": "1h", "quota": 5}], "key": "ip", "name": "p"}], "keys": {"ip": {"client_ip": {}}}}"#;
    let gateway = Setup::json(json).alone().start();
    let yaml = "keys: { ip: { client_ip: {} } }\npolicies: [{ name: p, key: ip, limits: [{ quota: 5, window: 1h }] }]\n";
    assert_eq!(gateway.metric("config.revision"), revision(yaml));
}

#[test]
fn x_a_hostile_caller_cannot_write_into_a_line_of_json() {
    let policy = "keys: { ip: { client_ip: {} }, agent: { header: user-agent } }
policies:
  - { name: ip, key: [ip, agent], limits: [{ quota: 2, window: 1h }] }
access_log: { format: json, caller: true }
";
    let gateway = Setup::yaml(policy).access_log().start();
    let evil = ["\",\"decision\":\"admitted", "\\", "}{", "%FILTER_STATE(x)%", "\u{e9}\u{2028}"];
    for agent in evil {
        let request = gateway.get("/%22%7D%0A").from(new_ip()).header("user-agent", agent);
        assert_eq!(request.admitted_of(3), 2, "{agent}");
    }
    for line in &gateway.seen(3 * evil.len()) {
        let (status, line) = parsed(line);
        assert_eq!(line["decision"] == "refused", status == "429", "{line}");
        assert_eq!(
            line.as_object().map(serde_json::Map::len),
            Some(if status == "429" { 8 } else { 7 }),
            "{line}"
        );
    }
}

#[test]
fn many_requests_at_once_are_all_counted() {
    let gateway = Setup::yaml(TIERED).alone().start();
    let request = gateway.get("/").key("acme-key-1");
    assert_eq!(Crowd(8).admitted_of(50, &request), 4);
    until(
        &gateway,
        "tier.pro",
        &[("policy.plan.tier.pro.admitted", 4), ("policy.plan.tier.pro.refused", 396)],
    );
    until(&gateway, "limit.day", &[("policy.plan.limit.day.refused", 396)]);
}
