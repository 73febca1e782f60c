//! What operators can see: a counter per policy and outcome, and the table's own.

use crate::harness::{Gateway, Setup, eventually, new_ip, new_key, per_key};

#[test]
fn fp_12_every_decision_is_counted_once_under_its_policy() {
    let gateway = Setup::yaml(per_key(3, "1h")).alone().start();
    // Without a key the policy has nothing to decide.
    assert_eq!(gateway.get("/").admitted_of(4), 4);
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(2), 2);
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(10), 3);
    wait_for_decisions(&gateway, "key", 12);
    assert_eq!(gateway.metric("policy.key.admitted"), 5);
    assert_eq!(gateway.metric("policy.key.refused"), 7);
}

#[test]
fn fp_12_a_rejection_is_counted_under_the_policy_that_rejected() {
    let policy = "keys:
  client_ip: { client_ip: {} }
  api_key: { header: authorization, scheme: Bearer }
policies:
  - { name: ip, key: client_ip, limits: [{ quota: 3, window: 1h }] }
  - { name: key, key: api_key, limits: [{ quota: 1, window: 1h }] }
charge: sequential
";
    let gateway = Setup::yaml(policy).alone().start();
    let request = gateway.get("/").from(new_ip());
    assert_eq!(request.clone().key(new_key()).admitted_of(2), 1);
    assert_eq!(request.admitted_of(3), 1);
    wait_for_decisions(&gateway, "ip", 4);
    wait_for_decisions(&gateway, "key", 2);
    assert_eq!(gateway.metric("policy.key.refused"), 1);
    assert_eq!(gateway.metric("policy.ip.refused"), 2);
}

#[test]
fn a_healthy_table_reports_no_damage() {
    let gateway = Setup::yaml(per_key(3, "1h")).alone().start();
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(10), 3);
    wait_for_decisions(&gateway, "key", 10);
    let table = gateway.admin().statistics("wasmcustom.tollgate.table");
    for metric in ["evictions", "overflow", "damaged_pages", "degraded"] {
        let zero = (format!("wasmcustom.tollgate.table.{metric}"), 0);
        assert!(table.contains(&zero), "{zero:?} is not among {table:?}");
    }
}

#[test]
fn the_log_says_which_build_serves_which_policies() {
    let gateway = Setup::yaml(per_key(3, "1h")).start();
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(1), 1);
    let log = gateway.log();
    let version = concat!("tollgate ", env!("CARGO_PKG_VERSION"), " (");
    let line =
        log.lines().find(|line| line.contains(version)).unwrap_or_else(|| panic!("no such line in {log}"));
    assert!(line.contains("[info]"), "{line}");
    let (_, rest) = line.split_once(version).unwrap();
    let (commit, rest) = rest.split_once(')').unwrap();
    let is_hash = commit.len() == 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown" || option_env!("TOLLGATE_COMMIT").is_some(), "{line}");
    assert_eq!(rest, " language 1 serves 1 policy: key", "{line}");
}

/// Waits until the workers have reported so many decisions of a policy: they do it now and then.
fn wait_for_decisions(gateway: &Gateway, policy: &str, count: u64) {
    eventually("the workers' report", || {
        let admitted = gateway.metric(&format!("policy.{policy}.admitted"));
        let rejected = gateway.metric(&format!("policy.{policy}.refused"));
        (admitted + rejected >= count).then_some(())
    });
}
