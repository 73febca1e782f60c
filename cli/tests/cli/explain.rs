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
