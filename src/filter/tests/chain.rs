//! Two Tollgates in one filter chain.

use super::*;

/// Two filters of one chain: the first one has let the request pass, and the other has rejected it.
fn rejected_by_the_second(first: &str, second: &str) -> TollgateStream<Fake> {
    let second = Worker::start(second);
    host(|knows| knows.configuration = first.into());
    let first = Worker::join(Fake);
    let (flow, stream) = first.request("acme");
    let mut rejecting = second.root.create_stream(STREAM);
    assert_eq!((flow, rejecting.request(STREAM)), (Flow::Continue, Flow::Answered));
    stream
}

#[wasm_bindgen_test(unsupported = test)]
fn f_the_rejection_of_a_later_tollgate_is_left_alone() {
    let other = r#"{"keys": {"client": {"header": "x-client"}},
        "policies": [{"name": "none", "key": "client", "cost": 2, "limits": [{"quota": 1, "window": "60s"}]}]"#;
    let silent = format!("{other}}}");
    let speaking = format!("{other}, \"headers\": {{\"preset\": \"x-ratelimit\"}}}}");
    for upstream in ["replace", "keep"] {
        let first = TWO_PER_MINUTE.replace(
            r#""describes": "per-client""#,
            &format!(r#""describes": "per-client", "upstream": "{upstream}""#),
        );
        for second in [&speaking, &silent] {
            let mut stream = rejected_by_the_second(&first, second);
            let before = host(|knows| knows.response.clone());
            assert!(before.iter().any(|(name, _)| name == "retry-after"));
            stream.response(STREAM);
            assert_eq!(host(|knows| knows.response.clone()), before, "upstream: {upstream}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn f_a_secret_is_kept_on_the_rejection_of_a_later_tollgate_too() {
    let first = TWO_PER_MINUTE
        .replace(r#"{"preset": "x-ratelimit", "describes": "per-client"}"#, r#"{"preset": "secret"}"#);
    let second = TWO_PER_MINUTE.replace(r#""key": "client", "#, r#""key": "client", "cost": 3, "#);
    let mut stream = rejected_by_the_second(&first, &second);
    assert!(response_header("x-ratelimit-limit").is_some());
    stream.response(STREAM);
    assert!(response_header("x-ratelimit-limit").is_none() && response_header("retry-after").is_some());
}
