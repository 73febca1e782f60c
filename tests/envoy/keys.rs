//! Keys by what a request asks for, by Envoy's route, by the client's certificate and by parts of values; and
//! consumers and tiers that are known by their addresses.

mod certificates;

use crate::harness::{Gateway, Request, Setup};
use certificates::{Client, Tls};
use std::net::Ipv4Addr;

/// A policy of two requests an hour by this key.
fn two_by(key: &str, more: &str) -> String {
    format!(
        "keys: {{ k: {key} }}\npolicies: [{{ name: p, key: k, limits: [{{ quota: 2, window: 1h }}]{more} }}]\n"
    )
}

fn statuses<const N: usize>(requests: [Request; N]) -> [u16; N] {
    requests.map(|request| request.send().status)
}

#[test]
fn a_path_in_any_spelling_is_one_caller() {
    let gateway = Setup::yaml(two_by("{ request: path }", "")).start();
    let spellings = ["/Report", "/report/?x=1", "/re%70ort;v=2", "/a/..;/report.json"];
    assert_eq!(statuses(spellings.map(|path| gateway.get(path))), [200, 200, 429, 429]);
    assert_eq!(gateway.get("/other").send().status, 200);
}

#[test]
fn templates_matches_and_methods_are_callers() {
    let matches = ", match: [{ path: '/v1/{id}' }, { path: '/v2/**' }]";
    let gateway = Setup::yaml(two_by("{ request: template }", matches)).start();
    let paths = ["/v1/1", "/v1/2", "/v1/3", "/v2/3"];
    assert_eq!(statuses(paths.map(|path| gateway.get(path))), [200, 200, 429, 200]);

    let matches = ", match: [{ name: reads, method: [GET, HEAD] }, { name: writes }]";
    let gateway = Setup::yaml(two_by("{ request: match }", matches)).start();
    let methods = ["GET", "HEAD", "GET", "POST", "DELETE", "POST"];
    assert_eq!(statuses(methods.map(|method| gateway.request(method, "/"))), [200, 200, 429, 200, 200, 429]);

    let gateway = Setup::yaml(two_by("{ request: method }", "")).start();
    let methods = ["PROPFIND", "MKCOL", "LOCK", "GET"];
    assert_eq!(statuses(methods.map(|method| gateway.request(method, "/"))), [200, 200, 429, 200]);
}

/// The printed configuration with two more routes.
fn with_routes(policy: &str) -> Gateway {
    let metadata = |service: &str| {
        format!("metadata: {{ filter_metadata: {{ tollgate: {{ service: {service}, weight: 7 }} }} }}")
    };
    let route = |name: &str, service: &str| {
        let (metadata, target) = (metadata(service), "route: { timeout: 0s, cluster: demo }");
        format!("- {{ name: {name}, match: {{ prefix: /{name} }}, {metadata}, {target} }}\n")
    };
    let indent = " ".repeat(24);
    let routes = ["shop", "cart"].map(|name| route(name, "retail") + &indent).concat()
        + &route("mail", "post")
        + &indent;
    let any = "- match: { prefix: / }";
    Setup::printed(policy, &[]).replacing(any, &(routes + any)).start()
}

#[test]
fn envoys_route_and_its_metadata_are_callers() {
    let gateway = with_routes(&two_by("{ request: route }", ""));
    let paths = ["/shop/1", "/shop/2", "/shop/3", "/cart"];
    assert_eq!(statuses(paths.map(|path| gateway.get(path))), [200, 200, 429, 200]);
    // The last route has no name.
    assert_eq!(statuses(["/", "/", "/"].map(|path| gateway.get(path))), [200; 3]);

    let gateway = with_routes(&two_by("{ route_metadata: [tollgate, service] }", ""));
    let paths = ["/shop/1", "/cart/2", "/shop/3", "/mail", "/", "/", "/"];
    assert_eq!(statuses(paths.map(|path| gateway.get(path))), [200, 200, 429, 200, 200, 200, 200]);

    // A number is its digits, and a match can ask for it.
    let heavy = "keys: { k: { constant: all }, weight: { route_metadata: [tollgate, weight] } }
policies: [{ name: p, key: k, limits: [{ quota: 2, window: 1h }], match: [{ keys: { weight: '7' } }] }]
";
    let gateway = with_routes(heavy);
    let paths = ["/shop/1", "/mail/2", "/shop/3", "/", "/", "/"];
    assert_eq!(statuses(paths.map(|path| gateway.get(path))), [200, 200, 429, 200, 200, 200]);
}

const BY_CERTIFICATE: &str = "keys:
  namespace: { certificate: uri_san, after: /ns/, before: / }
  subject: { certificate: subject }
  fingerprint: { certificate: fingerprint }
  dns: { certificate: dns_san }
consumers:
  - { name: shop, keys: { namespace: [shop] }, quotas: { namespaces: 3 } }
policies:
  - { name: namespaces, key: namespace, limits: [{ quota: 2, window: 1h }], match: [{ path: /ns }] }
  - { name: subjects, key: subject, limits: [{ quota: 1, window: 1h }], match: [{ path: /subject }] }
  - { name: fingerprints, key: fingerprint, limits: [{ quota: 1, window: 1h }], match: [{ path: /fingerprint }] }
  - { name: certain, key: dns, limits: [{ quota: 1, window: 1h }], match: [{ path: /dns, keys: { dns: '*.shop' } }] }
reject: { body: '{consumer}' }
";

#[test]
fn a_certificate_that_envoy_has_verified_says_who_the_client_is() {
    let tls = Tls::start(BY_CERTIFICATE);
    let get = |client, path| tls.get(client, path);
    // Two services of one namespace, which is a consumer.
    assert_eq!(
        statuses([Client::Web, Client::Cart, Client::Web, Client::Cart].map(|one| get(one, "/ns"))),
        [200, 200, 200, 429]
    );
    assert_eq!(get(Client::Web, "/ns").send().text(), "shop");
    assert_eq!(statuses([Client::Mail; 3].map(|one| get(one, "/ns"))), [200, 200, 429]);
    for path in ["/subject", "/fingerprint"] {
        assert_eq!(
            statuses([Client::Web, Client::Cart, Client::Web].map(|one| get(one, path))),
            [200, 200, 429],
            "{path}"
        );
    }
    assert_eq!(
        statuses([Client::Web, Client::Web, Client::Mail, Client::Mail].map(|one| get(one, "/dns"))),
        [200, 429, 200, 200]
    );
}

#[test]
fn nobody_passes_for_another_by_a_header_or_by_a_certificate_of_its_own() {
    let tls = Tls::start(BY_CERTIFICATE);
    // Without a certificate the policies do not apply, whatever a header says.
    let forged = "URI=spiffe://cluster.local/ns/shop/sa/web";
    for _ in 0..5 {
        let request = tls.get(Client::Without, "/ns").header("x-forwarded-client-cert", forged);
        assert_eq!(request.send().status, 200);
    }
    // Envoy does not let in who shows a certificate that its authority has not signed.
    let forged = tls.get(Client::Forged, "/ns");
    let answer = forged.try_connect().and_then(|mut connection| connection.try_exchange(&forged));
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(tls.get(Client::Web, "/ns").send().status, 200);
}

const BY_ADDRESS: &str = "keys:
  ip: { client_ip: {} }
  who: { consumer: name }
  caller: { first_of: [who, ip] }
tiers: { names: [free, office], default: free, client_ip: { office: [127.77.0.0/16] } }
consumers:
  - { name: acme, keys: { ip: [127.78.0.0/16, 127.79.0.1] }, quotas: { p: 4 } }
  - { name: branch, keys: { ip: [127.78.9.0/24] } }
policies:
  - { name: p, key: caller, limits: [{ quota: { free: 1, office: 2 }, window: 1h }] }
reject: { body: '{consumer},{tier}' }
";

#[test]
fn consumers_and_tiers_are_known_by_their_addresses() {
    let gateway = Setup::yaml(BY_ADDRESS).start();
    let from = |c: u8, b: u8, a: u8| gateway.get("/").from(Ipv4Addr::new(127, c, b, a));
    let acme = [from(78, 0, 1), from(78, 200, 1), from(79, 0, 1), from(78, 1, 1), from(78, 3, 3)];
    assert_eq!(statuses(acme), [200, 200, 200, 200, 429]);
    assert_eq!(from(78, 0, 1).send().text(), "acme,free");
    assert_eq!(statuses([from(78, 9, 1), from(78, 9, 2)]), [200, 429]);
    assert_eq!(from(78, 9, 3).send().text(), "branch,free");
    assert_eq!(statuses([from(77, 0, 1), from(77, 0, 1), from(77, 0, 1)]), [200, 200, 429]);
    assert_eq!(from(77, 0, 1).send().text(), ",office");
    assert_eq!(statuses([from(79, 0, 2), from(79, 0, 2)]), [200, 429]);
    // An address that a client merely names is not its own.
    let named = from(79, 0, 2).header("x-forwarded-for", "127.78.0.1");
    assert_eq!(named.send().status, 429);
}

#[test]
fn a_part_of_a_value_tells_callers_apart_and_leaving_it_out_is_no_escape() {
    let gateway = Setup::yaml(two_by("{ header: x-k, after: 'org:', before: '/' }", "")).start();
    let with = |value: &str| gateway.get("/").header("x-k", value);
    assert_eq!(
        statuses([with("org:a/1"), with("x org:a/2"), with("a"), with("org:b/1")]),
        [200, 200, 429, 200]
    );
    assert_eq!(statuses([with("org:"), with("org:"), with("org:")]), [200, 200, 429]);
}

#[test]
fn an_unlisted_caller_is_shown_by_its_claim() {
    let policy = "keys: { sub: { metadata: [test, sub] }, all: { constant: all } }
consumer_name: sub
policies: [{ name: p, key: all, limits: [{ quota: 1, window: 1h }] }]
reject: { body: '<{consumer}>' }
access_log: true
"
    .replace("[test,", &format!("[{},", crate::harness::METADATA));
    let gateway = Setup::yaml(policy).metadata_from_headers().access_log().start();
    let by = |sub: &str| gateway.get("/").metadata("sub", sub);
    assert_eq!(by("auth0|7").send().status, 200);
    assert_eq!(by("a b=\"c\"").send().text(), "<a_b=_c_>");
    assert_eq!(gateway.get("/").send().text(), "<>");
    let seen = gateway.seen(3);
    assert!(
        seen.iter().any(|line| line.contains("decision=admitted") && line.ends_with(" consumer=auth0|7")),
        "{seen:?}"
    );
}
