//! What a response says is counted, and given back, however many others a worker has to do that for.
//!
//! A worker that kept an account for each of them until its next tick, a second away, had none left for the
//! 4,097th.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::harness::{Request, Served, Setup, new_ip, new_key};

/// Callers that a worker can owe at once.
const ACCOUNTS: usize = 4_096;

/// Keys that each request of the flood shows, so that on a slow machine, too, a worker owes so many long
/// before it ticks.
const KEYS: usize = 32;

const CLIENTS: usize = 4;

/// Requests that a client sends before it reads the answers.
const AT_ONCE: usize = 20;

/// Callers whose limit is under attack, and how often each tries.
const CALLERS: usize = 8;
const TRIES: usize = 50;

const COSTS: &str = "cost_header: x-cost, limits: [{ quota: 1000, window: 1h }]";
const REFUNDS: &str = "refund_on: [200], limits: [{ quota: 1000, window: 1h }]";
const IN_FLIGHT: &str = "limits: [{ algorithm: concurrency, quota: 10 }]";

/// A policy `p` with these fields for each caller, beside many with those fields for what a flood shows.
fn served(fields: &str, flood: &str) -> Served {
    let key = |i| format!("  made_up_{i}: {{ header: {} }}\n", header(i));
    let policy = |i| format!("  - {{ name: flood_{i}, key: made_up_{i}, {flood} }}\n");
    let keys: String = (0..KEYS).map(key).collect();
    let policies: String = (0..KEYS).map(policy).collect();
    Setup::yaml(format!(
        "keys:
  caller: {{ header: x-caller }}
  client_ip: {{ client_ip: {{}} }}
{keys}policies:
  - {{ name: p, {fields} }}
{policies}"
    ))
    .alone()
    .start_served()
}

fn header(i: usize) -> String {
    format!("x-made-up-{i}")
}

/// Sends made-up keys, each once, until it is over. Answers how many.
fn flood(served: &Served, over: &AtomicBool) -> usize {
    let plain = served.gateway.get("/flood").answered_with("x-cost", "20");
    let made_up = || (0..KEYS).fold(plain.clone(), |request, i| request.header(&header(i), new_key()));
    let mut connection = plain.connect();
    let mut requests = 0;
    while !over.load(Ordering::Relaxed) {
        let flood: Vec<_> = (0..AT_ONCE).map(|_| made_up()).collect();
        requests += connection.exchange_all(&flood).len();
    }
    requests * KEYS
}

/// However what is done during a flood ends, the flood does.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often each of some callers reaches the upstream while a flood goes on.
fn reached(served: &Served, caller: impl Fn(&str) -> Request) -> Vec<usize> {
    let (over, made_up) = (AtomicBool::new(false), AtomicUsize::new(0));
    let reached = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| made_up.fetch_add(flood(served, &over), Ordering::Relaxed));
        }
        let _over = Over(&over);
        let targets = (0..CALLERS).map(|i| format!("/caller/{i}"));
        targets.map(|target| attempts(served, &target, &caller)).collect()
    });
    let made_up = made_up.into_inner();
    // Enough for both workers, on a slow machine, too.
    assert!(made_up > 2 * ACCOUNTS, "no flood: only {made_up} keys");
    reached
}

fn attempts(served: &Served, target: &str, caller: impl Fn(&str) -> Request) -> usize {
    let request = caller(target);
    let mut connection = request.connect();
    for _ in 0..TRIES {
        connection.exchange(&request);
    }
    served.upstream.requests_for(target)
}

fn assert_no_debt_dropped(served: &Served) {
    let dropped = served.gateway.admin().statistics("wasmcustom.tollgate.table.debts_dropped");
    assert_eq!(dropped, [("wasmcustom.tollgate.table.debts_dropped".to_owned(), 0)]);
}

#[test]
fn late_costs_hold_however_many_others_have_late_costs() {
    let served = served("key: caller, cost_header: x-cost, limits: [{ quota: 100, window: 1h }]", COSTS);
    let request = |target: &str| {
        let request = served.gateway.get(target).header("x-caller", new_key());
        request.answered_with("x-cost", "20")
    };
    assert_eq!(reached(&served, request), [5; CALLERS], "of {TRIES}, at 20 of 100 each");
    assert_no_debt_dropped(&served);
}

#[test]
fn failed_logins_stay_limited_however_many_others_get_refunds() {
    let served = served("key: client_ip, count_on: [401], limits: [{ quota: 5, window: 10m }]", REFUNDS);
    let request = |target: &str| served.gateway.get(target).from(new_ip()).answered(401);
    assert_eq!(reached(&served, request), [5; CALLERS], "of {TRIES}");
    assert_no_debt_dropped(&served);
}

#[test]
fn refunds_come_back_however_many_others_leave_a_place_in_flight() {
    let served = served("key: caller, refund_on: [500], limits: [{ quota: 5, window: 1h }]", IN_FLIGHT);
    let request = |target: &str| served.gateway.get(target).header("x-caller", new_key()).answered(500);
    assert_eq!(reached(&served, request), [TRIES; CALLERS], "of {TRIES}");
    assert_no_debt_dropped(&served);
}
