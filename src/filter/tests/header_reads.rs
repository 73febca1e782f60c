//! Request headers, read one by one and in one call.

use super::*;
use crate::filter::host::StreamRequest;
use crate::filter::request_headers::RequestHeaders;
use crate::http::Request;
use proptest::prelude::*;

const NAMES: [&str; 5] = [":path", "authorization", "x-a", "x-b", "cookie"];

fn request(names: &[String]) -> StreamRequest<'_, Fake> {
    StreamRequest { host: Fake, stream: STREAM, headers: RequestHeaders::new(names) }
}

proptest! {
    /// Whatever lines a client sends, also repeated, empty and with commas, and whatever is asked for.
    #[wasm_bindgen_test(unsupported = test)]
    fn headers_are_the_same_whether_they_are_read_one_by_one_or_in_one_call(
        lines in prop::collection::vec((prop::sample::select(&NAMES[..]), "[a,; \u{ff}]{0,3}"), 0..8),
        names in prop::sample::subsequence(&NAMES[..], 0..5),
        hides_headers in any::<bool>(),
    ) {
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        Fake::new("");
        host(|knows| {
            knows.request = lines.into_iter().map(|(name, value)| (name.into(), value)).collect();
            knows.hides_headers = hides_headers;
        });
        let (single, together) = (request(&[]), request(&names));
        for name in NAMES.into_iter().chain(["x-absent"]) {
            for _ in 0..2 {
                prop_assert_eq!(single.header(name), together.header(name), "{}", name);
                prop_assert_eq!(single.lines(name), together.lines(name), "{}", name);
            }
        }
        prop_assert_eq!(single.cookies(), together.cookies());
    }
}

const THREE: &str = r#"{"exempt_preflight": false, "keys": {"a": {"header": "x-client"}, "b": {"header": "x-b"}},
    "policies": [{"name": "p", "key": ["a", "b"], "match": [{"path": "/v1/**"}], "limits": [{"quota": 2, "window": "60s"}]}]}"#;

fn ask(worker: &Worker, headers: &[(&str, &str)]) -> (Flow, (usize, usize)) {
    host(|knows| {
        knows.request = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        knows.header_reads = (0, 0);
    });
    let flow = worker.root.create_stream(STREAM).request(STREAM);
    (flow, host(|knows| knows.header_reads))
}

#[wasm_bindgen_test(unsupported = test)]
fn three_headers_are_read_in_one_call_and_decide_as_before() {
    let worker = Worker::start(THREE);
    let mine = [(":path", "/v1/x"), ("x-client", "me"), ("x-b", "1"), ("x-b", "2")];
    // A rejection reads what only it needs.
    for expected in [(Flow::Continue, (0, 1)), (Flow::Continue, (0, 1)), (Flow::Answered, (1, 1))] {
        assert_eq!(ask(&worker, &mine), expected);
    }
    let other = [(":path", "/v1/x"), ("x-client", "me"), ("x-b", "2"), ("x-b", "1")];
    assert_eq!(ask(&worker, &other).0, Flow::Continue, "the first line counts");
    assert_eq!(ask(&worker, &mine[..2]), (Flow::Continue, (0, 1)), "without one of the keys");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_host_that_does_not_show_all_headers_is_asked_for_each() {
    let worker = Worker::start(THREE);
    host(|knows| knows.hides_headers = true);
    let mine = [(":path", "/v1/x"), ("x-client", "me"), ("x-b", "1")];
    for expected in [(Flow::Continue, (3, 1)), (Flow::Continue, (3, 1)), (Flow::Answered, (4, 1))] {
        assert_eq!(ask(&worker, &mine), expected);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn two_headers_are_read_one_by_one() {
    let worker = Worker::start(&THREE.replace(r#"["a", "b"]"#, r#""a""#));
    assert_eq!(ask(&worker, &[(":path", "/v1/x"), ("x-client", "me")]), (Flow::Continue, (2, 0)));
}
