//! What rejected callers are told, to the byte.

use super::*;
use crate::reply::Reply;

/// One policy, `p`, of two requests per minute for each IP, with these further fields of the whole.
fn fixture(fields: &str) -> Fixture {
    of_policies(r#"{"name": "p", "key": "ip", "limits": [{"quota": 2, "window": "60s"}]}"#, fields)
}

fn of_policies(policies: &str, fields: &str) -> Fixture {
    let keys = r#"{"ip": {"client_ip": {}}, "key": {"header": "authorization", "scheme": "Bearer"}}"#;
    Fixture::new(&format!(r#"{{"keys": {keys}, "policies": [{policies}], {fields}}}"#))
}

fn caller() -> FakeRequest {
    FakeRequest::from("192.0.2.1")
}

impl Fixture {
    /// The third request's rejection: its status, headers and body.
    fn rejection(&mut self, request: &FakeRequest) -> (u32, Vec<String>, String) {
        let decision = (0..3).map(|_| self.decide(request)).last().unwrap();
        let Reply { status, headers, body, .. } = self.reply(&decision, request);
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        (status, headers, body.into_owned())
    }

    fn body(&mut self, request: &FakeRequest) -> String {
        self.rejection(request).2
    }

    /// What an access log shows of the next request.
    fn line(&mut self, request: &FakeRequest) -> String {
        let decision = self.decide(request);
        self.replies.access_line(&decision).unwrap()
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn without_any_words_a_rejection_is_as_it_always_was() {
    let (status, headers, body) = fixture(r#""reject": {}"#).rejection(&caller());
    assert_eq!((status, body.as_str()), (429, "Too many requests\n"));
    assert_eq!(
        headers,
        ["content-type: text/plain; charset=utf-8", "cache-control: no-store", "retry-after: 60"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_14_the_body_is_factuareas_to_the_byte() {
    let mut fixture = fixture(
        r#""reject": {"body": "{\"error\":{\"type\":\"rate_limit_error\",\"code\":\"{code}\",\"message\":\"{message}\",\"request_id\":\"req_{request_id}\"}}",
            "message": "Has superado el límite de peticiones. Vuelve a intentarlo en unos segundos."}"#,
    );
    let expected = |id: &str| {
        format!(
            r#"{{"error":{{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Has superado el límite de peticiones. Vuelve a intentarlo en unos segundos.","request_id":"req_{id}"}}}}"#
        )
    };
    let (_, headers, body) = fixture.rejection(&caller().with("x-request-id", "6e1c-4f"));
    assert_eq!(body, expected("6e1c-4f"));
    assert_eq!(headers[0], "content-type: application/json");
    let own = "abababababababababababababababab";
    assert_eq!(fixture.body(&caller()), expected(own));
    for hostile in [&b"a\" b"[..], b"\xFF", b"", &[b'a'; 129]] {
        assert_eq!(fixture.body(&caller().with("x-request-id", hostile)), expected(own), "{hostile:?}");
    }
    assert_eq!(fixture.body(&caller().with("x-request-id", b"a\"b")), expected("a\\\"b"));
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_4_the_body_is_safepays_with_the_real_wait() {
    let mut fixture = fixture(
        r#""reject": {"body": "{\"error\": \"Rate limit exceeded. Please retry after {retry_after} seconds.\"}"}"#,
    );
    assert_eq!(
        fixture.body(&caller()),
        r#"{"error": "Rate limit exceeded. Please retry after 60 seconds."}"#
    );
    fixture.wait(31);
    assert_eq!(
        fixture.body(&caller()),
        r#"{"error": "Rate limit exceeded. Please retry after 29 seconds."}"#
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_7_the_body_is_billiums_to_the_byte() {
    let body =
        r#"{"statusCode":429,"message":"ThrottlerException: Too Many Requests","error":"Too Many Requests"}"#;
    let mut fixture = fixture(&format!(r#""reject": {{"body": {body:?}}}"#));
    let (status, headers, said) = fixture.rejection(&caller());
    assert_eq!((status, said.as_str()), (429, body));
    assert_eq!(headers, ["content-type: application/json", "cache-control: no-store", "retry-after: 60"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_9_fp_10_fp_11_a_rejection_has_code_message_and_log_id() {
    let mut fixture = fixture(
        r#""headers": {"preset": "secret"},
           "reject": {"code": "RATE_LIMIT_EXCEEDED", "message": "Slow down.",
            "body": "{\"code\":\"{code}\",\"message\":\"{message}\"}", "headers": {"X-Facturapi-Log-Id": "{request_id}"}}"#,
    );
    let request = caller().with("x-request-id", "log-1");
    let (_, headers, body) = fixture.rejection(&request);
    assert_eq!(body, r#"{"code":"RATE_LIMIT_EXCEEDED","message":"Slow down."}"#);
    assert_eq!(
        headers,
        [
            "content-type: application/json",
            "cache-control: no-store",
            "x-facturapi-log-id: log-1",
            "retry-after: 60"
        ]
    );
    assert_eq!(fixture.headers(&request), [""; 0], "FP-8");
}

#[wasm_bindgen_test(unsupported = test)]
fn problem_details_name_all_that_reject() {
    let policies = r#"{"name": "one", "key": "ip", "limits": [{"quota": 2, "window": "60s"}, {"name": "hour", "quota": 2, "window": "1h"}]},
        {"name": "two", "key": "ip", "limits": [{"quota": 2, "window": "90s"}]},
        {"name": "wide", "key": "ip", "limits": [{"quota": 90, "window": "1h"}]}"#;
    let problem = |fields: &str| {
        let (status, headers, body) = of_policies(policies, fields).rejection(&caller());
        let types = ["content-type: application/problem+json"];
        assert_eq!(headers[..1], types);
        (status, body)
    };
    let begin = r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":"#;
    assert_eq!(
        problem(r#""reject": {"format": "problem"}"#),
        (
            429,
            format!(
                r#"{begin}429,"detail":"Too many requests","violated-policies":["one/limit","one/hour","two"]}}"#
            )
        )
    );
    assert_eq!(
        problem(
            r#""reject": {"format": "problem", "status": 503, "message": "\"{policy}\" {limit_name}", "code": "c"}"#
        ),
        (
            503,
            format!(
                r#"{begin}503,"detail":"\"one\" hour","code":"c","violated-policies":["one/limit","one/hour","two"]}}"#
            )
        )
    );
    assert_eq!(
        problem(r#""headers": {"preset": "secret"}, "reject": {"format": "problem"}"#),
        (429, format!(r#"{begin}429,"detail":"Too many requests"}}"#)),
        "FP-8"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_12_fa_15_the_limit_that_rejects_for_longest_chooses_the_words() {
    let policies = r#"
        {"name": "minute", "key": "ip", "limits": [{"quota": 2, "window": "60s"}], "reject": {"status": 503, "message": "a minute"}},
        {"name": "long", "key": "key", "limits": [
            {"name": "hour", "quota": 3, "window": "1h", "message": "an hour of {limit}"},
            {"name": "day", "quota": 4, "window": "1d"}],
         "reject": {"message": "a while", "headers": {"x-policy": "{policy}/{limit_name} {remaining} {window} {code}"}}}"#;
    let mut fixture = of_policies(policies, r#""reject": {"status": 420, "code": "c", "message": "common"}"#);
    let request = |ip: &str| FakeRequest::from(ip).key("k");
    let (status, headers, body) = fixture.rejection(&request("192.0.2.1"));
    assert_eq!((status, body.as_str()), (503, "a minute\n"));
    assert!(!headers.iter().any(|header| header.starts_with("x-policy")));
    let (status, headers, body) = fixture.rejection(&request("192.0.2.2"));
    assert_eq!((status, body.as_str()), (420, "an hour of 3\n"));
    assert_eq!(headers[2..], ["x-policy: long/hour 0 3600 c", "retry-after: 3600"]);
    fixture.wait(3_600);
    let (status, headers, body) = fixture.rejection(&request("192.0.2.2"));
    assert_eq!((status, body.as_str()), (420, "a while\n"));
    assert_eq!(headers[2..], ["x-policy: long/day 0 86400 c", "retry-after: 82800"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_policys_own_body_keeps_what_it_does_not_write() {
    let policies = r#"
        {"name": "plain", "key": "ip", "match": [{"path": "/plain"}], "limits": [{"quota": 2, "window": "60s"}], "reject": {"body": "no"}},
        {"name": "json", "key": "ip", "match": [{"path": "/json"}], "limits": [{"quota": 2, "window": "60s"}], "reject": {"body": "[{limit}]"}},
        {"name": "typed", "key": "ip", "match": [{"path": "/typed"}], "limits": [{"quota": 2, "window": "60s"}], "reject": {"content_type": "text/html"}},
        {"name": "problem", "key": "ip", "match": [{"path": "/problem"}], "limits": [{"quota": 2, "window": "60s"}], "reject": {"format": "problem"}}"#;
    let mut fixture =
        of_policies(policies, r#""reject": {"body": "{\"limit\":{limit}}", "headers": {"x-a": "b"}}"#);
    let mut said = |path: &str| {
        let (_, headers, body) = fixture.rejection(&caller().with(":path", path));
        assert!(headers.contains(&"x-a: b".to_string()));
        (headers[0].clone(), body)
    };
    let of = |content_type: &str, body: &str| (format!("content-type: {content_type}"), body.to_string());
    assert_eq!(said("/plain"), of("text/plain; charset=utf-8", "no"));
    assert_eq!(said("/json"), of("application/json", "[2]"));
    assert_eq!(said("/typed"), of("text/html", r#"{"limit":2}"#));
    assert_eq!(said("/problem").0, "content-type: application/problem+json");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_message_is_in_the_callers_language_and_says_so() {
    let mut fixture = fixture(
        r#""reject": {"message": {"en": "Wait {retry_after} s.", "es": "Espere {retry_after} s.", "default": "es"}}"#,
    );
    for (accepted, language, body) in [
        (None, "es", "Espere 60 s.\n"),
        (Some("en-GB, es;q=0.1"), "en", "Wait 60 s.\n"),
        (Some("fr"), "es", "Espere 60 s.\n"),
    ] {
        let request = accepted.map_or_else(caller, |accepted| caller().with("accept-language", accepted));
        let (_, headers, said) = fixture.rejection(&request);
        assert_eq!(said, body);
        assert_eq!(headers[1], format!("content-language: {language}"));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn grpc_callers_are_pushed_back_in_milliseconds() {
    let pushback = |fields: &str, content_type: &'static str| {
        let headers = fixture(fields).rejection(&caller().with("content-type", content_type)).1;
        headers
            .into_iter()
            .find_map(|header| Some(header.strip_prefix("grpc-retry-pushback-ms: ")?.to_string()))
    };
    for kind in ["application/grpc", "application/grpc+proto", "application/grpc;x"] {
        assert_eq!(pushback(r#""reject": {}"#, kind).as_deref(), Some("60000"), "{kind}");
    }
    for kind in ["application/json", "application/grpc-web", "application/grp", ""] {
        assert_eq!(pushback(r#""reject": {}"#, kind), None, "{kind}");
    }
    let of = |fields: &str| pushback(fields, "application/grpc");
    assert_eq!(of(r#""retry_after": {"min": 90}"#).as_deref(), Some("90000"));
    assert_eq!(of(r#""retry_after": {"show": "never"}"#), None);
    let month = r#"{"name": "p", "key": "ip", "limits": [{"quota": 2, "window": "30d"}]}"#;
    let (_, headers, _) = of_policies(month, r#""retry_after": {"max": 31622400}"#)
        .rejection(&caller().with("content-type", "application/grpc"));
    assert_eq!(
        headers.last().unwrap(),
        "grpc-retry-pushback-ms: -1",
        "32 bits are not enough: not to be retried"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn x_9_the_wait_has_a_least_a_most_and_jitter_between() {
    let waits = |retry_after: &str, elapsed: u64| {
        let mut fixture =
            fixture(&format!(r#""retry_after": {{{retry_after}}}, "headers": {{"preset": "x-ratelimit"}}"#));
        fixture.passed(2, |_| caller());
        fixture.wait(elapsed);
        let wait = |fixture: &mut Fixture| {
            fixture.now.mono += 1_000;
            fixture.now.wall += 1_000;
            let decision = fixture.decide(&caller());
            let reply = fixture.reply(&decision, &caller());
            let told: u64 = reply.headers.last().unwrap().1.parse().unwrap();
            let reset: u64 =
                fixture.headers(&caller()).last().unwrap()["x-ratelimit-reset: ".len()..].parse().unwrap();
            let over = fixture.now.wall + told * SECOND;
            assert!((reset + 1) * SECOND > over, "PA-4, FA-11: in whole seconds of the clock");
            told
        };
        let told: Vec<u64> = (0..200).map(|_| wait(&mut fixture)).collect();
        (*told.iter().min().unwrap(), *told.iter().max().unwrap())
    };
    assert_eq!(waits(r#""min": 1"#, 50), (10, 10));
    assert_eq!(waits(r#""min": 15"#, 50), (15, 15));
    assert_eq!(waits(r#""max": 5"#, 50), (5, 5));
    assert_eq!(waits(r#""jitter": 3"#, 50), (10, 13));
    assert_eq!(waits(r#""jitter": 30, "max": 12"#, 50), (10, 12));
    assert_eq!(waits(r#""jitter": 5, "min": 20, "max": 22"#, 50), (20, 22));
}

#[wasm_bindgen_test(unsupported = test)]
fn sp_5_the_header_may_be_left_out_while_the_words_still_tell_the_wait() {
    let (_, headers, body) =
        fixture(r#""retry_after": {"show": "never"}, "reject": {"body": "{retry_after}"}"#)
            .rejection(&caller());
    assert_eq!(headers, ["content-type: text/plain; charset=utf-8", "cache-control: no-store"]);
    assert_eq!(body, "60");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_access_log_gets_a_line_that_needs_no_quotes() {
    let mut fixture = fixture(r#""access_log": true"#);
    assert_eq!(
        fixture.line(&caller()),
        "decision=admitted policy=p limit=limit quota=2 remaining=1 near=false"
    );
    assert_eq!(
        fixture.line(&caller()),
        "decision=admitted policy=p limit=limit quota=2 remaining=0 near=true"
    );
    fixture.wait(53);
    assert_eq!(
        fixture.line(&caller()),
        "decision=refused policy=p limit=limit quota=2 remaining=0 retry_after=7 near=false"
    );
    let exempt = FakeRequest::from("192.0.2.1")
        .with(":method", "OPTIONS")
        .with("access-control-request-method", "GET");
    assert_eq!(fixture.line(&exempt), "decision=admitted near=false");
    let mut silent = super::Fixture::new(BILLIUM);
    let decision = silent.decide(&caller());
    assert_eq!(silent.replies.access_line(&decision), None);
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn whatever_a_caller_sends_a_rejection_is_json_and_its_headers_are_visible(
        id in proptest::collection::vec(any::<u8>(), 0..40),
        language in proptest::collection::vec(any::<u8>(), 0..40),
        message in any::<String>().prop_filter("no variables", |text| !text.contains('{')),
    ) {
        let message = serde_json::to_string(&message).unwrap();
        let mut fixture = fixture(&format!(
            r#""reject": {{"body": "{{\"m\":\"{{message}}\",\"i\":\"{{request_id}}\"}}", "message": {{"es": {message}, "en": "n", "default": "es"}},
                "headers": {{"x-id": "{{request_id}} {{message}}"}}}}"#
        ));
        let request = caller().with("x-request-id", &id).with("accept-language", &language);
        let (_, headers, body) = fixture.rejection(&request);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{}", body);
        prop_assert!(headers.iter().flat_map(|header| header.bytes()).all(|byte| (b' '..=b'~').contains(&byte)));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reply_has_each_limit_header_once() {
    let mut fixture = fixture(
        r#""reject": {"headers": {"x-quota": "own", "x-more": "own"}},
            "headers": {"preset": "x-ratelimit", "names": {"limit": "x-quota"}}"#,
    );
    let decision = (0..3).map(|_| fixture.decide(&caller())).last().unwrap();
    let limits = fixture.replies.limit_headers(&decision);
    let reply = fixture.reply(&decision, &caller()).with_limit_headers(limits);
    let told = |name| {
        let values = reply.headers.iter().filter(move |(header, _)| *header == name);
        values.map(|(_, value)| &**value).collect::<Vec<_>>()
    };
    assert_eq!((told("x-quota"), told("x-more")), (vec!["2"], vec!["own"]));
    assert_eq!(told("x-ratelimit-remaining"), ["0"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_grpc_caller_gets_the_message_alone() {
    let fields = r#""reject": {"status": 200, "body": "{\"error\":\"{message}\"}", "message": {"es": "Más despacio,\n{retry_after} s", "en": "Slow", "default": "es"}}"#;
    for (content_type, body) in [
        ("application/grpc", "Más despacio,\n60 s"),
        ("application/json", "{\"error\":\"Más despacio,\\n60 s\"}"),
    ] {
        let (_, headers, said) = fixture(fields).rejection(&caller().with("content-type", content_type));
        assert_eq!(said, body);
        let is_grpc = !headers.iter().any(|header| header.starts_with("content-type:"));
        assert_eq!(is_grpc, content_type == "application/grpc", "Envoy sets that of gRPC");
        assert!(headers.contains(&"content-language: es".into()), "{headers:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_may_be_marked_as_envoys_own_are() {
    let marks = |reject: &str| {
        let (_, headers, _) = fixture(&format!(r#""reject": {{{reject}}}"#)).rejection(&caller());
        headers.into_iter().filter(|header| header.starts_with("x-envoy-ratelimited")).collect::<Vec<_>>()
    };
    assert_eq!(marks(r#""code": "c", "body": "{code}""#), [""; 0]);
    assert_eq!(marks(r#""envoy_ratelimited": true"#), ["x-envoy-ratelimited: true"]);
    let own = r#""envoy_ratelimited": true, "headers": {"X-Envoy-RateLimited": "1"}"#;
    assert_eq!(marks(own), ["x-envoy-ratelimited: 1"], "once");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_upstream_is_shown_what_the_first_policy_in_shadow_would_have_said() {
    let policies = r#"{"name": "enforced", "key": "ip", "limits": [{"quota": 9, "window": "60s"}]},
        {"name": "one", "key": "ip", "mode": "shadow", "limits": [{"name": "day", "quota": 9, "window": "1d"}, {"name": "minute", "quota": 2, "window": "60s"}]},
        {"name": "two", "key": "ip", "mode": "shadow", "limits": [{"quota": 1, "window": "60s"}]}"#;
    let mut fixture = of_policies(policies, r#""shadow_header": "X-Would", "retry_after": {"min": 7}"#);
    assert_eq!(fixture.replies.shadow_header.as_deref(), Some("x-would"));
    let mut line = |elapsed| {
        fixture.wait(elapsed);
        let decision = fixture.decide(&caller());
        fixture.replies.shadow_line(&decision).to_string()
    };
    assert_eq!(line(0), "accept");
    assert_eq!(line(1), "reject; policy=two; limit=limit; retry_after=59");
    assert_eq!(line(1), "reject; policy=one; limit=minute; retry_after=58");
    assert_eq!(line(56), "reject; policy=one; limit=minute; retry_after=7", "by the rules of retry_after");
    assert_eq!(line(60), "accept");
}
