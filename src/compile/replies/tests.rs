use super::super::tests::{KEYS, compiled, with};
use crate::reply::Describes;
use wasm_bindgen_test::wasm_bindgen_test;

const WORDS: &str = "retry_after, limit, remaining, reset, window, policy, limit_name, request_id, message, code, consumer, tier";

/// The errors of a configuration with these fields, `$W` standing for all words of a template.
fn assert_errors(zoo: &[(&str, &str)]) {
    for (fields, errors) in zoo {
        assert_eq!(compiled(&with(fields)).unwrap_err(), errors.replace("$W", WORDS), "{fields}");
    }
}

fn assert_sound(zoo: &[&str]) {
    for fields in zoo {
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
fn each_error_of_a_rejection_is_told() {
    assert_errors(&[
        (r#""reject": {"status": 200}"#, "reject.status: found 200; allowed: a whole number from 400 to 599"),
        (r#""reject": {"body": {"a": 1}}"#, "reject.body: found an object of 1; allowed: a text"),
        (
            r#""reject": {"bodi": ""}"#,
            "reject.bodi: found an unknown field; allowed: status, format, body, content_type, message, code, headers; did you mean body?",
        ),
        (
            r#""reject": {"content_type": "json"}"#,
            "reject.content_type: found \"json\"; allowed: a media type such as application/json",
        ),
        (r#""reject": {"format": "json"}"#, "reject.format: found \"json\"; allowed: template, problem"),
        (
            r#""reject": {"body": "{retry_afer} {limit} {bananas}"}"#,
            "reject.body: found {retry_afer}; allowed: $W; did you mean retry_after?\n\
             reject.body: found {bananas}; allowed: $W",
        ),
        (
            r#""reject": {"content_type": "application/json", "body": "{\"a\": {policy}}"}"#,
            "reject.body: found {policy} outside quotes; allowed: outside quotes only numbers: retry_after, limit, remaining, reset, window",
        ),
        (
            r#""reject": {"content_type": "Application/Problem+JSON; charset=utf-8", "body": "{\"a\": {limit}"}"#,
            "reject.body: found text that is not JSON (EOF while parsing an object at line 1 column 26); allowed: JSON, also when it is filled in; or another content_type",
        ),
        (
            r#""reject": {"content_type": "application/json", "body": "0{remaining}"}"#,
            "reject.body: found text that is not JSON (invalid number at line 1 column 2); allowed: JSON, also when it is filled in; or another content_type",
        ),
        (
            r#""reject": {"content_type": "application/json"}"#,
            "reject.content_type: found JSON without a body; allowed: body beside it",
        ),
        (
            r#""reject": {"format": "problem", "body": "x", "content_type": "a/b"}"#,
            "reject.body: found body beside format problem; allowed: only with format template\n\
             reject.content_type: found content_type beside format problem; allowed: only with format template",
        ),
        (
            r#""reject": {"body": "x", "message": "a", "code": "b"}"#,
            "reject.message: found what no template tells; allowed: {message} in reject.body or reject.headers\n\
             reject.code: found what no template tells; allowed: {code} in reject.body or reject.headers",
        ),
        (
            r#""reject": {"headers": []}"#,
            "reject.headers: found a list of 0; allowed: an object of texts by header name",
        ),
        (
            r#""reject": {"headers": {"a b": "x", "x-a": "é", "x-b": " x", "x-c": "", "x-d": 1, "x-e": "{x}"}}"#,
            "reject.headers[\"a b\"]: found \"a b\"; allowed: a header name (letters, digits and !#$%&'*+-.^_`|~)\n\
             reject.headers.x-a: found \"é\"; allowed: a text of visible ASCII, without spaces around it\n\
             reject.headers.x-b: found \" x\"; allowed: a text of visible ASCII, without spaces around it\n\
             reject.headers.x-c: found \"\"; allowed: a text of visible ASCII, without spaces around it\n\
             reject.headers.x-d: found 1; allowed: a text of visible ASCII, without spaces around it\n\
             reject.headers.x-e: found {x}; allowed: $W",
        ),
    ]);
    for name in
        [":status", "Content-Type", "Retry-After", "transfer-encoding", "grpc-status", "X-RateLimit-Limit"]
    {
        let fields = format!(r#""reject": {{"headers": {{"{name}": "x"}}}}"#);
        assert!(compiled(&with(&fields)).is_err(), "{name}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_message_is_told() {
    let text = "allowed: a text, or an object of texts by language such as es, with default";
    let words = WORDS.replace("message, ", "");
    assert_errors(&[
        (r#""reject": {"message": 1}"#, &format!("reject.message: found 1; {text}")),
        (r#""reject": {"message": {}}"#, &format!("reject.message: found an object of 0; {text}")),
        (
            r#""reject": {"message": {"es": "a", "en": "b"}}"#,
            "reject.message.default: found nothing; allowed: es, en",
        ),
        (
            r#""reject": {"message": {"es": "a", "en": "b", "default": "fr"}}"#,
            "reject.message.default: found \"fr\"; allowed: es, en",
        ),
        (
            r#""reject": {"message": {"español": "a"}}"#,
            "reject.message[\"español\"]: found \"español\"; allowed: a language tag such as es or es-MX",
        ),
        (
            r#""reject": {"message": {"es": "a", "ES": "b", "default": "es"}}"#,
            "reject.message.ES: found the same language twice; allowed: each language once",
        ),
        (r#""reject": {"message": {"es": 1}}"#, "reject.message.es: found 1; allowed: a text"),
        (
            r#""reject": {"message": "{message}"}"#,
            &format!("reject.message: found {{message}}; allowed: {words}"),
        ),
        (
            r#""reject": {"message": {"es": "{limt}"}}"#,
            &format!("reject.message.es: found {{limt}}; allowed: {words}; did you mean limit?"),
        ),
    ]);
    assert_sound(&[
        r#""reject": {"message": {"es": "a"}}"#,
        r#""reject": {"message": {"es-MX": "a", "zh-Hant-TW": "b", "default": "zh-Hant-TW"}}"#,
        r#""reject": {"body": "x", "message": "a", "headers": {"x-m": "{message}"}}"#,
        r#""reject": {"body": "{message}", "message": "a {code}", "code": "c"}"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policys_own_words_have_their_errors_told_where_they_stand() {
    let p = |reject: &str, fields: &str| compiled(&two(&format!(r#""reject": {reject},"#), fields));
    let none = r#""charge": "sequential""#;
    assert_eq!(
        p(r#"{"status": 1, "body": "{x}"}"#, none).unwrap_err(),
        "policies[0].reject.status: found 1; allowed: a whole number from 400 to 599"
    );
    assert_eq!(
        p(r#"{"body": "{retry}"}"#, none).unwrap_err(),
        format!("policies[0].reject.body: found {{retry}}; allowed: {WORDS}")
    );
    assert_eq!(
        p(r#"{"content_type": "application/json"}"#, r#""reject": {"body": "x"}"#).unwrap_err(),
        "policies[0].reject.content_type: found text that is not JSON (expected value at line 1 column 1); \
         allowed: JSON, also when it is filled in; or another content_type"
    );
    assert_eq!(
        p(r#"{"body": "x"}"#, r#""reject": {"format": "problem"}"#).unwrap_err(),
        "policies[0].reject.body: found body beside format problem; allowed: only with format template"
    );
    assert!(p(r#"{"body": "x", "format": "template"}"#, r#""reject": {"format": "problem"}"#).is_ok());
    assert!(p(r#"{"format": "problem"}"#, r#""reject": {"body": "x", "content_type": "a/b"}"#).is_ok());
    assert_eq!(
        p(r#"{"message": "x"}"#, r#""reject": {"body": "x"}"#).unwrap_err(),
        "policies[0].reject.message: found what no template tells; allowed: {message} in reject.body or reject.headers"
    );
    assert!(p(r#"{"body": "{message}"}"#, r#""reject": {"body": "x", "message": "m"}"#).is_ok());
    assert!(p(r#"{"headers": {}}"#, none).is_ok());
    // What is wrong with the common words is told once, however many policies have them.
    assert_eq!(
        p(r#"{"status": 503}"#, r#""reject": {"body": "{x}"}"#).unwrap_err(),
        format!("reject.body: found {{x}}; allowed: {WORDS}")
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_limits_own_message_has_its_errors_told() {
    let limit = |message: &str, fields: &str| {
        compiled(&format!(
            r#"{{{KEYS}, "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, "window": "1m", "message": {message}}}]}}], {fields}}}"#
        ))
    };
    let none = r#""charge": "sequential""#;
    assert!(limit(r#""wait {retry_after}""#, none).is_ok());
    assert_eq!(
        limit("7", none).unwrap_err(),
        "policies[0].limits[0].message: found 7; allowed: a text, or an object of texts by language such as es, with default"
    );
    assert_eq!(
        limit(r#""x""#, r#""reject": {"body": "x"}"#).unwrap_err(),
        "policies[0].limits[0].message: found what no template tells; allowed: {message} in reject.body or reject.headers"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_8_what_tells_limits_is_a_error_where_they_are_secret() {
    let few = "retry_after, policy, limit_name, request_id, message, code, consumer, tier";
    for (word, suffix) in [("limit", ""), ("remaining", ""), ("reset", ""), ("window", "")] {
        let fields = format!(r#""headers": {{"preset": "secret"}}, "reject": {{"body": "{{{word}}}"}}"#);
        assert_eq!(
            compiled(&with(&fields)).unwrap_err(),
            format!("reject.body: found {{{word}}} beside headers.preset secret; allowed: {few}{suffix}")
        );
    }
    assert_errors(&[
        (
            r#""headers": {"preset": "secret"}, "reject": {"headers": {"x-a": "{window}"}}"#,
            &format!("reject.headers.x-a: found {{window}} beside headers.preset secret; allowed: {few}"),
        ),
        (
            r#""headers": {"preset": "secret", "show": "always", "describes": "p", "reset": "next_slot", "format": "delta", "names": {}}"#,
            "headers.show: found show beside this preset; allowed: only upstream beside preset secret\n\
             headers.describes: found describes beside this preset; allowed: only upstream beside preset secret\n\
             headers.reset: found reset beside this preset; allowed: only upstream beside preset secret\n\
             headers.format: found format beside this preset; allowed: only upstream beside preset secret\n\
             headers.names: found names beside this preset; allowed: only upstream beside preset secret",
        ),
    ]);
    assert_sound(&[
        r#""headers": {"preset": "secret", "upstream": "keep"}, "reject": {"body": "{retry_after} {policy}"}"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_limit_headers_is_told() {
    let presets = "x-ratelimit, ietf, github, envoy, secret";
    assert_errors(&[
        (
            r#""headers": {"preset": "ratelimit"}"#,
            &format!("headers.preset: found \"ratelimit\"; allowed: {presets}; did you mean x-ratelimit?"),
        ),
        (r#""headers": {}"#, &format!("headers.preset: found nothing; allowed: {presets}")),
        (
            r#""headers": {"preset": "x-ratelimit", "reset": "window"}"#,
            "headers.reset: found \"window\"; allowed: next_slot, full_reset, window_end",
        ),
        (
            r#""headers": {"preset": "x-ratelimit", "upstream": "drop"}"#,
            "headers.upstream: found \"drop\"; allowed: replace, keep",
        ),
        (
            r#""headers": {"preset": "x-ratelimit", "show": "on_200"}"#,
            "headers.show: found \"on_200\"; allowed: always, on_429",
        ),
        (
            r#""headers": {"preset": "ietf", "format": "epoch", "names": {}}"#,
            "headers.names: found names beside this preset; allowed: only with preset x-ratelimit or github\n\
             headers.format: found format beside this preset; allowed: delta",
        ),
        (
            r#""headers": {"preset": "envoy", "names": {}}"#,
            "headers.names: found names beside this preset; allowed: only with preset x-ratelimit or github",
        ),
        (
            r#""headers": {"preset": "github", "names": {"limit": "a:b", "used": "Retry-After"}}"#,
            "headers.names.limit: found \"a:b\"; allowed: a header name (letters, digits and !#$%&'*+-.^_`|~)\n\
             headers.names.used: found \"Retry-After\"; allowed: a name that nothing else has in a response",
        ),
        (
            r#""headers": {"preset": "github", "names": {"limit": "X-A", "used": "x-a"}}"#,
            "headers.names: found one name for two headers; allowed: a name of its own for each",
        ),
        (r#""access_log": 1"#, "access_log: found 1; allowed: true or false"),
    ]);
    assert_sound(&[
        r#""headers": {"preset": "ietf", "format": "delta"}"#,
        r#""headers": {"preset": "envoy", "format": "epoch", "reset": "window_end", "show": "on_429"}"#,
        r#""headers": {"preset": "github", "names": {"used": "x-used"}}, "access_log": true"#,
    ]);
}

#[wasm_bindgen_test(unsupported = test)]
fn headers_describe_the_only_limit_or_what_is_named() {
    let described = |json: &str| compiled(json).map(|set| set.replies.headers.clone().unwrap().describes);
    let named = |places: &[(usize, usize)]| Ok(Describes::Named(places.to_vec()));
    let only = |rest: &str| described(&with(&format!(r#""headers": {{"preset": "x-ratelimit"{rest}}}"#)));
    assert_eq!(only(""), named(&[(0, 0)]));
    assert_eq!(only(r#", "describes": "p""#), named(&[(0, 0)]));
    let of = |preset: &str, rest: &str| {
        described(&two("", &format!(r#""headers": {{"preset": "{preset}"{rest}}}"#)))
    };
    assert_eq!(of("x-ratelimit", r#", "describes": "p/b""#), named(&[(0, 1)]));
    assert_eq!(of("github", r#", "describes": ["q", "p/a"]"#), named(&[(1, 0), (0, 0)]));
    assert_eq!(of("github", r#", "describes": "violated""#), Ok(Describes::Violated));
    assert_eq!(of("envoy", ""), Ok(Describes::MostConstrained));
    assert_eq!(of("ietf", ""), Ok(Describes::All));
    assert_eq!(of("ietf", r#", "describes": "most_constrained""#), Ok(Describes::MostConstrained));
    for preset in ["x-ratelimit", "github"] {
        assert_eq!(
            of(preset, ""),
            Err("headers.describes: found nothing; allowed: violated, most_constrained, p/a, p/b, q/limit"
                .into())
        );
    }
    assert_eq!(
        of("ietf", r#", "describes": "p/c""#),
        Err("headers.describes: found \"p/c\"; allowed: violated, most_constrained, p/a, p/b, q/limit, q; did you mean p/a?".into())
    );
    assert_eq!(
        of("ietf", r#", "describes": ["p", "violated"]"#),
        Err("headers.describes[0]: found \"p\"; allowed: p/a, p/b, q/limit, q\n\
             headers.describes[1]: found \"violated\"; allowed: p/a, p/b, q/limit, q"
            .into())
    );
    assert_eq!(
        of("ietf", r#", "describes": []"#),
        Err("headers.describes: found a list of 0; allowed: a limit, as policy/limit, or as policy if that has one limit".into())
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn each_error_of_a_wait_is_told() {
    assert_errors(&[
        (
            r#""retry_after": {"show": "always", "min": 0, "max": 0, "jitter": 3601}"#,
            "retry_after.show: found \"always\"; allowed: on_429, never\n\
             retry_after.min: found 0; allowed: a whole number from 1 to 86400\n\
             retry_after.max: found 0; allowed: a whole number from 1 to 31622400\n\
             retry_after.jitter: found 3601; allowed: a whole number from 0 to 3600",
        ),
        (r#""retry_after": {"min": 10, "max": 9}"#, "retry_after.min: found 10; allowed: at most max, 9"),
        (
            r#""retry_after": {"minimum": 1}"#,
            "retry_after.minimum: found an unknown field; allowed: show, min, max, jitter",
        ),
    ]);
    assert_sound(&[
        r#""retry_after": {"min": 10, "max": 10, "jitter": 0, "show": "never"}"#,
        r#""retry_after": {}"#,
    ]);
}
