//! Bugs that the simulator has found, each as a test of its own.

use super::random::Random;
use super::scenario::{Kind, Scenario, limit};
use super::worker::new_table;
use crate::identity::Identity;
use crate::limiter::Limit;
use crate::table::fake_store::FakeStore;
use crate::table::memory::MemoryStore;
use crate::table::{Charge, ChargeMode, Count, OnContention, Outcome, Store, Table};
use crate::time::{MILLISECOND, Micros, Now, SECOND};

const START: Micros = 1_000_020 * SECOND;

fn worker(id: u32) -> Table {
    new_table(&Scenario { pages: 16, ..Scenario::small(&mut Random::new(0)) }, id)
}

fn at(mono: Micros) -> Now {
    Now { mono, wall: mono }
}

fn charge(who: u64, limits: &[Limit], count: Count) -> Charge<'_> {
    let identity = Identity { page: who, fingerprint: who };
    Charge { identity, limits, cost: 1, count, on_contention: OnContention::Bucket, held: false, fleet: None }
}

fn ask(table: &mut Table, store: &impl Store, limits: &[Limit], now: Now) -> Outcome {
    table.begin(store, now).charge(&[charge(1, limits, Count::Accepted)], ChargeMode::AllOrNothing).remove(0)
}

#[test]
fn what_counts_later_is_not_counted_now_even_if_the_host_would_not_read() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, Kind::Sliding, 10, 60 * SECOND)];
    let later = [charge(1, &limits, Count::Never)];
    assert!(
        !table.begin(&FakeStore::broken(), at(START)).charge(&later, ChargeMode::AllOrNothing)[0].charged
    );
    table.begin(&store, at(START)).settle();
    assert_eq!(ask(&mut table, &store, &limits, at(START)).verdicts[0].remaining, 9);
}

#[test]
fn a_request_that_was_rejected_stays_so_when_room_comes_before_its_rejection_is_counted() {
    let store = MemoryStore::default();
    let (all, other) = ([limit(1, Kind::Sliding, 1, 60 * SECOND)], [limit(2, Kind::Sliding, 9, 60 * SECOND)]);
    let mut rival = worker(1);
    ask(&mut rival, &store, &all, at(START));
    let gives_back =
        || rival.begin(&store, at(START + SECOND)).refund(&charge(1, &all, Count::Accepted), at(START));
    let store = FakeStore::with_rival(&store, 1, gives_back);
    let charges = [charge(1, &all, Count::All), charge(2, &other, Count::Accepted)];
    let outcomes = worker(2).begin(&store, at(START + SECOND)).charge(&charges, ChargeMode::AllOrNothing);
    assert_eq!(outcomes.iter().map(|outcome| outcome.charged).collect::<Vec<_>>(), [true, false]);
    assert!(!outcomes[0].admitted(), "or the request would pass without counting in the second policy");
}

#[test]
fn a_worker_that_is_late_at_an_edge_does_not_shorten_the_window_another_has_begun() {
    let (mut fast, mut slow, store) = (worker(1), worker(2), MemoryStore::default());
    let limits = [limit(1, Kind::Fixed, 2, 60 * SECOND)];
    let edge = START.next_multiple_of(60 * SECOND);
    assert!(ask(&mut fast, &store, &limits, at(edge)).admitted());
    assert!(ask(&mut slow, &store, &limits, at(edge - 5 * MILLISECOND)).admitted());
    for before in [5 * MILLISECOND, 1] {
        assert!(!ask(&mut fast, &store, &limits, at(edge + 60 * SECOND - before)).admitted());
    }
    assert!(ask(&mut fast, &store, &limits, at(edge + 60 * SECOND)).admitted());
}

#[test]
fn units_of_one_window_of_a_second_are_not_given_back_to_the_next() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, Kind::Fixed, 10, SECOND)];
    let edge = START + SECOND;
    // Workers know the wall clock to some microseconds.
    let before = Now { mono: edge - 5 * MILLISECOND, wall: edge - 5 * MILLISECOND - 10 };
    ask(&mut table, &store, &limits, before);
    ask(&mut table, &store, &limits, at(edge + MILLISECOND));
    table.begin(&store, at(edge + MILLISECOND)).refund(&charge(1, &limits, Count::Accepted), before);
    assert_eq!(ask(&mut table, &store, &limits, at(edge + MILLISECOND)).verdicts[0].remaining, 8);
}

#[test]
fn debts_of_one_millisecond_are_posted_to_the_slots_they_are_given_back_from() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, Kind::Sliding, 640, 60 * SECOND)];
    let (whole, half) = (at(START), at(START + MILLISECOND / 2));
    for now in [whole, half] {
        assert!(ask(&mut table, &FakeStore::broken(), &limits, now).admitted());
    }
    table.begin(&store, half).refund(&charge(1, &limits, Count::Accepted), whole);
    table.begin(&store, half).refund(&charge(1, &limits, Count::Accepted), half);
    assert_eq!(ask(&mut table, &store, &limits, at(START + SECOND)).verdicts[0].remaining, 639);
}

#[test]
fn units_in_flight_that_could_not_be_written_are_published_by_the_next_tick() {
    let (mut table, store, limits) =
        (worker(1), MemoryStore::default(), [limit(1, Kind::Concurrency, 2, 60 * SECOND)]);
    let left = || ask(&mut worker(2), &store, &limits, at(START + SECOND)).verdicts[0].remaining;
    assert!(ask(&mut table, &FakeStore::broken(), &limits, at(START)).admitted());
    table.begin(&store, at(START + SECOND)).settle();
    assert_eq!(left(), 0, "two, less the one in flight and the one that asks");
    table
        .begin(&FakeStore::broken(), at(START + SECOND))
        .refund(&charge(1, &limits, Count::Accepted), at(START));
    table.begin(&store, at(START + SECOND)).settle();
    assert_eq!(left(), 1, "less the one that asks");
}
