//! The filter with a fake host: from a configuration to replies, headers, counters and what lies in shared
//! data.

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
fn workers_of_one_process_share_their_counts() {
    let one = Worker::start(TWO_PER_MINUTE);
    let other = Worker::join(Fake);
    assert_eq!(one.passed("acme", 1) + other.passed("acme", 5), 2);
}

/// A policy with the table of this name.
fn in_table(name: &str) -> String {
    TWO_PER_MINUTE.replacen('{', &format!(r#"{{"table": {{"name": "{name}"}},"#), 1)
}

#[wasm_bindgen_test(unsupported = test)]
fn tables_share_counts_only_if_they_have_the_same_name() {
    let unnamed = Worker::start(TWO_PER_MINUTE);
    let ingress = Worker::join(Fake::again(&in_table("ingress")));
    let orders = Worker::join(Fake::again(&in_table("orders")));
    let ingress_too = Worker::join(Fake::again(&in_table("ingress")));
    assert_eq!(unnamed.passed("acme", 5), 2);
    assert_eq!(orders.passed("acme", 5), 2);
    assert_eq!(ingress.passed("acme", 1) + ingress_too.passed("acme", 5), 2);
}

/// Envoy runs filters with the same `vm_id` and module in one VM.
#[wasm_bindgen_test(unsupported = test)]
fn tables_with_different_names_in_one_vm_do_not_share_counts() {
    let worker = Worker::start(&in_table("ingress"));
    let configure = |configuration: &str| {
        let host = Fake::again(configuration);
        let mut root = TollgateRoot::new(host, worker.tables.clone(), worker.members.clone(), 2);
        assert!(root.configure());
        Worker { tables: worker.tables.clone(), members: worker.members.clone(), root }
    };
    assert_eq!(worker.passed("acme", 5), 2);
    assert_eq!(configure(&in_table("orders")).passed("acme", 5), 2);
    assert_eq!(configure(&in_table("ingress")).passed("acme", 5), 0);
    assert_eq!(configure(TWO_PER_MINUTE).passed("acme", 5), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn tables_of_different_sizes_can_stand_beside_each_other_by_name() {
    let _unnamed = Worker::start(TWO_PER_MINUTE);
    let smaller = in_table("small").replacen("\"name\"", "\"pages\": 8, \"name\"", 1);
    assert_eq!(Worker::join(Fake::again(&smaller)).passed("acme", 5), 2);
    let without_name = smaller.replace(", \"name\": \"small\"", "");
    let host = Fake::again(&without_name);
    assert!(!TollgateRoot::new(host, WorkerTables::default(), Members::default(), 1).configure());
}

/// Keys of tables end with four bytes of a digest, so two names can have the same keys.
#[wasm_bindgen_test(unsupported = test)]
fn a_name_that_cannot_be_told_from_that_of_a_running_table_is_an_error() {
    let _ours = Worker::start(&in_table("ours"));
    host(|knows| {
        let (_, (header, _)) =
            knows.shared.iter_mut().find(|(key, _)| key.starts_with(b"tollgate:table")).unwrap();
        assert!(header.ends_with(b"ours"));
        header.truncate(header.len() - 4);
        header.extend_from_slice(b"others");
    });
    let host = Fake::again(&in_table("ours"));
    assert!(!TollgateRoot::new(host, WorkerTables::default(), Members::default(), 1).configure());
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

const COSTS: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "exempt": [{"headers": {"x-free": true}}],
    "policies": [
        {"name": "units", "key": "client", "cost": 10, "limits": [{"quota": 103, "window": "60s"}],
         "cost_header": {"name": "X-Cost", "remove": true, "without": 3}},
        {"name": "items", "key": "client", "limits": [{"algorithm": "stock", "quota": 50}],
         "stock_header": {"name": "x-items", "remove": true}, "refund_on": [409]}
    ]
}"#;

impl Worker {
    /// What is left of a response with these headers after it has passed the filter.
    fn answered(&self, client: &str, response: &[(&str, &str)]) -> Vec<(String, String)> {
        let (_, mut stream) = self.request(client);
        let response = response.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let status = (":status".to_string(), "200".to_string());
        host(|knows| knows.response = [status].into_iter().chain(response).collect());
        stream.response(STREAM);
        host(|knows| knows.response[1..].to_vec())
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn b_responses_without_a_number_that_can_be_read_are_counted_and_cost_what_is_stated() {
    let worker = Worker::start(COSTS);
    for (i, cost) in ["12.5", "-3", "abc", ""].into_iter().enumerate() {
        let client = format!("client-{i}");
        worker.answered(&client, &[("x-cost", cost), ("x-items", "1")]);
        // 3 units are spent, and 100 are left for requests that hold 10 each.
        let held: Vec<_> = (0..20).map(|_| worker.request(&client)).collect();
        assert_eq!(held.iter().filter(|(flow, _)| *flow == Flow::Continue).count(), 10, "{cost:?}");
    }
    worker.answered("other", &[("x-items", "many")]);
    worker.answered("another", &[("x-cost", "4294967296"), ("x-items", "1")]);
    assert_eq!(worker.request("another").0, Flow::Answered);
    worker.root.tick();
    let counters = ["cost_missing", "cost_unreadable", "stock_missing", "stock_unreadable"];
    let [a, b] = ["units", "items"].map(|policy| {
        let known = |what: &&str| {
            host(|knows| {
                let name = format!("tollgate.policy.{policy}.{what}");
                knows.counters.iter().find(|(own, _)| *own == name).map(|(_, count)| *count)
            })
        };
        counters.each_ref().map(known)
    });
    assert_eq!(a, [Some(1), Some(4), None, None]);
    assert_eq!(b, [None, None, Some(0), Some(1)]);
}

#[wasm_bindgen_test(unsupported = test)]
fn b_a_header_that_is_not_for_clients_is_removed_from_every_response() {
    let worker = Worker::start(COSTS);
    let kept = [("x-other".to_string(), "7".to_string())];
    let response = [("x-cost", "7"), ("x-other", "7"), ("x-items", "1"), ("x-cost", "8")];
    assert_eq!(worker.answered("acme", &response), kept);
    // The policies do not apply to a request without a client.
    host(|knows| knows.request = vec![]);
    let mut stream = worker.root.create_stream(STREAM);
    assert_eq!(stream.request(STREAM), Flow::Continue);
    host(|knows| knows.response = vec![("x-cost".into(), "7".into()), kept[0].clone()]);
    stream.response(STREAM);
    assert_eq!(host(|knows| knows.response.clone()), kept);
    // Nor has the filter seen a request that another filter has answered before it.
    host(|knows| knows.response = vec![("x-cost".into(), "7".into()), kept[0].clone()]);
    worker.root.create_stream(STREAM).response(STREAM);
    assert_eq!(host(|knows| knows.response.clone()), kept);
}

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

const BY_CLAIM: &str = r#"{
    "keys": {"claim": {"metadata": ["auth", "sub"]}},
    "policies": [{"name": "by-claim", "key": "claim", "limits": [{"quota": 2, "window": "60s"}]}]
}"#;

/// How many of three requests pass whose value the host writes like this, and the paths that were asked for.
fn passed_with(value: Option<&[u8]>, all: &[u8]) -> (usize, Vec<Vec<u8>>) {
    let worker = Worker::start(BY_CLAIM);
    host(|knows| {
        knows.metadata.insert(b"metadata\0filter_metadata\0auth\0sub".to_vec(), value.map(<[u8]>::to_vec));
        knows.metadata.insert(b"metadata".to_vec(), Some(all.to_vec()));
    });
    let passed = worker.passed("x", 3);
    (passed, host(|knows| std::mem::take(&mut knows.metadata_reads)))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_a_text_costs_one_call_and_only_what_may_be_another_kind_a_second() {
    let one = b"metadata\0filter_metadata\0auth\0sub".to_vec();
    assert_eq!(passed_with(Some(b"user-77"), b""), (2, vec![one.clone(); 3]));
    let all =
        [&b"\x0A\x1A\x0A\x04auth\x12\x12\x0A\x10\x0A\x03sub\x12\x09\x11"[..], &3_f64.to_le_bytes()].concat();
    let both: Vec<Vec<u8>> = (0..3).flat_map(|_| [one.clone(), b"metadata".to_vec()]).collect();
    assert_eq!(passed_with(Some(&3_f64.to_le_bytes()), &all), (2, both.clone()));
    assert_eq!(passed_with(Some(b"eight..."), b"damaged"), (2, both.clone()), "a guess");
    assert_eq!(passed_with(None, &all), (2, both), "a list with null, say");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_metadata_without_a_value_is_counted() {
    let worker = Worker::start(BY_CLAIM);
    let object = b"\x01\0\0\0\x02\0\0\0\x01\0\0\0id\0a\0".to_vec();
    host(|knows| knows.metadata.insert(b"metadata\0filter_metadata\0auth\0sub".to_vec(), Some(object)));
    assert_eq!(worker.passed("x", 5), 5);
    worker.root.tick();
    assert_eq!(counter("keys.without_value"), 5);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_a_flag_makes_a_credential_valid_at_the_price_of_one_call() {
    const VALID: &str = r#"{
        "keys": {"client": {"header": "x-client", "valid": {"metadata": ["auth", "ok"]}}},
        "policies": [{"name": "p", "key": "client", "limits": [{"quota": 2, "window": "60s"}]}]
    }"#;
    for (bytes, passed, calls) in
        [(&[1][..], 2, 3), (b"yes", 2, 3), (&[0], 3, 6), (&[0; 4], 3, 6), (b"", 3, 3)]
    {
        let worker = Worker::start(VALID);
        host(|knows| {
            knows.metadata.insert(b"metadata\0filter_metadata\0auth\0ok".to_vec(), Some(bytes.to_vec()))
        });
        assert_eq!(worker.passed("x", 3), passed, "{bytes:?}");
        assert_eq!(host(|knows| knows.metadata_reads.len()), calls, "{bytes:?}");
    }
}

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

mod fleet;
mod metrics;
mod seen;
mod header_reads;

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

const IN_TRAILERS: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [{"name": "units", "key": "client", "cost": 10, "limits": [{"quota": 100, "window": "60s"}],
                  "match": [{"headers": {"x-other": true}, "cost": 1}, {}],
                  "cost_header": {"name": "x-cost", "remove": true, "in": "trailers"}}]
}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_in_trailers_is_counted_when_they_come_and_removed() {
    let worker = Worker::start(IN_TRAILERS);
    let open = || {
        let (flow, mut stream) = worker.request("acme");
        assert_eq!(flow, Flow::Continue);
        host(|knows| {
            knows.response = vec![(":status".into(), "200".into()), ("x-cost".into(), "1".into())];
            knows.trailers = vec![("x-cost".into(), "70".into()), ("grpc-status".into(), "0".into())];
        });
        stream.response(STREAM);
        stream
    };
    let mut answered = open();
    assert_eq!(response_header("x-cost").as_deref(), Some("1"), "only the trailer is not for clients");
    answered.trailers(STREAM);
    assert_eq!(host(|knows| knows.trailers.clone()), [("grpc-status".to_string(), "0".to_string())]);
    drop(answered);
    // 70 are spent; those without a cost keep the 10 that they hold, however they end.
    let mut complete = open();
    complete.ends_without_trailers();
    drop(complete);
    drop(open());
    assert_eq!(worker.passed("acme", 5), 1);
    worker.root.tick();
    assert_eq!(counter("policy.units.cost_missing"), 2);
    // Nor has the filter decided about a request that another filter has answered before it.
    host(|knows| knows.trailers = vec![("x-cost".into(), "7".into())]);
    worker.root.create_stream(STREAM).trailers(STREAM);
    assert!(host(|knows| knows.trailers.is_empty()));
}

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
