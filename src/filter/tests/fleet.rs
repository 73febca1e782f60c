//! Requests that wait for the fleet's service, with a service that the test plays.

mod crowd;

use super::*;
use crate::fleet::message::{Answer, EntryAnswer, Exchange};
use crate::limiter::Verdict;
use crate::time::MILLISECOND;
use std::num::NonZeroU32;

pub(super) const FLEET: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [{
        "name": "per-client", "key": "client", "scope": "fleet", "on_outage": "ON_OUTAGE",
        "limits": [{"quota": 8, "window": "60s"}]
    }],
    "headers": {"preset": "x-ratelimit", "describes": "per-client"},
    "fleet": {"cluster": "service", "name": "prod", "timeout": "50ms"}
}"#;

pub(super) const SEED: &[u8] = b"000102030405060708090a0b0c0d0e0f 1\n";

/// A worker whose service is this test.
pub(super) struct Member(pub Worker);

impl Member {
    /// One that has joined.
    pub fn joined(on_outage: &str) -> Member {
        let member = Member::new(on_outage);
        member.0.root.tick();
        member.answer(1, 200, SEED);
        // The first sign of life tells how many workers there are.
        member.answer(2, 200, &Answer { epoch: 1, workers: 4, ..Answer::default() }.encode());
        member
    }

    pub fn new(on_outage: &str) -> Member {
        Member(Worker::start(&FLEET.replace("ON_OUTAGE", on_outage)))
    }

    /// The headers of a stream's request.
    pub fn request(&self, context: u32) -> (Flow, TollgateStream<Fake>) {
        host(|knows| knows.request = vec![("x-client".into(), "acme".into())]);
        let mut stream = self.0.root.create_stream(context);
        let woken = host(|knows| knows.woken);
        let flow = stream.request(context);
        if host(|knows| knows.woken) > woken {
            self.0.root.send_calls();
        }
        (flow, stream)
    }

    pub fn answer(&self, call: u32, status: u16, body: &[u8]) {
        host(|knows| knows.answer = (status, body.to_vec()));
        self.0.root.answered(call);
    }

    /// Answers the latest call: each entry gets so many units, or a rejection if there are none.
    fn grant(&self, units: u32) {
        let (call, exchange) = latest();
        let entry = |_| EntryAnswer {
            applied: true,
            verdicts: vec![verdict(units > 0)],
            granted: units,
            term: 50 * MILLISECOND,
            remember: SECOND,
            ..EntryAnswer::default()
        };
        let entries = exchange.entries.iter().map(entry).collect();
        self.answer(call, 200, &Answer { epoch: 1, workers: 4, entries }.encode());
    }
}

fn verdict(admitted: bool) -> Verdict {
    let quota = NonZeroU32::new(8).unwrap();
    let retry_after = if admitted { 0 } else { 30 * SECOND };
    let (next_slot, full_reset) = (30 * SECOND, 60 * SECOND);
    Verdict { admitted, quota: quota.get(), remaining: 0, next_slot, full_reset, retry_after }
}

/// The host's name of the latest call, and the exchange that it sends.
pub(super) fn latest() -> (u32, Exchange) {
    host(|knows| {
        let (cluster, path, body) = knows.calls.last().unwrap();
        assert_eq!((cluster.as_str(), path.as_str()), ("service", "/v1/prod/exchange"));
        (knows.calls.len() as u32, Exchange::decode(body).unwrap())
    })
}

pub(super) fn calls() -> usize {
    host(|knows| knows.calls.len())
}

pub(super) fn resumed() -> Vec<u32> {
    host(|knows| std::mem::take(&mut knows.resumed))
}

/// Status and details of the replies so far.
pub(super) fn replies() -> Vec<(u32, String)> {
    host(|knows| knows.replies.iter().map(|(status, _, details)| (*status, details.clone())).collect())
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_waits_for_units_and_goes_on_with_them() {
    let member = Member::joined("local");
    let (flow, mut stream) = member.request(STREAM);
    assert_eq!((flow, resumed()), (Flow::Paused, vec![]));
    let (_, exchange) = latest();
    assert_eq!((exchange.entries.len(), exchange.entries[0].policy.as_str()), (1, "per-client"));
    member.grant(1);
    assert_eq!(resumed(), [STREAM]);
    host(|knows| knows.response = vec![(":status".into(), "200".into())]);
    stream.response(STREAM);
    assert_eq!(response_header("x-ratelimit-remaining").as_deref(), Some("0"));
}

#[wasm_bindgen_test(unsupported = test)]
fn requests_with_units_in_hand_do_not_wait() {
    let member = Member::joined("local");
    let (_, _first) = member.request(STREAM);
    member.grant(3);
    let before = calls();
    assert_eq!(member.request(STREAM + 1).0, Flow::Continue);
    assert_eq!(member.request(STREAM + 2).0, Flow::Continue);
    assert_eq!((calls(), resumed().len()), (before, 1));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rejection_is_remembered_and_costs_no_call() {
    let member = Member::joined("local");
    let (_, _first) = member.request(STREAM);
    member.grant(0);
    assert_eq!(replies(), [(429, "tollgate_refused_by_per-client".into())]);
    assert_eq!(response_header("retry-after").as_deref(), Some("30"));
    let before = calls();
    assert_eq!(member.request(STREAM + 1).0, Flow::Answered);
    assert_eq!((calls(), resumed().len()), (before, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn requests_that_wait_together_share_one_call_for_each_caller() {
    let member = Member::joined("local");
    let before = calls();
    let streams: Vec<_> = (0..5).map(|context| member.request(STREAM + context)).collect();
    assert_eq!(calls(), before + 1);
    assert!(streams.iter().all(|(flow, _)| *flow == Flow::Paused));
    // The first entry asks for the first request only. The answer lets all try again.
    member.grant(1);
    assert_eq!((resumed().len(), calls()), (1, before + 2));
    let ask = latest().1.entries[0].ask.unwrap();
    assert_eq!((ask.at_least, ask.at_most), (1, 4));
    member.grant(4);
    assert_eq!(resumed().len(), 4);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_client_that_leaves_while_it_waits_loses_no_units() {
    let member = Member::joined("local");
    let (_, stream) = member.request(STREAM);
    drop(stream);
    member.grant(1);
    assert!(resumed().is_empty());
    assert_eq!(member.request(STREAM + 1).0, Flow::Continue, "the units are in hand");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_single_call_without_an_answer_is_asked_again() {
    let member = Member::joined("deny");
    let (_, _stream) = member.request(STREAM);
    let before = calls();
    member.answer(before as u32, 0, b"");
    assert_eq!((calls(), replies().len()), (before + 1, 0));
    member.grant(1);
    assert_eq!(resumed(), [STREAM]);
}

/// Answers everything that a request asks in vain, until it is decided.
fn without_a_service(member: &Member, context: u32) -> Flow {
    let (flow, mut stream) = member.request(context);
    for _ in 0..9 {
        member.answer(calls() as u32, 503, b"");
    }
    stream.take_decision();
    let resumed = resumed().contains(&context);
    if resumed { Flow::Continue } else { flow }
}

#[wasm_bindgen_test(unsupported = test)]
fn on_outage_deny_answers_503_without_limit_headers_and_asks_no_further() {
    let member = Member::joined("deny");
    assert_eq!(without_a_service(&member, STREAM), Flow::Paused);
    assert_eq!(replies(), [(503, "tollgate_fleet_unavailable".into())]);
    assert_eq!(response_header("retry-after").as_deref(), Some("1"));
    assert_eq!(response_header("x-ratelimit-limit"), None);
    let before = calls();
    assert_eq!(member.request(STREAM + 1).0, Flow::Answered);
    assert_eq!(calls(), before, "three failures in a row are enough");
}

#[wasm_bindgen_test(unsupported = test)]
fn on_outage_local_admits_this_workers_share() {
    let member = Member::joined("local");
    assert_eq!(without_a_service(&member, STREAM), Flow::Continue);
    // Eight units and four workers.
    let flows = [1, 2, 3].map(|context| member.request(STREAM + context).0);
    assert_eq!(flows, [Flow::Continue, Flow::Answered, Flow::Answered]);
    assert_eq!(replies().first().unwrap().0, 429);
}

#[wasm_bindgen_test(unsupported = test)]
fn on_outage_allow_admits_everything_and_counts_it_afterwards() {
    let member = Member::joined("allow");
    assert_eq!(without_a_service(&member, STREAM), Flow::Continue);
    assert!((1..20).all(|context| member.request(STREAM + context).0 == Flow::Continue));
    host(|knows| knows.now += SECOND);
    member.0.root.tick();
    let (probe, _) = latest();
    let exchange = latest().1;
    let owed = exchange.entries.iter().flat_map(|entry| &entry.corrections);
    assert_eq!(owed.filter_map(|one| one.more).map(|(_, units)| units).sum::<u32>(), 20);
    // Nothing is said twice once it has been answered.
    assert_eq!(probe as usize, calls());
    member.grant(1);
    host(|knows| knows.now += 3 * SECOND);
    member.0.root.tick();
    assert!(latest().1.entries.iter().all(|entry| entry.corrections.is_empty()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_service_that_is_back_is_noticed_within_a_second() {
    let member = Member::joined("deny");
    without_a_service(&member, STREAM);
    host(|knows| knows.now += SECOND);
    member.0.root.tick();
    member.answer(calls() as u32, 200, &Answer { epoch: 1, workers: 4, ..Answer::default() }.encode());
    assert_eq!(member.request(STREAM + 1).0, Flow::Paused);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_before_the_worker_has_joined_waits_for_that() {
    let member = Member::new("deny");
    let (flow, _stream) = member.request(STREAM);
    assert_eq!((flow, calls()), (Flow::Paused, 1));
    member.answer(1, 200, SEED);
    assert_eq!(calls(), 2, "now it can ask");
    member.grant(1);
    assert_eq!(resumed(), [STREAM]);
}

#[wasm_bindgen_test(unsupported = test)]
fn without_a_cluster_requests_are_decided_at_once() {
    let member = Member::new("local");
    host(|knows| knows.has_no_cluster = true);
    // The host pauses the first one before it hears of the failure.
    let flows = [0, 1, 2].map(|context| without_a_service(&member, STREAM + context));
    assert_eq!(flows, [Flow::Continue; 3]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_host_that_allows_no_calls_is_an_error_of_the_configuration() {
    let fake = Fake::new(&FLEET.replace("ON_OUTAGE", "local"));
    host(|knows| knows.rejects_calls = true);
    assert!(!TollgateRoot::new(fake, WorkerTables::default(), Members::default(), 1).configure());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_deleted_configuration_lets_its_waiting_requests_go() {
    let member = Member::joined("local");
    let (_, _stream) = member.request(STREAM);
    drop(member);
    assert_eq!(resumed(), [STREAM]);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_engine_that_has_lost_its_data_is_noticed_and_the_worker_joins_again() {
    let member = Member::joined("local");
    let (_, _stream) = member.request(STREAM);
    let (call, _) = latest();
    let entries = vec![EntryAnswer { applied: true, ..EntryAnswer::default() }];
    member.answer(call, 200, &Answer { epoch: 2, workers: 4, entries }.encode());
    assert!(host(|knows| knows.calls.iter().filter(|(_, path, _)| path.ends_with("/join")).count()) == 2);
    host(|knows| knows.now += SECOND);
    (0..10).for_each(|_| member.0.root.tick());
    assert_eq!(counter("fleet.emptied"), 1);
}

/// Credentials that the upstream decides about. A request without one counts for its address.
const CREDENTIALS: &str = r#"{
    "keys": {"ip": {"client_ip": {}}, "token": {"header": "x-token", "valid": {"unless": [401]}}},
    "policies": [
        {"name": "per-token", "key": "token", "class": "who", "limits": [{"quota": 100, "window": "60s"}]},
        {"name": "per-ip", "key": "ip", "class": "who", "scope": "fleet", "on_outage": "allow",
         "limits": [{"quota": 8, "window": "60s"}]}
    ],
    "fleet": {"cluster": "service", "name": "prod", "timeout": "50ms"}
}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_request_whose_credential_is_rejected_counts_in_the_fleet_as_one_without() {
    let member = Member(Worker::start(CREDENTIALS));
    member.0.root.tick();
    member.answer(1, 200, SEED);
    member.answer(2, 200, &Answer { epoch: 1, workers: 4, ..Answer::default() }.encode());
    host(|knows| {
        knows.address = "192.0.2.1:1000".into();
        knows.request = vec![("x-token".into(), "made-up".into())];
    });
    let mut stream = member.0.root.create_stream(STREAM);
    // It waits for a unit of its address, in a record of its own.
    assert_eq!(stream.request(STREAM), Flow::Paused);
    member.0.root.send_calls();
    let provisional = latest().1.entries[0].caller;
    member.grant(1);
    assert_eq!(resumed(), [STREAM]);
    host(|knows| knows.response = vec![(":status".into(), "401".into())]);
    stream.response(STREAM);
    host(|knows| knows.now += 100 * MILLISECOND);
    member.0.root.tick();
    let (_, exchange) = latest();
    let owed = |entry: &&crate::fleet::message::Entry| entry.caller != provisional;
    let owed: Vec<_> = exchange.entries.iter().filter(owed).flat_map(|entry| &entry.corrections).collect();
    assert_eq!(owed.iter().filter_map(|one| one.more).map(|(_, units)| units).sum::<u32>(), 1);
}
