//! What tells callers apart: each source of a key, and keys that are made of others.

use crate::harness::{Gateway, Request, Setup, new_ip, new_key};

const QUOTA: usize = 2;

/// A gateway with these keys, one line each, and one policy that counts by the key `it`.
fn setup(keys: &str) -> Setup {
    let keys: String = keys.lines().map(|line| format!("  {}\n", line.trim())).collect();
    let policy = "policies:\n  - { name: p, key: it, limits: [{ quota: 2, window: 1h }] }\n";
    Setup::yaml(format!("keys:\n{keys}{policy}"))
}

/// That these are one caller, who has his quota once.
fn assert_one(requests: &[Request]) {
    let admitted: usize = requests.iter().map(|request| request.admitted_of(1)).sum();
    let more: usize = requests.iter().map(|request| request.admitted_of(QUOTA)).sum();
    assert_eq!(admitted + more, QUOTA, "of {} spellings", requests.len());
}

/// That each of these is a caller of his own.
fn assert_apart(requests: &[Request]) {
    for (i, request) in requests.iter().enumerate() {
        assert_eq!(request.admitted_of(2 * QUOTA), QUOTA, "the one at {i}");
    }
}

/// That the policy does not apply to these.
fn assert_none(requests: &[Request]) {
    for (i, request) in requests.iter().enumerate() {
        assert_eq!(request.admitted_of(2 * QUOTA), 2 * QUOTA, "the one at {i}");
    }
}

#[test]
fn a_parameter_of_the_query_is_a_key_however_it_is_spelled() {
    let gateway = setup("it: { query: key }").start();
    let targets = |targets: &[&str]| targets.iter().map(|target| gateway.get(target)).collect::<Vec<_>>();
    assert_one(&targets(&[
        "/?key=a%20b",
        "/?key=a+b",
        "/x/y?other=1&key=%61+b",
        "/?%6bey=a+b",
        "/?key=a+b&key=a%20b",
        "/?key=&key=a+b",
        "/?key=a+b;x=1",
        "/?keys=z&key=a%20%62&",
    ]));
    assert_apart(&targets(&["/?key=a", "/?key=A", "/?key=a%2Bb", "/?key=z", "/?key=a=b"]));
    assert_none(&targets(&["/", "/?", "/?key", "/?key=", "/?Key=a", "/key=a", "/?a=key=a", "/?akey=a"]));
}

#[test]
fn a_cookie_is_a_key_wherever_it_stands() {
    let gateway = setup("it: { cookie: session }").start();
    let cookie = |cookie: &str| gateway.get("/").header("cookie", cookie);
    assert_one(&[
        cookie("session=a"),
        cookie("x=1; session=a;y=2"),
        cookie("session=\"a\""),
        cookie("session=a; session=a"),
        cookie("session=; session=a"),
        cookie("x=1").header("cookie", "session=a"),
        cookie("session=a").header("cookie", "session=%61"),
    ]);
    assert_apart(&[cookie("session=b"), cookie("session=A"), cookie("session=a%20"), cookie("session=a,b")]);
    assert_none(&[
        cookie(""),
        cookie("session"),
        cookie("session="),
        cookie("Session=a"),
        cookie("mysession=a"),
        gateway.get("/?session=a").header("session", "a"),
    ]);
}

#[test]
fn only_so_many_characters_of_a_parameter_or_cookie_may_count() {
    for (source, request) in [("query: key", "/?key="), ("cookie: key", "")] {
        let gateway = setup(&format!("it: {{ {source}, prefix: 3 }}")).start();
        let of = |value: &str| match request {
            "" => gateway.get("/").header("cookie", format!("key={value}")),
            target => gateway.get(&format!("{target}{value}")),
        };
        assert_one(&[of("abc"), of("abcd"), of("abcxyz")]);
        assert_apart(&[of("ab"), of("abx"), of("a")]);
    }
}

#[test]
fn fa_19_a_parameter_of_the_path_is_a_key_however_it_is_spelled() {
    let gateway = Setup::yaml(
        "keys:
  invoice: { path: id }
  api_key: { header: authorization, scheme: Bearer }
policies:
  - name: send
    key: [api_key, invoice]
    match: [{ method: POST, path: '/v1/invoices/{id}/send' }, { path: '/v1/{id}' }]
    limits: [{ quota: 2, window: 1h }]
",
    )
    .start();
    let post =
        |target: &str, key: &str| gateway.request("POST", target).key(key).header("content-length", "0");
    let (key, other) = (new_key(), new_key());
    assert_one(&[
        post("/v1/invoices/inv-7/send", &key),
        post("/v1/invoices/inv-7/send?again", &key),
        post("/v1/invoices/%69nv%2D7/send", &key),
        post("/v1//invoices/./inv-7/send", &key),
        // The other template's parameter of the same name is the same thing.
        gateway.get("/v1/inv-7").key(&key),
    ]);
    assert_apart(&[
        post("/v1/invoices/inv-8/send", &key),
        post("/v1/invoices/INV-7/send", &key),
        post("/v1/invoices/inv-7/send", &other),
        post("/v1/invoices/inv+7/send", &key),
    ]);
    assert_none(&[post("/v1/invoices//send", &key), gateway.get("/v1/invoices/inv-7/send").key(&key)]);
}

#[test]
fn fp_5_what_an_earlier_filter_has_found_out_is_a_key() {
    let gateway = setup("it: { metadata: [test.auth, org] }").metadata_from_headers().start();
    let org = |org: &str| gateway.get("/").metadata("org", org);
    assert_one(&[
        org("org_1"),
        org("org_1").key(new_key()).from(new_ip()),
        org("org_1").metadata("user", "u"),
    ]);
    assert_apart(&[org("org_2"), org("ORG_1"), org("org_1 2")]);
    assert_none(&[org(""), gateway.get("/").metadata("user", "org_1"), gateway.get("/")]);
}

#[test]
fn what_an_earlier_filter_has_found_out_may_lie_deeper_and_be_no_text() {
    let filter = r#"- name: deep
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(request)
          local number = tonumber(request:headers():get("x-number"))
          local claims = { org = { id = number, list = { "a", number }, flag = true } }
          request:streamInfo():dynamicMetadata():set("test.jwt", "payload", claims)
        end"#;
    let number = |gateway: &Gateway, number: &str| gateway.get("/").header("x-number", number);
    let gateway = setup("it: { metadata: [test.jwt, payload, org, id] }").filter(filter).start();
    assert_one(&[number(&gateway, "7"), number(&gateway, "7.0"), number(&gateway, "0x7")]);
    assert_apart(&[number(&gateway, "8"), number(&gateway, "-7"), number(&gateway, "1e300")]);
    assert_none(&[gateway.get("/")]);
    for path in ["flag", "list"] {
        let gateway =
            setup(&format!("it: {{ metadata: [test.jwt, payload, org, {path}] }}")).filter(filter).start();
        assert_eq!(number(&gateway, "7").admitted_of(2 * QUOTA), QUOTA, "{path}");
    }
}

#[test]
fn a_constant_is_one_caller_for_all() {
    let gateway = setup("it: { constant: all }").start();
    let get = |target| gateway.get(target).from(new_ip());
    assert_one(&[get("/"), get("/x").key(new_key()), get("/?all=no").header("cookie", "all=no")]);
}

const COMPANIES: &str = "consumers:
  - { name: shop, keys: { api_key: [shop-1, shop-2] }, attributes: { company: c-1 } }
  - { name: bank, keys: { api_key: [bank-1] }, attributes: { company: c-1 } }
  - { name: mill, keys: { api_key: [mill-1] }, attributes: { region: c-1 } }
";

/// As `setup`, for a gateway that knows some companies.
fn knowing(keys: &str) -> Setup {
    let keys = format!("api_key: {{ header: authorization, scheme: Bearer }}\n{keys}");
    setup(&keys).replacing("policies:\n", &format!("{COMPANIES}policies:\n"))
}

#[test]
fn fp_5_the_keys_of_one_consumer_share_a_budget() {
    let gateway = knowing("it: { consumer: name }").start();
    let key = |key: &str| gateway.get("/").key(key);
    assert_one(&[key("shop-1"), key("shop-2"), key("shop-1").from(new_ip())]);
    assert_apart(&[key("bank-1"), key("mill-1")]);
    assert_none(&[key("shop"), key("shop-3"), gateway.get("/")]);
}

#[test]
fn fp_5_the_consumers_of_one_company_share_a_budget() {
    let gateway = knowing("it: { consumer: company }").start();
    let key = |key: &str| gateway.get("/").key(key);
    assert_one(&[key("shop-1"), key("bank-1"), key("shop-2")]);
    // Of another attribute of the same value nothing follows.
    assert_none(&[key("mill-1"), key("c-1"), gateway.get("/")]);
}

#[test]
fn fp_6_fp_15_of_alternatives_the_first_that_is_there_counts_each_apart_from_the_others() {
    let keys = "org: { metadata: [test.auth, org] }
        known: { consumer: company }
        session: { cookie: session }
        ip: { client_ip: {} }
        it: { first_of: [org, known, session, ip] }";
    let gateway = knowing(keys).metadata_from_headers().start();
    let ip = new_ip();
    let from = || gateway.get("/").from(ip);
    let session = || from().header("cookie", "session=c-1");
    // A key that nobody is known by is no identity: it leaves its caller to what comes next.
    assert_one(&[from(), from().key("made-up"), from().key(new_key()), from().metadata("org", "")]);
    assert_one(&[session(), session().key("made-up"), session().from(new_ip())]);
    assert_one(&[from().key("shop-1"), session().key("bank-1"), session().key("shop-2").from(new_ip())]);
    assert_one(&[from().metadata("org", "c-1"), session().key("shop-1").metadata("org", "c-1")]);
    assert_apart(&[
        from().metadata("org", "c-2"),
        from().header("cookie", "session=c-2"),
        from().from(new_ip()),
    ]);
}

#[test]
fn fp_5_an_organization_by_claim_and_by_key_is_one_if_the_policy_says_so() {
    for (same_as, shared) in [(", same_as: known", true), ("", false)] {
        let keys = format!(
            "org: {{ metadata: [test.auth, org]{same_as} }}
            known: {{ consumer: company }}
            it: {{ first_of: [org, known] }}"
        );
        let gateway = knowing(&keys).metadata_from_headers().start();
        let by_claim = gateway.get("/").metadata("org", "c-1");
        let by_key = gateway.get("/").key("bank-1");
        if shared {
            assert_one(&[by_claim, by_key]);
        } else {
            assert_apart(&[by_claim, by_key]);
        }
    }
}

#[test]
fn a_list_of_keys_is_one_caller_for_each_combination_and_none_without_all_of_them() {
    let keys = "key: { header: x-key }\nsession: { cookie: session }";
    let gateway = setup(keys).replacing("key: it", "key: [key, session]").start();
    let of = |key: &str, session: &str| {
        gateway.get("/").header("x-key", key).header("cookie", format!("session={session}"))
    };
    assert_one(&[of("a", "b"), of("a", "b").from(new_ip())]);
    assert_apart(&[of("b", "a"), of("a", "a"), of("ab", "b"), of("a", "bb")]);
    assert_none(&[gateway.get("/").header("x-key", "a"), gateway.get("/").header("cookie", "session=b")]);
}
