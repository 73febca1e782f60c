use super::{NOTHING, limits, warnings};

#[test]
fn a_limit_that_is_unlimited_for_everybody_is_warned_about() {
    let expected = ["policies[0].limits[0].quota: it has no effect: its quota is unlimited for all callers"];
    assert_eq!(limits("{ quota: unlimited, window: 1m }", ""), expected);
    assert_eq!(limits("{ quota: 0, window: 1m }", ""), NOTHING);
    let tiers = "tiers: { names: [a, b], default: a }\naccess_log: true\nconsumers: [{ name: c, keys: { k: [\"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"] }, tier: b }]\n";
    let of = |quota: &str| {
        warnings(&format!(
            "keys: {{ k: {{ header: x-k, valid: consumer }} }}\npolicies: [{{ name: p, key: k, limits: [{{ quota: {quota}, window: 1m }}] }}]\n{tiers}"
        ))
    };
    assert_eq!(of("{ a: unlimited, b: unlimited }"), expected);
    assert_eq!(of("{ a: unlimited, b: 5 }"), NOTHING);
}

#[test]
fn credentials_that_nobody_could_prove_are_warned_about() {
    let of = |anonymous: &str, key: &str| {
        warnings(&format!(
            "keys: {{ token: {{ header: x-k, valid: {{ unless: [401] }} }}, ip: {{ client_ip: {{}} }}, who: {{ first_of: [token, ip] }},
               plan: {{ metadata: [f, plan] }} }}
tiers: {{ names: [none, pro], default: none, from: plan }}
policies: [{{ name: p, key: {key}, limits: [{{ quota: {{ none: {anonymous}, pro: 5 }}, window: 1m }}] }},
           {{ name: all, key: [ip, who], limits: [{{ quota: 100, window: 1m }}] }}]"
        ))
    };
    assert_eq!(
        of("0", "who"),
        [
            "policies[0]: no new token ever passes, unless it is that of a listed consumer: until a response has proved one, its requests also count as those of a caller without it, whose quota is 0"
        ]
    );
    assert_eq!(of("1", "who"), NOTHING);
    assert_eq!(of("0", "token"), NOTHING, "without a token the policy does not apply");
}

#[test]
fn a_policy_that_does_not_always_apply_covers_no_other_one() {
    let of = |field: &str| {
        warnings(&format!(
            "keys: {{ ip: {{ client_ip: {{}} }} }}
policies: [{{ name: a, key: ip, class: c, {field}limits: [{{ quota: 5, window: 1m }}] }},
           {{ name: b, key: ip, class: c, limits: [{{ quota: 9, window: 1m }}] }}]"
        ))
    };
    assert_eq!(of("").len(), 1);
    assert_eq!(of("enforce: 10%, "), NOTHING);
    assert_eq!(of("schedule: [{ days: [sat, sun] }], "), NOTHING);
}
