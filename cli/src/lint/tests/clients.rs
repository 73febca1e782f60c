use super::*;

fn replies(more: &str) -> Vec<String> {
    limits("{ quota: 5, window: 60s }", more)
}

#[test]
fn a_reset_that_octokit_takes_for_1970_is_warned_about() {
    for preset in ["x-ratelimit", "github"] {
        let found = replies(&format!("headers: {{ preset: {preset}, format: delta }}\n"));
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert!(found.starts_with("headers.format: ") && found.contains("Octokit"), "{found}");
    }
    for fine in [
        "preset: github",
        "preset: x-ratelimit, format: epoch",
        "preset: x-ratelimit, format: delta, names: { reset: x-ratelimit-reset-after }",
        "preset: ietf",
        "preset: envoy",
        "preset: secret",
    ] {
        assert_eq!(replies(&format!("headers: {{ {fine} }}\n")), NOTHING, "{fine}");
    }
}

#[test]
fn a_reset_that_oktas_sdks_take_for_1970_is_warned_about() {
    let found = replies("headers: { preset: okta, format: delta }\n");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.contains("x-rate-limit-reset") && found.contains("the SDKs of Okta"), "{found}");
    assert_eq!(replies("headers: { preset: okta }\n"), NOTHING);
}

#[test]
fn a_rejection_without_a_wait_or_with_one_that_timers_cannot_hold_is_warned_about() {
    let found = replies("retry_after: { show: never }\n");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.starts_with("retry_after.show: ") && found.contains("discord.js"), "{found}");
    let found = replies("retry_after: { max: 2147484 }\n");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.starts_with("retry_after.max: "), "{found}");
    assert_eq!(replies("retry_after: { max: 2147483, min: 2, jitter: 3 }\n"), NOTHING);
}

#[test]
fn a_status_that_clients_do_not_wait_for_is_warned_about_once() {
    let found = replies("reject: { status: 403 }\n");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.starts_with("reject.status: ") && found.contains("403"), "{found}");
    for fine in [429, 503, 413] {
        assert_eq!(replies(&format!("reject: {{ status: {fine} }}\n")), NOTHING);
    }
    let own = warnings(
        "keys: { ip: { client_ip: {} } }
policies:
  - { name: a, key: ip, limits: [{ quota: 5, window: 1m }] }
  - { name: b, key: ip, limits: [{ quota: 9, window: 1h }], reject: { status: 420 } }
",
    );
    let [own] = own.as_slice() else { panic!("{own:?}") };
    assert!(own.starts_with("policies[1].reject.status: "), "{own}");
}
