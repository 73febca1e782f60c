//! Every way that a stream can end frees its place: FP-1.

use super::*;

#[test]
fn fp_1_a_client_that_leaves_frees_its_place() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    for _ in 0..3 {
        let flights = slow.full(&caller, QUOTA);
        // The upstream goes on as if nothing had happened.
        let calls: Vec<_> = flights
            .into_iter()
            .map(|flight| {
                flight.client.leave();
                flight.call
            })
            .collect();
        slow.assert_nothing_leaked(&caller);
        drop(calls);
    }
}

#[test]
fn fp_1_an_upstream_that_hangs_up_frees_the_place() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    for flight in slow.full(&caller, QUOTA) {
        flight.call.reset();
        assert_eq!(flight.client.response().status, 503);
    }
    slow.assert_nothing_leaked(&caller);
}

#[test]
fn fp_1_an_upstream_error_frees_the_place() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    for flight in slow.full(&caller, QUOTA) {
        flight.call.answer(500);
        assert_eq!(flight.client.response().status, 500);
    }
    slow.assert_nothing_leaked(&caller);
}

#[test]
fn fp_1_a_timeout_of_the_route_frees_the_place() {
    let slow = Slow::with(|setup| setup.route("timeout: 2s"));
    let caller = slow.new_caller();
    let flights: Vec<_> = (0..QUOTA).map(|_| slow.flight(&caller.held)).collect();
    for flight in flights {
        assert_eq!(flight.client.response().status, 504);
        // Only now may the upstream give up, too.
        drop(flight.call);
    }
    assert_eq!(caller.quick.admitted_of(20), 20);
}

#[test]
fn fp_1_a_head_request_takes_a_place_and_frees_it() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    let head = slow.gateway.request("HEAD", HELD).key(&caller.key);
    let flights: Vec<_> = (0..QUOTA).map(|_| slow.flight(&head)).collect();
    assert!(caller.is_full());
    flights.into_iter().for_each(Flight::land);
    slow.assert_nothing_leaked(&caller);
}

#[test]
fn fp_1_after_many_rounds_of_every_end_nothing_has_leaked() {
    let slow = Slow::with(|setup| setup.workers(4));
    let caller = slow.new_caller();
    for round in 0..30 {
        let mut flights = slow.full(&caller, QUOTA);
        if let Some(flight) = flights.pop() {
            flight.client.leave();
        }
        if let Some(flight) = flights.pop() {
            flight.call.reset();
            assert_eq!(flight.client.response().status, 503, "round {round}");
        }
        flights.into_iter().for_each(Flight::land);
    }
    slow.assert_nothing_leaked(&caller);
}

/// With a second policy that rejects after this one has counted.
#[test]
fn fp_1_a_request_rejected_by_another_policy_takes_no_place() {
    for charge in ["all_or_nothing", "sequential"] {
        let policy = policy(QUOTA)
            + "  - { name: blocked, key: api_key, match: [{ path: /blocked }], limits: [{ quota: 1, window: 1h }] }\n";
        let upstream = Upstream::answering(&[]);
        let setup = Setup::yaml(format!("{policy}charge: {charge}\n"));
        let gateway = setup.upstream(upstream.address()).start();
        let slow = Slow { gateway, upstream };
        let caller = slow.new_caller();
        let blocked = slow.gateway.get("/blocked").key(&caller.key);
        assert_eq!(blocked.admitted_of(30), 1, "{charge}");
        slow.assert_nothing_leaked(&caller);
    }
}
