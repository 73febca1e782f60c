//! What the tags of the bootstrap make of the module's names.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Setup, in_repository};

/// The expressions of each `stats_tags` in a text, in order.
fn lists(text: &str) -> Vec<Vec<String>> {
    let after = |text: &str| {
        let of_tags = |line: &&str| line.contains("tag_name:") || line.contains("regex:");
        let tags = text.lines().skip(1).take_while(of_tags).filter(|line| line.contains("regex:"));
        tags.map(|line| line.split('\'').nth(1).expect("an expression").to_owned()).collect()
    };
    text.split("stats_tags:").skip(1).map(after).collect()
}

#[test]
fn names_of_policies_and_of_what_is_in_them_become_labels_and_each_level_has_a_name_of_its_own() {
    let policy = "keys: { key: { header: x-key }, ip: { client_ip: {} } }
tiers: { names: [tier, limit], default: limit }
consumers: [{ name: consumer, keys: { key: [known] }, tier: tier }]
metrics: { consumers: true }
policies:
  - name: policy
    key: key
    limits:
      - { name: limit, quota: { tier: 2, limit: 1 }, window: 1h }
      - { name: tier, quota: 9, window: 1h }
  - { name: limit, key: ip, match: [{ path: /a }], limits: [{ name: refused, quota: 3, window: 1h }] }
  - { name: shadow, key: key, mode: shadow, limits: [{ name: consumer, quota: 1, window: 1h }] }
";
    let gateway = Setup::printed(policy, &[]).start();
    assert_eq!(gateway.get("/").header("x-key", "known").admitted_of(5), 2);
    assert_eq!(gateway.get("/").header("x-key", "unknown").admitted_of(5), 1);
    assert_eq!(gateway.get("/a").admitted_of(5), 3);
    let expected = "\
tollgate_policy_admitted{policy=\"limit\"} 3
tollgate_policy_admitted{policy=\"policy\"} 3
tollgate_policy_consumer_admitted{policy=\"policy\",consumer=\"consumer\"} 2
tollgate_policy_consumer_refused{policy=\"policy\",consumer=\"consumer\"} 3
tollgate_policy_limit_refused{policy=\"limit\",limit=\"refused\"} 2
tollgate_policy_limit_refused{policy=\"policy\",limit=\"limit\"} 7
tollgate_policy_refused{policy=\"limit\"} 2
tollgate_policy_refused{policy=\"policy\"} 7
tollgate_policy_tier_admitted{policy=\"policy\",tier=\"limit\"} 1
tollgate_policy_tier_admitted{policy=\"policy\",tier=\"tier\"} 2
tollgate_policy_tier_refused{policy=\"policy\",tier=\"limit\"} 4
tollgate_policy_tier_refused{policy=\"policy\",tier=\"tier\"} 3
";
    let mut shown = String::new();
    let mut shows = || {
        let page = gateway.admin().page("/stats/prometheus?filter=%5Ewasmcustom");
        let counts = |line: &&str| {
            line.starts_with("tollgate_policy_")
                && !line.contains("\"shadow\"")
                && (line.contains("_admitted{") || line.contains("_refused{"))
                && !line.ends_with(" 0")
        };
        shown = page.lines().filter(counts).map(|line| format!("{line}\n")).collect();
        shown == expected
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !shows() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(shown, expected);
}

/// Wherever the tags are shown, they are those of the bootstrap.
#[test]
fn each_list_of_tags_is_that_of_the_bootstrap() {
    let read = |path: &std::path::Path| fs::read_to_string(path).unwrap_or_default();
    let expected = lists(&read(&in_repository("envoy/bootstrap.yaml")));
    let [expected] = expected.as_slice() else { panic!("one list in the bootstrap") };
    assert_eq!(expected.len(), 4);
    let mut folders = vec![in_repository("docs"), in_repository("deploy"), in_repository("envoy")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).expect("a folder") {
            let path = file.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for list in lists(&read(&path)).iter().filter(|list| !list.is_empty()) {
                assert_eq!(list, expected, "{}", path.display());
                found += 1;
            }
        }
    }
    assert!(found >= 2, "{found} lists");
}
