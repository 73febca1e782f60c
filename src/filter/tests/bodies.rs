//! What responses report in their bodies.

use super::*;

const BODIES: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [
        {"name": "tokens", "key": "client", "cost": 10, "limits": [{"quota": 100, "window": "60s"}],
         "cost_body": {"format": "openai"}, "refund_on": ["5xx"]},
        {"name": "output", "key": "client", "cost": 10, "limits": [{"quota": 10000, "window": "60s"}],
         "cost_body": {"json": "/usage/completion_tokens", "without": 50}},
        {"name": "requests", "key": "client", "limits": [{"quota": 1000, "window": "60s"}]}
    ],
    "headers": {"preset": "x-ratelimit", "describes": "tokens"}
}"#;

const ANSWER: &str = r#"{"usage": {"prompt_tokens": 20, "completion_tokens": 5}}"#;

impl Worker {
    /// The response to a request of this client has begun, with these headers.
    fn begun(&self, client: &str, response: &[(&str, &str)]) -> TollgateStream<Fake> {
        let (flow, mut stream) = self.request(client);
        assert_eq!(flow, Flow::Continue);
        host(|knows| knows.body_reads = 0);
        let lines = response.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        host(|knows| knows.response = lines.collect());
        stream.response(STREAM);
        stream
    }

    /// How many tokens the client has left.
    fn left(&self, client: &str) -> String {
        let mut probe = self.begun(client, &[(":status", "503")]);
        probe.response_ended();
        // The probe was refunded.
        response_header("x-ratelimit-remaining").unwrap()
    }
}

fn piece(stream: &mut TollgateStream<Fake>, text: &str, ends: bool) {
    host(|knows| knows.body = text.as_bytes().to_vec());
    stream.response_body(STREAM, text.len(), ends);
}

fn unread(policy: &str) -> [u64; 4] {
    ["encoded", "type", "absent", "aborted"]
        .map(|why| counter(&format!("policy.{policy}.cost_body_unread_{why}")))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_settles_its_request_once_and_at_its_end() {
    let worker = Worker::start(BODIES);
    let json = [(":status", "200"), ("content-type", "application/json")];
    let mut stream = worker.begun("acme", &json);
    assert_eq!(response_header("x-ratelimit-remaining").as_deref(), Some("90"), "it holds 10");
    for (start, text) in [&ANSWER[..9], &ANSWER[9..30], &ANSWER[30..]].iter().enumerate() {
        piece(&mut stream, text, start == 2);
        assert_eq!(worker.left("acme"), if start == 2 { "75" } else { "90" });
    }
    // Whatever comes after the end changes nothing.
    piece(&mut stream, ANSWER, true);
    stream.response_ended();
    drop(stream);
    assert_eq!(worker.left("acme"), "75");
    // The end may come with trailers, or with an empty piece.
    let mut stream = worker.begun("acme", &json);
    piece(&mut stream, ANSWER, false);
    stream.response_ended();
    let mut stream = worker.begun("acme", &json);
    piece(&mut stream, ANSWER, false);
    piece(&mut stream, "", true);
    assert_eq!(worker.left("acme"), "25");
    worker.root.tick();
    assert_eq!(unread("tokens"), [0; 4]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_client_that_leaves_before_the_end_pays_no_less_than_it_holds() {
    let worker = Worker::start(BODIES);
    let json = [(":status", "200"), ("content-type", "application/json")];
    // Nothing has come, a part has come that says less than is held, and all but the end.
    for (text, left) in [("", "90"), (r#"{"usage": {"prompt_tokens": 2,"#, "80"), (ANSWER, "55")] {
        let mut stream = worker.begun("acme", &json);
        piece(&mut stream, text, false);
        drop(stream);
        assert_eq!(worker.left("acme"), left, "{text}");
    }
    worker.root.tick();
    assert_eq!(unread("tokens"), [0, 0, 0, 3]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_that_cannot_be_read_costs_what_is_stated_and_is_not_even_copied() {
    let worker = Worker::start(BODIES);
    for (headers, left) in [
        (vec![("content-type", "application/json"), ("content-encoding", "gzip")], "90"),
        (vec![("content-type", "application/vnd.amazon.eventstream")], "80"),
        (vec![], "70"),
    ] {
        let headers: Vec<_> = [(":status", "200")].into_iter().chain(headers).collect();
        let mut stream = worker.begun("acme", &headers);
        piece(&mut stream, ANSWER, true);
        assert_eq!(host(|knows| knows.body_reads), 0);
        drop(stream);
        assert_eq!(worker.left("acme"), left);
    }
    let mut stream = worker.begun("acme", &[(":status", "200"), ("content-type", "application/json")]);
    piece(&mut stream, r#"{"error": {"usage": {"prompt_tokens": 1}}}"#, true);
    assert_eq!(worker.left("acme"), "60");
    worker.root.tick();
    assert_eq!(unread("tokens"), [1, 2, 1, 0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn bodies_are_copied_only_where_a_policy_that_applies_reads_them() {
    let worker = Worker::start(BODIES);
    let json = [("content-type", "application/json")];
    // The policy of the tokens has been settled by the 503, and the other one awaits the body.
    for (status, reads) in [("200", 1), ("503", 1)] {
        let headers: Vec<_> = [(":status", status)].into_iter().chain(json).collect();
        let mut stream = worker.begun("acme", &headers);
        piece(&mut stream, ANSWER, true);
        assert_eq!(host(|knows| knows.body_reads), reads, "{status}");
    }
    drop(worker);
    let worker = Worker::start(TWO_PER_MINUTE);
    let mut stream = worker.begun("acme", &[(":status", "200"), ("content-type", "application/json")]);
    piece(&mut stream, ANSWER, true);
    assert_eq!(host(|knows| knows.body_reads), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_large_piece_is_copied_in_parts() {
    let worker = Worker::start(BODIES);
    let mut stream = worker.begun("acme", &[(":status", "200"), ("content-type", "application/json")]);
    let long =
        ANSWER.replace("{\"usage\"", &format!("{{\"text\": \"{}\", \"usage\"", "x\\\"".repeat(50_000)));
    piece(&mut stream, &long, true);
    assert_eq!(host(|knows| knows.body_reads), 3);
    assert_eq!(worker.left("acme"), "75");
}
