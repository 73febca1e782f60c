use super::*;
use crate::document::{Document, Syntax};
use tollgate::compile::compile;
use tollgate::time::SECOND;

const POLICY: &str = "
keys:
  ip: { client_ip: {} }
  key: { header: authorization, scheme: Bearer }
policies:
  - name: send
    match: [{ method: POST, path: \"/v1/invoices/{id}/send\" }]
    key: key
    limits: [{ quota: 1, window: 10m }]
  - name: ip
    key: ip
    limits: [{ name: minute, quota: 3, window: 1m }, { name: hour, quota: 10, window: 1h }]
headers: { preset: x-ratelimit, describes: ip/minute }
";

fn explained(line: &str, with: impl Fn(SampleRequest) -> SampleRequest, times: u32) -> Explanation {
    let value = Document::read(POLICY, Syntax::Yaml).map_err(|error| error.to_config_error()).unwrap().value;
    let request = with(SampleRequest::parse(line).unwrap().from_client("192.0.2.7".parse().unwrap()));
    explain(&compile(&value).unwrap(), &request, &scenario(times))
}

fn scenario(times: u32) -> Scenario {
    let times = NonZeroU32::new(times).unwrap();
    let wall = 1_747_314_000 * SECOND;
    Scenario { times, wall, every: 0, at_once: false, answers: Answers::default() }
}

#[test]
fn a_policy_that_does_not_apply_says_why() {
    let reason = |line: &str, with: fn(SampleRequest) -> SampleRequest| {
        explained(line, with, 1).policies[0].applicability.clone()
    };
    let not = |reason: &str| Applicability::Not(reason.into());
    assert_eq!(reason("GET /v1/invoices/7/send", |request| request), not("the method is not POST"));
    assert_eq!(
        reason("POST /v1/invoices/7", |request| request),
        not("the path is not /v1/invoices/{id}/send")
    );
    assert_eq!(
        reason("POST /v1/invoices/7/send?x=1", |request| request.with_header("Authorization", "Basic abc")),
        not("the request has no key (header authorization with scheme Bearer)")
    );
    assert_eq!(
        reason("OPTIONS /v1", |request| request.with_header("Access-Control-Request-Method", "POST")),
        not("a CORS preflight is exempt")
    );
}

#[test]
fn who_is_counted_is_shown_but_no_secret() {
    let of = |key: &'static str| {
        let request =
            move |request: SampleRequest| request.with_header("authorization", &format!("Bearer {key}"));
        explained("POST /v1/invoices/7/send", request, 1).policies[0].applicability.clone()
    };
    let counts = |who: &str| Applicability::Counts(vec![who.into()]);
    assert_eq!(of("sk_live_4242424242424242"), counts("key \"sk_l…\" (24 bytes)"));
    assert_eq!(of("abc"), counts("key \"a…\" (3 bytes)"));
    assert_eq!(explained("/", |request| request, 1).policies[1].applicability, counts("ip 192.0.2.7"));
    let v6 = |request: SampleRequest| request.from_client("2001:db8::7".parse().unwrap());
    assert_eq!(explained("/", v6, 1).policies[1].applicability, counts("ip 2001:db8::/64"));
}

#[test]
fn the_last_of_several_requests_is_explained_and_all_are_counted() {
    let explained = explained("GET /", |request| request, 5);
    assert_eq!((explained.times, explained.passed, explained.first_rejected), (5, 3, Some(4)));
    assert_eq!(
        explained.policies[1].verdicts().collect::<Vec<_>>(),
        [
            "minute: at most 3 in any 60 s: rejects, 0 of 3 left, wait 60 s",
            "hour: at most 10 in any 60 min: admits, 7 of 10 left"
        ]
    );
    let ExplainedResponse::Rejection { status, headers, body } = explained.response else {
        panic!("it passes")
    };
    assert_eq!((status, body.as_str()), (429, "Too many requests\n"));
    let wait = ("retry-after".to_string(), "60".to_string());
    assert!(headers.contains(&wait) && headers.contains(&("x-ratelimit-reset".into(), "1747314060".into())));
}

#[test]
fn what_passes_gets_its_headers() {
    let ExplainedResponse::Upstream { headers, .. } = explained("GET /", |request| request, 2).response
    else {
        panic!("it is rejected")
    };
    assert_eq!(headers[1], ("x-ratelimit-remaining".into(), "1".into()));
}

#[test]
fn a_a_match_by_keys_says_what_it_asked_for_and_shows_no_credential() {
    const BY_KEYS: &str = "
keys:
  user: { metadata: [auth, sub] }
  roles: { metadata: [auth, roles] }
  token: { header: x-token }
  either: { first_of: [token, user] }
exempt: [{ keys: { token: hush-hush } }, { keys: { either: hush-too } }]
policies:
  - { name: admins, key: user, match: [{ keys: { roles: admin } }], limits: [{ quota: 5, window: 1m }] }
  - { name: by_roles, key: roles, except: [{ keys: { roles: guest } }], limits: [{ quota: 5, window: 1m }] }
";
    let value = Document::read(BY_KEYS, Syntax::Yaml).map_err(|error| error.to_config_error()).unwrap().value;
    let set = compile(&value).unwrap();
    let applicability = |roles: &[&str], token: &str| {
        let request =
            SampleRequest::new("GET", "/").with_header("x-token", token).with_metadata(["auth", "sub"], "u7");
        let request =
            roles.iter().fold(request, |request, role| request.with_metadata(["auth", "roles"], role));
        let policies = explain(&set, &request, &scenario(1)).policies;
        policies.into_iter().map(|policy| policy.applicability).collect::<Vec<_>>()
    };
    let counts = |caller: &str| Applicability::Counts(vec![caller.into()]);
    let not = |reason: &str| Applicability::Not(reason.into());
    assert_eq!(applicability(&["user", "admin"], ""), [counts("user u7"), counts("roles admin, user")]);
    assert_eq!(
        applicability(&["guest"], ""),
        [
            not("the request is not any path with the key roles = admin"),
            not("any path with the key roles = guest is excluded")
        ]
    );
    let exempt = "any path with a certain token is exempt";
    assert_eq!(applicability(&["admin"], "hush-hush"), [not(exempt), not(exempt)]);
    let exempt = "any path with a certain either is exempt";
    assert_eq!(applicability(&["admin"], "hush-too"), [not(exempt), not(exempt)]);
}

#[test]
fn a_policy_of_the_fleet_says_so_and_what_happens_in_an_outage() {
    for (word, outage) in [
        ("local", "each worker alone, with its share of the quota; what it admits is counted afterwards"),
        ("deny", "the request is answered with 503 and retry-after"),
        ("allow", "the request is admitted, and counted afterwards"),
    ] {
        let policy = POLICY
            .replace("    key: ip\n", &format!("    key: ip\n    scope: fleet\n    on_outage: {word}\n"));
        let policy = policy + "fleet: { cluster: tollgate-fleet }\n";
        let value =
            Document::read(&policy, Syntax::Yaml).map_err(|error| error.to_config_error()).unwrap().value;
        let set = compile(&value).unwrap();
        let request = SampleRequest::parse("GET /").unwrap().from_client("192.0.2.7".parse().unwrap());
        let json = explain(&set, &request, &scenario(1)).to_value(false).to_json();
        assert!(
            json.contains("\"scope\": \"fleet\"") && json.contains(&format!("\"on_outage\": \"{word}\"")),
            "{json}"
        );
        assert!(json.contains("\"scope\": \"proxy\"") && json.contains("\"on_outage\": null"), "{json}");
        let notes = &summary(&set).policies[1].notes;
        assert_eq!(notes, &[format!("counted over all proxies of the fleet; in an outage: {outage}")]);
    }
}
