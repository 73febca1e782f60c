//! A caller gets a fresh start while Envoy serves, on both workers, once.

use crate::harness::{Gateway, Request, Setup, Update, eventually, unix_time};

/// Enough for both workers to have been asked several times.
const MANY: usize = 40;

/// The digest of the key `shop`.
const SHOP: &str = "8d9001d32c6a703d95921a77115050f33dd823d3f1730bd35215dcbecad6dc20";

/// Five an hour for each key and two for each address, and a block. The probe's own quota shows which policy a worker
/// has.
fn policy(probe: u32, entries: &str) -> String {
    format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer }}
  login: {{ header: x-login }}
consumers: [{{ name: probe, keys: {{ api_key: [probe] }}, quotas: {{ api: {probe} }} }}]
policies:
  - {{ name: api, key: api_key, limits: [{{ quota: 5, window: 1h }}] }}
  - {{ name: login, key: login, block_for: 1h, limits: [{{ quota: 2, window: 1s }}] }}
headers: {{ preset: x-ratelimit, describes: api }}
forgive: [{entries}]
"
    )
}

fn update(gateway: &Gateway, probe: u32, entries: &str) {
    assert_eq!(gateway.update(&policy(probe, entries)), Update::Accepted);
    let get = gateway.get("/").key("probe");
    let all = || (0..MANY).all(|_| get.send().value("x-ratelimit-limit") == probe.to_string());
    eventually("both workers to have the new policy", || all().then_some(()));
}

fn now() -> String {
    let mut instant = String::new();
    tollgate::time::push_instant(&mut instant, unix_time().as_secs());
    instant
}

/// How many of many requests pass, each on a connection of its own.
fn admitted(request: &Request) -> usize {
    (0..MANY).map(|_| request.admitted_of(1)).sum()
}

#[test]
fn a_forgiven_key_has_its_quota_once_more_and_no_further_update_gives_it_again() {
    let gateway = Setup::yaml(policy(1_000, "")).live().start();
    let (shop, bank) = (gateway.get("/").key("shop"), gateway.get("/").key("bank"));
    assert_eq!((admitted(&shop), admitted(&bank)), (5, 5));

    let entry = format!("{{ key: api_key, sha256: {SHOP}, before: \"{}\" }}", now());
    update(&gateway, 1_001, &entry);
    assert_eq!((admitted(&shop), admitted(&bank)), (5, 0), "exactly its quota, and nobody else");
    eventually("the metric", || (gateway.metric("config.forgiven") == 1).then_some(()));

    update(&gateway, 1_002, &entry);
    assert_eq!(admitted(&shop), 0, "the same entry again");
    update(&gateway, 1_003, "");
    assert_eq!(admitted(&shop), 0, "the entry is removed");
    update(&gateway, 1_004, &entry);
    assert_eq!(admitted(&shop), 0, "and comes back");
}

#[test]
fn a_forgiven_block_ends_on_both_workers() {
    let gateway = Setup::yaml(policy(1_000, "")).live().start();
    let login = gateway.get("/").header("x-login", "ann");
    assert_eq!(admitted(&login), 2);
    let entry = format!("{{ key: login, value: ann, policy: login, before: \"{}\" }}", now());
    update(&gateway, 1_001, &entry);
    assert_eq!(login.admitted_of(2), 2);
    assert_eq!(admitted(&login), 0, "and another one begins");
    update(&gateway, 1_002, &entry);
    assert_eq!(admitted(&login), 0, "which the same entry does not end");
}

#[test]
fn no_request_forgives_its_caller_nor_brings_an_instant_forward() {
    let later = "2099-01-01T00:00:00Z";
    let entry = format!("{{ key: api_key, sha256: {SHOP}, before: \"{later}\" }}");
    let gateway = Setup::yaml(policy(1_000, &entry)).start();
    let shop = gateway.get("/").key("shop");
    assert_eq!(admitted(&shop), 5);
    for (name, value) in [("date", "Thu, 01 Jan 2099 00:00:01 GMT"), ("forgive", SHOP), ("x-forgive", later)]
    {
        assert_eq!(admitted(&shop.clone().header(name, value)), 0, "{name}");
    }
}
