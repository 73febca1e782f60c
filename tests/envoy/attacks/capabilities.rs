//! An operator may restrict what the module can call (`capability_restriction_config`). Envoy answers a call
//! that is not allowed with `InternalFailure`, at which the wrappers of the SDK panic. The module before the
//! SDK went without the call.

use crate::harness::{Gateway, Setup, new_key, per_key};

/// What the module before the SDK called and offered: the list that an operator of it has.
const ALLOWED: [&str; 22] = [
    "clock_time_get",
    "random_get",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_request_headers",
    "proxy_on_response_headers",
    "proxy_on_tick",
];

fn allowed_but(without: &str, more: &[&str]) -> Gateway {
    let calls = ALLOWED.iter().chain(more).filter(|call| **call != without);
    let calls: Vec<String> = calls.map(|call| format!("{call}: {{}}")).collect();
    let allowed = format!("{{ allowed_capabilities: {{ {} }} }}", calls.join(", "));
    let policy = per_key(2, "1h") + "headers: { preset: ietf }\n";
    Setup::yaml(policy).plugin(&format!("capability_restriction_config: {allowed}")).start()
}

fn assert_limits(gateway: &Gateway) {
    assert_eq!(gateway.get("/").key(new_key()).admitted_of(3), 2, "{}", gateway.log());
    let log = gateway.log();
    assert!(!log.contains(" stopped at "), "{log}");
}

#[test]
fn the_calls_that_sufficed_before_suffice() {
    assert_limits(&allowed_but("", &[]));
}

#[test]
fn without_a_call_that_it_can_do_without_the_module_does_not_trap() {
    for call in
        ["proxy_define_metric", "proxy_set_tick_period_milliseconds", "proxy_replace_header_map_value"]
    {
        assert_limits(&allowed_but(call, &["proxy_get_current_time_nanoseconds"]));
    }
}
