//! The operator's view, beside a worker that limits.

mod in_fleet;
mod pseudonym;

use super::*;

const POLICY: &str = r#"{
    "keys": {"client": {"header": "x-client"}, "ip": {"client_ip": {}}, "any": {"first_of": ["client", "ip"]},
        "low": {"header": "host", "prefix": 4}},
    "consumers": [{"name": "acme-inc", "keys": {"client": ["acme"]}, "quotas": {"p/day": 3}}],
    "policies": [
        {"name": "p", "key": "client", "limits": [
            {"name": "minute", "quota": 2, "window": "60s"}, {"name": "day", "quota": 20, "window": "1d"}]},
        {"name": "both", "key": ["client", "ip"], "limits": [{"quota": 90, "window": "60s"}]},
        {"name": "open", "key": "any", "limits": [{"name": "now", "quota": 9, "algorithm": "concurrency"}]}]}"#;

/// A VM with a filter that limits, and one that answers the operator.
fn pair(policy: &str) -> (Worker, Worker) {
    let limiter = Worker::start(policy);
    let host = Fake::again(&policy.replacen('{', r#"{"role": "operator","#, 1));
    let mut root = TollgateRoot::new(host, limiter.tables.clone(), limiter.members.clone(), 2);
    assert!(root.configure());
    let operator = Worker { tables: limiter.tables.clone(), members: limiter.members.clone(), root };
    on(Some(("/run/tollgate.sock", None)));
    (limiter, operator)
}

fn on(destination: Option<(&str, Option<u16>)>) {
    host(|knows| knows.destination = destination.map(|(address, port)| (address.into(), port)));
}

fn asked(operator: &Worker, method: &str, path: &str, headers: &[(&str, &str)]) -> (u32, String) {
    host(|knows| {
        let own = [(":method", method), (":path", path)];
        let all = own.iter().chain(headers);
        knows.request = all.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        knows.replies.clear();
    });
    let mut stream = operator.root.create_stream(STREAM);
    assert_eq!(stream.request(STREAM), Flow::Answered, "nothing goes on to an upstream");
    stream.response(STREAM);
    let replies = host(|knows| knows.replies.clone());
    assert_eq!(replies.len(), 1);
    assert_eq!(response_header("cache-control").as_deref(), Some("no-store"));
    let (status, body, _) = replies[0].clone();
    (status, body)
}

fn about(operator: &Worker, method: &str, path: &str, value: &str) -> (u32, String) {
    asked(operator, method, path, &[("x-tollgate-value", value)])
}

#[wasm_bindgen_test(unsupported = test)]
fn an_operator_sees_a_caller_and_forgives_it() {
    let (limiter, operator) = pair(POLICY);
    assert_eq!((limiter.passed("acme", 5), limiter.passed("bank", 5)), (2, 2));
    wait(10);
    let (status, body) = about(&operator, "GET", "/caller?key=client", "acme");
    let minute = |used: u32, wait: u32, since: &str| {
        format!(
            r#"{{"limit":"minute","algorithm":"sliding_window","quota":2,"used":{used},"remaining":{},"next_unit_in":{wait},"all_units_in":{wait},"forgiven_since":{since}}}"#,
            2 - used
        )
    };
    let day = |used: u32, wait: u32, since: &str| {
        format!(
            r#"{{"limit":"day","algorithm":"sliding_window","quota":3,"used":{used},"remaining":{},"next_unit_in":{wait},"all_units_in":{wait},"forgiven_since":{since}}}"#,
            3 - used
        )
    };
    let whole = |forgiven: &str, limits: &str| {
        let open = match forgiven {
            "" => {
                r#",{"policy":"open","blocked_until":null,"limits":[{"limit":"now","algorithm":"concurrency","quota":9,"used":0,"remaining":9,"forgiven_since":null}]}"#
            }
            _ => {
                r#",{"policy":"open","forgiven":false,"blocked_until":null,"limits":[{"limit":"now","algorithm":"concurrency","quota":9,"used":0,"remaining":9,"forgiven_since":null}]}"#
            }
        };
        format!(
            r#"{{"key":"client","consumer":"acme-inc","tier":null,"policies":[{{"policy":"p",{forgiven}"blocked_until":null,"limits":[{limits}]}}{open}],"left_out":[{{"policy":"both","why":"it counts by further keys, too: name all of them, as key=NAME,NAME"}}]}}"#
        )
    };
    let limits = [minute(2, 50, "null"), day(2, 86_390, "null")].join(",");
    assert_eq!((status, body), (200, whole("", &limits)));
    assert_eq!(limiter.passed("acme", 5), 0, "to look changes nothing");

    let (status, body) = about(&operator, "POST", "/forgive?key=client", "acme");
    let since = r#""2023-11-14T22:30:10Z""#;
    let limits = [minute(0, 0, since), day(0, 0, since)].join(",");
    assert_eq!((status, body), (200, whole(r#""forgiven":true,"#, &limits)));
    assert_eq!(
        (limiter.passed("acme", 5), limiter.passed("bank", 5)),
        (2, 0),
        "exactly its quota, nobody else"
    );
    let log = host(|knows| knows.log.last().unwrap().1.clone());
    assert_eq!(log, "an operator has forgiven a caller by the key client: p");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_an_operator_forgives_is_forgiven_once_whichever_worker_comes_next() {
    let (limiter, operator) = pair(POLICY);
    let other = Worker::join(Fake::again(POLICY));
    assert_eq!(limiter.passed("bank", 5), 2);
    wait(10);
    assert_eq!(about(&operator, "POST", "/forgive?key=client&policy=p&limit=minute", "bank").0, 200);
    assert_eq!(other.passed("bank", 5) + limiter.passed("bank", 5), 2);
    let (_, body) = about(&operator, "GET", "/caller?key=client", "bank");
    assert!(body.contains(r#""limit":"day","algorithm":"sliding_window","quota":20,"used":4"#), "{body}");
    // Its record is lost, and a worker that knows nothing begins another one.
    host(|knows| knows.shared.retain(|key, _| key == b"tollgate:table"));
    assert_eq!(other.passed("bank", 5), 2);
    assert_eq!(limiter.passed("bank", 5), 0, "the worker that forgave does not do it again");
    let (status, body) = about(&operator, "POST", "/forgive?key=client", "nobody");
    assert!(status == 200 && body.contains(r#""policy":"p","forgiven":false"#), "{body}");
}

/// One request of this client from this address.
fn passes(limiter: &Worker, client: &str, address: &str) -> bool {
    host(|knows| {
        knows.address = format!("{address}:1000");
        knows.request = vec![("x-client".into(), client.into())];
    });
    limiter.root.create_stream(STREAM).request(STREAM) == Flow::Continue
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_by_several_keys_is_seen_and_forgiven_in_any_order_of_the_keys() {
    let both = POLICY.replace(r#""quota": 90"#, r#""quota": 1"#);
    let (limiter, operator) = pair(&both);
    for (keys, first, second) in [("client,ip", "bank", "192.0.2.1"), ("ip,client", "192.0.2.2", "shop")] {
        let (client, address) = if keys.starts_with("ip") { (second, first) } else { (first, second) };
        assert!(passes(&limiter, client, address) && !passes(&limiter, client, address));
        let values = [("x-tollgate-value", first), ("x-tollgate-value-2", second)];
        let (_, body) = asked(&operator, "GET", &format!("/caller?key={keys}"), &values);
        assert!(body.starts_with(&format!(r#"{{"key":"{keys}","consumer":null"#)), "{body}");
        assert!(
            body.contains(r#""policies":[{"policy":"both","blocked_until":null,"limits":[{"limit""#),
            "{body}"
        );
        assert!(
            body.contains(r#""quota":1,"used":1,"remaining":0"#) && body.ends_with(r#""left_out":[]}"#),
            "{body}"
        );
        assert!(!body.contains(client) && !body.contains(address), "{body}");

        wait(1);
        let (status, body) = asked(&operator, "POST", &format!("/forgive?key={keys}"), &values);
        assert!(status == 200 && body.contains(r#""policy":"both","forgiven":true"#), "{body}");
        assert!(passes(&limiter, client, address) && !passes(&limiter, client, address), "one fresh quota");
        let (_, body) = asked(&operator, "GET", &format!("/caller?key={keys}"), &values[..1]);
        assert!(body.starts_with(r#"{"error":"the header x-tollgate-value is missing"#), "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_block_is_seen_and_ends() {
    let policy = POLICY.replacen(r#""limits""#, r#""block_for": "1h", "limits""#, 1);
    let (limiter, operator) = pair(&policy);
    assert_eq!(limiter.passed("bank", 5), 2);
    let (_, body) = about(&operator, "GET", "/caller?key=client", "bank");
    assert!(body.contains(r#""blocked_until":"2023-11-14T23:30:00Z","limits":[{"limit":"minute""#), "{body}");
    assert!(body.contains(r#""used":2,"remaining":0"#), "{body}");
    wait(1);
    let (_, body) = about(&operator, "POST", "/forgive?key=client&policy=p", "bank");
    assert!(body.contains(r#""forgiven":true,"blocked_until":null"#), "{body}");
    assert_eq!(limiter.passed("bank", 5), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_operator_is_answered_only_on_a_path_of_the_file_system_whatever_headers_say() {
    let (limiter, operator) = pair(POLICY);
    assert_eq!(limiter.passed("bank", 5), 2);
    let forged = [
        ("x-tollgate-value", "bank"),
        ("x-forwarded-for", "/run/tollgate.sock"),
        ("x-envoy-external-address", "/run/tollgate.sock"),
        ("destination.address", "/run/tollgate.sock"),
        ("forwarded", "for=/run/tollgate.sock"),
    ];
    for destination in [
        None,
        Some(("", None)),
        Some(("127.0.0.1:10000", Some(10_000))),
        Some(("[::1]:10000", Some(10_000))),
        Some(("@abstract", None)),
        Some(("envoy://internal/", None)),
        Some(("relative.sock", None)),
        Some(("/run/tollgate.sock", Some(10_000))),
    ] {
        on(destination);
        for (method, path) in
            [("GET", "/caller?key=client"), ("GET", "/table"), ("POST", "/forgive?key=client"), ("GET", "/")]
        {
            let (status, body) = asked(&operator, method, path, &forged);
            assert_eq!(status, 403, "{destination:?} {path}");
            assert!(
                body.starts_with(r#"{"error":"the operator is answered only on a UNIX socket"#),
                "{body}"
            );
        }
    }
    assert_eq!(limiter.passed("bank", 5), 0);
    let warnings = host(|knows| knows.log.iter().filter(|(level, _)| *level == log::Level::Warn).count());
    assert_eq!(warnings, 1, "one a minute");
}

#[wasm_bindgen_test(unsupported = test)]
fn whatever_is_not_allowed_is_an_error_that_says_what_is_and_never_the_value() {
    let (_, operator) = pair(POLICY);
    let secret = "s3cret";
    for (method, path, value, status) in [
        ("GET", "/", secret, 404),
        ("GET", "/caller/", secret, 404),
        ("GET", "/s3cret", secret, 404),
        ("POST", "/caller?key=client", secret, 405),
        ("GET", "/forgive?key=client", secret, 405),
        ("HEAD", "/table", secret, 405),
        ("GET", "/caller", secret, 400),
        ("GET", "/caller?key=", secret, 400),
        ("GET", "/caller?key=client&key=ip", secret, 400),
        ("GET", "/caller?key=client&policy=p", secret, 400),
        ("GET", "/caller?key=client,client", secret, 400),
        ("GET", "/caller?key=client,", secret, 400),
        ("GET", "/caller?key=client,ip", secret, 400),
        ("GET", "/caller?key=a,b,c,d,e,f,g,h,i", secret, 400),
        ("GET", "/caller?key=client&caller=0123456789abcdef", secret, 400),
        ("GET", "/caller?key=client&tier=free", secret, 400),
        ("GET", "/caller?caller=s3cret", secret, 400),
        ("GET", "/caller?caller=0123456789ABCDEF", secret, 400),
        ("GET", "/caller?caller=+123456789abcdef", secret, 400),
        ("GET", "/caller?caller=0123456789abcdef0", secret, 400),
        ("GET", "/caller?caller=0123456789abcdef&from_page=-1", secret, 400),
        ("GET", "/caller?caller=0123456789abcdef&from_page=4294967296", secret, 400),
        ("GET", "/caller?caller=0123456789abcdef", secret, 404),
        ("GET", "/caller?caller=ffffffffffffffff&from_page=4294967295", secret, 404),
        ("POST", "/forgive?caller=0123456789abcdef", secret, 404),
        ("GET", "/caller?key", secret, 400),
        ("GET", "/caller?value=s3cret", secret, 400),
        ("GET", "/table?key=client", secret, 400),
        ("GET", "/caller?key=s3cret", secret, 404),
        ("GET", "/caller?key=any", secret, 400),
        ("GET", "/caller?key=ip", secret, 400),
        ("GET", "/caller?key=client", "", 400),
        ("POST", "/forgive?key=client&limit=minute", secret, 400),
        ("POST", "/forgive?key=client&policy=s3cret", secret, 409),
        ("POST", "/forgive?key=client&policy=both", secret, 409),
        ("POST", "/forgive?key=client&policy=open", secret, 409),
        ("POST", "/forgive?key=client&policy=p&limit=s3cret", secret, 409),
        ("POST", "/forgive?key=ip", "192.0.2.1", 409),
    ] {
        let (found, body) = about(&operator, method, path, value);
        assert_eq!(found, status, "{method} {path}: {body}");
        assert!(
            body.starts_with(r#"{"error":""#) && body.contains(r#""allowed":"GET /caller?key=NAME"#),
            "{body}"
        );
        assert!(!body.contains(secret), "{body}");
    }
    let twice = [("x-tollgate-value", "a"), ("x-tollgate-value", "b")];
    assert_eq!(asked(&operator, "GET", "/caller?key=client", &twice).0, 400);
    assert_eq!(asked(&operator, "GET", "/caller?key=client", &[]).0, 400);
    host(|knows| assert!(knows.log.iter().all(|(_, line)| !line.contains(secret))));
}

#[wasm_bindgen_test(unsupported = test)]
fn hostile_values_are_callers_that_nobody_has_seen() {
    let (_, operator) = pair(POLICY);
    let long = "x".repeat(65_536);
    for value in [long.as_str(), "\"}],", "\u{7f}\u{85}é", "\\", "%00", "-"] {
        for key in ["client", "low"] {
            let (status, body) = about(&operator, "GET", &format!("/caller?key={key}"), value);
            assert_eq!(status, 200, "{body}");
            assert!(body.len() < 2_000 && !body.contains(value) || value == "-", "{body}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_operator_changes_neither_the_live_revision_nor_the_limits_in_force() {
    let (limiter, _) = pair(POLICY);
    let gauge = |name: &str| host(|knows| knows.gauges.iter().find(|(own, _)| own == name).map(|one| one.1));
    let live = gauge("tollgate.config.revision");
    let other = POLICY.replace("\"60s\"", "\"90s\"").replacen('{', r#"{"role": "operator","#, 1);
    let mut root = TollgateRoot::new(Fake::again(&other), limiter.tables.clone(), limiter.members.clone(), 3);
    assert!(root.configure());
    assert_eq!(gauge("tollgate.config.revision"), live);
    let operator = Worker { tables: limiter.tables.clone(), members: limiter.members.clone(), root };
    let (_, body) = about(&operator, "GET", "/caller?key=client", "bank");
    assert!(
        body.contains(r#"{"policy":"p","why":"the policy in force has another algorithm or window"}"#),
        "{body}"
    );
    assert_eq!(about(&operator, "POST", "/forgive?key=client&policy=p", "bank").0, 409);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_table_is_shown_as_the_workers_have_counted_it() {
    let (limiter, operator) = pair(POLICY);
    host(|knows| _ = knows.shared.remove(&b"tollgate:fill"[..]));
    let (status, body) = asked(&operator, "GET", "/table", &[]);
    assert!(status == 200 && body.contains(r#""records":null"#), "{body}");
    limiter.passed("bank", 1);
    for _ in 0..200 {
        wait(1);
        limiter.root.tick();
    }
    let (_, body) = asked(&operator, "GET", "/table", &[]);
    assert!(body.starts_with(r#"{"name":null,"pages":16384,"page_bytes":1536,"capacity_bytes":"#), "{body}");
    assert!(body.contains(r#""records":"#) && body.contains(r#""counted_ago":0"#), "{body}");
}
