use super::*;

/// The warnings about a policy with this limit and these further fields, beside this of the configuration.
fn of(limit: &str, more: &str, configuration: &str) -> Vec<String> {
    warnings(&format!(
        "keys: {{ ip: {{ client_ip: {{}} }} }}\npolicies:\n  - name: p\n    key: ip\n    limits: [{limit}]\n{more}{configuration}"
    ))
}

const FLEET: &str = "fleet: { cluster: tollgate-fleet }\n";

#[test]
fn a_fleet_that_no_policy_uses_is_warned_about() {
    let unused =
        "fleet: no policy has scope: fleet, so every count stays in this Envoy and is lost at a restart";
    let limit = "{ quota: 100, window: 1m }";
    assert_eq!(of(limit, "", FLEET), [unused]);
    assert_eq!(of(limit, "    scope: proxy\n", FLEET), [unused]);
    assert_eq!(of(limit, "    scope: fleet\n", FLEET), NOTHING);
}

#[test]
fn a_small_calendar_quota_that_a_restart_loses_is_warned_about() {
    let lost = |period: &str| {
        [format!(
            "policies[0].limits[0]: the {period}'s count is lost at a restart of Envoy; use scope: fleet to keep it, or write scope: proxy to accept that"
        )]
    };
    for period in ["day", "week", "month"] {
        assert_eq!(of(&format!("{{ quota: 999, window: {period} }}"), "", ""), lost(period));
        assert_eq!(of(&format!("{{ quota: 1000, window: {period} }}"), "", ""), NOTHING);
    }
    assert_eq!(of("{ quota: 5, window: 30d }", "", ""), NOTHING, "no calendar");
}

#[test]
fn a_small_calendar_quota_is_not_warned_about_once_its_scope_is_decided() {
    let month = "{ quota: 100, window: month }";
    assert_eq!(of(month, "    scope: fleet\n", FLEET), NOTHING);
    assert_eq!(of(month, "    scope: proxy\n", ""), NOTHING);
    assert_eq!(of(month, "    mode: shadow\n", ""), NOTHING, "it rejects nobody");
}

#[test]
fn only_the_tiers_with_a_small_calendar_quota_are_named() {
    let found = warnings(
        "keys: { ip: { client_ip: {} }, plan: { metadata: [filter, plan] } }
tiers: { names: [free, pro], default: free, from: plan }
policies: [{ name: p, key: ip, limits: [{ quota: { free: 100, pro: 50000 }, window: month }] }]
",
    );
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.starts_with("policies[0].limits[0]: for free: the month's count is lost"), "{found}");
}
