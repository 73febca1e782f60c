//! Warnings about tiers, consumers, and the quotas of each group of callers.

use super::{NOTHING, warnings};

/// The warnings about a policy `p` with these limits and fields, for these tiers and consumers.
fn policy(limits: &str, more: &str, callers: &str) -> Vec<String> {
    warnings(&format!(
        "keys:
  api_key: {{ header: x-key }}
  plan: {{ metadata: [filter, plan] }}
  either: {{ first_of: [api_key, plan] }}
{callers}
policies: [{{ name: p, key: either, limits: [{limits}], {more} }}]
"
    ))
}

const TIERS: &str = "tiers: { names: [free, pro, max], default: free, from: plan }";

/// A consumer `acme`, known by a digest, with these fields.
fn acme(more: &str) -> String {
    let digest = "0123456789abcdef".repeat(4);
    format!("consumers: [{{ name: acme, keys: {{ api_key: ['sha256:{digest}'] }}, {more} }}]")
}

#[test]
fn a_limit_that_never_rejects_some_callers_is_warned_about_for_those() {
    let limits = "{ name: minute, quota: { free: 10, pro: 300, max: 3000 }, window: 1m }, \
                  { name: hour, quota: { free: 10, pro: 300, max: 90000 }, window: 1h }";
    let message = |quota: u32| {
        format!(
            "minute never rejects anything: hour admits {quota} in a longer window than minute, which admits {quota}"
        )
    };
    assert_eq!(
        policy(limits, "", TIERS),
        [
            format!("policies[0].limits[0]: for free: {}", message(10)),
            format!("policies[0].limits[0]: for pro: {}", message(300)),
        ]
    );
    let same = limits.replace("{ free: 10, pro: 300, max: 90000 }", "10");
    let found = policy(&same, "", TIERS);
    assert_eq!(found.len(), 3, "each tier's own numbers: {found:?}");
    let all = policy(&same.replace("{ free: 10, pro: 300, max: 3000 }", "10"), "", "");
    assert_eq!(all, [format!("policies[0].limits[0]: {}", message(10))], "all callers need no name");
}

#[test]
fn a_consumers_own_quota_is_compared_too() {
    let limits = "{ name: minute, quota: 10, window: 1m }, { name: hour, quota: 100, window: 1h }";
    assert_eq!(
        policy(limits, "", &acme("quotas: { p/minute: 200 }")),
        [
            "policies[0].limits[0]: for acme: minute never rejects anything: hour admits 100 in a longer window than minute, which admits 200"
        ]
    );
    assert_eq!(policy(limits, "", &acme("quotas: { p/minute: 99 }")), NOTHING);
}

#[test]
fn a_cost_above_every_quota_is_warned_about_for_those_callers() {
    let message = |cost: u32, most: u32| {
        format!("such a request never passes: it costs {cost}, but a limit admits at most {most}")
    };
    let limit = "{ quota: 10, window: 1m }, { name: more, quota: 100, window: 2m }";
    assert_eq!(policy(limit, "cost: 11", ""), [format!("policies[0].cost: {}", message(11, 10))]);
    assert_eq!(policy(limit, "cost: 10", ""), NOTHING);
    assert_eq!(
        policy(limit, "cost: 11, match: [{ path: /a, cost: 12 }, { path: /b, cost: 10 }]", ""),
        [
            format!("policies[0].match[0].cost: {}", message(12, 10)),
            "policies[0].cost: no request has this cost, since each match has one of its own".into()
        ],
        "no request costs what the policy says"
    );
    assert_eq!(
        policy("{ quota: { free: 10, pro: 20, max: 30 }, window: 1m }", "cost: 25", TIERS),
        [
            format!("policies[0].cost: for free: {}", message(25, 10)),
            format!("policies[0].cost: for pro: {}", message(25, 20))
        ]
    );
    let bucket = "{ algorithm: token_bucket, quota: 10, window: 1m, burst: 50 }";
    assert_eq!(policy(bucket, "cost: 50", ""), NOTHING, "a bucket admits its burst at once");
    assert_eq!(policy(bucket, "cost: 51", ""), [format!("policies[0].cost: {}", message(51, 50))]);
    let slow = "{ algorithm: token_bucket, quota: 100, window: 1m, burst: 5 }";
    assert_eq!(policy(slow, "cost: 6", ""), [format!("policies[0].cost: {}", message(6, 5))]);
    assert_eq!(
        policy("{ quota: 5, window: 1m }", "block_for: 1h, cost: 5", ""),
        NOTHING,
        "a penalty is no quota"
    );
}

const BY_TIER: &str = "{ quota: { free: 10, pro: 20, max: 30 }, window: 1m }";

#[test]
fn a_tier_that_nobody_can_have_is_warned_about() {
    let tiers = "tiers: { names: [free, pro, max], default: free }\n";
    assert_eq!(
        policy(BY_TIER, "", &(tiers.to_string() + &acme("tier: max"))),
        ["tiers.names[1]: no consumer has the tier pro"]
    );
    assert_eq!(policy(BY_TIER, "", TIERS), NOTHING, "the key names any of them");
}

#[test]
fn tiers_that_make_no_difference_are_warned_about() {
    let found = ["tiers: tiers make no difference: no quota depends on the tier"];
    assert_eq!(policy("{ quota: 10, window: 1m }", "", TIERS), found);
    assert_eq!(policy("{ quota: { free: 10, pro: 10, max: 10 }, window: 1m }", "", TIERS), found);
    let body = format!("{TIERS}\nreject: {{ body: 'not for {{tier}}' }}");
    assert_eq!(policy("{ quota: 10, window: 1m }", "", &body), NOTHING, "who is rejected is found");
    assert_eq!(policy("{ quota: 10, window: 1m }", "", &format!("{TIERS}\naccess_log: true")), NOTHING);
}

#[test]
fn a_tier_that_the_client_can_choose_is_warned_about() {
    let from = |key: &str| policy(BY_TIER, "", &TIERS.replace("from: plan", &format!("from: {key}")));
    let found = [
        "tiers.from: clients can choose their tier with api_key; use a key with metadata of an earlier filter instead",
    ];
    assert_eq!(from("api_key"), found);
    assert_eq!(from("either").len(), 1);
}

#[test]
fn consumers_that_make_no_difference_are_warned_about() {
    let limit = "{ quota: 10, window: 1m }";
    let found = [
        "consumers: consumers make no difference: no key has consumer or valid: consumer, and no quota depends on the tier or the consumer",
    ];
    let attributes = acme("attributes: { company: c-1 }");
    assert_eq!(policy(limit, "", &attributes), found);
    assert_eq!(policy(limit, "", &format!("{attributes}\naccess_log: true")), NOTHING);
    assert_eq!(policy(limit, "reject: { body: 'not for {consumer}' }", &attributes), NOTHING);
    assert_eq!(policy(limit, "", &acme("quotas: { p: 20 }")), NOTHING);
    let key = |fields: &str, used: &str| {
        warnings(&format!(
            "keys: {{ api_key: {{ header: x-key }}, {fields} }}\n{attributes}\n\
             policies: [{{ name: p, key: {used}, limits: [{limit}] }}]\n"
        ))
    };
    assert_eq!(key("company: { consumer: company }", "company"), NOTHING);
    assert_eq!(key("other: { query: key, valid: consumer }", "other"), NOTHING);
}

#[test]
fn a5_a_made_up_key_that_is_worth_a_month_is_warned_about_unless_addresses_are_counted_too() {
    let found = |key: &str, limit: &str, more: &str| {
        warnings(&format!(
            "keys: {{ api_key: {{ {key} }}, client_ip: {{ client_ip: {{}} }}, either: {{ first_of: [api_key, client_ip] }} }}\n\
             policies: [{{ name: p, key: either, limits: [{limit}] }}{more}]\n\
             consumers: [{{ name: acme, keys: {{ api_key: [\"sha256:{:064}\"] }} }}]\naccess_log: true\n",
            0
        ))
    };
    let message = "policies[0].key: a client that makes up values of api_key gets a new quota of limit with each; set valid for api_key, or add a policy by client_ip";
    for limit in ["{ quota: 1000, window: month }", "{ quota: 9, window: 1d }", "{ quota: 2, window: 10m }"] {
        assert_eq!(found("header: x-key", limit, ""), [message]);
        let by_address = ", { name: ip, key: client_ip, limits: [{ quota: 10, window: 1m }] }";
        assert_eq!(found("header: x-key", limit, by_address), NOTHING);
        assert_eq!(found("header: x-key, valid: consumer", limit, ""), NOTHING);
    }
    assert_eq!(found("header: x-key", "{ quota: 60, window: 1m }", ""), NOTHING);
}
