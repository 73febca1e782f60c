//! Consumers, their keys and their tiers change while Envoy serves: who has used what stays (X-5, FP-2,
//! FA-24).

use crate::harness::{Gateway, Request, Setup, Update, eventually};

/// Enough for both workers to have been asked several times.
const MANY: usize = 40;

/// Four an hour on the free plan, seven on the other, for each key or for each consumer.
fn policy(key: &str, consumers: &str) -> String {
    format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer }}
  consumer: {{ consumer: name }}
tiers: {{ names: [free, pro], default: free }}
consumers:{consumers}
policies:
  - {{ name: api, key: {key}, limits: [{{ quota: {{ free: 4, pro: 7 }}, window: 1h }}] }}
headers: {{ preset: x-ratelimit }}
"
    )
}

/// A consumer with this key, and with these further fields.
fn consumer(name: &str, key: &str, fields: &str) -> String {
    format!("\n  - {{ name: {name}, keys: {{ api_key: [{key}] }}{fields} }}")
}

/// Somebody whose limit shows which policy a worker has.
fn probe(fields: &str) -> String {
    consumer("probe", "probe", fields)
}

fn update(gateway: &Gateway, policy: &str, probes_limit: &str) {
    assert_eq!(gateway.update(policy), Update::Accepted);
    let probe = gateway.get("/").key("probe");
    let all = || (0..MANY).all(|_| probe.send().value("x-ratelimit-limit") == probes_limit);
    eventually("both workers to have the new policy", || all().then_some(()));
}

/// How many of many requests pass, each on a connection of its own.
fn admitted(request: &Request) -> usize {
    (0..MANY).map(|_| request.admitted_of(1)).sum()
}

#[test]
fn fa_24_x_5_a_consumer_who_moves_to_another_tier_keeps_its_key_and_its_count() {
    let on = |tier: &str| {
        let tier = format!(", tier: {tier}");
        policy("api_key", &(consumer("shop", "shop", &tier) + &probe(&tier)))
    };
    let gateway = Setup::yaml(on("free")).live().start();
    let shop = gateway.get("/").key("shop");
    assert_eq!(admitted(&shop), 4);

    update(&gateway, &on("pro"), "7");
    assert_eq!(admitted(&shop), 3);

    update(&gateway, &on("free"), "4");
    let rejected = shop.send();
    assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 0));
    assert_eq!(admitted(&shop), 0);

    update(&gateway, &on("pro"), "7");
    assert_eq!(admitted(&shop), 0);
}

#[test]
fn x_5_a_key_that_becomes_a_consumers_keeps_its_count_and_so_do_others() {
    let gateway = Setup::yaml(policy("api_key", &probe(""))).live().start();
    let (shop, bank) = (gateway.get("/").key("shop"), gateway.get("/").key("bank"));
    assert_eq!((shop.admitted_of(3), bank.admitted_of(2)), (3, 2));

    // By its digest, and with a quota of its own.
    let digest = "sha256:8d9001d32c6a703d95921a77115050f33dd823d3f1730bd35215dcbecad6dc20";
    let own = ", quotas: { api: 9 }";
    update(&gateway, &policy("api_key", &(consumer("shop", digest, own) + &probe(own))), "9");
    assert_eq!((admitted(&shop), admitted(&bank)), (6, 2));

    update(&gateway, &policy("api_key", &probe("")), "4");
    assert_eq!((admitted(&shop), admitted(&bank)), (0, 0));
}

#[test]
fn fp_2_x_5_a_consumer_who_gets_another_key_keeps_its_count() {
    let with_key =
        |key: &str, fields: &str| policy("consumer", &(consumer("shop", key, "") + &probe(fields)));
    let gateway = Setup::yaml(with_key("old", "")).live().start();
    let (old, new) = (gateway.get("/").key("old"), gateway.get("/").key("new"));
    assert_eq!(old.admitted_of(3), 3);
    // Nobody is known by it yet, so that this policy has nobody to count.
    assert_eq!(new.admitted_of(9), 9);

    update(&gateway, &with_key("new", ", tier: pro"), "7");
    assert_eq!((admitted(&new), admitted(&old)), (1, MANY));
}

#[test]
fn x_5_other_tiers_and_other_numbers_leave_the_counts() {
    let gateway = Setup::yaml(policy("api_key", &probe(""))).live().start();
    let request = gateway.get("/").key("anyone");
    assert_eq!(admitted(&request), 4);
    let other = policy("api_key", &probe(""))
        .replace("names: [free, pro], default: free", "names: [basic, gold, free], default: gold")
        .replace("{ free: 4, pro: 7 }", "{ basic: 1, gold: 6, free: 2 }");
    update(&gateway, &other, "6");
    assert_eq!(admitted(&request), 2);
    let without = policy("api_key", " []").replace("{ free: 4, pro: 7 }", "8").replace("tiers:", "#");
    update(&gateway, &without, "8");
    assert_eq!(admitted(&request), 2);
}

#[test]
fn x_5_an_invalid_list_of_consumers_changes_nobody() {
    let gateway = Setup::yaml(policy("api_key", &probe(", tier: pro"))).live().start();
    let request = gateway.get("/").key("probe");
    assert_eq!(admitted(&request), 7);
    let invalid = policy("api_key", &probe(", tier: gold"));
    assert_eq!(gateway.update(&invalid), Update::Rejected);
    assert!(gateway.log().contains("consumers[0].tier: found \"gold\"; allowed: free, pro"));
    assert_eq!(admitted(&request), 0);
    assert_eq!(request.send().value("x-ratelimit-limit"), "7");
}
