use super::*;
use crate::explain::SampleResponse;
use proptest::prelude::*;
use tollgate::compile::compile;
use tollgate::http::SampleRequest;
use tollgate::limiter::Limit;
use tollgate::time::MILLISECOND;

/// Policies whose counts ticks change, or whose records they keep alive: leases, units in flight that are published,
/// kept and counted late, holds, blocks, and credentials that a response rejects.
const POLICIES: [&str; 8] = [
    "key: ip, limits: [{ quota: 3, window: 60s }]",
    "key: ip, limits: [{ name: a, quota: 2000, window: 60s }, { name: b, quota: 40000, window: 1h, algorithm: sliding_counter }]",
    "key: ip, limits: [{ quota: 4000, window: 600s, algorithm: fixed_window }]",
    "key: ip, cost_header: x-cost, limits: [{ quota: 3000, window: 300s, algorithm: token_bucket }]",
    "key: ip, limits: [{ quota: 2, algorithm: concurrency }]",
    "key: ip, limits: [{ name: a, quota: 3000, algorithm: concurrency }, { name: b, quota: 2, algorithm: concurrency, after: 20s }]",
    "key: ip, count_on: [401], block_for: [60s, 900s], limits: [{ quota: 2, window: 60s }]",
    "key: api_key, refund_on: [5xx], limits: [{ name: a, quota: 5, window: 60s }, { name: b, quota: 1000, window: day, time_zone: UTC }]",
];

fn configuration(policy: &str) -> Configuration {
    let text = format!(
        "keys: {{ ip: {{ client_ip: {{}} }}, api_key: {{ header: x-key, valid: {{ unless: [401] }} }} }}\n\
         policies: [{{ name: p, {policy} }}]\ntable: {{ pages: 2, page_bytes: 1024 }}\n"
    );
    let value = crate::document::Document::read(&text, crate::document::Syntax::Yaml).unwrap().value;
    compile(&value).unwrap_or_else(|errors| panic!("{policy}: {:?}", errors.iter().collect::<Vec<_>>()))
}

/// A request some time after the one before.
#[derive(Clone, Copy, Debug)]
struct Event {
    pause: Micros,
    caller: u8,
    status: u16,
    took: Micros,
}

fn time() -> impl Strategy<Value = Micros> {
    prop_oneof![
        4 => 0..SECOND,
        2 => 0..(12 * SECOND),
        3 => (10 * SECOND)..(70 * SECOND),
        1 => (60 * SECOND)..(3_700 * SECOND),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let status = prop::sample::select(vec![200, 200, 200, 401, 503]);
    (time(), 0..6_u8, status, time()).prop_map(|(pause, caller, status, took)| Event {
        pause,
        caller,
        status,
        took,
    })
}

/// All that can be seen of the events: what is decided, and the bytes of the table. Units in flight are renewed at other
/// ticks, so with these the bytes may differ.
fn seen(set: &Configuration, events: &[Event], advance: fn(&mut Worker, Micros)) -> Vec<String> {
    let (mut worker, mut in_flight, mut seen) = (Worker::new(set), InFlight::default(), Vec::new());
    let mut at = 1_767_225_600 * SECOND;
    for event in events {
        at += event.pause;
        while let Some((end, (status, mut decision))) = in_flight.take_until(at) {
            advance(&mut worker, end);
            finish(&mut worker, status, &mut decision);
        }
        advance(&mut worker, at);
        let request = SampleRequest::new("GET", "/")
            .from_client([192, 0, 2, event.caller].into())
            .with_header("x-key", &format!("key{}", event.caller));
        let decision = worker.decide(&request);
        let verdicts: Vec<_> = decision.all_policies().map(|one| &one.outcome.verdicts).collect();
        let has_units_in_flight = set.rules.limits().any(Limit::counts_in_flight);
        let pages = if has_units_in_flight { Vec::new() } else { worker.store.pages() };
        seen.push(format!("{} {verdicts:?} {pages:?}", decision.rejected()));
        let took = if decision.rejected() { 0 } else { event.took };
        in_flight.add(at + took, (event.status, decision));
    }
    seen
}

fn finish(worker: &mut Worker, status: u16, decision: &mut Decision) {
    let headers = [("x-cost".to_string(), "3".to_string())];
    let response = SampleResponse::new(status, &headers, &[]);
    worker.on_response(decision, &response);
    worker.on_response_end(decision, &response, None, &|name| response.trailer(name));
    worker.on_stream_end(decision);
}

/// As Envoy does it: nothing is left out.
fn with_all_ticks(worker: &mut Worker, to: Micros) {
    if worker.first.is_none() {
        return worker.advance(to);
    }
    worker.tick_until(to);
    worker.clock = worker.clock.max(to);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn ticks_that_are_left_out_in_pauses_change_nothing(
        policy in prop::sample::select(POLICIES.to_vec()), events in prop::collection::vec(event(), 1..40),
    ) {
        let set = configuration(policy);
        let (left_out, all) = (seen(&set, &events, Worker::advance), seen(&set, &events, with_all_ticks));
        for (number, (one, other)) in left_out.iter().zip(&all).enumerate() {
            prop_assert_eq!(one, other, "request {} under {}", number, policy);
        }
    }
}

#[test]
fn of_a_pause_of_years_a_few_ticks_are_left() {
    let mut worker = Worker::new(&configuration(POLICIES[0]));
    worker.advance(SECOND);
    let to = 10_000 * 86_400 * SECOND + MILLISECOND;
    worker.pass_pause(to);
    assert!((RESUMING..RESUMING + TICK).contains(&(to - worker.next_tick)), "{}", worker.next_tick);
    worker.advance(to);
    assert!((1..=TICK).contains(&(worker.next_tick - to)), "{}", worker.next_tick);
}

#[test]
fn the_clock_does_not_go_back() {
    let mut worker = Worker::new(&configuration(POLICIES[0]));
    worker.advance(9 * SECOND);
    worker.advance(2 * SECOND);
    assert_eq!(worker.clock(), 9 * SECOND);
}

#[test]
fn requests_end_in_the_order_of_their_ends_and_their_places_are_used_again() {
    let mut in_flight = InFlight::default();
    for (end, name) in [(5, "b"), (3, "a"), (5, "c")] {
        in_flight.add(end, name);
    }
    assert_eq!(in_flight.take_until(2), None);
    assert_eq!(in_flight.take_until(3), Some((3, "a")));
    in_flight.add(9, "d");
    let rest: Vec<_> = std::iter::from_fn(|| in_flight.take_next()).collect();
    assert_eq!(rest, [(5, "b"), (5, "c"), (9, "d")]);
    assert!(in_flight.is_empty());
}
