//! What becomes of configurations and streams that end.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn a_deleted_configuration_reports_what_was_counted_since_the_last_tick() {
    let worker = Worker::start(TWO_PER_MINUTE);
    worker.passed("acme", 5);
    drop(worker);
    assert_eq!((counter("policy.per-client.admitted"), counter("policy.per-client.refused")), (2, 3));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_deleted_configuration_posts_what_its_worker_owes() {
    let worker = Worker::start(TWO_PER_MINUTE);
    let other = Worker::join(Fake);
    host(|knows| knows.rejects_writes = true);
    assert_eq!(worker.passed("acme", 1), 1);
    host(|knows| knows.rejects_writes = false);
    drop(worker);
    assert_eq!(other.passed("acme", 5), 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_deleted_configuration_returns_the_units_of_leases_that_have_not_ended() {
    let worker = Worker::start(&TWO_PER_MINUTE.replace("\"quota\": 2", "\"quota\": 10000"));
    let other = Worker::join(Fake);
    assert_eq!(worker.passed("acme", 6_000), 6_000);
    let leased = worker.tables.of(None).with(|table| table.take_stats().leased).unwrap();
    assert!(leased > 1_000, "{leased} requests were served from leases");
    drop(worker);
    assert_eq!(other.passed("acme", 10_000), 4_000);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stream_that_ends_in_any_way_gives_back_what_it_had_in_flight() {
    let limit = r#""algorithm": "concurrency", "quota": 1"#;
    let worker = Worker::start(&TWO_PER_MINUTE.replace(r#""quota": 2, "window": "60s""#, limit));
    let (flow, open) = worker.request("acme");
    assert_eq!((flow, worker.passed("acme", 1)), (Flow::Continue, 0));
    drop(open);
    assert_eq!(worker.passed("acme", 3), 3);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stream_outlives_the_configuration_that_it_began_under() {
    let worker = Worker::start(TWO_PER_MINUTE);
    let (_, mut stream) = worker.request("acme");
    drop(worker);
    stream.response(STREAM);
    assert_eq!(response_header("x-ratelimit-remaining").as_deref(), Some("1"));
}
