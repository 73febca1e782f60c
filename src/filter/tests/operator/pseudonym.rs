//! Callers by the pseudonym that the access log has of them.

use super::*;

fn with_log(policy: &str) -> String {
    policy.replacen('{', r#"{"access_log": {"caller": true},"#, 1)
}

/// The pseudonym in the access log's line about the last request.
fn pseudonym() -> String {
    let line = host(|knows| {
        let lines = knows.filter_state.iter().rev();
        lines.clone().find(|(name, _)| name == "tollgate").map(|(_, line)| line.clone()).unwrap()
    });
    line.split(' ').find_map(|word| word.strip_prefix("caller=")).unwrap().to_owned()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_is_seen_and_forgiven_by_the_pseudonym_of_the_access_log() {
    let (limiter, operator) = pair(&with_log(POLICY));
    assert_eq!((limiter.passed("bank", 3), limiter.passed("acme", 3)), (2, 2));
    let acme = pseudonym();
    wait(10);
    let path = format!("/caller?caller={acme}&consumer=acme-inc");
    let (status, body) = asked(&operator, "GET", &path, &[]);
    let expected =
        format!(r#"{{"caller":"{acme}","consumer":"acme-inc","tier":null,"policies":[{{"policy":"p""#);
    assert!(status == 200 && body.starts_with(&expected), "{body}");
    assert!(
        body.contains(r#""limit":"day","algorithm":"sliding_window","quota":3,"used":2,"remaining":1"#),
        "{body}"
    );
    // What the log does not say, the view does not know.
    let (_, body) = asked(&operator, "GET", &format!("/caller?caller={acme}"), &[]);
    assert!(body.contains(r#""consumer":null"#) && body.contains(r#""quota":20,"used":2"#), "{body}");
    assert_eq!(limiter.passed("acme", 5), 0, "to look changes nothing");

    let (status, body) = asked(&operator, "POST", &format!("/forgive?caller={acme}&policy=p"), &[]);
    assert!(status == 200 && body.contains(r#""policy":"p","forgiven":true"#), "{body}");
    let log = host(|knows| knows.log.last().unwrap().1.clone());
    assert_eq!(log, "an operator has forgiven a caller by its pseudonym: p");
    assert_eq!((limiter.passed("acme", 5), limiter.passed("bank", 5)), (2, 0), "nobody else");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_consumer_and_a_tier_that_the_policy_does_not_have_are_errors() {
    let (limiter, operator) = pair(&with_log(POLICY));
    limiter.passed("bank", 1);
    let bank = pseudonym();
    for other in ["consumer=nobody", "tier=gold"] {
        let (status, body) = asked(&operator, "GET", &format!("/caller?caller={bank}&{other}"), &[]);
        assert!(status == 404 && body.starts_with(r#"{"error":"the policy file has no such"#), "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_pseudonym_of_a_caller_by_several_keys_leads_to_its_one_record() {
    let policy =
        POLICY.replace(r#""quota": 90"#, r#""quota": 1"#).replace(r#""quota": 2,"#, r#""quota": 9,"#);
    let (limiter, operator) = pair(&with_log(&policy));
    assert!(passes(&limiter, "bank", "192.0.2.1") && passes(&limiter, "bank", "192.0.2.2"));
    assert!(!passes(&limiter, "bank", "192.0.2.1"));
    let first = pseudonym();
    let (_, body) = asked(&operator, "GET", &format!("/caller?caller={first}"), &[]);
    assert!(
        body.contains(r#""policies":[{"policy":"both""#) && body.ends_with(r#""left_out":[]}"#),
        "{body}"
    );
    wait(1);
    assert_eq!(asked(&operator, "POST", &format!("/forgive?caller={first}"), &[]).0, 200);
    let (_, body) = asked(&operator, "GET", &format!("/caller?caller={first}"), &[]);
    assert!(body.contains(r#""used":0"#) && body.contains(r#""forgiven_since":"2023"#), "{body}");
}

/// Credentials that the upstream decides about have a record of their own until it has.
#[wasm_bindgen_test(unsupported = test)]
fn with_a_caller_its_credentials_without_proof_are_forgiven() {
    let policy = r#"{
        "keys": {"token": {"header": "x-client", "valid": {"unless": [401]}}},
        "policies": [{"name": "p", "key": "token", "count_on": [200, 401], "limits": [{"quota": 2, "window": "60s"}]}]}"#;
    let (limiter, operator) = pair(&with_log(policy));
    let answered = |status: &str| {
        let (flow, mut stream) = limiter.request("bank");
        if flow == Flow::Continue {
            host(|knows| knows.response = vec![(":status".into(), status.into())]);
            stream.response(STREAM);
        }
        flow == Flow::Continue
    };
    while answered("200") {}
    let bank = pseudonym();
    wait(1);
    let (status, body) = asked(&operator, "POST", &format!("/forgive?caller={bank}"), &[]);
    assert!(status == 200 && body.contains(r#""forgiven":true"#), "{body}");
    assert_eq!((answered("200"), answered("200"), answered("200")), (true, true, false));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_large_table_is_searched_in_parts_of_a_bounded_length() {
    let policy = with_log(POLICY).replacen('{', r#"{"table": {"pages": 40000},"#, 1);
    let (limiter, operator) = pair(&policy);
    limiter.passed("bank", 1);
    let bank = pseudonym();
    let (mut path, mut parts) = (format!("/caller?caller={bank}"), 0);
    let found = loop {
        let before = host(|knows| knows.reads);
        let (status, body) = asked(&operator, "GET", &path, &[]);
        assert!(host(|knows| knows.reads) - before < 16_500);
        parts += 1;
        let Some((_, next)) = body.split_once(r#""next_page":"#) else { break (status, body) };
        assert_eq!(status, 404);
        let next: u32 = next.split(',').next().unwrap().parse().unwrap();
        path = format!("/caller?caller={bank}&from_page={next}");
    };
    assert!(found.0 == 200 && found.1.contains(r#""used":1"#) && parts <= 3, "{found:?}");
    let last = format!("/caller?caller={}&from_page=32768", "0123456789abcdef");
    let (status, body) = asked(&operator, "GET", &last, &[]);
    assert!(status == 404 && body.starts_with(r#"{"error":"nobody has this pseudonym"#), "{body}");
    assert!(!body.contains("next_page\":"), "{body}");
}

/// What all newcomers of a full page share is nobody's, and its fingerprint is known to everybody.
#[wasm_bindgen_test(unsupported = test)]
fn the_overflow_record_has_no_pseudonym() {
    let policy = r#"{"table": {"pages": 1}, "keys": {"user": {"metadata": ["auth", "sub"]}},
        "policies": [{"name": "p", "key": "user", "limits": [{"quota": 2, "window": "1h"}]}]}"#;
    let (limiter, operator) = pair(&with_log(policy));
    // An earlier filter vouches for them, so a full page makes no room for others.
    for number in 0..120 {
        let path = b"metadata\0filter_metadata\0auth\0sub".to_vec();
        host(|knows| knows.metadata.insert(path, Some(format!("user-{number}").into_bytes())));
        limiter.passed("x", 5);
    }
    limiter.root.tick();
    assert!(counter("table.overflow") > 0);
    for pseudonym in ["7fffffffffffffff", "ffffffffffffffff"] {
        for (method, path) in [("GET", "caller"), ("POST", "forgive")] {
            let (status, body) = asked(&operator, method, &format!("/{path}?caller={pseudonym}"), &[]);
            assert!(status == 404 && body.starts_with(r#"{"error":"nobody has this pseudonym"#), "{body}");
        }
    }
}
