//! A raw API key leaves no trace in what operators read: X-10.

use crate::harness::{Gateway, Setup, new_ip};

/// Two keys that stand out, with their first 16 characters.
const KEYS: [(&str, &str); 2] =
    [("sk_live_Zq7Vw3XnHushHushHush", "sk_live_Zq7Vw3Xn"), ("pk_test_Yr8Ux4WmPstPstPst", "pk_test_Yr8Ux4Wm")];

#[test]
fn x_10_a_key_is_in_no_log_line_no_metric_and_no_dump() {
    let gateway = gateway_that_logs_everything();
    for (key, _) in KEYS {
        assert_eq!(gateway.get("/").key(key).admitted_of(30), 20);
    }
    let log = gateway.log();
    // That the log would have shown it: it has every call of the module.
    assert!(log.contains("proxy_on_request_headers"), "no trace of the module's calls");
    for (place, text) in [
        ("the log", log),
        ("/stats", gateway.admin().page("/stats")),
        ("/stats/prometheus", gateway.admin().page("/stats/prometheus")),
        ("/config_dump", gateway.admin().page("/config_dump")),
    ] {
        for (key, prefix) in KEYS {
            assert!(!text.contains(key), "a key is in {place}");
            assert!(!text.contains(prefix), "a key's beginning is in {place}");
        }
    }
}

#[test]
fn x_10_a_rejection_does_not_repeat_the_key() {
    let gateway = gateway_that_logs_everything();
    for (key, prefix) in KEYS {
        let request = gateway.get("/").key(key);
        assert_eq!(request.admitted_of(20), 20);
        let rejected = request.send();
        assert_eq!(rejected.status, 429);
        assert!(!format!("{:?}", rejected.headers).contains(prefix));
        assert!(!String::from_utf8_lossy(&rejected.body).contains(prefix));
    }
}

fn gateway_that_logs_everything() -> Gateway {
    let policy = "keys:
  api_key: { header: authorization, scheme: Bearer, prefix: 16 }
policies:
  - name: key
    key: api_key
    limits: [{ quota: 20, window: 1h }]
";
    Setup::yaml(policy).module_calls_logged().start()
}

/// Consumers by digest, each under another source of keys, and one more key that the upstream rejects.
const CONSUMERS: &str = "keys:
  api_key: { header: authorization, scheme: Bearer }
  partner: { query: partner }
  session: { cookie: session }
  tried: { header: x-tried, valid: { unless: [401], for: 1h } }
  consumer: { consumer: name }
  ip: { client_ip: {} }
  caller: { first_of: [consumer, tried, ip] }
tiers: { names: [free, pro], default: free }
consumers:
  - { name: acme, tier: pro, keys: { api_key: [sha256:DIGEST-1], partner: [sha256:DIGEST-2], session: [sha256:DIGEST-3] } }
policies:
  - { name: p, key: caller, limits: [{ quota: { free: 3, pro: 4 }, window: 1h }] }
access_log: true
headers: { preset: github }
reject: { body: '{consumer} {tier} {request_id} {policy}', headers: { x-who: '{consumer}' } }
";
const SECRETS: [&str; 3] = ["hush-Bearer-4f1e8a", "hush-partner-77c0d2", "hush-session-b3a590"];
const DIGESTS: [&str; 3] = [
    "ea5530cbbc377c6ca6758a73b62bbafd69942fef28500e512c5ce2062c7b8ec6",
    "e980a44763ededce06cef751b35e5dc2cdc217a6b8272bcf242901e22af4c2da",
    "4e45aadf5d784b0de70004d5dc896c5e41c4ff2dc8b98e845fca0cfb2a4b5246",
];
const TRIED: &str = "hush-tried-90be11";

#[test]
fn x_10_what_a_consumer_is_known_by_is_in_no_answer_no_log_line_and_no_metric() {
    let policy = (1..)
        .zip(DIGESTS)
        .fold(CONSUMERS.to_owned(), |policy, (i, digest)| policy.replace(&format!("DIGEST-{i}"), digest));
    let format = "log_format: { text_format_source: { inline_string: \"seen: %FILTER_STATE(wasm.tollgate:PLAIN)%\\n\" } }";
    let typed = "\"@type\": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog";
    let log = format!(
        "access_log: [{{ name: envoy.access_loggers.stderr, typed_config: {{ {typed}, {format} }} }}]"
    );
    let gateway = Setup::yaml(policy).module_calls_logged().manager(&log).start();

    let requests = [
        gateway.get("/").key(SECRETS[0]),
        gateway.get(&format!("/?partner={}", SECRETS[1])),
        gateway.get("/").header("cookie", format!("session={}", SECRETS[2])),
        gateway.get("/").from(new_ip()).header("x-tried", TRIED).answered(401),
    ];
    let mut answers = String::new();
    for request in requests.iter().flat_map(|request| [request; 5]) {
        let answer = request.send();
        let body = if answer.status == 429 { answer.text() } else { "" };
        answers += &format!("{} {:?} {body}\n", answer.status, answer.headers);
    }
    // That there was something to tell, and that it was told by name.
    assert!(answers.contains("429") && answers.contains("acme pro"), "{answers}");
    crate::harness::eventually("the access log", || {
        gateway.log().contains("seen: decision=refused").then_some(())
    });
    let log = gateway.log();
    assert!(log.contains("consumer=acme tier=pro") && log.contains("proxy_on_request_headers"), "{log}");

    let admin = |page| gateway.admin().page(page);
    for (place, text) in [
        ("an answer", &answers),
        ("the log", &log),
        ("/stats", &admin("/stats")),
        ("/stats/prometheus", &admin("/stats/prometheus")),
    ] {
        let text = text.to_lowercase();
        for secret in SECRETS.iter().chain(&DIGESTS).chain(&[TRIED]) {
            assert!(!text.contains(&secret.to_lowercase()), "{secret} is in {place}");
        }
    }
    let dump = admin("/config_dump");
    assert!(SECRETS.iter().all(|secret| !dump.contains(secret)), "the policy has no more than digests");
}

/// A value may be written as it is, and be a secret all the same: a error tells where it stands.
#[test]
fn x_10_a_error_about_a_consumers_key_does_not_show_it() {
    let short = format!("sha256:{}", &DIGESTS[0][1..]);
    let policy = CONSUMERS
        .replace("sha256:DIGEST-1", &format!("{short}, hush-hush, hush-hush"))
        .replace("sha256:DIGEST-2", "[hush-list]")
        .replace("sha256:DIGEST-3", "sha256:hush");
    let rejection = Setup::yaml(policy).start_rejected();
    for place in ["api_key[0]", "api_key[2]", "partner[0]", "session[0]"] {
        assert!(
            rejection.log.contains(&format!("consumers[0].keys.{place}: found ")),
            "{place}: {}",
            rejection.log
        );
    }
    for line in rejection.log.lines().filter(|line| line.contains("wasm log")) {
        assert!(!line.contains("hush") && !line.contains(&DIGESTS[0][1..]), "{line}");
    }
}
