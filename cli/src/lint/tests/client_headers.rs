//! Warnings about headers that clients write themselves, or of which only the beginning is read.

use super::{NOTHING, warnings};

/// The warnings about a policy by this key, with these further policies and fields.
fn by(key: &str, more: &str) -> Vec<String> {
    warnings(&format!(
        "keys: {{ k: {key}, ip: {{ client_ip: {{}} }} }}
policies:
  - {{ name: p, key: k, limits: [{{ quota: 50, window: 1m }}] }}
{more}"
    ))
    .into_iter()
    .filter(|warning| warning != "keys.ip: nothing uses this key")
    .collect()
}

const BY_ADDRESS: &str = "  - { name: a, key: ip, limits: [{ quota: 50, window: 1m }] }";

#[test]
fn a_header_that_tells_an_address_is_warned_about_unless_something_proves_it() {
    for header in
        ["x-forwarded-for", "X-Real-IP", "forwarded", "true-client-ip", "cf-connecting-ip", "x-client-ip"]
    {
        let found = by(&format!("{{ header: {header} }}"), BY_ADDRESS);
        let [warning] = found.as_slice() else { panic!("{header}: {found:?}") };
        assert!(
            warning.starts_with("keys.k.header: clients write") && warning.contains("use client_ip"),
            "{warning}"
        );
    }
    for proven in ["valid: { metadata: [auth, ok] }", "valid: { unless: [401] }", "separator: ',', index: -2"]
    {
        assert_eq!(by(&format!("{{ header: x-forwarded-for, {proven} }}"), BY_ADDRESS), NOTHING, "{proven}");
    }
    let asked = "exempt: [{ keys: { real: 10.0.0.1 } }]";
    let policy = "keys: { real: { header: x-real-ip }, ip: { client_ip: {} } }
policies: [{ name: p, key: ip, limits: [{ quota: 5, window: 1m }] }]";
    assert_eq!(warnings(&format!("{policy}\n{asked}")), NOTHING, "it counts nobody");
}

#[test]
fn a_header_that_tells_an_identity_is_warned_about_unless_all_are_limited_otherwise() {
    for header in ["x-user-id", "x-forwarded-host", "x-tenant-id"] {
        let key = format!("{{ header: {header} }}");
        let found = by(&key, "");
        let [warning] = found.as_slice() else { panic!("{header}: {found:?}") };
        assert!(warning.contains("overwrites"), "{warning}");
        assert_eq!(by(&key, BY_ADDRESS), NOTHING, "{header}");
    }
}

#[test]
fn a_header_with_commas_is_warned_about_unless_it_is_read_whole_or_divided() {
    for header in ["user-agent", "accept-language", "x-forwarded-client-cert", "via", "if-none-match"] {
        let found = by(&format!("{{ header: {header} }}"), "");
        let [warning] = found.as_slice() else { panic!("{header}: {found:?}") };
        assert!(warning.contains("first comma") && warning.contains("whole: true"), "{warning}");
        for part in ["whole: true", "separator: ',', index: 0", "separator: ','"] {
            assert_eq!(by(&format!("{{ header: {header}, {part} }}"), ""), NOTHING, "{header} {part}");
        }
    }
    let cookie = by("{ header: cookie }", "");
    assert!(cookie[0].contains("a key with cookie"), "{cookie:?}");
    assert_eq!(by("{ header: x-api-key }", ""), NOTHING);
}

#[test]
fn an_element_that_a_client_can_leave_out_is_warned_about_if_nothing_else_limits() {
    let key = "{ header: x-list, separator: ':', index: 1 }";
    assert_eq!(
        by(key, ""),
        [
            "keys.k.index: a request without element 1 has no k, so no policy limits it; add a policy by client_ip"
        ]
    );
    assert_eq!(by(key, BY_ADDRESS), NOTHING);
    assert_eq!(by("{ metadata: [auth, id], separator: ':', index: 1 }", ""), NOTHING);
}

#[test]
fn a_rule_that_frees_whoever_has_a_made_up_key_is_warned_about() {
    let freeing =
        |key: &str, condition: &str| by(key, &format!("exempt: [{{ keys: {{ k: {condition} }} }}]"));
    let expected = "exempt[0].keys.k: any client can free itself with a made-up k; set valid for it";
    for condition in ["true", "ops_*", "'*'", "'*-ops'"] {
        assert_eq!(freeing("{ header: x-key }", condition), [expected], "{condition}");
    }
    for (key, condition) in [
        ("{ header: x-key }", "some-secret"),
        ("{ header: x-key, valid: consumer }", "ops_*"),
        ("{ header: x-key, valid: { metadata: [auth, ok] } }", "true"),
        ("{ metadata: [auth, admin] }", "true"),
    ] {
        assert_eq!(freeing(key, condition), NOTHING, "{key} {condition}");
    }
}
