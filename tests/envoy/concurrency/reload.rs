//! A new policy while requests are in flight: they stay counted, once, until they end (FP-1, FP-2).

use super::*;
use crate::harness::Update;

#[test]
fn fp_2_what_is_in_flight_stays_counted_through_a_new_policy_and_is_freed_once() {
    let slow = Slow::with(Setup::live);
    let caller = slow.new_caller();
    let old = slow.full(&caller, QUOTA);

    assert_eq!(slow.gateway.update(&policy(QUOTA + 2)), Update::Accepted);

    let new = slow.full(&caller, 2);
    old.into_iter().for_each(Flight::land);
    // All that the old ones held, and no more.
    let more = slow.full(&caller, QUOTA);
    new.into_iter().chain(more).for_each(Flight::land);
    slow.full(&caller, QUOTA + 2).into_iter().for_each(Flight::land);
}

#[test]
fn fp_2_what_is_in_flight_stays_counted_through_a_lower_quota() {
    let slow = Slow::with(Setup::live);
    let caller = slow.new_caller();
    let mut old = slow.full(&caller, QUOTA);

    assert_eq!(slow.gateway.update(&policy(1)), Update::Accepted);

    let probe = slow.new_caller();
    wait_until_quota_is_one(&slow, &probe);
    while let Some(flight) = old.pop() {
        assert!(caller.is_full(), "with {} still in flight", old.len() + 1);
        flight.land();
    }
    slow.full(&caller, 1).into_iter().for_each(Flight::land);
}

#[test]
fn fp_2_a_new_vm_knows_what_the_old_one_has_in_flight() {
    let slow = Slow::with(Setup::live);
    let caller = slow.new_caller();
    let old = slow.full(&caller, QUOTA);

    assert_eq!(slow.gateway.update_with_another_vm(&policy(QUOTA + 1)), Update::Accepted);

    let new = slow.full(&caller, 1);
    old.into_iter().chain(new).for_each(Flight::land);
    slow.full(&caller, QUOTA + 1).into_iter().for_each(Flight::land);
}

/// Waits until both workers have changed over: no new caller has a second place.
fn wait_until_quota_is_one(slow: &Slow, probe: &Caller) {
    let flight = slow.flight(&probe.held);
    eventually("the new quota to hold", || probe.is_full().then_some(()));
    flight.land();
}
