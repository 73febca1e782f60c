//! What promtool says about the shipped files.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::harness::in_repository;
use crate::prometheus::program;

fn promtool(arguments: &[&str]) {
    let ran = Command::new(program("promtool"))
        .args(arguments)
        .current_dir(in_repository("deploy/prometheus"))
        .output()
        .expect("promtool");
    let printed = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&printed));
}

#[test]
fn promtool_accepts_the_rules_and_the_configuration() {
    promtool(&["check", "rules", "rules.yaml"]);
    promtool(&["check", "config", "prometheus.yaml"]);
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() {
    promtool(&["test", "rules", "rules.test.yaml"]);
}

/// The values behind a word, such as `alertname: `.
fn words(text: &str, before: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.split([',', ' ', '\n']).next().unwrap_or_default().to_owned();
    text.split(before).skip(1).map(word).collect()
}

#[test]
fn each_alert_has_a_test_of_both_a_runbook_and_a_severity() {
    let read = |name: &str| fs::read_to_string(in_repository("deploy/prometheus").join(name)).unwrap();
    let (rules, tests) = (read("rules.yaml"), read("rules.test.yaml"));
    let alerts = words(&rules, "- alert: ");
    assert!(alerts.len() > 20, "{alerts:?}");
    let page = fs::read_to_string(in_repository("docs/alerts.md")).expect("the page");
    for alert in &alerts {
        assert!(tests.contains(&format!("\n      - alertname: {alert}\n")), "{alert} is not tested to fire");
        assert!(tests.contains(&format!("not {alert}: ")), "{alert} is not tested to be silent");
        assert!(rules.contains(&format!("runbook: docs/alerts.md#{}\n", alert.to_lowercase())), "{alert}");
        assert!(page.contains(&format!("\n### {alert}\n")), "docs/alerts.md has no {alert}");
        let (_, rule) = rules.split_once(&format!("- alert: {alert}\n")).expect("the rule");
        let rule = rule.split("- alert: ").next().unwrap_or_default();
        assert_eq!(words(rule, "severity: ").len(), 1, "{alert}");
        assert!(rule.contains("summary: "), "{alert}");
    }
    assert_eq!(words(&tests, "alertname: "), alerts);
    assert_eq!(page.matches("\n### ").count(), alerts.len(), "docs/alerts.md and the rules");
}
