use super::*;

#[test]
fn a_request_that_passes_is_explained() {
    assert_eq!(
        tollgate(&["explain", BILLIUM, "GET /v1/invoices/7?x=1"]).success(),
        "ip   applies, counted for client_ip 127.0.0.1
     at most 50 in any 60 s: admits, 49 of 50 left
key  does not apply: the request has no api_key (header authorization with scheme Bearer, its first 16 bytes)

passes
"
    );
}

#[test]
fn a_request_that_is_rejected_is_explained_without_its_key() {
    let arguments =
        ["explain", BILLIUM, "/", "-H", "Authorization: Bearer sk_live_123456789", "--times", "51"];
    let out = tollgate(&[&arguments[..], &["--client-ip", "2001:db8::9"]].concat()).success();
    assert_eq!(
        out,
        "50 of 51 requests pass; number 51 is the first to be rejected. The last one:

ip   applies, counted for client_ip 2001:db8::/64
     at most 50 in any 60 s: rejects, 0 of 50 left, wait 60 s
key  applies, counted for api_key \"sk_l…\" (16 bytes)
     at most 300 in any 60 s: admits, 250 of 300 left

rejected with 429
  content-type: application/json
  cache-control: no-store
  retry-after: 60

  {\"statusCode\":429,\"message\":\"ThrottlerException: Too Many Requests\",\"error\":\"Too Many Requests\"}
"
    );
}

#[test]
fn calendars_and_headers_use_the_given_time() {
    let text = "keys: { ip: { client_ip: {} } }
policies: [{ name: p, key: ip, limits: [{ quota: 5, window: month, time_zone: Europe/Madrid }] }]
headers: { preset: x-ratelimit }
";
    let path = file("explain-month.yaml", text);
    let at = |instant: &str| tollgate(&["explain", path.to_str().unwrap(), "/", "--at", instant]).success();
    assert!(
        at("2026-03-31T21:59:59Z").contains("  x-ratelimit-reset: 1774994400\n"),
        "{}",
        at("2026-03-31T21:59:59Z")
    );
    assert!(at("2026-04-01T00:00:00+02:00").contains("  x-ratelimit-reset: 1777586400\n"));
}

#[test]
fn json_has_the_same_content() {
    let out = tollgate(&["explain", BILLIUM, "/", "--times", "51", "--json"]).success();
    let explained = &json(&out)[0];
    assert_eq!(
        (&explained["rejected"], &explained["status"], &explained["first_rejected"]),
        (&true.into(), &429.into(), &51.into())
    );
    assert_eq!(explained["headers"]["retry-after"], "60");
    assert_eq!(explained["policies"][0]["limits"][0]["wait_seconds"], 60);
    assert_eq!(explained["policies"][1]["applies"], "not");
}

#[test]
fn invalid_requests_and_invalid_policies_are_rejected() {
    for arguments in [
        &["explain", BILLIUM, "GET"][..],
        &["explain", BILLIUM, "/", "-H", "nothing"],
        &["explain", BILLIUM, "/", "--at", "yesterday"],
        &["explain", BILLIUM, "/", "--times", "0"],
        &["explain", BILLIUM, "/", "--client-ip", "localhost"],
        &["explain", BILLIUM, "/", "--status", "20"],
        &["explain", BILLIUM, "/", "--status", "ok"],
        &["explain", BILLIUM, "/", "--status", "200,"],
        &["explain", BILLIUM, "/", "--every", "5"],
        &["explain", BILLIUM, "/", "--every", "1.5s"],
        &["explain", BILLIUM, "/", "--every", "32d"],
        &["explain", BILLIUM, "/", "--every", "1s", "--at-once"],
        &["explain", BILLIUM, "/", "--response-header", "nothing"],
        &["explain", "no/such.yaml", "/"],
    ] {
        let ran = tollgate(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    let ran = tollgate(&["explain", "cli/tests/diagnostics/charge_word.yaml", "/"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.ends_with("cli/tests/diagnostics/charge_word.yaml: invalid, 1 error\n"),
        "{}",
        ran.stderr
    );
}

/// Explains requests under a policy with these fields: the remaining units that each response tells, `-` for
/// a rejection.
fn told(name: &str, fields: &str, arguments: &[&str]) -> String {
    let text = format!(
        "keys: {{ ip: {{ client_ip: {{}} }} }}
policies: [{{ name: p, key: ip, {fields} }}]
headers: {{ preset: x-ratelimit }}
"
    );
    let path = file(name, &text);
    let out = tollgate(&[&["explain", path.to_str().unwrap(), "/", "--json", "--each"], arguments].concat())
        .success();
    let explained = json(&out);
    let responses = explained[0]["responses"].as_array().unwrap();
    let told = responses.iter().map(|response| match response["rejected"].as_bool() {
        Some(true) => "-",
        Some(false) | None => response["headers"]["x-ratelimit-remaining"].as_str().unwrap_or("?"),
    });
    told.collect::<Vec<_>>().join(" ")
}

const FIVE: &str = "limits: [{ quota: 5, window: 1m }]";

#[test]
fn each_request_is_answered_before_the_next_one_and_as_asked_for() {
    let logins = format!("count_on: [401], {FIVE}");
    assert_eq!(told("told-1.yaml", &logins, &["--times", "3"]), "5 5 5");
    assert_eq!(
        told("told-2.yaml", &logins, &["--times", "8", "--status", "401,401,200,401"]),
        "4 3 3 2 1 0 - -"
    );
    let repeated = ["--times", "3", "--status", "401", "--status", "200"];
    assert_eq!(told("told-3.yaml", &logins, &repeated), "4 4 4");
    let refunded = format!("refund_unless: [201], {FIVE}");
    assert_eq!(told("told-4.yaml", &refunded, &["--times", "3", "--status", "201,422,201"]), "4 4 3");
    let costs = format!("cost_header: x-cost, {FIVE}");
    assert_eq!(told("told-5.yaml", &costs, &["--times", "3", "--response-header", "X-Cost: 2"]), "3 1 0");
    assert_eq!(
        told("told-6.yaml", "limits: [{ algorithm: concurrency, quota: 2 }]", &["--times", "3"]),
        "1 1 1"
    );
}

#[test]
fn requests_may_all_be_sent_at_once_or_with_time_between_them() {
    let at_once = |name, fields: &str| told(name, fields, &["--times", "3", "--at-once"]);
    assert_eq!(at_once("every-1.yaml", "limits: [{ algorithm: concurrency, quota: 2 }]"), "? ? -");
    let two = "limits: [{ quota: 2, window: 10s }]";
    assert_eq!(told("every-2.yaml", two, &["--times", "6", "--every", "100ms"]), "1 0 - - - -");
    assert_eq!(told("every-3.yaml", two, &["--times", "6", "--every", "4s"]), "1 0 - 0 0 -");
    assert_eq!(
        told(
            "every-4.yaml",
            "limits: [{ quota: 1, window: month }]",
            &["--times", "3", "--every", "30d", "--at", "2026-01-01T00:00:00Z"]
        ),
        "0 - 0"
    );
}

#[test]
fn a_request_without_an_answer_is_explained_as_one() {
    let kept = format!("count_on: [401], {FIVE}");
    assert_eq!(told("none-1.yaml", &kept, &["--times", "7", "--status", "none"]), "? ? ? ? ? - -");
    let refunded = format!("count_on: [401], unanswered: refund, {FIVE}");
    assert_eq!(
        told("none-2.yaml", &refunded, &["--times", "7", "--status", "none,none,401"]),
        "? ? 4 3 2 1 0"
    );
    let path = file("none.yaml", &policy(""));
    let out = tollgate(&["explain", path.to_str().unwrap(), "/", "--status", "none"]).success();
    assert!(out.ends_with("passes, and the upstream does not answer\n"), "{out}");
}

#[test]
fn the_upstreams_own_limit_headers_are_kept_replaced_or_removed_as_in_envoy() {
    let shown = |name: &str, headers: &str| {
        let path = file(name, &policy(headers));
        let upstreams = ["--response-header", "X-RateLimit-Remaining: 777", "--response-header", "x-app: a"];
        let out = tollgate(&[&["explain", path.to_str().unwrap(), "/", "--json"][..], &upstreams].concat())
            .success();
        let headers = json(&out)[0]["headers"].clone();
        assert_eq!(headers["x-app"], "a", "{out}");
        (headers["x-ratelimit-remaining"].clone(), headers["x-ratelimit-limit"].clone())
    };
    let null = serde_json::Value::Null;
    assert_eq!(shown("up-1.yaml", "headers: { preset: x-ratelimit }\n"), ("49".into(), "50".into()));
    assert_eq!(
        shown("up-2.yaml", "headers: { preset: x-ratelimit, upstream: keep }\n"),
        ("777".into(), null.clone())
    );
    assert_eq!(shown("up-3.yaml", "headers: { preset: secret }\n"), (null.clone(), null.clone()));
    assert_eq!(shown("up-4.yaml", ""), ("777".into(), null));
}

#[test]
fn a_header_that_clients_do_not_get_is_not_shown_whether_or_not_a_policy_applies() {
    let path = file(
        "removed.yaml",
        "keys: { ip: { client_ip: {} } }
policies:
  - name: tokens
    key: ip
    match: [{ path: /v1/chat }]
    cost_header: { name: x-tokens, remove: true }
    limits: [{ quota: 50, window: 60s }]
headers: { preset: x-ratelimit }
",
    );
    for path_of_request in ["/v1/chat", "/other"] {
        let arguments = ["--response-header", "X-Tokens: 7", "--response-header", "x-app: a", "--json"];
        let all = [&["explain", path.to_str().unwrap(), path_of_request][..], &arguments].concat();
        let headers = json(&tollgate(&all).success())[0]["headers"].clone();
        assert_eq!((&headers["x-tokens"], &headers["x-app"]), (&serde_json::Value::Null, &"a".into()));
    }
}

#[test]
fn each_response_can_be_shown_in_a_line() {
    let path = file(
        "each.yaml",
        &policy("headers: { preset: x-ratelimit, format: delta, names: { reset: x-reset } }\n"),
    );
    let out = tollgate(&["explain", path.to_str().unwrap(), "/", "--times", "51", "--each"]).success();
    assert!(out.starts_with("   1  200  x-ratelimit-limit: 50  x-ratelimit-remaining: 49\n"), "{out}");
    assert!(
        out.contains(
            "\n  51  429  retry-after: 60  x-ratelimit-limit: 50  x-ratelimit-remaining: 0\n\n50 of 51"
        ),
        "{out}"
    );
}

#[test]
fn a_policy_of_the_fleet_says_so_and_what_happens_in_an_outage() {
    let policy = "keys: { ip: { client_ip: {} } }
policies:
  - { name: here, key: ip, limits: [{ quota: 5, window: 1m }] }
  - { name: everywhere, key: ip, scope: fleet, on_outage: deny, limits: [{ quota: 50, window: 1m }] }
fleet: { cluster: tollgate-fleet, name: prod }
";
    assert_eq!(
        tollgate_reading(&["explain", "-", "/"], policy).success(),
        "here        applies, counted for ip 127.0.0.1
            at most 5 in any 60 s: admits, 4 of 5 left
everywhere  applies, counted for ip 127.0.0.1
            at most 50 in any 60 s: admits, 49 of 50 left
            counted over all proxies of the fleet; in an outage: the request is answered with 503 and retry-after

passes
"
    );
    let described = tollgate_reading(&["check", "-"], policy).success();
    assert!(
        described.contains(
            "  fleet       prod, at the cluster tollgate-fleet; a request waits at most 50 ms for it\n"
        ),
        "{described}"
    );
}

/// The limits that have not rejected the request would let it pass, but the block does not.
#[test]
fn the_rejection_that_starts_a_block_says_what_happens_then() {
    let text = "keys: { ip: { client_ip: {} } }
policies: [{ name: p, key: ip, block_for: 15m, limits: [{ name: minute, quota: 2, window: 1m }, { name: hour, quota: 9, window: 1h }] }]
";
    let path = file("explain-block.yaml", text);
    let explained = |times: &str, more: &[&str]| {
        tollgate(&[&["explain", path.to_str().unwrap(), "/", "--times", times][..], more].concat()).success()
    };
    let before = explained("2", &[]);
    assert!(before.contains("at most 9 in any 60 min: admits, 7 of 9 left\n"), "{before}");
    assert!(!before.contains("blocked: "), "{before}");
    let blocked = "blocked: until the block is over, the policy rejects every request of this caller\n";
    for times in ["3", "4"] {
        let out = explained(times, &[]);
        assert!(out.contains("at most 2 in any 60 s: rejects, 0 of 2 left, wait 900 s\n"), "{out}");
        assert!(out.contains("at most 9 in any 60 min: rejects, 0 of 9 left, wait 900 s\n"), "{out}");
        assert!(out.contains(blocked), "{out}");
    }
    let json = json(&explained("3", &["--json"]));
    let policy = &json[0]["policies"][0];
    assert_eq!(
        (&policy["blocked"], &policy["limits"][1]["admitted"], &policy["limits"][1]["wait_seconds"]),
        (&true.into(), &false.into(), &900.into())
    );
}
