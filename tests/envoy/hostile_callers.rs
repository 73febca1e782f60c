//! What nobody honest sends, where keys other than a bearer's are read from: queries, cookies, paths,
//! metadata, hosts and headers. Each request is answered, each caller counted, and nothing breaks for those
//! who come after.

use std::sync::LazyLock;

use crate::harness::{Gateway, Request, Setup, Upstream, eventually, new_ip, new_key};

const QUOTA: usize = 3;

/// One that takes headers of any number and length.
static UPSTREAM: LazyLock<Upstream> = LazyLock::new(|| Upstream::answering(&[]));

/// Every source at once, each in a policy of its own, for paths of its own.
const POLICY: &str = "
keys:
  query: { query: key, valid: { unless: [401], for: 1h } }
  cookie: { cookie: session, prefix: 4096 }
  id: { path: id }
  claim: { metadata: [test.auth, org] }
  plan: { metadata: [test.auth, plan] }
  known: { consumer: name }
  ip: { client_ip: {} }
  caller: { first_of: [claim, known, query, cookie, ip] }
tiers: { names: [free, pro], default: free, from: plan }
consumers:
  - { name: acme, keys: { query: [acme], cookie: [acme] , claim: [acme] }, quotas: { query: 5 } }
policies:
  - { name: query, key: query, match: [{ path: /query }], limits: [{ quota: { free: 3, pro: 3 }, window: 1h }] }
  - { name: cookie, key: cookie, match: [{ path: /cookie }], limits: [{ quota: 3, window: 1h }] }
  - { name: path, key: id, match: [{ path: '/path/{id}/end' }], limits: [{ quota: 3, window: 1h }] }
  - { name: claim, key: claim, match: [{ path: /claim }], limits: [{ quota: 3, window: 1h }] }
  - { name: caller, key: caller, match: [{ path: /caller }], limits: [{ quota: 3, window: 1h }] }
  - name: select
    key: ip
    match: [{ path: /select, host: '*.example.com', headers: { x-mode: live, x-debug: false } }]
    except: [{ headers: { x-internal: 'yes' } }]
    limits: [{ quota: 3, window: 1h }]
access_log: true
reject: { body: '{\"consumer\":\"{consumer}\",\"tier\":\"{tier}\"}' }
";

/// Lets through to the filter what Envoy by default rejects before it.
fn setup() -> Setup {
    Setup::yaml(POLICY)
        .upstream(UPSTREAM.address())
        .manager("max_request_headers_kb: 96")
        .manager("common_http_protocol_options: { max_headers_count: 300 }")
}

fn gateway() -> Gateway {
    setup().metadata_from_headers().alone().start()
}

/// Each is a caller, and another than all the others.
fn assert_apart(requests: &[Request]) {
    for (i, request) in requests.iter().enumerate() {
        assert_eq!(request.admitted_of(2 * QUOTA), QUOTA, "the one at {i}");
    }
}

/// Both workers still serve and limit, and no module has trapped.
fn assert_unbroken(gateway: &Gateway) {
    let request = gateway.get("/caller").header("cookie", format!("session={}", new_key()));
    let statuses: Vec<_> = (0..20).map(|_| request.send().status).collect();
    assert_eq!(statuses, [vec![200; QUOTA], vec![429; 20 - QUOTA]].concat());
    let reloads = gateway.admin().statistics("wasm.tollgate.vm_reload");
    assert!(!reloads.is_empty() && reloads.iter().all(|(_, count)| *count == 0), "{reloads:?}");
    assert!(!gateway.log().contains("Function: proxy_"), "a trap");
}

#[test]
fn queries_of_any_bytes_are_counted_like_any_other_and_apart() {
    let gateway = gateway();
    let get = |value: &str| gateway.get(&format!("/query?key={value}"));
    assert_apart(&[get("%ff%fe"), get("%ff%ff"), get("%00"), get("%00%00"), get("a%00b"), get("%c3%28")]);
    // What is no escape stands for itself.
    assert_apart(&[get("%"), get("%%"), get("%%%"), get("%zz"), get("%f"), get("%u0041"), get("%2")]);
    // The same bytes in other spellings are the same caller.
    assert_eq!(get("%FF%FE").admitted_of(3) + get("%25").admitted_of(3) + get("%%7a%7A").admitted_of(3), 0);
    assert_unbroken(&gateway);
}

#[test]
fn a_query_of_64_kilobytes_is_read_to_its_end() {
    let gateway = gateway();
    let long = "k".repeat(64 * 1024);
    let of = |query: &str| gateway.get(&format!("/query?{query}"));
    assert_apart(&[
        of(&format!("key={long}a")),
        of(&format!("key={long}b")),
        of(&format!("{}key=behind-many", "a=1&".repeat(16 * 1024))),
        of(&format!("{}key=behind-nothing", "&".repeat(64 * 1024))),
        of(&format!("key={}", "%25".repeat(20 * 1024))),
        of(&format!("key={}", "%".repeat(60 * 1024))),
    ]);
    assert_unbroken(&gateway);
}

#[test]
fn in_a_flood_of_cookies_each_is_found() {
    let gateway = gateway();
    let get = || gateway.get("/cookie");
    let flood =
        |name: &str| (0..200).fold(get(), |request, i| request.header("cookie", format!("{name}{i}=x")));
    let many = format!("{} session=in-one-line", "a=1; ".repeat(12 * 1024));
    let other = format!("session=first; {}", "session=z; ".repeat(5 * 1024));
    assert_apart(&[
        flood("a").header("cookie", "session=last-of-200"),
        get().header("cookie", many),
        get().header("cookie", "session=first; ".repeat(4 * 1024)),
        get().header("cookie", format!("session={}", "v".repeat(60 * 1024))),
        get().header("cookie", [b"session=".as_slice(), b"\xff\xfe\x80"].concat()),
        get().header("cookie", [b"\xff=\xfe; session=".as_slice(), b"\xff\xff"].concat()),
        get().header("cookie", ";;; ,, =; session==;"),
        get().header("cookie", "session=\"unclosed"),
    ]);
    assert_eq!(get().header("cookie", other).admitted_of(3), 0, "it is there with different values");
    // Only the first 4,096 characters of one tell callers apart.
    let longer = format!("session={}", "v".repeat(50 * 1024));
    assert_eq!(get().header("cookie", longer).admitted_of(3), 0);
    for nobody in ["=", ";", ",", "session", "session=\"\"", "session = ", "\u{0}"] {
        let statuses: Vec<_> = (0..2 * QUOTA).map(|_| get().header("cookie", nobody).send().status).collect();
        assert!(statuses == [200; 2 * QUOTA] || statuses == [400; 2 * QUOTA], "{nobody:?}: {statuses:?}");
    }
    assert_unbroken(&gateway);
}

#[test]
fn parameters_of_the_path_are_one_caller_in_each_spelling_that_envoy_lets_through() {
    let gateway = gateway();
    let get = |id: &str| gateway.get(&format!("/path/{id}/end"));
    assert_apart(&[get("a"), get("%ff"), get("%ff%fe"), get("%c3%a9"), get("a%20b"), get("b;b=c"), get("%")]);
    assert_eq!(get("%61").admitted_of(3) + get("%FF").admitted_of(3) + get("%25").admitted_of(3), 0);
    assert_eq!(get("a;b=c").admitted_of(3) + get("b").admitted_of(3) + get(";/a").admitted_of(3), 0);
    assert_eq!(get(&"i".repeat(60 * 1024)).admitted_of(2 * QUOTA), QUOTA);
    // What could mean another path is redirected or rejected, and reaches no policy.
    for odd in ["a%2fb", "a%5cb", "%00", "a%2F..%2Fb"] {
        let status = get(odd).send().status;
        assert!([307, 400].contains(&status), "{odd}: {status}");
    }
    assert_eq!(get("x/../a").admitted_of(3), 0, "it is a's path");
    assert_unbroken(&gateway);
}

#[test]
fn nobody_can_forge_what_an_earlier_filter_has_found_out() {
    let ip = new_ip();
    let forged = |gateway: &Gateway| {
        let names = [
            "x-meta-org",
            "test.auth",
            "test.auth.org",
            "metadata",
            "metadata.filter_metadata.test.auth.org",
            "x-envoy-metadata",
            "x-envoy-peer-metadata",
            "x-envoy-dynamic-metadata",
            "org",
        ];
        let request = gateway.get("/claim?org=acme").from(ip).header("cookie", "org=acme");
        names.into_iter().fold(request, |request, name| request.header(name, "acme"))
    };
    // No filter leaves anything: nothing that the client writes is taken for it.
    let gateway = setup().alone().start();
    assert_eq!(forged(&gateway).admitted_of(4 * QUOTA), 4 * QUOTA);
    // By address it is still counted.
    let caller = gateway.get("/caller").from(ip).header("x-meta-org", new_key());
    assert_eq!(caller.admitted_of(2 * QUOTA), QUOTA);
    assert_unbroken(&gateway);
}

#[test]
fn metadata_of_any_bytes_and_any_length_is_counted() {
    let gateway = gateway();
    let org = |org: &[u8]| gateway.get("/claim").metadata("org", org);
    assert_apart(&[org(&[b'o'; 60 * 1024]), org(b"\xc3\xa9"), org(b"%ff"), org(b"{\"a\":[1,2]}")]);
    // A text that is none may not come through the filter that leaves it; whatever comes is counted or no
    // key.
    for bytes in [b"\xff\xfe".as_slice(), b"\x80", b"\xc3\x28"] {
        let admitted = org(bytes).admitted_of(2 * QUOTA);
        assert!([QUOTA, 2 * QUOTA].contains(&admitted), "{bytes:?}: {admitted}");
    }
    // As a tier they name none.
    let plan = |plan: &[u8]| gateway.get("/query?key=acme").metadata("plan", plan).send().status;
    let statuses: Vec<_> = [b"\xff".as_slice(), b"pro", &[b'p'; 60 * 1024], b"", b"pro\""].map(plan).into();
    assert_eq!(statuses, [200; 5], "its quota is its own");
    assert_unbroken(&gateway);
}

#[test]
fn hosts_and_headers_of_any_bytes_are_compared_and_match_nothing_by_chance() {
    let gateway = gateway();
    let live = |host: &str| gateway.get("/select").from(new_ip()).host(host).header("x-mode", "live");
    for host in ["a.example.com", "a.example.com:99999", "A.EXAMPLE.COM.", "..example.com"] {
        let request = live(host);
        let first = request.send().status;
        assert!(first == 400 || first == 200 && request.admitted_of(2 * QUOTA) == QUOTA - 1, "{host}");
    }
    for host in ["example.com", "[::1", "]:", ":", ":80", "a.example.com:x:y", "a.example.com\u{ff}"] {
        let statuses: Vec<_> = (0..2 * QUOTA).map(|_| live(host).send().status).collect();
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{host}: {statuses:?}");
    }
    let mode =
        |mode: &[u8]| gateway.get("/select").from(new_ip()).host("a.example.com").header("x-mode", mode);
    for other in [b"\xff".as_slice(), b"live\xff", &[b'l'; 60 * 1024]] {
        assert_eq!(mode(other).admitted_of(2 * QUOTA), 2 * QUOTA, "{other:?}");
    }
    let lines = mode(b"live,live");
    assert_eq!(lines.admitted_of(2 * QUOTA), QUOTA, "an upstream may read either of two lines");
    let internal = mode(b"live").header("x-internal", b"yes\xff");
    assert_eq!(internal.admitted_of(2 * QUOTA), QUOTA, "that is no exception");
    assert_unbroken(&gateway);
}

#[test]
fn a_flood_of_made_up_keys_that_the_upstream_rejects_frees_nobody_and_shuts_nobody_out() {
    let policy = POLICY.replace("access_log: true", "table: { pages: 16, page_bytes: 1536 }");
    let gateway = Setup::yaml(policy).alone().start();
    let spent = gateway.get("/query?key=acme");
    assert_eq!(spent.admitted_of(20), 5);
    // Each leaves a mark of its own in the table.
    for i in 0..3_000 {
        let made_up = gateway.get(&format!("/query?key=made-up-{i}")).answered(401);
        assert_eq!(made_up.send().status, 401);
    }
    eventually("evictions", || (gateway.metric("table.evictions") > 0).then_some(()));
    assert_eq!(spent.admitted_of(5), 0);
    let honest: Vec<_> = (0..20).map(|i| gateway.get(&format!("/query?key=honest-{i}"))).collect();
    assert_apart(&honest);
    assert_eq!(gateway.metric("table.overflow"), 0);
    assert_unbroken(&gateway);
}
