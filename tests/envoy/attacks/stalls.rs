//! A process that stood still has not forgotten what is in flight: its clocks went on, and nobody else has
//! said otherwise.

use std::thread;
use std::time::Duration;

use crate::harness::{Call, HELD, InFlight, Served, Setup, eventually, new_key, per_key_limit};

const QUOTA: usize = 8;

/// Further requests.
const MORE: usize = 40;

/// Longer than a worker that says nothing is believed.
const STALL: Duration = Duration::from_secs(35);

/// Puts as many in flight as may be, lets the process run for so long, and stops it. How many are in flight
/// then?
fn in_flight_after_a_stall(age: Duration) -> usize {
    let policy = per_key_limit("algorithm: concurrency, quota: 8");
    // Envoy's own patience must not end what is in flight.
    let served = Setup::yaml(policy).route("timeout: 0s").start_served();
    let request = served.gateway.get(HELD).key(new_key());
    let held: Vec<_> = (0..QUOTA).map(|_| (request.begin(), call(&served))).collect();
    assert_eq!(request.send().status, 429);
    thread::sleep(age);

    // They wait for the process, which serves them before anything else.
    let more: Vec<_> = served.gateway.stopped(|| {
        thread::sleep(STALL);
        (0..MORE).map(|_| request.begin()).collect()
    });
    eventually("each at the upstream, or rejected", || {
        let rejected = more.iter().filter(|client| client.answered()).count();
        (rejected + served.upstream.requests() >= MORE + QUOTA).then_some(())
    });
    let in_flight = served.upstream.requests();
    held.into_iter().for_each(land);
    in_flight
}

#[test]
fn what_is_in_flight_stays_in_flight_while_the_process_stands_still() {
    assert_eq!(in_flight_after_a_stall(Duration::from_secs(3)), QUOTA);
}

/// Before a worker has ticked for the first time.
#[test]
fn what_is_in_flight_stays_in_flight_while_a_process_that_has_just_begun_stands_still() {
    assert_eq!(in_flight_after_a_stall(Duration::ZERO), QUOTA);
}

fn call(served: &Served) -> Call {
    eventually("the request at the upstream", || served.upstream.next_call())
}

fn land((client, call): (InFlight, Call)) {
    call.answer(200);
    assert_eq!(client.response().status, 200);
}
