//! An operator may restrict what the module can call (`capability_restriction_config`). Envoy answers a call
//! that is not allowed with `InternalFailure`, at which the wrappers of the SDK panic. The module goes
//! without the call instead.

use std::fs;

use crate::harness::{Setup, in_repository, new_key, per_key};

/// The list that docs/security.md gives to operators, without these calls.
fn allowed_but(without: &[&str]) -> Setup {
    let page = fs::read_to_string(in_repository("docs/security.md")).expect("the page");
    let (_, rest) = page.split_once("allowed_capabilities:\n").expect("the list");
    let calls = rest.lines().map_while(|line| line.trim().strip_suffix(": {}"));
    let calls: Vec<String> =
        calls.filter(|call| !without.contains(call)).map(|call| format!("{call}: {{}}")).collect();
    assert!(calls.len() > 15, "{calls:?}");
    let allowed = format!("{{ allowed_capabilities: {{ {} }} }}", calls.join(", "));
    let policy = per_key(2, "1h") + "headers: { preset: ietf, upstream: replace }\naccess_log: true\n";
    Setup::yaml(policy).plugin(&format!("capability_restriction_config: {allowed}"))
}

fn assert_no_trap(log: &str, without: &str) {
    assert!(!log.contains(" stopped at ") && !log.contains("Function: proxy_on_"), "{without}: {log}");
}

#[test]
fn the_listed_calls_suffice() {
    let gateway = allowed_but(&[]).start();
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(3), 2, "{}", gateway.log());
    assert_no_trap(&gateway.log(), "nothing");
}

/// Metrics, ticks, headers and log lines are lost, and nothing else is.
#[test]
fn without_a_call_that_it_can_do_without_the_module_limits_on() {
    for call in [
        "proxy_define_metric",
        "proxy_get_header_map_pairs",
        "proxy_increment_metric",
        "proxy_log",
        "proxy_record_metric",
        "proxy_remove_header_map_value",
        "proxy_replace_header_map_value",
        "proxy_set_property",
        "proxy_set_tick_period_milliseconds",
    ] {
        let gateway = allowed_but(&[call]).start();
        assert_eq!(gateway.get("/").key(new_key()).admitted_of(3), 2, "{call}: {}", gateway.log());
        assert_no_trap(&gateway.log(), call);
    }
}

/// A request whose headers the module may not read has no key, so no policy by key applies to it.
#[test]
fn without_a_call_that_reads_requests_the_module_does_not_trap() {
    for call in ["proxy_get_header_map_value", "proxy_get_property"] {
        let gateway = allowed_but(&[call]).start();
        assert_eq!(gateway.get("/").key(new_key()).send().status, 200, "{call}: {}", gateway.log());
        assert_no_trap(&gateway.log(), call);
    }
}

/// Without shared data nothing can be counted, so the configuration is an error and not a trap.
#[test]
fn without_shared_data_the_configuration_is_an_error() {
    let log = allowed_but(&["proxy_get_shared_data", "proxy_set_shared_data"]).start_rejected().log;
    assert!(log.contains("table.pages: found a host that gives no shared data"), "{log}");
    assert_no_trap(&log, "shared data");
}
