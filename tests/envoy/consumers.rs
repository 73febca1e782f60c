//! Who is known, by what, and which numbers are theirs: tiers, and quotas of their own.

use crate::harness::{Gateway, Request, Response, Setup, new_key};

/// The digest is that of `test`.
const POLICY: &str = "
keys:
  api_key: { header: authorization, scheme: Bearer, prefix: 4 }
  partner: { query: partner }
  session: { cookie: session }
  claim: { metadata: [test.auth, client] }
  plan: { metadata: [test.auth, plan] }
  consumer: { consumer: name }
  caller: { first_of: [consumer, api_key] }
tiers: { names: [free, pro, max], default: free, from: plan }
consumers:
  - name: acme
    keys:
      api_key: [sha256:9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08, test-plain]
      partner: [acme-partner]
      session: [acme-session]
      claim: [acme-claim]
    tier: pro
  - name: big
    keys: { api_key: [big-key] }
    quotas: { api/minute: 7 }
policies:
  - name: api
    key: caller
    limits:
      - { name: minute, quota: { free: 2, pro: 4, max: 5 }, window: 1h }
      - { name: day, quota: { free: 20, pro: 40, max: 50 }, window: 1d }
headers: { preset: ietf }
reject: { body: '{\"consumer\":\"{consumer}\",\"tier\":\"{tier}\",\"limit\":{limit}}' }
";

fn gateway() -> Gateway {
    Setup::yaml(POLICY).metadata_from_headers().start()
}

fn quotas(response: &Response) -> &str {
    response.value("ratelimit-policy")
}

const FREE: &str = r#""api/minute";q=2;w=3600, "api/day";q=20;w=86400"#;
const PRO: &str = r#""api/minute";q=4;w=3600, "api/day";q=40;w=86400"#;
const MAX: &str = r#""api/minute";q=5;w=3600, "api/day";q=50;w=86400"#;

/// What is left of the minute's quota.
fn left(response: &Response) -> u64 {
    let told = response.value("ratelimit").strip_prefix(r#""api/minute";r="#).expect("the minute first");
    told.split(';').next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_consumer_is_known_by_a_value_or_its_digest_under_any_of_its_keys() {
    let gateway = gateway();
    let known = [
        gateway.get("/").key("test"),
        gateway.get("/").key("test-plain"),
        gateway.get("/?partner=acme-partner"),
        gateway.get("/").header("cookie", "session=acme-session"),
        gateway.get("/").metadata("client", "acme-claim"),
    ];
    // All of them are one caller, with the quota of its tier.
    let statuses: Vec<_> = known.iter().map(|request| request.send().status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    for request in &known {
        let rejected = request.send();
        assert_eq!(
            (rejected.text(), quotas(&rejected)),
            (r#"{"consumer":"acme","tier":"pro","limit":4}"#, PRO)
        );
    }
}

#[test]
fn a_consumer_is_known_by_its_whole_key_and_by_no_other() {
    let gateway = gateway();
    for stranger in [
        gateway.get("/").key("test-other"),
        gateway.get("/").key("tes"),
        gateway.get("/").key("TEST"),
        gateway.get("/").header("authorization", "Basic test").header("cookie", "session=test"),
        gateway.get("/").key("x1-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        gateway.get("/").key("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        gateway.get("/?partner=acme-session").key(new_key()),
        gateway.get("/").key("acme-claim"),
    ] {
        let response = stranger.send();
        let quotas = response.values("ratelimit-policy");
        assert!(quotas.is_empty() || quotas == [FREE], "{response:?}");
    }
}

#[test]
fn fa_2_whoever_is_not_known_has_the_default_tier() {
    let gateway = gateway();
    let request = gateway.get("/").key("zzzz");
    assert_eq!(request.admitted_of(5), 2);
    let rejected = request.send();
    assert_eq!((rejected.text(), quotas(&rejected)), (r#"{"consumer":"","tier":"free","limit":2}"#, FREE));
}

#[test]
fn sp_8_fp_13_a_consumer_can_have_a_quota_of_its_own_for_one_limit() {
    let gateway = gateway();
    let request = gateway.get("/").key("big-key");
    assert_eq!(quotas(&request.send()), r#""api/minute";q=7;w=3600, "api/day";q=20;w=86400"#);
    assert_eq!(request.admitted_of(10), 6);
    assert_eq!(request.send().text(), r#"{"consumer":"big","tier":"free","limit":7}"#);
}

#[test]
fn fa_24_another_tier_moves_the_cap_at_once_and_keeps_what_was_used() {
    let gateway = gateway();
    let on = |plan: &str| gateway.get("/").key("zzzz").metadata("plan", plan).send();
    assert_eq!(left(&on("free")), 1);
    assert_eq!(left(&on("pro")), 2);
    let rejected = on("free");
    assert_eq!((rejected.status, left(&rejected), quotas(&rejected)), (429, 0, FREE));
    assert_eq!((left(&on("max")), left(&on("max")), left(&on("max"))), (2, 1, 0));
    let rejected = on("pro");
    assert_eq!((rejected.status, left(&rejected), quotas(&rejected)), (429, 0, PRO));
}

#[test]
fn fa_2_the_tier_that_an_earlier_filter_names_is_for_those_who_have_none_of_their_own() {
    let gateway = gateway();
    let told = |request: Request, plan: &str| quotas(&request.metadata("plan", plan).send()).to_owned();
    assert_eq!(told(gateway.get("/").key("aaaa"), "max"), MAX);
    assert_eq!(told(gateway.get("/").key("test"), "max"), PRO);
    for unknown in ["", "gold", "MAX", "max,pro"] {
        assert_eq!(told(gateway.get("/").key("bbbb"), unknown), FREE, "{unknown:?}");
        assert_eq!(told(gateway.get("/").key("test"), unknown), PRO, "{unknown:?}");
    }
    // A quota of one's own is one's own in every tier.
    assert!(told(gateway.get("/").key("big-key"), "max").starts_with(r#""api/minute";q=7;"#));
}
