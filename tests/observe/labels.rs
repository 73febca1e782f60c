//! What the tags of the bootstrap make of the module's names.

use std::fs;

use crate::harness::{in_repository, Setup, eventually};

/// The expressions of each `stats_tags` in a text, in order.
fn lists(text: &str) -> Vec<Vec<String>> {
    let after = |text: &str| {
        let lines = text.lines().skip(1).skip_while(|line| line.trim().is_empty());
        let tags = lines.take_while(|line| line.contains("tag_name:"));
        tags.map(|line| line.split('\'').nth(1).expect("an expression").to_owned()).collect()
    };
    text.split("stats_tags:").skip(1).map(after).collect()
}

#[test]
fn f_names_of_policies_and_of_what_is_in_them_become_labels_and_each_level_has_a_name_of_its_own() {
    let policy = "keys: { ip: { client_ip: {} } }
policies:
  - { name: policy, key: ip, limits: [{ name: limit, quota: 2, window: 1h }, { name: tier, quota: 9, window: 1h }] }
  - { name: limit, key: ip, limits: [{ name: refused, quota: 3, window: 1h }] }
";
    let gateway = Setup::printed(policy, &[]).start();
    assert_eq!(gateway.get("/").admitted_of(5), 2);
    let lines = [
        "tollgate_policy_admitted{policy=\"policy\"} 2",
        "tollgate_policy_refused{policy=\"policy\"} 3",
        "tollgate_policy_refused{policy=\"limit\"} 0",
    ];
    eventually("the labels", || {
        let page = gateway.admin().page("/stats/prometheus?filter=%5Ewasmcustom");
        lines.iter().all(|line| page.lines().any(|found| found == *line)).then_some(())
    });
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
