//! What a rejected caller reads: bodies, messages, further headers, waits.

use crate::harness::{Request, Response, Setup, Upstream, new_ip, new_key, per_address, per_key};
use serde_json::{Value, json};

/// Its bodies are made of what a rejection can tell.
const TEMPLATES: &str = r#"
reject:
  body: '{"error":{"code":"{code}","message":"{message}","request_id":"req_{request_id}","wait":{retry_after},"limit":{limit}}}'
  code: too_many
  message: "{policy}/{limit_name}: {remaining} \"of\" {limit} in {window} s"
  headers: { X-Facturapi-Log-Id: "{request_id}" }
"#;

/// At the edge Envoy replaces the ids that callers send; this lets them through to the filter.
const CALLERS_ID: &str = "preserve_external_request_id: true";

/// The first rejection of a caller who may ask once.
fn rejection(request: &Request) -> Response {
    let mut connection = request.connect();
    assert_eq!(connection.exchange(request).status, 200);
    connection.exchange(request)
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {response:?}"))
}

#[test]
fn fa_14_a_body_is_filled_in_and_its_length_is_right() {
    let gateway = Setup::yaml(per_key(1, "1h") + TEMPLATES).manager(CALLERS_ID).start();
    let rejected = rejection(&gateway.get("/").key(new_key()).header("x-request-id", "log\"7"));
    assert_eq!((rejected.status, rejected.value("content-type")), (429, "application/json"));
    assert_eq!(rejected.value("content-length"), rejected.body.len().to_string());
    let expected = json!({"error": {
        "code": "too_many",
        "message": "key/limit: 0 \"of\" 1 in 3600 s",
        "request_id": "req_log\"7",
        "wait": rejected.retry_after(),
        "limit": 1,
    }});
    assert_eq!(json_of(&rejected), expected);
    assert_eq!(rejected.value("x-facturapi-log-id"), "log\"7");
}

#[test]
fn fp_11_each_rejection_has_an_id_of_its_own_with_or_without_the_proxys() {
    for manager in ["generate_request_id: true", "generate_request_id: false"] {
        let gateway = Setup::yaml(per_key(1, "1h") + TEMPLATES).manager(manager).start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.send().status, 200);
        let id = || {
            let rejected = request.send();
            let id = rejected.value("x-facturapi-log-id").to_owned();
            assert_eq!(json_of(&rejected)["error"]["request_id"], format!("req_{id}"));
            assert!(id.len() >= 32, "{id}");
            id
        };
        assert_ne!(id(), id(), "{manager}");
    }
}

#[test]
fn fp_11_the_upstreams_own_log_id_is_left_as_it_is() {
    let upstream = Upstream::answering(&[("x-facturapi-log-id", "its-own")]);
    let setup = Setup::yaml(per_key(1, "1h") + TEMPLATES);
    let gateway = setup.upstream(upstream.address()).start();
    assert_eq!(gateway.get("/").key(new_key()).send().value("x-facturapi-log-id"), "its-own");
}

#[test]
fn whatever_a_caller_sends_the_body_stays_json() {
    let gateway = Setup::yaml(per_key(1, "1h") + TEMPLATES).manager(CALLERS_ID).start();
    let key = new_key();
    assert_eq!(gateway.get("/").key(&key).send().status, 200);
    let hostile: [&[u8]; 4] = [b"\xff\xfe", b"\"}{\\", b"\\u0000\"", &[b'a'; 4_000]];
    for id in hostile {
        let rejected = gateway.get("/").key(&key).header("x-request-id", id).send();
        assert_eq!(rejected.status, 429);
        assert!(
            json_of(&rejected)["error"]["request_id"].as_str().unwrap().starts_with("req_"),
            "{rejected:?}"
        );
    }
}

#[test]
fn fa_15_fa_21_each_policy_and_each_limit_has_its_own_words() {
    let policy = "keys: { client_ip: { client_ip: {} } }
policies:
  - name: send
    key: client_ip
    match: [{ method: POST, path: '/v1/invoices/{id}/send' }]
    limits: [{ quota: 1, window: 10m }]
    reject: { message: 'This invoice was sent just now.', status: 420 }
  - name: api
    key: client_ip
    match: [{ method: GET }]
    limits:
      - { name: minute, quota: 1, window: 60s }
      - { name: month, quota: 1, window: month, message: 'The month is used up.' }
reject:
  body: '{\"message\":\"{message}\"}'
  message: 'Wait.'
";
    let gateway = Setup::yaml(policy).start();
    let message = |request: Request| {
        let rejected = rejection(&request.from(new_ip()));
        (rejected.status, json_of(&rejected)["message"].as_str().unwrap().to_owned())
    };
    let sent = message(gateway.request("POST", "/v1/invoices/7/send").header("content-length", "0"));
    assert_eq!(sent, (420, "This invoice was sent just now.".into()));
    assert_eq!(message(gateway.get("/")), (429, "The month is used up.".into()));
}

/// The order of the languages is the YAML's, which a Struct does not keep.
#[test]
fn a_message_is_in_the_language_that_is_asked_for_however_the_policy_is_delivered() {
    let message = json!({ "es": "Espere.", "en": "Wait.", "de": "Warten.", "pt": "Espera.", "fr": "Attendez.", "default": "es" });
    let policy = per_key(1, "1h") + &format!("reject: {{ message: {message} }}\n");
    let json = json!({
        "keys": { "api_key": { "header": "authorization", "scheme": "Bearer" } },
        "policies": [{ "name": "key", "key": "api_key", "limits": [{ "quota": 1, "window": "1h" }] }],
        "reject": { "message": message },
    });
    for setup in [Setup::yaml(policy), Setup::json(json.to_string())] {
        let gateway = setup.start();
        for (accepted, body, language) in [
            ("en-GB,en;q=0.9,es;q=0.1", "Wait.\n", "en"),
            ("it", "Espere.\n", "es"),
            ("\u{fffd};q=nine,,", "Espere.\n", "es"),
            ("fr-CA", "Attendez.\n", "fr"),
            ("es;q=0,*", "Warten.\n", "de"),
        ] {
            let rejected = rejection(&gateway.get("/").key(new_key()).header("accept-language", accepted));
            assert_eq!(String::from_utf8_lossy(&rejected.body), body, "{accepted}");
            assert_eq!(rejected.value("content-language"), language);
        }
        let silent = rejection(&gateway.get("/").key(new_key()));
        assert_eq!(silent.body, b"Espere.\n");
    }
}

#[test]
fn a_problem_is_told_as_rfc_9457_has_it() {
    let fields = "reject: { format: problem, message: 'Wait {retry_after} s.', code: too_many }\n";
    let gateway = Setup::yaml(per_key(1, "1h") + fields).start();
    let rejected = rejection(&gateway.get("/").key(new_key()));
    assert_eq!(rejected.value("content-type"), "application/problem+json");
    let expected = json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": format!("Wait {} s.", rejected.retry_after()),
        "code": "too_many",
        "violated-policies": ["key"],
    });
    assert_eq!(json_of(&rejected), expected);
}

#[test]
fn x_4_a_head_gets_the_headers_of_a_body_and_no_body() {
    let gateway = Setup::yaml(per_key(1, "1h") + TEMPLATES).start();
    let head = gateway.request("HEAD", "/").key(new_key());
    let mut connection = head.connect();
    assert_eq!(connection.exchange(&head).status, 200);
    for _ in 0..2 {
        let rejected = connection.exchange(&head);
        assert_eq!((rejected.status, rejected.value("content-type")), (429, "application/json"));
    }
}

#[test]
fn grpc_callers_learn_in_trailers_when_to_come_back() {
    let gateway = Setup::yaml(per_key(1, "1h") + "retry_after: { max: 20 }\n").start();
    let call = gateway.request("POST", "/service/Method").key(new_key());
    let call = call.header("content-type", "application/grpc").header("content-length", "0");
    // The upstream is none that speaks gRPC, but it was asked.
    assert_eq!(call.send().status, 200);
    let rejected = call.send();
    assert_eq!((rejected.status, rejected.value("grpc-status")), (200, "8"));
    assert_eq!(rejected.value("grpc-retry-pushback-ms"), "20000");
    let plain = rejection(&gateway.get("/").key(new_key()));
    assert!(plain.values("grpc-retry-pushback-ms").is_empty());
}

#[test]
fn x_9_a_wait_has_a_least_a_most_and_jitter() {
    let waits = |options: &str| {
        let headers = "headers: { preset: x-ratelimit, format: delta }\n";
        let gateway = Setup::yaml(per_key(1, "1h") + headers + options).start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.send().status, 200);
        let mut connection = request.connect();
        let mut wait = || {
            let rejected = connection.exchange(&request);
            let (told, reset) = (rejected.retry_after(), rejected.value("x-ratelimit-reset"));
            assert!(reset.parse::<u64>().unwrap() >= told, "PA-4: {rejected:?}");
            told
        };
        (0..60).map(|_| wait()).collect::<Vec<_>>()
    };
    assert_eq!(waits("retry_after: { max: 20 }\n"), [20; 60]);
    assert_eq!(waits("retry_after: { min: 7200 }\n"), [7_200; 60]);
    let jittered = waits("retry_after: { min: 4000, jitter: 2 }\n");
    for wait in 4_000..=4_002 {
        assert!(jittered.contains(&wait), "{wait} is not among {jittered:?}");
    }
    assert!(jittered.iter().all(|wait| (4_000..=4_002).contains(wait)), "{jittered:?}");
}

#[test]
fn sp_5_a_rejection_may_keep_its_wait_to_itself() {
    let gateway = Setup::yaml(per_key(1, "1h") + "retry_after: { show: never }\n").start();
    let rejected = rejection(&gateway.get("/").key(new_key()));
    assert!(rejected.values("retry-after").is_empty(), "{rejected:?}");
}

#[test]
fn fa_26_an_access_log_shows_what_was_decided() {
    let policy = per_address(2, "1h") + "access_log: true\nretry_after: { max: 7 }\n";
    let gateway = Setup::yaml(policy).access_log().alone().start();
    for _ in 0..3 {
        gateway.get("/").send();
    }
    assert_eq!(
        gateway.seen(3),
        [
            "200 decision=admitted policy=ip limit=limit quota=2 remaining=1 near=false",
            "200 decision=admitted policy=ip limit=limit quota=2 remaining=0 near=true",
            "429 decision=refused policy=ip limit=limit quota=2 remaining=0 retry_after=7 near=false",
        ]
    );
    crate::harness::eventually("the worker's report", || {
        (gateway.metric("policy.ip.near_limit") == 1).then_some(())
    });
}

#[test]
fn without_access_log_there_is_no_filter_state() {
    let gateway = Setup::yaml(per_address(2, "1h")).access_log().start();
    gateway.get("/").send();
    assert_eq!(gateway.seen(1), ["200 -"]);
}
