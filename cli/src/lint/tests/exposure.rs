//! Headers that are not sent, and credentials that anybody can read.

use super::{NOTHING, warnings};

#[test]
fn headers_about_a_policy_in_shadow_are_warned_about() {
    let of = |mode: &str, describes: &str| {
        warnings(&format!(
            "keys: {{ ip: {{ client_ip: {{}} }} }}
policies:
  - {{ name: tried, key: ip, {mode}, limits: [{{ quota: 5, window: 1m }}] }}
  - {{ name: other, key: ip, limits: [{{ quota: 5, window: 1m }}] }}
headers: {{ preset: x-ratelimit, describes: {describes} }}
"
        ))
    };
    let found = ["headers.describes: tried is in shadow, so no response describes its limit"];
    assert_eq!(of("mode: shadow", "tried"), found);
    assert_eq!(of("mode: shadow", "[other, tried]"), found);
    assert_eq!(of("mode: shadow", "other"), NOTHING);
    assert_eq!(of("mode: shadow", "violated"), NOTHING);
    assert_eq!(of("mode: enforce", "tried"), NOTHING);
    assert_eq!(of("effective_from: 2099-01-01T00:00:00Z", "tried"), NOTHING, "it will be enforced later");
}

#[test]
fn a_credential_in_clear_text_is_warned_about_and_not_shown() {
    let digest = "0123456789abcdef".repeat(4);
    let found = warnings(&format!(
        "keys:
  api_key: {{ header: x-key }}
  query: {{ query: key }}
  session: {{ cookie: session }}
  user: {{ metadata: [filter, sub] }}
  name: {{ consumer: name }}
consumers:
  - name: acme
    keys: {{ api_key: ['sha256:{digest}', sk_live_1, SHA256:abc], user: [user-7] }}
  - name: other
    keys: {{ query: [sk_live_2], session: [sk_live_3] }}
policies: [{{ name: p, key: name, limits: [{{ quota: 5, window: 1m }}] }}]
"
    ));
    let message = "a credential in clear text; use the digest that tollgate hash prints instead";
    let of = |path: &str| format!("consumers{path}: {message}");
    assert_eq!(
        found,
        [
            of("[0].keys.api_key[1]"),
            of("[0].keys.api_key[2]"),
            of("[1].keys.query[0]"),
            of("[1].keys.session[0]")
        ],
        "metadata of an earlier filter is no secret"
    );
}
