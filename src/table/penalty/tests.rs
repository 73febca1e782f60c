use super::*;
use crate::limiter::{Algorithm, Penalty, TokenBucket};
use crate::table::Charge;
use crate::table::memory::MemoryStore;
use crate::table::tests::{NOW, at, charge, limit, worker};
use crate::table::{ChargeMode, Count, Outcome, Table, TableStats};
use crate::time::SECOND;
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

const MINUTE: Micros = 60 * SECOND;
const BLOCK: Micros = 300 * SECOND;
const BOTH: [ChargeMode; 2] = [ChargeMode::Sequential, ChargeMode::AllOrNothing];

/// `quota` per minute, with the penalty.
fn penalizing(quota: u32) -> [Limit; 2] {
    [limit(1, quota, MINUTE), Limit::penalty("p", BLOCK, Penalty::default())]
}

fn ask(
    table: &mut Table,
    store: &MemoryStore,
    charges: &[Charge<'_>],
    mode: ChargeMode,
    now: Micros,
) -> Vec<Outcome> {
    table.begin(store, at(now)).charge(charges, mode)
}

/// One request of one caller to one policy.
fn asked(table: &mut Table, store: &MemoryStore, limits: &[Limit], now: Micros) -> Verdict {
    let outcomes = ask(table, store, &[charge(1, limits)], ChargeMode::AllOrNothing, now);
    assert_eq!(outcomes[0].verdicts.len(), 1, "a penalty has no answer of its own");
    outcomes[0].verdicts[0]
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_the_first_excess_blocks_and_what_comes_while_blocked_neither_prolongs_nor_writes() {
    for mode in BOTH {
        let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(2));
        let charges = [charge(1, &limits)];
        let mut ask = |now| ask(&mut table, &store, &charges, mode, now).remove(0).verdicts[0];
        assert!(ask(NOW).admitted && ask(NOW).admitted);
        let first = ask(NOW + SECOND);
        assert_eq!((first.admitted, first.retry_after), (false, BLOCK));
        for gap in [1, 30, 59, 60, 61, 200, 299] {
            let verdict = ask(NOW + SECOND + gap * SECOND);
            assert_eq!((verdict.admitted, verdict.remaining), (false, 0));
            assert_eq!(verdict.retry_after, BLOCK - gap * SECOND);
            assert_eq!(verdict.next_slot, NOW + SECOND + BLOCK);
        }
        assert_eq!(store.writes.get(), 3, "{mode:?}");
        let end = NOW + SECOND + BLOCK;
        assert!(!ask(end - 1).admitted);
        assert!(ask(end).admitted && ask(end).admitted && !ask(end).admitted);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_the_wait_is_never_shorter_than_the_limits_own() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, 1, 3 * BLOCK), Limit::penalty("p", BLOCK, Penalty::default())];
    asked(&mut table, &store, &limits, NOW);
    assert_eq!(asked(&mut table, &store, &limits, NOW).retry_after, 3 * BLOCK);
    // Blocked no more, and still above the limit: a second excess.
    assert_eq!(asked(&mut table, &store, &limits, NOW + BLOCK).retry_after, 2 * BLOCK);
    assert_eq!(asked(&mut table, &store, &limits, NOW + 3 * BLOCK - SECOND).retry_after, BLOCK);
}

#[wasm_bindgen_test(unsupported = test)]
fn of_several_limits_the_one_that_rejects_goes_on_to_be_the_one() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, 9, SECOND), limit(2, 1, MINUTE), Limit::penalty("p", BLOCK, Penalty::default())];
    let mut ask =
        |now| ask(&mut table, &store, &[charge(1, &limits)], ChargeMode::AllOrNothing, now).remove(0);
    ask(NOW);
    for (now, rejected) in [(NOW, [false, true]), (NOW + SECOND, [false, true]), (NOW + MINUTE, [true, true])]
    {
        let verdicts = ask(now).verdicts;
        assert_eq!([!verdicts[0].admitted, !verdicts[1].admitted], rejected);
        assert_eq!([verdicts[0].remaining, verdicts[1].remaining], [0, 0]);
        assert_eq!([verdicts[0].next_slot, verdicts[1].next_slot], [NOW + BLOCK, NOW + BLOCK]);
        assert_eq!(verdicts[1].retry_after, NOW + BLOCK - now);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_whatever_counts_an_excess_blocks() {
    for (count, mode) in [Count::Accepted, Count::All].into_iter().zip(BOTH.repeat(2)) {
        let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(2));
        let charges = [Charge { count, ..charge(1, &limits) }];
        let mut ask = |now| ask(&mut table, &store, &charges, mode, now).remove(0);
        let admitted = (0..5).filter(|_| ask(NOW).admitted()).count();
        assert_eq!(admitted, 2, "{count:?}");
        let blocked = ask(NOW + 2 * MINUTE);
        assert_eq!((blocked.admitted(), blocked.charged), (false, count == Count::All));
        assert_eq!(blocked.verdicts[0].retry_after, BLOCK - 2 * MINUTE);
        assert!(ask(NOW + BLOCK).admitted());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_what_is_counted_by_its_response_blocks_with_the_request_that_is_rejected() {
    let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(2));
    let judged = Charge { count: Count::Never, ..charge(1, &limits) };
    let counted = Charge { limits: &limits[..1], ..judged };
    for _ in 0..2 {
        table.begin(&store, at(NOW)).charge_late(&counted);
    }
    for mode in BOTH {
        let outcome = ask(&mut table, &store, &[judged], mode, NOW).remove(0);
        assert_eq!((outcome.charged, outcome.verdicts[0].retry_after), (false, BLOCK));
    }
    let blocked = ask(&mut table, &store, &[judged], ChargeMode::Sequential, NOW + MINUTE).remove(0);
    assert_eq!(blocked.verdicts[0].retry_after, BLOCK - MINUTE);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_rejection_by_another_policy_alone_blocks_nobody() {
    for mode in BOTH {
        for first in [true, false] {
            let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(2));
            let other = [limit(7, 1, MINUTE)];
            let mut charges = [charge(1, &limits), charge(2, &other)];
            if first {
                charges.reverse();
            }
            for _ in 0..2 {
                ask(&mut table, &store, &charges, mode, NOW);
            }
            let own = asked(&mut table, &store, &limits, NOW + MINUTE);
            assert_eq!((own.admitted, own.remaining), (true, 1), "{mode:?}, the other first: {first}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_sequential_rejection_before_it_does_not_block_even_who_has_nothing_left() {
    let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(1));
    let other = [limit(7, 1, MINUTE)];
    let charges = [charge(2, &other), charge(1, &limits)];
    ask(&mut table, &store, &charges, ChargeMode::Sequential, NOW);
    let outcomes = ask(&mut table, &store, &charges, ChargeMode::Sequential, NOW);
    assert_eq!(outcomes[1].verdicts[0].retry_after, MINUTE, "it was not asked");
    assert!(asked(&mut table, &store, &limits, NOW + MINUTE).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_3_all_workers_reject_whom_one_has_blocked() {
    let (store, limits) = (MemoryStore::default(), penalizing(3_000));
    let (mut one, mut other) = (worker(1), worker(2));
    for _ in 0..3_000 {
        assert!(asked(&mut one, &store, &limits, NOW).admitted);
    }
    assert!(!asked(&mut one, &store, &limits, NOW).admitted);
    assert_eq!(one.take_stats(), TableStats::default(), "a policy with a penalty never leases");
    assert_eq!(asked(&mut other, &store, &limits, NOW + MINUTE).retry_after, BLOCK - MINUTE);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_penalty_that_meets_conflicts_is_tried_again_and_one_that_cannot_be_written_costs_nothing() {
    for mode in BOTH {
        let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(1));
        let charges = [charge(1, &limits)];
        ask(&mut table, &store, &charges, mode, NOW);
        store.conflicts.set(3);
        let rejected = ask(&mut table, &store, &charges, mode, NOW).remove(0);
        assert_eq!((rejected.charged, rejected.verdicts[0].retry_after), (false, BLOCK));
        assert_eq!(asked(&mut table, &store, &limits, NOW + MINUTE).retry_after, BLOCK - MINUTE);

        store.conflicts.set(u32::MAX);
        let now = NOW + BLOCK;
        let rejected = (0..3).filter(|_| !ask(&mut table, &store, &charges, mode, now)[0].admitted());
        assert_eq!(rejected.count(), 2, "a worker alone goes on to count, and answers for each limit");
        store.conflicts.set(0);
        table.begin(&store, at(now)).settle();
        assert!(asked(&mut table, &store, &limits, now + MINUTE).admitted, "it could not be written");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn newcomers_to_a_full_page_are_not_blocked_for_each_other() {
    let (mut table, store, limits) = (worker(1), MemoryStore::default(), penalizing(2));
    for client in 1..200 {
        for _ in 0..3 {
            ask(&mut table, &store, &[charge(client, &limits)], ChargeMode::Sequential, NOW);
        }
    }
    assert!(table.take_stats().overflow > 0);
    let mut newcomer = |now| {
        let outcomes = ask(&mut table, &store, &[charge(1_000, &limits)], ChargeMode::Sequential, now);
        outcomes[0].verdicts[0]
    };
    let rejected = newcomer(NOW + SECOND);
    assert_eq!((rejected.admitted, rejected.retry_after), (false, MINUTE - SECOND));
    assert!(newcomer(NOW + MINUTE).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_late_cost_above_the_burst_starts_no_block() {
    let burst = NonZeroU32::new(5).unwrap();
    let bucket = Limit { algorithm: Algorithm::TokenBucket(TokenBucket { burst }), ..limit(1, 5, MINUTE) };
    let (mut table, store, limits) =
        (worker(1), MemoryStore::default(), [bucket, Limit::penalty("p", BLOCK, Penalty::default())]);
    assert!(asked(&mut table, &store, &limits, NOW).admitted);
    let late = Charge { cost: 9, ..charge(1, &limits) };
    table.begin(&store, at(NOW)).charge_late(&late);
    let over = NOW + 2 * MINUTE;
    assert!(asked(&mut table, &store, &limits, over).admitted, "only its own excess blocks a caller");
}
