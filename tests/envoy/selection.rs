//! Which policies a request comes under: methods, hosts, headers, exceptions, exemptions, classes.

use crate::harness::{Gateway, Request, Setup, new_ip};

/// One request an hour for each address, with these further fields of the policy and of the whole.
fn gateway(policy: &str, whole: &str) -> Gateway {
    Setup::yaml(format!(
        "keys: {{ ip: {{ client_ip: {{}} }} }}
policies:
  - name: p
    key: ip
    limits: [{{ quota: 1, window: 1h }}]
    {policy}
{whole}
"
    ))
    .start()
}

/// Whether a request counts: whether a second one of the same caller is rejected.
fn counts(request: &Request) -> bool {
    request.clone().from(new_ip()).admitted_of(2) == 1
}

#[test]
fn a_match_may_be_for_several_methods() {
    let gateway = gateway("match: [{ method: [PUT, PATCH], path: /x }, { method: [DELETE] }]", "");
    for (method, target, expected) in [
        ("PUT", "/x", true),
        ("PATCH", "/x", true),
        ("DELETE", "/y", true),
        ("PUT", "/y", false),
        ("GET", "/x", false),
    ] {
        let request = gateway.request(method, target).header("content-length", "0");
        assert_eq!(counts(&request), expected, "{method} {target}");
    }
}

#[test]
fn x_7_a_match_may_be_for_a_host_in_any_case_and_with_any_port() {
    let gateway =
        gateway("match: [{ host: API.example.com }, { host: '*.shop.example' }, { host: '[::1]' }]", "");
    for (host, expected) in [
        ("api.example.com", true),
        ("API.Example.COM", true),
        ("api.example.com:8443", true),
        ("api.example.com.", true),
        ("a.shop.example", true),
        ("a.b.SHOP.example:80", true),
        ("[::1]:80", true),
        ("example.com", false),
        ("x.api.example.com", false),
        ("shop.example", false),
        (".shop.example", false),
        ("ashop.example", false),
        ("api.example.com.evil.example", false),
    ] {
        assert_eq!(counts(&gateway.get("/").host(host)), expected, "{host}");
    }
}

#[test]
fn x_7_a_match_may_ask_what_headers_are_like_whatever_their_names_case() {
    let gateway = gateway("match: [{ headers: { X-App: true, x-debug: false, X-Mode: live } }]", "");
    let get = || gateway.get("/").header("x-app", "1").header("X-MODE", "live");
    assert!(counts(&get()));
    assert!(counts(&gateway.get("/").header("X-App", "").header("x-mode", " live ")));
    assert!(!counts(&get().header("X-Debug", "")));
    assert!(!counts(&gateway.get("/").header("x-mode", "live")));
    assert!(!counts(&gateway.get("/").header("x-app", "1")));
    for mode in ["Live", "test", "live2", ""] {
        assert!(!counts(&gateway.get("/").header("x-app", "1").header("x-mode", mode)), "{mode:?}");
    }
}

#[test]
fn what_a_policy_excepts_is_not_its_business() {
    let policy =
        "match: [{ path: '/v1/**' }]\n    except: [{ path: /v1/status }, { headers: { x-internal: 'yes' } }]";
    let gateway = gateway(policy, "");
    assert!(counts(&gateway.get("/v1/invoices")));
    assert!(counts(&gateway.get("/v1/status/history")));
    assert!(!counts(&gateway.get("/v1/status?full")));
    assert!(!counts(&gateway.get("/v1/invoices").header("x-internal", "yes")));
    assert!(!counts(&gateway.get("/v2/invoices")));
}

#[test]
fn sp_10_what_is_exempt_comes_under_no_policy() {
    let more = "  - { name: q, key: ip, limits: [{ quota: 1, window: 1h }] }
exempt: [{ path: '/webhooks/**', method: POST }, { host: internal.example }]
headers: { preset: x-ratelimit, describes: p }";
    let gateway = gateway("match: [{ path: '/**' }]", more);
    let webhook = gateway.request("POST", "/webhooks/7").header("content-length", "0");
    for exempt in [webhook, gateway.get("/x").host("internal.example")] {
        assert!(!counts(&exempt));
        assert!(exempt.send().limit_headers().is_empty());
    }
    assert!(counts(&gateway.get("/webhooks/7")));
    assert!(counts(&gateway.get("/x")));
}

#[test]
fn fp_4_of_a_class_only_the_first_policy_that_applies_is_used() {
    let gateway = Setup::yaml(
        "keys: { ip: { client_ip: {} }, key: { header: x-key } }
policies:
  - { name: keyed, class: who, key: key, limits: [{ quota: 5, window: 1h }] }
  - { name: heavy, class: kind, key: ip, match: [{ method: POST, path: '/v2/*/stamp' }], limits: [{ quota: 1, window: 1h }] }
  - { name: write, class: kind, key: ip, match: [{ method: POST }], limits: [{ quota: 2, window: 1h }] }
  - { name: read, class: kind, key: ip, limits: [{ quota: 3, window: 1h }] }
  - { name: address, class: who, key: ip, limits: [{ quota: 4, window: 1h }] }
headers: { preset: ietf }
",
    )
    .start();
    let told = |request: &Request| request.send().value("ratelimit-policy").to_owned();
    let both = |one: &str, other: &str| {
        let quota = |name: &str| {
            let names = ["heavy", "write", "read", "address", "keyed"];
            names.iter().position(|known| *known == name).expect("a policy") + 1
        };
        format!("\"{one}\";q={};w=3600, \"{other}\";q={};w=3600", quota(one), quota(other))
    };
    let from = new_ip();
    let stamp = gateway.request("POST", "/v2/7/stamp").from(from).header("content-length", "0");
    let write = gateway.request("POST", "/v2/7").from(from).header("content-length", "0");
    let read = gateway.get("/v2/7").from(from);
    assert_eq!(told(&stamp), both("heavy", "address"));
    assert_eq!(told(&write), both("write", "address"));
    assert_eq!(told(&read), both("read", "address"));
    assert_eq!(told(&read.clone().header("x-key", "k")), both("keyed", "read"));
    // None of them has spent anything of another.
    assert_eq!((stamp.admitted_of(2), write.admitted_of(1)), (0, 1));
    assert_eq!(read.header("x-key", "k").admitted_of(9), 1);
}
