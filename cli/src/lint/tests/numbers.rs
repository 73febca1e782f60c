//! Numbers that clients choose.

use super::{NOTHING, warnings};

fn of(key: &str, more: &str) -> Vec<String> {
    warnings(&format!(
        "keys: {{ ip: {{ client_ip: {{}} }}, k: {{ {key} }} }}
policies: [{{ name: p, key: ip, {more}, limits: [{{ quota: 50, window: 1m }}] }}]"
    ))
}

#[test]
fn a_cost_that_clients_choose_is_warned_about() {
    let from = "cost_from: { key: k, max: 9 }";
    assert_eq!(
        of("header: x-size", from),
        [
            "policies[0].cost_from.key: clients write k themselves, and so choose what they cost; use metadata of an earlier filter, or raise min"
        ]
    );
    assert_eq!(
        of("header: content-length", from),
        [
            "policies[0].cost_from.key: a client that leaves content-length out, as HTTP allows, costs 1; set cost to 9"
        ]
    );
    assert_eq!(of("header: content-length", "cost: 9, cost_from: { key: k, max: 9 }"), NOTHING);
    assert_eq!(of("metadata: [auth, size]", from), NOTHING);
}

#[test]
fn a_stated_cost_that_no_request_has_is_warned_about() {
    let found = of("metadata: [auth, size]", "match: [{ path: /a, cost: 2 }], cost_from: { key: k, max: 9 }");
    assert_eq!(
        found,
        ["policies[0].cost_from: no request has this cost, since each match has one of its own"]
    );
}

#[test]
fn a_quota_that_clients_choose_is_warned_about() {
    let of = |key: &str| {
        warnings(&format!(
            "keys: {{ ip: {{ client_ip: {{}} }}, k: {{ {key} }} }}
policies: [{{ name: p, key: ip, limits: [{{ quota: 50, window: 1m, quota_from: {{ key: k, max: 900 }} }}] }}]"
        ))
    };
    assert_eq!(
        of("header: x-quota"),
        [
            "policies[0].limits[0].quota_from.key: clients write k themselves, and so choose their quota, up to 900; use metadata of an earlier filter"
        ]
    );
    assert_eq!(of("metadata: [auth, rpm]"), NOTHING);
}
