//! The labels of counters, in a whole bootstrap.

use super::*;

fn warnings(name: &str, bootstrap: &str) -> String {
    tollgate(&["check", "-q", file(name, bootstrap).to_str().unwrap()]).success()
}

#[test]
fn a_bootstrap_without_labels_for_tollgate_is_warned_about_once() {
    let whole = tollgate(&["bootstrap", BILLIUM]).success();
    assert_eq!(warnings("labels-whole.yaml", &whole), "", "the bootstrap that the tool prints");

    // With two filters.
    let whole = tollgate(&["bootstrap", BILLIUM, "--operator-socket", "/run/tollgate.sock"]).success();
    let others = warnings("labels-two.yaml", &whole);
    let without = whole.replace("'^wasmcustom\\.tollgate", "'^wasmcustom\\.other");
    assert_ne!(without, whole);
    let warned = warnings("labels-without.yaml", &without);
    assert_eq!(warned.matches("stats_tags: no tags for Tollgate's counters").count(), 1, "{warned}");
    let line = 1 + without.lines().position(|line| line.trim() == "stats_tags:").unwrap();
    assert!(warned.contains(&format!("labels-without.yaml:{line}: warning: ")), "{warned}");

    let nobody_reads = without.replacen("\nadmin:", "\nlayered_runtime: {}\nnobody:", 1);
    assert_ne!(nobody_reads, without);
    let unread = warnings("labels-unread.yaml", &nobody_reads);
    assert_eq!(unread.lines().count(), others.lines().count(), "{unread}");
}
