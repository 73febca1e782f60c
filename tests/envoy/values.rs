//! Values of earlier filters that are no text, matches by keys, and parts of headers.

use crate::harness::{Gateway, Request, Setup, eventually, new_ip};

const QUOTA: usize = 2;

/// Leaves the value of the Lua expression in the header `x-claim` as the claim `claim`.
const CLAIMING: &str = r#"- name: claiming
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(request)
          local written = request:headers():get("x-claim")
          if written then
            local value = loadstring("return " .. written)()
            request:streamInfo():dynamicMetadata():set("auth", "claim", value)
          end
        end"#;

/// Leaves values that Lua cannot write.
const FIXED: &str = r#"- name: fixed
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config
    metadata:
    - metadata_namespace: fixed
      value: { nothing: null, empty: [], roles: [admin, null, 3], eight: "\0\0\0\0\0\0\b@", object: { a: null } }"#;

/// A gateway with these keys, one line each, and this policy file's remainder.
fn gateway(keys: &str, policies: &str) -> Gateway {
    setup(keys, policies).start()
}

fn setup(keys: &str, policies: &str) -> Setup {
    let keys: String = keys.lines().map(|line| format!("  {}\n", line.trim())).collect();
    Setup::yaml(format!("keys:\n{keys}{policies}")).filter(CLAIMING).filter(FIXED)
}

fn by(key: &str) -> Gateway {
    setup_by(key).start()
}

fn setup_by(key: &str) -> Setup {
    setup(&format!("it: {key}"), "policies:\n  - { name: p, key: it, limits: [{ quota: 2, window: 1h }] }\n")
}

fn claiming(gateway: &Gateway, lua: &str) -> Request {
    gateway.get("/").header("x-claim", lua)
}

#[test]
fn a_claim_of_any_kind_is_one_caller() {
    let gateway = by("{ metadata: [auth, claim] }");
    for (one, same) in [
        ("3", "'3'"),
        ("-12", "'-12'"),
        ("2.5", "'2.5'"),
        ("9007199254740991", "'9007199254740991'"),
        ("true", "'true'"),
        ("false", "'false'"),
        ("{ 'only' }", "'only'"),
        ("{ 'a', 'b', 7 }", "{ 7, 'b', 'a', 'a' }"),
    ] {
        assert_eq!(claiming(&gateway, one).admitted_of(QUOTA + 1), QUOTA, "{one}");
        assert_eq!(claiming(&gateway, same).admitted_of(1), 0, "{one} and {same} are one caller");
    }
    // Texts whose bytes are those of a number, and of `true`.
    let number = format!("{:e}", f64::from_le_bytes(*b"customer"));
    for claim in ["'customer'", &number, "'\\1'"] {
        assert_eq!(claiming(&gateway, claim).admitted_of(QUOTA + 1), QUOTA, "{claim}");
    }
    assert_eq!(claiming(&gateway, "''").admitted_of(5), 5, "an empty text is none");
}

#[test]
fn an_object_is_no_value_and_the_log_and_a_counter_say_so() {
    let gateway = setup_by("{ metadata: [auth, claim] }").alone().start();
    let object = "{ id = 'o7', name = 'Acme', plan = 'pro', seats = 3, active = true, country = 'ES' }";
    assert_eq!(claiming(&gateway, object).admitted_of(15), 15);
    eventually("the counter", || (gateway.metric("keys.without_value") == 15).then_some(()));
    let lines = gateway.log().matches("the key it counts as absent").count();
    assert!((1..=2).contains(&lines), "one for each worker that saw one: {lines}");
    assert!(!gateway.log().contains("o7"));
}

#[test]
fn a_null_is_absent_and_a_list_with_null_has_its_other_elements() {
    for path in ["nothing", "empty"] {
        assert_eq!(by(&format!("{{ metadata: [fixed, {path}] }}")).get("/").admitted_of(5), 5, "{path}");
    }
    assert_eq!(by("{ metadata: [fixed, eight] }").get("/").admitted_of(5), QUOTA);
    let roles = gateway(
        "ip: { client_ip: {} }\nroles: { metadata: [fixed, roles] }",
        "policies:\n  - { name: p, key: ip, match: [{ keys: { roles: '3' } }], limits: [{ quota: 2, window: 1h }] }\n",
    );
    assert_eq!(roles.get("/").from(new_ip()).admitted_of(5), QUOTA);
}

#[test]
fn a_number_or_an_element_of_a_list_names_the_tier() {
    let gateway = gateway(
        "ip: { client_ip: {} }\nplan: { metadata: [auth, claim] }",
        "tiers: { names: ['1', '3', gold], default: '1', from: plan }
policies:
  - { name: p, key: ip, limits: [{ quota: { '1': 1, '3': 3, gold: 5 }, window: 1h }] }
",
    );
    for (plan, quota) in [("3", 3), ("'gold'", 5), ("{ 'gold', '3' }", 3), ("{ 'x', 'gold' }", 5), ("7", 1)] {
        assert_eq!(claiming(&gateway, plan).from(new_ip()).admitted_of(7), quota, "{plan}");
    }
}

#[test]
fn a_match_asks_whether_a_list_has_an_element() {
    let gateway = gateway(
        "ip: { client_ip: {} }\nroles: { metadata: [auth, claim] }\nscope: { metadata: [auth, claim], separator: ' ' }",
        "exempt: [{ keys: { roles: internal } }]
policies:
  - { name: p, key: ip, match: [{ keys: { scope: write } }], except: [{ keys: { roles: admin } }],
      limits: [{ quota: 2, window: 1h }] }
",
    );
    for (claim, admitted) in [
        ("'read write'", 2),
        ("{ 'write' }", 2),
        ("'read writer'", 5),
        ("{ 'write', 'admin' }", 5),
        ("{ 'write', 'internal' }", 5),
        ("{ 'write', 'administrator' }", 2),
    ] {
        assert_eq!(claiming(&gateway, claim).from(new_ip()).admitted_of(5), admitted, "{claim}");
    }
}

#[test]
fn a_whole_user_agent_is_a_key_with_its_commas() {
    const CHROME: &str =
        "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36";
    let gateway = by("{ header: user-agent, whole: true }");
    let agent = |agent: &str| gateway.get("/").header("user-agent", agent);
    assert_eq!(agent(CHROME).admitted_of(5), QUOTA);
    assert_eq!(agent(&format!("{CHROME} Edg/131.0")).admitted_of(5), QUOTA);
    let lines = gateway.get("/").header("x-list", "a").header("x-list", "b, c");
    assert_eq!(lines.admitted_of(5), 5, "another header");
}

#[test]
fn an_element_of_all_lines_of_a_header_is_a_key() {
    for header in ["x-list", "via", "accept-language"] {
        let gateway = by(&format!("{{ header: {header}, separator: ',', index: -1 }}"));
        let request = |lines: &[&str]| {
            lines.iter().fold(gateway.get("/"), |request, line| request.header(header, line))
        };
        assert_eq!(request(&["a, b", "c"]).admitted_of(5), QUOTA, "{header}");
        assert_eq!(request(&["c"]).admitted_of(1), 0, "{header}");
        assert_eq!(request(&["c, d"]).admitted_of(5), QUOTA, "{header}");
        assert_eq!(request(&["x", "c,, ", ""]).admitted_of(1), 0, "{header}");
    }
}

#[test]
fn an_empty_parameter_beside_a_key_hides_no_caller() {
    for repeated in ["reject", "first", "last"] {
        let gateway = by(&format!("{{ query: apikey, repeated: {repeated} }}"));
        assert_eq!(gateway.get("/?apikey=abc").admitted_of(5), QUOTA);
        for target in ["/?apikey=&apikey=abc", "/?apikey=abc&apikey=", "/?apikey&apikey=abc"] {
            assert_eq!(gateway.get(target).admitted_of(1), 0, "{repeated} {target}");
        }
        assert_eq!(gateway.get("/?apikey=").admitted_of(5), 5, "an empty one alone is absent");
    }
}

#[test]
fn a_host_matches_in_any_case_with_any_port_and_a_trailing_dot() {
    let gateway = gateway(
        "ip: { client_ip: {} }",
        "policies:\n  - { name: p, key: ip, match: [{ host: api.example.com }, { host: '[::1]' }], limits: [{ quota: 1, window: 1h }] }\n",
    );
    let counts = |request: Request| request.from(new_ip()).admitted_of(2) == 1;
    for host in [
        "api.example.com",
        "API.example.com:8443",
        "api.example.com.",
        "Api.Example.Com.:80",
        "[::1]:80",
        "[::1]",
    ] {
        assert!(counts(gateway.get("/").host(host)), "{host}");
    }
    for host in ["x.api.example.com", "api.example.com.evil.test", "example.com", "127.0.0.1:80"] {
        assert!(!counts(gateway.get("/").host(host)), "{host}");
    }
    // The target names the host, whatever the header says.
    assert!(counts(gateway.get("http://API.example.com:80/x").host("other.test")));
    for host in ["user@api.example.com", "api.example.com:80:80"] {
        let response = gateway.get("/").from(new_ip()).host(host).send();
        assert!(response.status == 400 || counts(gateway.get("/").host(host)), "{host}: {}", response.status);
    }
}

#[test]
fn no_client_escapes_by_a_list_that_is_too_long() {
    let gateway = by("{ header: x-list, separator: ',' }");
    let list = |from: usize, count: usize| {
        let elements: Vec<String> = (0..count).map(|i| format!("e{}", (from + i) % count)).collect();
        elements.join(",")
    };
    for count in [65, 8_000] {
        for from in 0..3 {
            assert_eq!(gateway.get("/").header("x-list", list(from, count)).send().status, 429, "{count}");
        }
    }
    let passed =
        (0..5).filter(|from| gateway.get("/").header("x-list", list(*from, 64)).send().status == 200);
    assert_eq!(passed.count(), QUOTA, "the order does not matter");
    let passed =
        (0..5).filter(|i| gateway.get("/").header("x-list", "a,".repeat(100 + i)).send().status == 200);
    assert_eq!(passed.count(), QUOTA, "one element, however often");
}
