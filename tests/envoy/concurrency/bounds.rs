//! How many may be in flight, and what a further one is told: FP-1, FP-14.

use super::*;
use crate::harness::Crowd;

#[test]
fn fp_1_three_may_be_in_flight_and_a_fourth_is_rejected() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    slow.full(&caller, QUOTA).into_iter().for_each(Flight::land);
}

#[test]
fn fp_1_when_one_has_ended_one_more_passes() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    let mut flights = slow.full(&caller, QUOTA);
    for _ in 0..5 {
        flights.remove(0).land();
        flights.push(slow.flight(&caller.held));
        assert!(caller.is_full());
    }
}

#[test]
fn fp_1_requests_one_after_another_are_never_rejected() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    assert_eq!(caller.quick.admitted_of(50), 50);
}

#[test]
fn fp_14_a_rejection_tells_the_configured_wait_whatever_is_in_flight() {
    let slow = Slow::start();
    let caller = slow.new_caller();
    let flights = slow.full(&caller, QUOTA);
    for _ in 0..5 {
        assert_eq!(caller.quick.send().retry_after(), 7);
    }
    drop(flights);
}

#[test]
fn fp_14_without_a_configured_wait_a_rejection_tells_one_second() {
    let upstream = Upstream::answering(&[]);
    let policy = per_key_limit("algorithm: concurrency, quota: 3");
    let gateway = Setup::yaml(policy).upstream(upstream.address()).start();
    let slow = Slow { gateway, upstream };
    let caller = slow.new_caller();
    let flights = slow.full(&caller, QUOTA);
    assert_eq!(caller.quick.send().retry_after(), 1);
    drop(flights);
}

#[test]
fn fp_1_two_keys_are_apart() {
    let slow = Slow::start();
    let (busy, idle) = (slow.new_caller(), slow.new_caller());
    let flights = slow.full(&busy, QUOTA);
    slow.full(&idle, QUOTA).into_iter().for_each(Flight::land);
    assert!(busy.is_full());
    drop(flights);
}

#[test]
fn fp_1_x_3_all_four_workers_share_what_is_in_flight() {
    let slow = Slow::with(|setup| setup.workers(4));
    let caller = slow.new_caller();
    for _ in 0..5 {
        slow.full(&caller, QUOTA).into_iter().for_each(Flight::land);
    }
}

#[test]
fn fp_1_of_a_crowd_that_comes_at_once_three_pass() {
    let slow = Slow::with(|setup| setup.workers(4));
    let caller = slow.new_caller();
    let clients: Vec<_> = (0..16).map(|_| caller.held.begin()).collect();
    eventually("a rejection for all but three", || {
        let answered = clients.iter().filter(|client| client.answered()).count();
        (answered == clients.len() - QUOTA).then_some(())
    });
    let call = |_| eventually("a call at the upstream", || slow.upstream.next_call());
    let calls: Vec<_> = (0..QUOTA).map(call).collect();
    assert!(slow.upstream.next_call().is_none(), "a fourth at the upstream");
    calls.into_iter().for_each(|call| call.answer(200));
    let statuses = clients.into_iter().map(|client| client.response().status);
    assert_eq!(statuses.filter(|status| *status == 200).count(), QUOTA);
    slow.assert_nothing_leaked(&caller);
}

#[test]
fn fp_1_after_thousands_of_requests_by_a_crowd_nothing_has_leaked() {
    let slow = Slow::with(|setup| setup.workers(4));
    let caller = slow.new_caller();
    let admitted = Crowd(8).admitted_of(400, &caller.quick);
    assert!(admitted > QUOTA, "only {admitted} passed");
    slow.assert_nothing_leaked(&caller);
}

/// The rate that a request spends is spent, although its place in flight comes back.
#[test]
fn fp_1_a_rate_beside_it_is_spent_by_what_passes_and_by_nothing_else() {
    let limits = "algorithm: concurrency, quota: 3 }, { name: rate, quota: 10, window: 1h";
    let upstream = Upstream::answering(&[]);
    let gateway = Setup::yaml(per_key_limit(limits)).upstream(upstream.address()).start();
    let slow = Slow { gateway, upstream };
    let caller = slow.new_caller();
    let flights = slow.full(&caller, QUOTA);
    flights.into_iter().for_each(Flight::land);
    slow.flight(&caller.held).land();
    assert_eq!(caller.quick.admitted_of(20), 10 - QUOTA - 1);
}
