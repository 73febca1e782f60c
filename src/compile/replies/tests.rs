use super::super::tests::{KEYS, compiled, error_paths, with};
use crate::reply::{Describes, LimitChoice};
use wasm_bindgen_test::wasm_bindgen_test;

/// Checks the paths of the errors of a configuration with these fields.
fn assert_errors(cases: &[(&str, &str)]) {
    for (fields, paths) in cases {
        assert_eq!(error_paths(&with(fields)), *paths, "{fields}");
    }
}

fn assert_valid(cases: &[&str]) {
    for fields in cases {
        assert_eq!(compiled(&with(fields)).map(|_| ()), Ok(()), "{fields}");
    }
}

/// Two policies, `p` with limits `a` and `b`, and `q` with one, and these fields.
fn two(p: &str, fields: &str) -> String {
    format!(
        r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", {p} "limits": [
            {{"name": "a", "quota": 5, "window": "1m"}}, {{"name": "b", "quota": 5, "window": "1m"}}]}},
            {{"name": "q", "key": "ip", "limits": [{{"quota": 5, "window": "1m"}}]}}], {fields}}}"#
    )
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_rejection_is_reported() {
    assert_errors(&[
        (r#""reject": {"status": 199}"#, "reject.status"),
        (r#""reject": {"status": 204}"#, "reject.status"),
        (r#""reject": {"status": 304}"#, "reject.status"),
        (r#""reject": {"envoy_ratelimited": "yes"}"#, "reject.envoy_ratelimited"),
        (r#""shadow_header": "a b""#, "shadow_header"),
        (r#""shadow_header": "Content-Length""#, "shadow_header"),
        (r#""shadow_header": "Authorization""#, "shadow_header"),
        (r#""reject": {"body": {"a": 1}}"#, "reject.body"),
        (r#""reject": {"bodi": ""}"#, "reject.bodi"),
        (r#""reject": {"content_type": "json"}"#, "reject.content_type"),
        (r#""reject": {"format": "json"}"#, "reject.format"),
        (r#""reject": {"body": "{retry_afer} {limit} {bananas}"}"#, "reject.body\nreject.body"),
        (r#""reject": {"content_type": "application/json", "body": "{\"a\": {policy}}"}"#, "reject.body"),
        (
            r#""reject": {"content_type": "Application/Problem+JSON; charset=utf-8", "body": "{\"a\": {limit}"}"#,
            "reject.body",
        ),
        (r#""reject": {"content_type": "application/json", "body": "0{remaining}"}"#, "reject.body"),
        (r#""reject": {"content_type": "application/json"}"#, "reject.content_type"),
        (
            r#""reject": {"format": "problem", "body": "x", "content_type": "a/b"}"#,
            "reject.body\nreject.content_type",
        ),
        (r#""reject": {"body": "x", "message": "a", "code": "b"}"#, "reject.message\nreject.code"),
        (r#""reject": {"headers": []}"#, "reject.headers"),
        (
            r#""reject": {"headers": {"a b": "x", "x-a": "é", "x-b": " x", "x-c": "", "x-d": 1, "x-e": "{x}"}}"#,
            "reject.headers[\"a b\"]\nreject.headers.x-a\nreject.headers.x-b\nreject.headers.x-c\nreject.headers.x-d\nreject.headers.x-e",
        ),
    ]);
    for name in [":status", "Content-Type", "Retry-After", "transfer-encoding", "grpc-status"] {
        let fields = format!(r#""reject": {{"headers": {{"{name}": "x"}}}}"#);
        assert!(compiled(&with(&fields)).is_err(), "{name}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_message_is_reported() {
    assert_errors(&[
        (r#""reject": {"message": 1}"#, "reject.message"),
        (r#""reject": {"message": {}}"#, "reject.message"),
        (r#""reject": {"message": {"es": "a", "en": "b"}}"#, "reject.message.default"),
        (r#""reject": {"message": {"es": "a", "en": "b", "default": "fr"}}"#, "reject.message.default"),
        (r#""reject": {"message": {"español": "a"}}"#, "reject.message[\"español\"]"),
        (r#""reject": {"message": {"es": "a", "ES": "b", "default": "es"}}"#, "reject.message.ES"),
        (r#""reject": {"message": {"es": 1}}"#, "reject.message.es"),
        (r#""reject": {"message": "{message}"}"#, "reject.message"),
        (r#""reject": {"message": {"es": "{limt}"}}"#, "reject.message.es"),
    ]);
    assert_valid(&[
        r#""reject": {"message": {"es": "a"}}"#,
        r#""reject": {"message": {"es-MX": "a", "zh-Hant-TW": "b", "default": "zh-Hant-TW"}}"#,
        r#""reject": {"body": "x", "message": "a", "headers": {"x-m": "{message}"}}"#,
        r#""reject": {"body": "{message}", "message": "a {code}", "code": "c"}"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn errors_of_a_policys_own_rejection_are_reported_where_they_are() {
    let of = |reject: &str, fields: &str| error_paths(&two(&format!(r#""reject": {reject},"#), fields));
    let none = r#""charge": "sequential""#;
    assert_eq!(of(r#"{"status": 1, "body": "{x}"}"#, none), "policies[0].reject.status");
    assert_eq!(of(r#"{"body": "{retry}"}"#, none), "policies[0].reject.body");
    assert_eq!(
        of(r#"{"content_type": "application/json"}"#, r#""reject": {"body": "x"}"#),
        "policies[0].reject.content_type"
    );
    assert_eq!(of(r#"{"body": "x"}"#, r#""reject": {"format": "problem"}"#), "policies[0].reject.body");
    assert_eq!(of(r#"{"body": "x", "format": "template"}"#, r#""reject": {"format": "problem"}"#), "");
    assert_eq!(of(r#"{"format": "problem"}"#, r#""reject": {"body": "x", "content_type": "a/b"}"#), "");
    assert_eq!(of(r#"{"message": "x"}"#, r#""reject": {"body": "x"}"#), "policies[0].reject.message");
    assert_eq!(of(r#"{"body": "{message}"}"#, r#""reject": {"body": "x", "message": "m"}"#), "");
    assert_eq!(of(r#"{"headers": {}}"#, none), "");
    // An error in the common rejection is reported once, however many policies use it.
    assert_eq!(of(r#"{"status": 503}"#, r#""reject": {"body": "{x}"}"#), "reject.body");
}

#[wasm_bindgen_test(unsupported = test)]
fn errors_of_a_limits_own_message_are_reported() {
    let limit = |message: &str, fields: &str| {
        error_paths(&format!(
            r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, "window": "1m", "message": {message}}}]}}], {fields}}}"#
        ))
    };
    let none = r#""charge": "sequential""#;
    assert_eq!(limit(r#""wait {retry_after}""#, none), "");
    assert_eq!(limit("7", none), "policies[0].limits[0].message");
    assert_eq!(limit(r#""x""#, r#""reject": {"body": "x"}"#), "policies[0].limits[0].message");
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_8_what_reveals_limits_is_an_error_where_they_are_secret() {
    for word in ["limit", "remaining", "reset", "window"] {
        let fields = format!(r#""headers": {{"preset": "secret"}}, "reject": {{"body": "{{{word}}}"}}"#);
        assert_eq!(error_paths(&with(&fields)), "reject.body");
    }
    assert_errors(&[
        (
            r#""headers": {"preset": "secret"}, "reject": {"headers": {"x-a": "{window}"}}"#,
            "reject.headers.x-a",
        ),
        (
            r#""headers": {"preset": "secret", "show": "always", "describes": "p", "reset": "next_slot", "format": "delta", "names": {}}"#,
            "headers.show\nheaders.describes\nheaders.reset\nheaders.format\nheaders.names",
        ),
    ]);
    assert_valid(&[
        r#""headers": {"preset": "secret", "upstream": "keep"}, "reject": {"body": "{retry_after} {policy}"}"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_limit_headers_is_reported() {
    assert_errors(&[
        (r#""headers": {"preset": "ratelimit"}"#, "headers.preset"),
        (r#""headers": {}"#, "headers"),
        (r#""headers": {"preset": "x-ratelimit", "reset": "window"}"#, "headers.reset"),
        (r#""headers": {"preset": "x-ratelimit", "upstream": "drop"}"#, "headers.upstream"),
        (r#""headers": {"preset": "x-ratelimit", "show": "on_200"}"#, "headers.show"),
        (r#""headers": {"preset": "ietf", "format": "epoch", "names": {}}"#, "headers.format\nheaders.names"),
        (r#""headers": {"preset": "envoy", "names": {}}"#, "headers.names"),
        (
            r#""headers": {"preset": "github", "names": {"limit": "a:b", "used": "Retry-After"}}"#,
            "headers.names.limit\nheaders.names.used",
        ),
        (r#""headers": {"preset": "github", "names": {"limit": "X-A", "used": "x-a"}}"#, "headers.names"),
        (r#""access_log": 1"#, "access_log"),
    ]);
    assert_valid(&[
        r#""headers": {"preset": "ietf", "format": "delta"}"#,
        r#""headers": {"preset": "envoy", "format": "epoch", "reset": "window_end", "show": "on_429"}"#,
        r#""headers": {"preset": "github", "names": {"used": "x-used"}}, "access_log": true"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_describe_the_only_limit_or_what_is_named() {
    let described = |json: &str| compiled(json).unwrap().replies.headers.remove(0).describes;
    let named = |limits: &[(usize, usize)]| Describes::Named(limits.to_vec());
    let only = |rest: &str| described(&with(&format!(r#""headers": {{"preset": "x-ratelimit"{rest}}}"#)));
    assert_eq!(only(""), named(&[(0, 0)]));
    assert_eq!(only(r#", "describes": "p""#), named(&[(0, 0)]));
    let headers =
        |preset: &str, rest: &str| two("", &format!(r#""headers": {{"preset": "{preset}"{rest}}}"#));
    let of = |preset: &str, rest: &str| described(&headers(preset, rest));
    assert_eq!(of("x-ratelimit", r#", "describes": "p/b""#), named(&[(0, 1)]));
    assert_eq!(of("github", r#", "describes": ["q", "p/a"]"#), named(&[(1, 0), (0, 0)]));
    assert_eq!(of("github", r#", "describes": "violated""#), Describes::Chosen(LimitChoice::Violated));
    assert_eq!(of("envoy", ""), Describes::Chosen(LimitChoice::MostConstrained));
    assert_eq!(of("ietf", ""), Describes::Chosen(LimitChoice::All));
    assert_eq!(
        of("ietf", r#", "describes": "most_constrained""#),
        Describes::Chosen(LimitChoice::MostConstrained)
    );
    for preset in ["x-ratelimit", "github"] {
        assert_eq!(error_paths(&headers(preset, "")), "headers.describes");
    }
    assert_eq!(error_paths(&headers("ietf", r#", "describes": "p/c""#)), "headers.describes");
    assert_eq!(
        error_paths(&headers("ietf", r#", "describes": ["p", "violated"]"#)),
        "headers.describes[0]\nheaders.describes[1]"
    );
    assert_eq!(
        of("github", r#", "describes": ["violated", "q", "p/a"]"#),
        Describes::ViolatedElse(vec![(1, 0), (0, 0)])
    );
    assert_eq!(of("ietf", r#", "describes": ["violated"]"#), Describes::ViolatedElse(Vec::new()));
    assert_eq!(of("ietf", r#", "describes": "all""#), Describes::Chosen(LimitChoice::All));
    assert_eq!(error_paths(&headers("github", r#", "describes": "all""#)), "headers.describes");
    assert_eq!(
        error_paths(&headers("ietf", r#", "describes": ["most_constrained", "q"]"#)),
        "headers.describes[0]"
    );
    assert_eq!(error_paths(&headers("ietf", r#", "describes": []"#)), "headers.describes");
}

#[wasm_bindgen_test(unsupported = test)]
fn old_policies_with_a_limit_named_all_describe_that_limit() {
    let json = format!(
        r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, "window": "1m"}}]}},
            {{"name": "all", "key": "ip", "limits": [{{"quota": 5, "window": "1m"}}]}}],
            "headers": {{"preset": "ietf", "describes": "all"}}}}"#
    );
    let headers = compiled(&json).unwrap().replies.headers;
    assert_eq!(headers[0].describes, Describes::Named(vec![(1, 0)]));
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_set_of_headers_is_reported() {
    assert_errors(&[
        (r#""headers": []"#, "headers"),
        (r#""headers": 1"#, "headers"),
        (r#""headers": [1, {"preset": "okta"}]"#, "headers[0]"),
        (r#""headers": {"preset": "okta", "fields": {"x-a": "{limit}"}}"#, "headers"),
        (r#""headers": {"fields": {}}"#, "headers.fields"),
        (r#""headers": {"fields": {"x a": "{limit}"}}"#, r#"headers.fields["x a"]"#),
        (r#""headers": {"fields": {"x-{tier}": "{limit}"}}"#, r#"headers.fields["x-{tier}"]"#),
        (
            r#""headers": {"fields": {"x-a": "{message}", "x-b": " {limit}"}}"#,
            "headers.fields.x-a\nheaders.fields.x-b",
        ),
        (r#""headers": {"fields": {"Retry-After": "{limit}"}}"#, "headers.fields.Retry-After"),
        (r#""headers": {"fields": {"x-a": "1", "X-A": "2"}}"#, "headers.fields.X-A"),
        (r#""headers": {"fields": {"x-a": "1"}, "names": {}}"#, "headers.names"),
        (
            r#""headers": {"fields": {"x-a": "1"}, "from": "101%", "format": "ms"}"#,
            "headers.format\nheaders.from",
        ),
        (
            r#""headers": {"fields": {"x-a": "1"}, "describes": "all", "reset_on_429": "after_wait"}"#,
            "headers.reset_on_429",
        ),
        (r#""headers": [{"preset": "okta"}, {"preset": "secret"}]"#, "headers[1].preset"),
        (r#""headers": [{"preset": "x-ratelimit"}, {"preset": "github"}]"#, "headers[1].preset"),
        (r#""headers": [{"fields": {"X-a": "1"}}, {"fields": {"x-A": "1"}}]"#, "headers[1].fields.x-A"),
        (
            r#""headers": [{"fields": {"x-used": "1"}}, {"preset": "okta", "names": {"used": "x-used"}}]"#,
            "headers[1].names",
        ),
        (
            r#""headers": {"fields": {"X-RateLimit-Left": "{remaining}"}}, "reject": {"headers": {"x-ratelimit-left": "0"}}"#,
            "reject.headers.x-ratelimit-left",
        ),
        (
            r#""headers": {"preset": "okta"}, "reject": {"headers": {"X-Rate-Limit-Reset": "0"}}"#,
            "reject.headers.X-Rate-Limit-Reset",
        ),
    ]);
    let many = vec![r#"{"preset": "ietf"}"#; 17].join(",");
    assert_eq!(error_paths(&with(&format!(r#""headers": [{many}]"#))), "headers");
    assert_valid(&[
        r#""headers": {"preset": "okta", "format": "rfc3339"}, "reject": {"headers": {"x-ratelimit-reset": "0", "X-Envoy-RateLimited": "true"}}"#,
        r#""headers": [{"preset": "secret"}]"#,
        r#""headers": [{"preset": "okta"}, {"preset": "ietf", "describes": "all"}, {"fields": {"x-{policy}": "{limit}"}, "describes": "all"}]"#,
        r#""headers": {"fields": {"x-a": "{limit}"}, "describes": "all", "reset_on_429": "own"}"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_of_each_limit_have_names_that_differ() {
    let of = |headers: &str| error_paths(&two("", &format!(r#""headers": {headers}"#)));
    assert_eq!(of(r#"{"fields": {"x-{policy}-{limit_name}": "{limit}"}, "describes": "all"}"#), "");
    for name in ["x-a", "x-{policy}"] {
        let paths = of(&format!(r#"{{"fields": {{"{name}": "{{limit}}"}}, "describes": "all"}}"#));
        assert!(paths.starts_with("headers.fields"), "{name}: {paths}");
    }
    // Only one of them is described at a time.
    for describes in [r#""violated""#, r#"["p/a", "p/b", "q"]"#] {
        assert_eq!(
            of(&format!(r#"{{"fields": {{"x-{{policy}}": "{{limit}}"}}, "describes": {describes}}}"#)),
            ""
        );
    }
    let second = |describes: &str| {
        of(&format!(
            r#"[{{"fields": {{"x-{{limit_name}}": "1"}}, "describes": {describes}}}, {{"fields": {{"x-b": "1"}}, "describes": "q"}}]"#
        ))
    };
    assert_eq!(second(r#"["p/a", "q"]"#), "");
    assert_eq!(second(r#"["p/a", "p/b"]"#), "headers[1].fields.x-b");
    assert_eq!(second(r#"["violated", "q"]"#), "headers[1].fields.x-b");
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_wait_is_reported() {
    assert_errors(&[
        (
            r#""retry_after": {"show": "always", "min": 0, "max": 0, "jitter": 3601}"#,
            "retry_after.show\nretry_after.min\nretry_after.max\nretry_after.jitter",
        ),
        (r#""retry_after": {"min": 10, "max": 9}"#, "retry_after.min"),
        (r#""retry_after": {"minimum": 1}"#, "retry_after.minimum"),
    ]);
    assert_valid(&[
        r#""retry_after": {"min": 10, "max": 10, "jitter": 0, "show": "never"}"#,
        r#""retry_after": {}"#,
    ]);
}
