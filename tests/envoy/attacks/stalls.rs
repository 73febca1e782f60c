//! A process that stood still has not forgotten what is in flight: its clocks went on, and nobody else has said otherwise.

use std::thread;
use std::time::Duration;

use crate::harness::{Call, HELD, InFlight, Served, Setup, eventually, new_key, per_key_limit};

const QUOTA: usize = 8;

/// Longer than a worker that says nothing is believed.
const STALL: Duration = Duration::from_secs(35);

#[test]
fn what_is_in_flight_stays_in_flight_while_the_whole_process_stands_still() {
    let policy = per_key_limit("algorithm: concurrency, quota: 8");
    // Envoy's own patience must not end what is in flight.
    let served = Setup::yaml(policy).route("timeout: 0s").start_served();
    let request = served.gateway.get(HELD).key(new_key());
    let held: Vec<_> = (0..QUOTA).map(|_| (request.begin(), call(&served))).collect();
    assert_eq!(request.send().status, 429);

    // They wait for the process, which serves them before anything else.
    let more: Vec<_> = served.gateway.stopped(|| {
        thread::sleep(STALL);
        (0..40).map(|_| request.begin()).collect()
    });
    eventually("each at the upstream, or refused", || {
        let refused = more.iter().filter(|client| client.answered()).count();
        (refused + served.upstream.requests() >= more.len() + QUOTA).then_some(())
    });
    assert_eq!(served.upstream.requests(), QUOTA, "in flight at the upstream");
    held.into_iter().for_each(land);
    assert_eq!(served.gateway.get("/").key(new_key()).admitted_of(20), 20);
}

fn call(served: &Served) -> Call {
    eventually("the request at the upstream", || served.upstream.next_call())
}

fn land((client, call): (InFlight, Call)) {
    call.answer(200);
    assert_eq!(client.response().status, 200);
}
