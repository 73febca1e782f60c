//! Charges of the fleet beside others, while the service does not answer.

use super::super::memory::MemoryStore;
use super::super::tests::{NOW, at, charge, limit, worker};
use super::*;
use crate::fleet::message::Answer;
use crate::limiter::{Algorithm, Limit};
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
        member.units.wait(&claim(&charge, charge.fleet.unwrap()), now);
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
    let flights = [Limit { algorithm: Algorithm::Concurrency, ..limit(1, 40, SECOND) }];
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
