//! What rejects callers for their rejections.

use super::{NOTHING, limits, warnings};

#[test]
fn a_block_below_every_window_is_warned_about() {
    let of = |limit: &str, block: &str| limits(limit, &format!("    block_for: {block}\n"));
    let minute = "{ quota: 5, window: 10m }";
    assert_eq!(
        of(minute, "1m"),
        [
            "policies[0].block_for: a caller that has used up a limit at once is rejected for 600 s anyway, and this adds nothing; use a longer time"
        ]
    );
    assert_eq!(of(minute, "10m"), NOTHING);
    assert_eq!(of(minute, "1h"), NOTHING);
    assert_eq!(of(minute, "[1m, 1h]"), NOTHING, "it grows");
    assert_eq!(of(minute, "[1m, 2m]").len(), 1);
    assert_eq!(of("{ name: a, quota: 5, window: 1m }, { name: b, quota: 50, window: 1d }", "5m"), NOTHING);
    assert_eq!(of("{ algorithm: token_bucket, quota: 60, window: 1m }", "30s"), NOTHING);
    assert_eq!(of("{ algorithm: concurrency, quota: 60 }", "30s"), NOTHING);
    for (limit, block, seconds) in [
        ("{ algorithm: fixed_window, quota: 5, window: 10m }", "1m", 60),
        ("{ quota: 5, window: day }", "1h", 3600),
    ] {
        let message = format!(
            "policies[0].block_for: a caller that has used up a limit is rejected until the window ends anyway, and this adds something only in its last {seconds} s; use a longer time"
        );
        assert_eq!(of(limit, block), [message], "late in a window a block does have an effect");
    }
}

#[test]
fn counting_only_429_is_warned_about() {
    let of = |statuses: &str| limits("{ quota: 5, window: 1m }", &format!("    count_on: {statuses}\n"));
    assert_eq!(
        of("[429]"),
        [
            "policies[0].count_on: it counts only 429s of the upstream's own; to count what Tollgate rejects, use count: rejected"
        ]
    );
    assert_eq!(of("[401]"), NOTHING);
    assert_eq!(of("[401, 429]"), NOTHING);
    assert_eq!(of("[4xx]"), NOTHING);
}

#[test]
fn a_reset_that_an_attacker_with_an_account_of_its_own_can_bring_about_is_warned_about() {
    let of = |key: &str| {
        warnings(&format!(
            "keys:
  ip: {{ client_ip: {{ ipv6_prefix: 56 }} }}
  account: {{ metadata: [filter, account] }}
policies:
  - {{ name: p, key: {key}, count_on: [401], reset_on: [200], limits: [{{ quota: 5, window: 1h }}] }}
  - {{ name: other, key: [account, ip], limits: [{{ quota: 5, window: 1h }}] }}
"
        ))
    };
    let found = of("ip");
    assert!(
        found.iter().any(|one| one.starts_with("policies[0].reset_on: whoever has one valid")),
        "{found:?}"
    );
    for key in ["[account, ip]", "account"] {
        assert_eq!(of(key), NOTHING, "{key}");
    }
}

/// The warnings about a ban by this key, beside a policy with these fields.
fn ban(key: &str, other: &str) -> Vec<String> {
    warnings(&format!(
        "keys:
  ip: {{ client_ip: {{}} }}
  k: {key}
policies:
  - name: ban
    key: k
    match: [{{ path: \"/v1/{{id}}/**\" }}]
    count: rejected
    block_for: 10m
    limits: [{{ quota: 10, window: 10m }}]
{other}"
    ))
}

const API: &str = "  - { name: api, key: ip, limits: [{ quota: 5, window: 1m }] }\n";

#[test]
fn a_ban_that_one_caller_can_bring_upon_another_is_warned_about() {
    for (key, part) in [
        ("{ header: x-user }", "policies[0].key: k can be made up"),
        ("{ query: user }", "policies[0].key: k can be made up"),
        ("{ cookie: user }", "policies[0].key: k can be made up"),
        ("{ path: id }", "policies[0].key: k is chosen by the client"),
        ("{ constant: all }", "policies[0].key: k is the same for all callers"),
    ] {
        let found = ban(key, API);
        assert!(found.iter().any(|warning| warning.starts_with(part)), "{key}: {found:?}");
    }
    for key in [
        "{ client_ip: { ipv6_prefix: 56 } }",
        "{ metadata: [filter, sub] }",
        "{ header: x-user, valid: { metadata: [filter, ok] } }",
        "{ header: x-user, valid: { unless: [401] } }",
    ] {
        assert_eq!(ban(key, API), NOTHING, "{key}");
    }
}

#[test]
fn a_ban_beside_which_nothing_rejects_is_warned_about() {
    let found = "policies[0].count: no other policy ever rejects a request, so nothing is counted here";
    let key = "{ client_ip: { ipv6_prefix: 56 } }";
    assert!(ban(key, "").contains(&found.to_string()));
    assert!(ban(key, &API.replace("name: api,", "name: api, mode: shadow,")).contains(&found.to_string()));
    assert_eq!(ban(key, API), NOTHING);
}
