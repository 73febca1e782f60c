//! Matches by lists, by what is not there, by numbers, by parts of a path and by Envoy's route, also when clients
//! write what servers read in several ways: C.

use crate::harness::{Gateway, Request, Setup, new_ip};

/// As Binance does: requests for longer lists cost more.
const BY_SIZE: &str = "keys:
  client_ip: { client_ip: {} }
policies:
  - name: depth
    key: client_ip
    match:
      - { path: /depth, query: { limit: { min: 101, max: 500 } }, cost: 5 }
      - { path: /depth, query: { limit: { min: 501, max: 1000 } }, cost: 10 }
      - { path: /depth, query: { limit: { min: 1001 } }, cost: 50 }
      - { path: /depth }
    limits: [{ quota: 1000, window: 1h }]
headers: { preset: x-ratelimit, describes: depth }
";

/// What a request costs.
fn cost(request: &Request) -> u64 {
    let response = request.clone().from(new_ip()).send();
    assert_eq!(response.status, 200, "{response:?}");
    response.number("x-ratelimit-limit") - response.number("x-ratelimit-remaining")
}

#[test]
fn the_number_in_a_parameter_decides_the_cost() {
    let gateway = Setup::yaml(BY_SIZE).start();
    for (query, expected) in [
        ("", 1),
        ("?limit=5", 1),
        ("?limit=100", 1),
        ("?limit=101", 5),
        ("?limit=500", 5),
        ("?limit=501", 10),
        ("?limit=1000", 10),
        ("?limit=1001", 50),
        ("?limit=2147483648", 50),
    ] {
        assert_eq!(cost(&gateway.get(&format!("/depth{query}"))), expected, "{query}");
    }
}

/// Whatever the server makes of such a number, the client has paid for the most that it could be.
#[test]
fn a_number_that_servers_read_in_several_ways_costs_as_much_as_the_most_that_it_could_be() {
    let gateway = Setup::yaml(BY_SIZE).start();
    for query in [
        "limit=+5000",
        "limit=%205000",
        "limit=%2B5000",
        "limit=5000.0",
        "limit=05000",
        "limit=0x1388",
        "limit=5e3",
        "limit=5_000",
        "limit=5000x",
        "limit=-1",
        "limit=4294972296",
        "limit=99999999999999999999999999",
        "limit=%EF%BC%95",
        "limit=5;limit=5000",
        "limit=5000&limit=5",
        "limit=5&limit=5000",
        "limit[]=5000",
        "LIMIT=5000",
        "%6cimit=5000",
    ] {
        assert_eq!(cost(&gateway.get(&format!("/depth?{query}"))), 50, "{query}");
    }
}

fn gateway(policy: &str) -> Gateway {
    Setup::yaml(format!("keys: {{ ip: {{ client_ip: {{}} }} }}\n{policy}")).start()
}

/// Whether a request counts: whether a second one of the same caller is rejected.
fn counts(request: &Request) -> bool {
    request.clone().from(new_ip()).admitted_of(2) == 1
}

#[test]
fn lists_and_patterns_with_several_stars_match_whichever_fits() {
    let gateway = gateway(
        "policies:
  - name: p
    key: ip
    match:
      - { headers: { x-plan: [free, 'trial-*-eu'] } }
      - { host: [a.example.com, 'api-*.example.com'], path: /h }
    limits: [{ quota: 1, window: 1h }]
",
    );
    for (plan, expected) in
        [("free", true), ("trial-7-eu", true), ("trial-7-us", false), ("pro", false), ("trial-eu", false)]
    {
        assert_eq!(counts(&gateway.get("/").header("x-plan", plan)), expected, "{plan}");
    }
    for (host, expected) in [
        ("a.example.com", true),
        ("API-7.example.com.", true),
        ("b.example.com", false),
        ("api-7.example.org", false),
    ] {
        assert_eq!(counts(&gateway.get("/h").host(host)), expected, "{host}");
    }
    let lines = gateway.get("/").header("x-plan", "pro").header("x-plan", "free");
    assert!(counts(&lines), "the upstream may read the second line");
    let hostile = gateway.get("/").header("x-plan", "trial-".repeat(5_000));
    assert!(!counts(&hostile));
}

#[test]
fn what_must_not_be_there_limits_whoever_may_lack_it() {
    let gateway = gateway(
        "policies:
  - name: p
    key: ip
    match:
      - { path: /m, method: { not: [GET, HEAD] } }
      - { path: /q, query: { plan: { not: 'pro*' } } }
      - { path: /ip, client_ip: { not: 127.7.0.0/16 } }
      - { path: /h, host: { not: [a.example.com] } }
    limits: [{ quota: 1, window: 1h }]
",
    );
    for (method, expected) in [("GET", false), ("HEAD", false), ("POST", true), ("DELETE", true)] {
        assert_eq!(counts(&gateway.request(method, "/m")), expected, "{method}");
    }
    for (query, expected) in [
        ("", true),
        ("?plan=free", true),
        ("?plan=pro", false),
        ("?plan=pro1", false),
        ("?plan=pro&plan=free", true),
        ("?plan=free&plan=pro", true),
        ("?Plan=pro", true),
    ] {
        assert_eq!(counts(&gateway.get(&format!("/q{query}"))), expected, "{query}");
    }
    assert_eq!(gateway.get("/ip").from([127, 7, 1, 2].into()).admitted_of(3), 3);
    assert_eq!(gateway.get("/ip").from([127, 6, 1, 2].into()).admitted_of(3), 1);
    assert!(
        !counts(&gateway.get("/h").host("A.example.com:80"))
            && counts(&gateway.get("/h").host("b.example.com"))
    );
}

#[test]
fn what_must_not_be_there_frees_only_who_surely_lacks_it() {
    let gateway = gateway(
        "exempt:
  - { path: /q, query: { debug: { not: ['1', 'true'] } } }
  - { path: /n, query: { size: { max: 10 } } }
policies:
  - { name: p, key: ip, limits: [{ quota: 1, window: 1h }] }
",
    );
    for (target, freed) in [
        ("/q?debug=0", true),
        ("/q?debug=1", false),
        ("/q?debug=0&debug=1", false),
        ("/q?Debug=true", false),
        ("/q?a=1;debug=1", false),
        ("/n?size=10", true),
        ("/n?size=11", false),
        ("/n?size=+10", false),
        ("/n?size=1e3", false),
        ("/n?size=-1", false),
        ("/n?size=10&size=1000", false),
        ("/n", false),
    ] {
        assert_eq!(!counts(&gateway.get(target)), freed, "{target}");
    }
}

#[test]
fn a_part_of_a_segment_and_the_last_segment_at_any_depth_match_in_every_spelling() {
    let gateway = gateway(
        "exempt: [{ path: /static/*.css }]
policies:
  - name: p
    key: ip
    match: [{ path: '/v*/users' }, { path: '/**/*.php/**' }, { path: /static/** }]
    limits: [{ quota: 1, window: 1h }]
",
    );
    for (path, expected) in [
        ("/v1/users", true),
        ("/v2.1/users", true),
        ("/V1/Users/", true),
        ("/v1;a/users.json", true),
        ("/x1/users", false),
        ("/v1/users/7", false),
        ("/index.php", true),
        ("/a/b/Index.PHP", true),
        ("/a/b/index.ph%70;x", true),
        // PHP runs index.php.
        ("/index.php/admin/x", true),
        ("/index.php.html", true),
        ("/index.phtml", false),
        ("/static/a.css", false),
        ("/static/a.js", true),
        ("/static/a.CSS", true),
        ("/static/a.css;x", true),
    ] {
        assert_eq!(counts(&gateway.get(path)), expected, "{path}");
    }
}

#[test]
fn the_route_that_envoy_has_chosen_is_matched_by_its_name() {
    let policy = "keys: { ip: { client_ip: {} } }
exempt: [{ route: { not: 'api-*' } }]
policies:
  - { name: all, key: ip, limits: [{ quota: 3, window: 1h }] }
  - { name: orders, key: ip, match: [{ route: [api-orders, 'api-carts*'] }], limits: [{ quota: 1, window: 1h }] }
";
    let anonymous = "- match: { prefix: / }\n";
    let indent = " ".repeat(24);
    let named = |name: &str| {
        format!(
            "- name: {name}\n{indent}  match: {{ prefix: /{name} }}\n{indent}  route: {{ timeout: 0s, cluster: demo }}\n{indent}"
        )
    };
    let routes = ["api-orders", "api-carts-v2", "api-other", "web"].map(named).concat();
    let gateway = Setup::printed(policy, &[]).replacing(anonymous, &format!("{routes}{anonymous}")).start();
    for (path, admitted) in [
        ("/api-orders", 1),
        ("/api-carts-v2/x", 1),
        ("/api-other", 3),
        // Freed: it is surely another route.
        ("/web", 5),
        // A route without a name may be any.
        ("/", 3),
    ] {
        assert_eq!(gateway.get(path).from(new_ip()).admitted_of(5), admitted, "{path}");
    }
}
