//! Consumers, tiers, classes, shadow and metadata, in descriptions and explanations.

use super::*;

const POLICY: &str = r#"keys:
  api_key: { header: authorization, scheme: Bearer, valid: consumer }
  organization: { metadata: [envoy.filters.http.jwt_authn, payload, org], same_as: company }
  company: { consumer: company }
  client_ip: { client_ip: {} }
  caller: { first_of: [organization, company, client_ip] }
  plan: { metadata: [envoy.filters.http.jwt_authn, payload, plan] }
tiers: { names: [free, pro], default: free, from: plan }
consumers:
  - name: acme
    keys: { api_key: ["@DIGEST@"] }
    tier: pro
    attributes: { company: c-7 }
    quotas: { api/minute: 1000 }
policies:
  - name: exports
    class: operation
    key: caller
    match: [{ method: POST, path: /v1/exports, cost: 5 }, { method: POST, path: "/v1/exports/{id}" }]
    limits: [{ quota: 20, window: 1m }]
  - name: api
    class: operation
    key: caller
    except: [{ path: /v1/status }]
    cost: 2
    cost_header: x-cost
    limits: [{ name: minute, quota: { free: 10, pro: 300 }, window: 1m }, { name: day, quota: 100000, window: day }]
    block_for: 90s
  - name: tried
    key: api_key
    mode: shadow
    limits: [{ quota: 2, window: 1m }]
  - name: later
    key: client_ip
    effective_from: 2026-05-19T00:00:00-06:00
    limits: [{ quota: 1, window: 1m }]
exempt: [{ path: /healthz }]
reject: { body: "{consumer}, {tier}: {policy}/{limit_name} in {retry_after} s" }
"#;

fn policy_file(name: &str) -> String {
    let digest = tollgate_reading(&["hash"], "sk_live_4242").success();
    let path = file(name, &POLICY.replace("@DIGEST@", digest.trim()));
    path.to_str().unwrap().to_string()
}

/// The explanation of a request in 2026, before the policy `later` is enforced.
fn explained(name: &str, arguments: &[&str]) -> String {
    let path = policy_file(name);
    let at = ["--at", "2026-04-01T12:00:00Z"];
    tollgate(&[&["explain", &path], arguments, &at].concat()).success()
}

#[test]
fn every_part_of_a_policy_is_described() {
    let path = policy_file("callers-check.yaml");
    let out = tollgate(&["check", "--deny-warnings", &path]).success();
    assert_eq!(
        out.split_once('\n').unwrap().1,
        "  revision 3935331477
  exports    POST /v1/exports at a cost of 5, POST /v1/exports/{id}, counted by caller (organization, else company, else client_ip)
             at most 20 in any 60 s
  api        every request, except /v1/status, counted by caller (organization, else company, else client_ip)
             minute: at most 10 in any 60 s (300 for pro, 1000 for acme)
             day: at most 100000 in each day of UTC
             only if none of these applies: exports
             a request holds 2 units until its response, and then costs the number in the response header x-cost, else what it holds
             after a rejection, everything is rejected for 90 s
             a request without a response: its units stay counted
  tried      every request that has it, counted by api_key (header authorization with scheme Bearer, if it identifies a consumer)
             at most 2 in any 60 s
             in shadow: it never rejects
  later      every request, counted by client_ip (the client's address, IPv6 by its first 64 bits)
             at most 1 in any 60 s
             in shadow until 2026-05-19T06:00:00Z, then enforced
  charge     all policies that apply must admit a request; if any policy rejects the request, it spends nothing at all
  keys       organization: metadata envoy.filters.http.jwt_authn/payload/org, the same as company; company: the consumer's company; client_ip: the client's address, IPv6 by its first 64 bits
  tiers      free, pro; that of the consumer, else the value of plan (metadata envoy.filters.http.jwt_authn/payload/plan), else free
  consumers  1 known caller
  exempt     CORS preflights, /healthz
  paths      also limited with a trailing slash, another case, ;parameters, a suffix such as .json
  ipv6       each /64 network is a client of its own, and a /48 has 65536 of them; a second policy by `client_ip: { ipv6_prefix: 48 }` would limit them together
  rejection  429 with retry-after of 1 to 2147483 s, text/plain; charset=utf-8: {consumer}, {tier}: {policy}/{limit_name} in {retry_after} s
  headers    none
  table      at most 24576 KiB, room for about 130000 clients
"
    );
}

#[test]
fn the_first_policy_of_a_class_that_applies_is_used() {
    assert_eq!(
        explained("callers-class.yaml", &["POST /v1/exports"]),
        "exports  applies, counted for client_ip 127.0.0.1
         at most 20 in any 60 s: admits, 15 of 20 left
api      does not apply: exports of the same class applies
tried    does not apply: the request has no api_key (header authorization with scheme Bearer, if it identifies a consumer)
later    applies in shadow, counted for client_ip 127.0.0.1
         at most 1 in any 60 s: admits, 0 of 1 left

passes
"
    );
    let other = explained("callers-no-class.yaml", &["GET /v1/exports"]);
    assert!(
        other.starts_with("exports  does not apply: the method is not POST\napi      applies, "),
        "{other}"
    );
}

#[test]
fn a_consumer_is_named_and_its_key_is_masked() {
    let out =
        explained("callers-consumer.yaml", &["/v1/invoices", "-H", "authorization: Bearer sk_live_4242"]);
    assert_eq!(
        out,
        r#"exports  does not apply: the method is not POST
api      applies, counted for company c-7
         minute: at most 10 in any 60 s (300 for pro, 1000 for acme): admits, 998 of 1000 left
         day: at most 100000 in each day of UTC: admits, 99998 of 100000 left
tried    applies in shadow, counted for api_key "sk_l…" (12 bytes)
         at most 2 in any 60 s: admits, 1 of 2 left
later    applies in shadow, counted for client_ip 127.0.0.1
         at most 1 in any 60 s: admits, 0 of 1 left

passes
"#
    );
    let stranger =
        explained("callers-stranger.yaml", &["/v1/invoices", "-H", "authorization: Bearer sk_live_4243"]);
    for out in [&out, &stranger] {
        assert!(!out.contains("4242") && !out.contains("4243") && !out.contains("sha256"), "{out}");
    }
    assert!(
        stranger.contains("tried    does not apply: the request has no api_key (header authorization with scheme Bearer, if it identifies a consumer)\n"),
        "{stranger}"
    );
}

#[test]
fn metadata_can_be_given_in_place_of_an_earlier_filter() {
    let claims = |plan: &str| {
        explained(
            "callers-metadata.yaml",
            &[
                "/v1/invoices",
                "--metadata",
                "envoy.filters.http.jwt_authn/payload/org=c-7",
                "--metadata",
                &format!("envoy.filters.http.jwt_authn/payload/plan={plan}"),
            ],
        )
    };
    let out = claims("pro");
    assert!(out.contains("api      applies, counted for organization c-7\n"), "{out}");
    assert!(out.contains("admits, 298 of 300 left\n"), "{out}");
    assert!(claims("gold").contains("admits, 8 of 10 left\n"), "an unknown tier is the default one");
}

#[test]
fn a_policy_in_shadow_is_shown_as_such_and_rejects_nothing() {
    let key = ["/v1/status", "-H", "authorization: Bearer sk_live_4242", "--times", "3"];
    let out = explained("callers-shadow.yaml", &key);
    assert_eq!(
        out,
        r#"3 of 3 requests pass. The last one:

exports  does not apply: the method is not POST
api      does not apply: /v1/status is excluded
tried    applies in shadow, counted for api_key "sk_l…" (12 bytes)
         at most 2 in any 60 s: rejects, 0 of 2 left, wait 60 s
later    applies in shadow, counted for client_ip 127.0.0.1
         at most 1 in any 60 s: rejects, 0 of 1 left, wait 60 s

passes
"#
    );
    let path = policy_file("callers-in-force.yaml");
    let out = tollgate(&["explain", &path, "/v1/status", "--times", "2", "--at", "2026-05-19T06:00:00Z"]);
    assert_eq!(out.success(), "1 of 2 requests pass; number 2 is the first to be rejected. The last one:

exports  does not apply: the method is not POST
api      does not apply: /v1/status is excluded
tried    does not apply: the request has no api_key (header authorization with scheme Bearer, if it identifies a consumer)
later    applies, counted for client_ip 127.0.0.1
         at most 1 in any 60 s: rejects, 0 of 1 left, wait 60 s

rejected with 429
  content-type: text/plain; charset=utf-8
  cache-control: no-store
  retry-after: 60

  , free: later/limit in 60 s
");
}

#[test]
fn an_exempt_request_is_shown_with_the_rule() {
    let out = explained("callers-exempt.yaml", &["/healthz"]);
    assert_eq!(out.matches("does not apply: /healthz is exempt\n").count(), 4, "{out}");
    let excepted = explained("callers-except.yaml", &["/v1/status"]);
    assert!(excepted.contains("api      does not apply: /v1/status is excluded\n"), "{excepted}");
}

#[test]
fn json_has_shadow_and_who_is_counted() {
    let key = ["/v1/invoices", "-H", "authorization: Bearer sk_live_4242", "--json"];
    let policies = &json(&explained("callers-json.yaml", &key))[0]["policies"];
    let applicability =
        |policy: usize| (policies[policy]["applies"].as_str(), policies[policy]["counted"].clone());
    assert_eq!(applicability(0).0, Some("not"));
    assert_eq!(applicability(1), (Some("counts"), serde_json::json!(["company c-7"])));
    assert_eq!(applicability(2), (Some("shadows"), serde_json::json!(["api_key \"sk_l…\" (12 bytes)"])));
    assert_eq!(applicability(3), (Some("shadows"), serde_json::json!(["client_ip 127.0.0.1"])));
}

#[test]
fn a_credential_in_clear_text_is_warned_about_and_not_shown() {
    let text = POLICY.replace("@DIGEST@", "sk_live_4242");
    let path = file("callers-clear.yaml", &text);
    let ran = tollgate(&["check", "--deny-warnings", path.to_str().unwrap()]);
    assert_eq!(ran.status, 1);
    let warning = ":11: warning: consumers[0].keys.api_key[0]: a credential in clear text; use the digest that tollgate hash prints instead\n";
    assert!(ran.stdout.contains(warning) && !ran.stdout.contains("4242"), "{}", ran.stdout);
}
