//! Limits on long requests alone: `after`.

use super::*;
use std::thread::sleep;

const AFTER: Duration = Duration::from_secs(2);

/// When all that have been in flight for [`AFTER`] count.
const COUNTED: Duration = Duration::from_millis(2_000 + 2_000 / 64 + 1_000);

fn long(quota: usize) -> Slow {
    let upstream = Upstream::answering(&[]);
    let policy =
        per_key_limit(&format!("algorithm: concurrency, quota: {quota}, after: 2s, retry_after: 7s"));
    let gateway = Setup::yaml(policy).workers(2).upstream(upstream.address()).start();
    Slow { gateway, upstream }
}

#[test]
fn fp_1_only_requests_that_last_for_longer_count_in_all_workers() {
    let slow = long(QUOTA);
    let (caller, other) = (slow.new_caller(), slow.new_caller());
    let mut flights: Vec<_> = (0..QUOTA + 2).map(|_| slow.flight(&caller.held)).collect();
    assert_eq!(caller.quick.admitted_of(50), 50, "short ones are not limited");

    within(AFTER + SOON, "the long ones to count", || caller.is_full().then_some(()));
    assert_eq!(caller.quick.send().retry_after(), 7);
    assert_eq!(other.quick.admitted_of(10), 10, "another caller");

    while flights.len() >= QUOTA {
        // Those of a worker count from its next tick on.
        let what = format!("{} long ones in flight to be too many", flights.len());
        within(SOON, &what, || caller.is_full().then_some(()));
        flights.remove(0).land();
    }
    within(SOON, "room", || (caller.quick.admitted_of(20) == 20).then_some(()));
    flights.into_iter().for_each(Flight::land);
}

#[test]
fn x_6_short_streams_are_never_counted_however_many_there_are() {
    let slow = long(1);
    let caller = slow.new_caller();
    for _ in 0..4 {
        let flights: Vec<_> = (0..20).map(|_| slow.flight(&caller.held)).collect();
        sleep(AFTER / 2);
        assert_eq!(caller.quick.admitted_of(20), 20);
        flights.into_iter().for_each(Flight::land);
    }
}

#[test]
fn fp_1_a_long_request_is_freed_by_every_end() {
    let slow = long(1);
    let caller = slow.new_caller();
    let ends: [fn(Flight); 3] = [
        Flight::land,
        |flight| drop(flight.client),
        |flight| {
            flight.call.reset();
            assert_eq!(flight.client.response().status, 503);
        },
    ];
    for end in ends {
        let flight = slow.flight(&caller.held);
        within(AFTER + SOON, "it to count", || caller.is_full().then_some(()));
        end(flight);
        within(SOON, "room", || (caller.quick.admitted_of(20) == 20).then_some(()));
        sleep(COUNTED);
        assert_eq!(caller.quick.admitted_of(20), 20, "nothing is counted for ever");
    }
}
