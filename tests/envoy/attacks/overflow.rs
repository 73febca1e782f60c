//! What a full page makes of newcomers is said: in metrics, in the access log, in Envoy's log.

use super::ONE_PAGE;
use crate::harness::{Gateway, Setup, eventually, new_key, per_key};

/// Callers who have all used up what they have, more than the one page has room for: each further one is a
/// newcomer to its overflow record.
fn overflowing() -> Gateway {
    let policy = per_key(2, "1h") + ONE_PAGE + "access_log: true\n";
    let gateway = Setup::yaml(policy).access_log().alone().start();
    for _ in 0..60 {
        gateway.get("/").key(new_key()).admitted_of(3);
    }
    gateway
}

#[test]
fn requests_that_the_overflow_record_rejects_are_counted_and_logged_as_such() {
    let gateway = overflowing();
    let lines = gateway.seen(180);
    let of_overflow = |line: &&String| line.contains("overflow=true");
    let rejected = lines.iter().filter(of_overflow).filter(|line| line.starts_with("429 ")).count() as u64;
    let judged = lines.iter().filter(of_overflow).count() as u64;
    assert!(rejected > 50, "only {rejected} of {judged} in overflow were rejected: {lines:#?}");
    eventually("the workers' report", || {
        (gateway.metric("table.overflow_rejected") >= rejected).then_some(())
    });
    let metrics = ["table.overflow", "table.overflow_rejected"].map(|name| gateway.metric(name));
    assert_eq!(metrics, [judged - rejected, rejected], "as the access log says");
}

#[test]
fn envoys_log_warns_once_a_minute_and_not_for_each_request() {
    let gateway = overflowing();
    let warnings = || {
        let log = gateway.log();
        log.lines().filter(|line| line.contains("[warning]") && line.contains("the table is full")).count()
    };
    eventually("a warning", || (warnings() > 0).then_some(()));
    for _ in 0..60 {
        gateway.get("/").key(new_key()).send();
    }
    assert_eq!(warnings(), 1, "by both workers together, in {}", gateway.log());
}

/// The units of the overflow record are used up soon, and from then on `table.overflow` stays.
#[test]
fn newcomers_whom_a_full_page_rejects_are_counted_and_logged() {
    let policy = per_key(5, "1h") + ONE_PAGE + "access_log: true\n";
    let gateway = Setup::yaml(policy).access_log().alone().start();
    for _ in 0..9 {
        assert_eq!(gateway.get("/").key(new_key()).admitted_of(5), 5);
    }
    let newcomers = || (0..30).filter(|_| gateway.get("/").key(new_key()).send().status == 429).count();
    let rejected = (newcomers() + newcomers()) as u64;
    assert!(rejected >= 30, "only {rejected} of 60");
    eventually("the counter", || (gateway.metric("table.overflow_rejected") == rejected).then_some(()));
    let of_overflow = |line: &&String| line.starts_with("429 ") && line.contains(" overflow=true");
    let lines = gateway.seen(45 + 60);
    assert_eq!(lines.iter().filter(of_overflow).count() as u64, rejected, "{lines:#?}");
    eventually("a warning", || gateway.log().contains("the table is full").then_some(()));
    assert_eq!(gateway.metric("policy.key.refused"), rejected);
}

#[test]
fn a_table_with_room_has_rejected_nobody_for_want_of_it() {
    let gateway = Setup::yaml(per_key(2, "1h")).alone().start();
    gateway.get("/").key(new_key()).admitted_of(3);
    let counters = gateway.admin().statistics("wasmcustom.tollgate.table.*(overflow|debts)");
    let zero = |name: &str| (format!("wasmcustom.tollgate.table.{name}"), 0);
    assert_eq!(counters, ["debts_dropped", "overflow", "overflow_rejected"].map(zero));
}
