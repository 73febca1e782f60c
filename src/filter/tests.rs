//! The filter with a fake host: from a configuration to replies, headers, counters and what lies in shared
//! data.

mod bodies;
mod chain;
mod fleet;
mod header_reads;
mod life;
mod metadata;
mod metrics;
mod operator;
mod responses;
mod seen;
mod tables;

use super::fake_host::{Fake, STREAM, host};
use super::membership::Members;
use super::{Flow, TollgateRoot, TollgateStream, WorkerTables};
use crate::time::SECOND;
use std::time::Duration;
use wasm_bindgen_test::wasm_bindgen_test;

const TWO_PER_MINUTE: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [{"name": "per-client", "key": "client", "limits": [{"quota": 2, "window": "60s"}]}],
    "headers": {"preset": "x-ratelimit", "describes": "per-client"}
}"#;

/// A worker under one configuration.
struct Worker {
    tables: WorkerTables,
    members: Members,
    root: TollgateRoot<Fake>,
}

impl Worker {
    /// The first worker of a process.
    fn start(configuration: &str) -> Worker {
        Worker::join(Fake::new(configuration))
    }

    /// One more worker of the process.
    fn join(host: Fake) -> Worker {
        let (tables, members) = (WorkerTables::default(), Members::default());
        let mut root = TollgateRoot::new(host, tables.clone(), members.clone(), 1);
        assert!(root.configure());
        Worker { tables, members, root }
    }

    /// The headers of one request, which stays open.
    fn request(&self, client: &str) -> (Flow, TollgateStream<Fake>) {
        host(|knows| {
            knows.request = vec![("x-client".into(), client.into())];
            knows.filter_state.clear();
        });
        let mut stream = self.root.create_stream(STREAM);
        (stream.request(STREAM), stream)
    }

    /// How many of so many whole requests pass.
    fn passed(&self, client: &str, requests: usize) -> usize {
        (0..requests).filter(|_| self.request(client).0 == Flow::Continue).count()
    }
}

fn wait(seconds: u64) {
    host(|knows| knows.now += seconds * SECOND);
}

fn response_header(name: &str) -> Option<String> {
    host(|knows| knows.response.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()))
}

fn counter(name: &str) -> u64 {
    let name = format!("tollgate.{name}");
    host(|knows| knows.counters.iter().find(|(own, _)| *own == name).map(|(_, count)| *count)).unwrap()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_within_the_limit_goes_on_and_its_response_says_what_is_left() {
    let worker = Worker::start(TWO_PER_MINUTE);
    let (flow, mut stream) = worker.request("acme");
    assert_eq!(flow, Flow::Continue);
    host(|knows| knows.response = vec![(":status".into(), "200".into())]);
    stream.response(STREAM);
    assert_eq!(response_header("x-ratelimit-remaining").as_deref(), Some("1"));
}

#[wasm_bindgen_test(unsupported = test)]
fn d_seconds_from_now_count_from_the_response_however_slow_the_upstream_is() {
    let worker = Worker::start(&TWO_PER_MINUTE.replace("x-ratelimit", "envoy"));
    let (_, mut stream) = worker.request("acme");
    wait(20);
    host(|knows| knows.response = vec![(":status".into(), "200".into())]);
    stream.response(STREAM);
    assert_eq!(response_header("x-ratelimit-reset").as_deref(), Some("40"));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_above_the_limit_is_answered_once_and_in_full() {
    let worker = Worker::start(TWO_PER_MINUTE);
    assert_eq!(worker.passed("acme", 2), 2);
    let (flow, mut stream) = worker.request("acme");
    assert_eq!(flow, Flow::Answered);
    let before = host(|knows| knows.response.clone());
    stream.response(STREAM);
    host(|knows| {
        let (status, _, details) = &knows.replies[0];
        assert_eq!((*status, knows.replies.len()), (429, 1));
        assert!(details.contains("per-client"), "{details}");
        assert_eq!(knows.response, before);
    });
    assert_eq!(response_header("x-ratelimit-remaining").as_deref(), Some("0"));
    assert!(response_header("retry-after").is_some());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_configuration_with_errors_is_rejected_and_limits_nothing() {
    let mut root = TollgateRoot::new(Fake::new("{}"), WorkerTables::default(), Members::default(), 1);
    assert!(!root.configure());
    assert_eq!(root.create_stream(STREAM).request(STREAM), Flow::Continue);
    assert_eq!(host(|knows| (knows.shared.len(), knows.tick)), (0, None));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_host_without_random_bytes_is_rejected() {
    let fake = Fake::new(TWO_PER_MINUTE);
    host(|knows| knows.has_random_bytes = false);
    assert!(!TollgateRoot::new(fake, WorkerTables::default(), Members::default(), 1).configure());
}

#[wasm_bindgen_test(unsupported = test)]
fn an_accepted_configuration_asks_for_a_tick_each_second() {
    let _worker = Worker::start(TWO_PER_MINUTE);
    assert_eq!(host(|knows| knows.tick), Some(Duration::from_secs(1)));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_tick_reports_what_was_counted_since_the_last() {
    let worker = Worker::start(TWO_PER_MINUTE);
    worker.passed("acme", 5);
    assert_eq!(counter("policy.per-client.admitted"), 0);
    worker.root.tick();
    worker.root.tick();
    assert_eq!((counter("policy.per-client.admitted"), counter("policy.per-client.refused")), (2, 3));
}

#[wasm_bindgen_test(unsupported = test)]
fn no_client_speaks_for_a_policy_in_shadow() {
    let shadow = TWO_PER_MINUTE.replace(r#""limits""#, r#""mode": "shadow", "limits""#);
    let shadow = shadow.replace(
        r#""policies""#,
        r#""shadow_header": "x-would", "exempt": [{"headers": {"x-monitor": true}}], "policies""#,
    );
    let worker = Worker::start(&shadow);
    let seen = |headers: &[(&str, &str)]| {
        host(|knows| {
            knows.request = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            knows.filter_state.clear();
        });
        assert_eq!(worker.root.create_stream(STREAM).request(STREAM), Flow::Continue);
        let is_it = |(name, value): &(String, String)| (name == "x-would").then(|| value.clone());
        host(|knows| knows.request.iter().filter_map(is_it).collect::<Vec<_>>())
    };
    let hostile = [("x-client", "acme"), ("x-would", "reject; policy=x"), ("x-would", "accept")];
    for expected in ["accept", "accept", "reject; policy=per-client; limit=limit; retry_after=60"] {
        assert_eq!(seen(&hostile), [expected]);
    }
    assert_eq!(
        seen(&[("x-would", "reject; policy=x"), ("x-monitor", "1")]),
        ["accept"],
        "no policy judges it"
    );
    assert_eq!(seen(&[("x-would", "reject; policy=x")]), ["accept"], "without a key");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_two_matches_count_is_one_in_the_counters() {
    let worker = Worker::start(
        r#"{"keys": {"m": {"request": "match"}}, "policies": [{"name": "p", "key": "m",
            "match": [{"name": "login", "path": "/login"}, {"name": "rest"}],
            "limits": [{"quota": 2, "window": "60s"}]}]}"#,
    );
    let path = |path: &str| {
        host(|knows| knows.request = vec![(":path".into(), path.into())]);
        worker.root.create_stream(STREAM).request(STREAM)
    };
    let flows: Vec<Flow> = (0..3).map(|_| path("/LOGIN")).collect();
    assert_eq!(flows, [Flow::Continue, Flow::Continue, Flow::Answered]);
    worker.root.tick();
    assert_eq!((counter("policy.p.admitted"), counter("policy.p.refused")), (2, 1));
}
