//! Many callers at once, and one that does not stop: memory stays bounded, and so does what the service is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Connection, Request, eventually, new_key};
use crate::stage::{Stage, by_path, start};

const CALLERS: usize = 20_000;
const CLIENTS: usize = 8;
const MIB: u64 = 1 << 20;

/// The statuses of one request for each of these callers, over both Envoys.
fn one_each(stage: &Stage, keys: &[String]) -> Vec<u16> {
    let next = AtomicUsize::new(0);
    let client = |i: usize| {
        let mut connection: Option<Connection> = None;
        let mut statuses = Vec::new();
        while let Some(key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
            let request: Request = stage.get(i, "/many").key(key);
            let open = connection.get_or_insert_with(|| request.connect());
            statuses.push(open.exchange(&request).status);
        }
        statuses
    };
    let client = &client;
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|n| scope.spawn(move || client(n % 2))).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
}

#[test]
fn twenty_thousand_callers_at_once_are_all_served_within_bounded_memory() {
    let stage = start(by_path(&[("many", "quota: 10, window: 1h", "on_outage: local")]));
    let keys: Vec<_> = (0..CALLERS).map(|_| new_key()).collect();
    let memory =
        || [stage.on(0, |one| one.memory()), stage.on(1, |one| one.memory()), stage.service.memory()];
    let before = memory();
    let calls = stage.metric("fleet.calls");
    let statuses = one_each(&stage, &keys);
    assert!(statuses.iter().all(|status| *status == 200), "no caller is sent away");
    let first = memory();
    // Metrics are reported with each tick.
    thread::sleep(Duration::from_millis(500));
    let calls = stage.metric("fleet.calls") - calls;
    println!("{calls} calls, full {}, alone {}", stage.metric("fleet.full"), stage.metric("fleet.alone"));
    println!("memory before {before:?}, after {first:?}");
    assert!(calls * 10 <= CALLERS as u64 * 11, "{calls} calls");
    let others: Vec<_> = (0..CALLERS).map(|_| new_key()).collect();
    one_each(&stage, &others);
    let second = memory();
    println!("after as many others {second:?}");
    for i in 0..3 {
        assert!(first[i] < before[i] + 150 * MIB, "{before:?} {first:?}");
        assert!(second[i] < first[i] + 60 * MIB, "{first:?} {second:?}");
    }
    stage.assert_no_trap();
}

/// The attacker sends three times its quota, evenly.
#[test]
fn a_caller_at_three_times_its_quota_costs_less_than_a_call_for_two_requests() {
    let stage = start(by_path(&[("one", "quota: 500, window: 10s", "on_outage: deny")]));
    let key = new_key();
    let calls = stage.metric("fleet.calls");
    let record = stage.paced_flood("/one", &key, 150, Duration::from_secs(16));
    eventually("the workers' report", || (stage.metric("fleet.calls") > calls).then_some(()));
    thread::sleep(Duration::from_millis(500));
    let calls = stage.metric("fleet.calls") - calls;
    let requests = record.outcomes.len();
    println!("{calls} calls for {requests} requests, {:?}", record.statuses());
    assert!(record.worst(Duration::from_secs(10)) <= 500, "{:?}", record.statuses());
    assert!(calls * 2 <= requests as u64, "{calls} calls for {requests} requests");
}
