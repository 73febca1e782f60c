//! One caller, one path and many spellings: no spelling escapes a policy, and none is a new caller (A7, A8).

use crate::harness::{Gateway, Request, Setup, new_ip, new_key};

const QUOTA: usize = 3;

/// A gateway with these fields of the key `it`, and one policy by it alone.
fn by(key: &str) -> Gateway {
    Setup::yaml(format!(
        "keys:\n  it: {{ {key} }}\npolicies:\n  - {{ name: p, key: it, limits: [{{ quota: 3, window: 1h }}] }}\n"
    ))
    .start()
}

/// How many of these pass, each sent twice as often as the quota allows.
fn admitted(requests: &[Request]) -> usize {
    requests.iter().map(|request| request.admitted_of(2 * QUOTA)).sum()
}

#[test]
fn a7_a_comma_in_a_cookie_hides_no_session() {
    let gateway = by("cookie: s");
    let cookie = |cookie: &str| gateway.get("/").header("cookie", cookie);
    assert_eq!(
        admitted(&[
            cookie("a=1,s=fake; s=real"),
            cookie("a=1,s=fake2; s=real"),
            cookie("s=real; a=1,s=fake3"),
            cookie("s=real"),
            // Two lines, as HTTP/1 has them.
            cookie("a=1,s=fake4").header("cookie", "s=real"),
            cookie("a=1").header("cookie", "b=2,s=fake5; s=real"),
        ]),
        QUOTA
    );
    // A comma is part of a value, and a line without the cookie hides none behind it.
    assert_eq!(admitted(&[cookie("s=a,b")]), QUOTA);
    assert_eq!(admitted(&[cookie("s=a,c"), cookie("x=1,2").header("cookie", "s=a,c")]), QUOTA);
    assert_eq!(admitted(&[cookie("s=a")]), QUOTA);
}

#[test]
fn a7_a_cookie_in_another_spelling_is_no_new_caller() {
    let gateway = by("cookie: s");
    let spellings = [
        "s=re+al",
        "s=re%2Bal",
        "s=r%65+a%6c",
        "s=re%20al",
        "s=\"re+al\"",
        "s=\"re+al0",
        "s=\"re+al1",
        "s=\"re\\053al\"",
        "s=\"\\r\\e+al\"",
    ];
    let requests = spellings.map(|cookie| gateway.get("/").header("cookie", cookie));
    assert_eq!(admitted(&requests), QUOTA);
}

#[test]
fn a7_a_host_in_another_spelling_is_no_new_caller() {
    let gateway = by("host: {}");
    let spellings = [
        "api.example.com",
        "API.Example.COM",
        "api.example.com:8443",
        "api.example.com.",
        "API.example.com.:80",
    ];
    let mut requests: Vec<Request> = spellings.iter().map(|host| gateway.get("/").host(host)).collect();
    // The target names the host, whatever the header says.
    requests.push(gateway.get("http://api.example.com:8080/").host("other.example.com"));
    // From wherever it is asked: the key is the host, not the client.
    requests.push(gateway.get("/").host("api.example.com").from(new_ip()).key(new_key()));
    assert_eq!(admitted(&requests), QUOTA);
    assert_eq!(admitted(&[gateway.get("/").host("[::1]"), gateway.get("/").host("[::1]:8443")]), QUOTA);
    assert_eq!(admitted(&[gateway.get("/").host("other.example.com")]), QUOTA);
}

#[test]
fn a7_repeating_a_credential_buys_nothing_whatever_makes_it_valid() {
    for valid in
        ["", ", valid: consumer", ", valid: { unless: [401] }", ", valid: { metadata: [test.auth, org] }"]
    {
        for (source, alone) in [("query: k", true), ("cookie: k", true), ("query: k", false)] {
            let consumers = "consumers: [{ name: acme, keys: { it: [real] }, tier: pro }]\n\
                tiers: { names: [free, pro], default: free }\n";
            let other = "  ip: { client_ip: {} }\n  any: { first_of: [it, ip] }\n";
            let key = if alone { "it" } else { "any" };
            let gateway = Setup::yaml(format!(
                "keys:\n  it: {{ {source}{valid} }}\n{other}{consumers}policies:\n  \
                 - {{ name: p, key: {key}, limits: [{{ quota: {{ free: 3, pro: 3 }}, window: 1h }}] }}\n"
            ))
            .metadata_from_headers()
            .start();
            let shown = |values: &[&str]| {
                let pairs: Vec<String> = values.iter().map(|value| format!("k={value}")).collect();
                let request = match source {
                    "query: k" => gateway.get(&format!("/?{}", pairs.join("&"))),
                    _ => gateway.get("/").header("cookie", pairs.join("; ")),
                };
                request.metadata("org", "o").from(new_ip())
            };
            // Whichever the upstream reads, it is the caller of none of these.
            let fresh: Vec<Request> = (0..5)
                .flat_map(|i| {
                    let fake = format!("fake-{i}");
                    [shown(&[&fake, "real"]), shown(&["real", &fake]), shown(&["", &fake, "real"])]
                })
                .collect();
            assert_eq!(admitted(&fresh), 0, "{source}{valid} {key}");
            // The same twice is once, and an empty one is none.
            let same =
                [shown(&["real", "real"]), shown(&["", "real"]), shown(&["real", ""]), shown(&["real"])];
            assert_eq!(admitted(&same), QUOTA, "{source}{valid} {key}");
        }
    }
}

#[test]
fn a7_the_first_or_the_last_counts_where_the_upstream_reads_it() {
    for (repeated, pair) in [("first", ["real", "fake"]), ("last", ["fake", "real"])] {
        let gateway = by(&format!("query: k, repeated: {repeated}"));
        // A made-up value of any number beside the real one of any number.
        let of = |fake: usize, real: usize| {
            let number = |name: &str| if name == "fake" { fake } else { real };
            let [first, second] = pair.map(|name| format!("k={name}{}", number(name)));
            gateway.get(&format!("/?{first}&{second}"))
        };
        let requests: Vec<Request> = (0..5).map(|i| of(i, 0)).collect();
        assert_eq!(admitted(&requests), QUOTA, "{repeated}");
        assert_eq!(admitted(&[of(0, 1)]), QUOTA, "{repeated}: another caller");
        // Servers differ in what they pass over: that makes no caller.
        let odd: Vec<Request> = (0..5)
            .flat_map(|i| {
                [
                    gateway.get(&format!("/?a=1;k=fake{i}&k=real0")),
                    gateway.get(&format!("/?k=%zz{i}&k=real0")),
                    gateway.get(&format!("/?k=real0&k=%zz{i}")),
                ]
            })
            .collect();
        assert_eq!(admitted(&odd), 0, "{repeated}");
    }
    // Envoy gives the first line of a header that it does not know, and all where it is asked for all.
    let lines = |gateway: &Gateway, values: [&str; 2]| {
        gateway.get("/").header("x-api-key", values[0]).header("x-api-key", values[1])
    };
    let gateway = by("header: x-api-key, repeated: reject");
    assert_eq!(admitted(&[lines(&gateway, ["fake", "real"]), lines(&gateway, ["real", "fake"])]), 0);
    assert_eq!(
        admitted(&[lines(&gateway, ["real", "real"]), gateway.get("/").header("x-api-key", "real")]),
        QUOTA
    );
    let gateway = by("header: x-api-key, repeated: last");
    let requests: Vec<Request> = (0..5).map(|i| lines(&gateway, [&format!("fake{i}"), "real"])).collect();
    assert_eq!(admitted(&requests), QUOTA);
    let gateway = by("header: authorization, scheme: Bearer, repeated: reject");
    let key = new_key();
    assert_eq!(admitted(&[gateway.get("/").key(&key).key(new_key())]), 0);
    assert_eq!(admitted(&[gateway.get("/").key(&key).key(&key), gateway.get("/").key(&key)]), QUOTA);
}

#[test]
fn a7_names_are_read_as_loosely_as_the_upstream_reads_them() {
    let gateway = by("query: api_key, names: loose");
    let names = ["api_key", "API_KEY", "api.key", "api%20key", "api_key[]", "Api[key"];
    let requests: Vec<Request> = names.iter().map(|name| gateway.get(&format!("/?{name}=real"))).collect();
    assert_eq!(admitted(&requests), QUOTA);
    assert_eq!(admitted(&[gateway.get("/?api_key=fake&API.key=real")]), 0);
}

/// A policy for a few paths by address, with these options about paths, and what it frees.
fn paths(options: &str) -> Gateway {
    Setup::yaml(format!(
        "keys:
  ip: {{ client_ip: {{}} }}
  id: {{ path: id }}
{options}
exempt: [{{ path: /health }}, {{ path: /hooks/** }}]
policies:
  - {{ name: login, key: ip, match: [{{ path: /login }}, {{ path: '/a/{{x}}/login' }}], limits: [{{ quota: 3, window: 1h }}] }}
  - {{ name: send, key: id, match: [{{ path: '/inv/{{id}}/send' }}], limits: [{{ quota: 3, window: 1h }}] }}
  - {{ name: cheap, class: c, key: ip, match: [{{ path: /c/list }}], limits: [{{ quota: 100, window: 1h }}] }}
  - {{ name: dear, class: c, key: ip, match: [{{ path: /c/** }}], limits: [{{ quota: 3, window: 1h }}] }}
  - name: cost
    key: ip
    match: [{{ path: /d/list }}, {{ path: /d/**, cost: 3 }}]
    limits: [{{ quota: 3, window: 1h }}]
  - {{ name: rest, key: ip, match: [{{ path: /e/** }}], except: [{{ path: /e/free }}], limits: [{{ quota: 3, window: 1h }}] }}
"
    ))
    .start()
}

#[test]
fn a8_other_spellings_of_a_path_do_not_escape_its_policy() {
    let gateway = paths("");
    let ip = new_ip();
    let targets = [
        "/login/",
        "/LOGIN",
        "/login;a=b",
        "/login.json",
        "/Login.JSON/",
        "/login;/",
        "/lo%67in",
        "/login%2Ejson",
        "/x/..;/login",
        "/;/login",
        "/login/;x",
        "/login//",
        "/login",
    ];
    let requests: Vec<Request> = targets.iter().map(|target| gateway.get(target).from(ip)).collect();
    assert_eq!(admitted(&requests), QUOTA);
    // Nor does what only some servers resolve.
    assert_eq!(admitted(&[gateway.get("/a/..;/login").from(new_ip())]), QUOTA);
    for other in ["/logins", "/login/x", "/x/login", "/.login"] {
        assert_eq!(gateway.get(other).from(ip).admitted_of(2 * QUOTA), 2 * QUOTA, "{other}");
    }
}

#[test]
fn a8_other_spellings_of_an_id_are_no_new_callers() {
    let gateway = paths("");
    let ids = ["8", "8;x", "8;y=1", "%38", "8;", "8%3Bx"];
    let requests: Vec<Request> = ids.iter().map(|id| gateway.get(&format!("/inv/{id}/send"))).collect();
    assert_eq!(admitted(&requests), 2 * QUOTA, "an encoded ; is part of the id");
    let requests =
        ["/INV/9/Send", "/inv/9;x/send;y", "/inv/9/send/", "/x/..;/inv/9/send.pdf"].map(|t| gateway.get(t));
    assert_eq!(admitted(&requests), QUOTA);
    assert_eq!(admitted(&[gateway.get("/inv/A/send"), gateway.get("/inv/a/send")]), 2 * QUOTA);
    let gateway = Setup::yaml(
        "keys: { id: { path: id, case: ignore, suffix: ignore } }
policies: [{ name: p, key: id, match: [{ path: '/inv/{id}' }], limits: [{ quota: 3, window: 1h }] }]
",
    )
    .start();
    let requests =
        ["/inv/a8", "/inv/A8", "/inv/a8.json", "/inv/A%38.x.y;z/"].map(|target| gateway.get(target));
    assert_eq!(admitted(&requests), QUOTA);
}

#[test]
fn a8_what_frees_requests_frees_no_other_spelling() {
    let gateway = paths("");
    let free = |target: &str| gateway.get(target).from(new_ip()).admitted_of(2 * QUOTA) == 2 * QUOTA;
    assert!(free("/health") && free("/hooks/a") && free("/hooks/a;b/c") && free("/e/free"));
    // On a server that resolves it, this is no hook.
    assert!(!free("/hooks/..;/login") && !free("/hooks/a/..;/..;x/LOGIN/"));
    for target in ["/e/free/", "/e/FREE", "/e/free;a", "/e/free.json", "/e/free/..;/x"] {
        assert!(!free(target), "{target}");
    }
    // Another spelling of a cheap path may be a dear one: neither the class nor the cost is chosen by it.
    assert!(free("/c/list") && !free("/c/LIST") && !free("/c/list;x") && !free("/c/list.pdf"));
    assert_eq!(gateway.get("/d/list").from(new_ip()).admitted_of(6), 3);
    assert_eq!(gateway.get("/d/LIST").from(new_ip()).admitted_of(6), 1);
}

#[test]
fn a8_each_spelling_can_be_told_apart_where_the_upstream_does() {
    let strict = |name: &str| {
        let gateway = paths(&format!("paths: {{ {name}: strict }}"));
        let free = |target: &str| gateway.get(target).from(new_ip()).admitted_of(2 * QUOTA) == 2 * QUOTA;
        ["/login/", "/LOGIN", "/login;a=b", "/login.json"].map(free)
    };
    assert_eq!(strict("trailing_slash"), [true, false, false, false]);
    assert_eq!(strict("case"), [false, true, false, false]);
    assert_eq!(strict("parameters"), [false, false, true, false]);
    assert_eq!(strict("suffix"), [false, false, false, true]);
}
