//! Charges of the fleet beside others, while the service does not answer.

use super::super::memory::MemoryStore;
use super::super::tests::{NOW, at, charge, limit, worker};
use super::*;
use crate::fleet::message::Answer;
use crate::limiter::{Algorithm, Concurrency, Limit};
use crate::time::MILLISECOND;
use wasm_bindgen_test::wasm_bindgen_test;

const SEED: &[u8] = b"000102030405060708090a0b0c0d0e0f 1\n";

/// A member of a fleet with so many workers, whose service is down.
fn without_a_service(workers: u32) -> Member {
    let mut member = Member::new(1, 50 * MILLISECOND);
    let now = at(NOW - SECOND);
    let call = member.next_call(now).unwrap();
    member.answered(call.number, Ok(SEED), now);
    let call = member.next_call(now).unwrap();
    let answer = Answer { epoch: 1, workers, ..Answer::default() }.encode();
    member.answered(call.number, Ok(&answer), now);
    for i in 0..3 {
        let now = at(NOW - SECOND / 2 + i * MILLISECOND);
        let limits = [limit(99, 10, 60 * SECOND)];
        let charge = of_fleet("probe", 99, &limits);
        member.units.wait(&claim(&charge, charge.fleet.unwrap(), &ForgivenCallers::default()), now);
        let call = member.next_call(now).unwrap();
        member.answered(call.number, Err(503), now);
    }
    assert!(!member.is_up());
    member
}

fn of_fleet<'a>(policy: &'a str, who: u64, limits: &'a [Limit]) -> Charge<'a> {
    let share = Share { policy, on_outage: OnOutage::Local, gives_back: false, in_background: false };
    Charge { fleet: Some(share), ..charge(who, limits) }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_another_policy_rejects_keeps_no_unit_in_flight() {
    let (mut table, store, mut member) = (worker(1), MemoryStore::default(), without_a_service(4));
    let flights =
        [Limit { algorithm: Algorithm::Concurrency(Concurrency { after: 0 }), ..limit(1, 40, SECOND) }];
    let minutes = [limit(2, 4, 60 * SECOND)];
    let charges = [of_fleet("flights", 1, &flights), of_fleet("minutes", 2, &minutes)];
    let mut admitted = 0;
    for i in 0..30 {
        let mut transaction = table.begin(&store, at(NOW + i)).in_fleet(Some(&mut member), false);
        let outcomes = transaction.charge(&charges, ChargeMode::AllOrNothing);
        if outcomes.iter().all(Outcome::admitted) {
            admitted += 1;
            transaction.refund(&charges[0], at(NOW + i));
        }
    }
    assert_eq!(admitted, 1, "this worker's share of the minutes");
    // Nothing is in flight, so there is room.
    let mut transaction = table.begin(&store, at(NOW + 30)).in_fleet(Some(&mut member), false);
    let outcomes = transaction.charge(&charges[..1], ChargeMode::AllOrNothing);
    assert!(outcomes[0].admitted(), "{outcomes:?}");
}

/// What becomes of a charge that no limit ever admits, such as one with conflicting values of its key.
fn never_admitted(on_outage: OnOutage, member: &mut Member, may_wait: bool) -> Outcome {
    let (mut table, store, limits) = (worker(1), MemoryStore::default(), [limit(1, 10, 60 * SECOND)]);
    let charge = Charge { cost: 11, ..of_fleet("api", 1, &limits) };
    let charge = Charge { fleet: charge.fleet.map(|share| Share { on_outage, ..share }), ..charge };
    let mut transaction = table.begin(&store, at(NOW)).in_fleet(Some(member), may_wait);
    assert_eq!(transaction.must_wait(&[charge], ChargeMode::AllOrNothing), None);
    transaction.charge(&[charge], ChargeMode::AllOrNothing).remove(0)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_no_limit_ever_admits_is_rejected_whatever_decides_in_an_outage() {
    for on_outage in [OnOutage::Local, OnOutage::Allow, OnOutage::Deny] {
        let outcome = never_admitted(on_outage, &mut without_a_service(4), false);
        assert!(!outcome.admitted() && !outcome.unavailable && !outcome.charged, "{on_outage:?}");
        // Nor before the worker has joined.
        let outcome = never_admitted(on_outage, &mut Member::new(1, 50 * MILLISECOND), false);
        assert!(!outcome.admitted() && !outcome.unavailable && !outcome.charged, "{on_outage:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_no_limit_ever_admits_asks_nobody() {
    let mut member = without_a_service(4);
    let now = at(NOW - MILLISECOND);
    let call = member.next_call(now).unwrap();
    member.answered(call.number, Ok(&Answer { epoch: 1, workers: 4, ..Answer::default() }.encode()), now);
    assert!(member.is_up());
    assert!(!never_admitted(OnOutage::Allow, &mut member, true).admitted());
}
