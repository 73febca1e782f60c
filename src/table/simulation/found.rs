//! What the simulator has found, each as a scenario of its own.

use super::random::Random;
use super::scenario::{Kind, Scenario, limit};
use super::worker::new_table;
use crate::key::Identity;
use crate::limiter::Limit;
use crate::table::memory::MemoryStore;
use crate::table::{
    Cas, Charge, ChargeMode, Count, OnContention, Outcome, PageId, Read, Store, Table, Write,
};
use crate::time::{MILLISECOND, Micros, Now, SECOND};
use std::cell::RefCell;

const START: Micros = 1_000_020 * SECOND;

fn worker(holder: u32) -> Table {
    new_table(&Scenario { pages: 16, ..Scenario::small(&mut Random::new(0)) }, holder)
}

fn at(mono: Micros) -> Now {
    Now { mono, wall: mono }
}

fn charge(who: u64, limits: &[Limit], count: Count) -> Charge<'_> {
    let identity = Identity { page: who, fingerprint: who };
    Charge { identity, limits, cost: 1, count, on_contention: OnContention::Bucket }
}

fn ask(table: &mut Table, store: &impl Store, limits: &[Limit], now: Now) -> Outcome {
    table.transact(store, &[charge(1, limits, Count::Accepted)], ChargeMode::AllOrNothing, now).remove(0)
}

/// A host that rejects everything.
struct Broken;

impl Store for Broken {
    fn read(&self, _page: PageId) -> Read {
        Read::Unavailable
    }

    fn write(&self, _page: PageId, _bytes: &[u8], _version: Option<Cas>) -> Write {
        Write::Unavailable
    }
}

#[test]
fn what_counts_later_is_not_counted_now_even_if_the_host_would_not_read() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, Kind::Sliding, 10, 60 * SECOND)];
    let later = [charge(1, &limits, Count::Never)];
    assert!(!table.transact(&Broken, &later, ChargeMode::AllOrNothing, at(START))[0].charged);
    table.settle(&store, at(START));
    assert_eq!(ask(&mut table, &store, &limits, at(START)).verdicts[0].remaining, 9);
}

/// A store in which something happens just before the first write.
struct Rival<'a> {
    store: &'a MemoryStore,
    act: RefCell<Option<Box<dyn FnOnce() + 'a>>>,
}

impl Store for Rival<'_> {
    fn read(&self, page: PageId) -> Read {
        self.store.read(page)
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        self.act.take().into_iter().for_each(|act| act());
        self.store.write(page, bytes, version)
    }
}

#[test]
fn a_request_that_was_rejected_stays_so_when_room_comes_before_its_rejection_is_counted() {
    let store = MemoryStore::default();
    let (all, other) = ([limit(1, Kind::Sliding, 1, 60 * SECOND)], [limit(2, Kind::Sliding, 9, 60 * SECOND)]);
    let mut rival = worker(1);
    ask(&mut rival, &store, &all, at(START));
    let gives_back =
        || rival.refund(&store, &charge(1, &all, Count::Accepted), at(START), at(START + SECOND));
    let store = Rival { store: &store, act: RefCell::new(Some(Box::new(gives_back))) };
    let charges = [charge(1, &all, Count::All), charge(2, &other, Count::Accepted)];
    let outcomes = worker(2).transact(&store, &charges, ChargeMode::AllOrNothing, at(START + SECOND));
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
    table.refund(&store, &charge(1, &limits, Count::Accepted), before, at(edge + MILLISECOND));
    assert_eq!(ask(&mut table, &store, &limits, at(edge + MILLISECOND)).verdicts[0].remaining, 8);
}

#[test]
fn debts_of_one_millisecond_are_posted_to_the_slots_they_are_given_back_from() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let limits = [limit(1, Kind::Sliding, 640, 60 * SECOND)];
    let (whole, half) = (at(START), at(START + MILLISECOND / 2));
    for now in [whole, half] {
        assert!(ask(&mut table, &Broken, &limits, now).admitted());
    }
    table.refund(&store, &charge(1, &limits, Count::Accepted), whole, half);
    table.refund(&store, &charge(1, &limits, Count::Accepted), half, half);
    assert_eq!(ask(&mut table, &store, &limits, at(START + SECOND)).verdicts[0].remaining, 639);
}

#[test]
fn what_is_in_flight_or_ended_and_could_not_be_written_is_told_by_the_next_tick() {
    let (mut table, store, limits) =
        (worker(1), MemoryStore::default(), [limit(1, Kind::Concurrency, 2, 60 * SECOND)]);
    let left = || ask(&mut worker(2), &store, &limits, at(START + SECOND)).verdicts[0].remaining;
    assert!(ask(&mut table, &Broken, &limits, at(START)).admitted());
    table.settle(&store, at(START + SECOND));
    assert_eq!(left(), 0, "two, less the one in flight and the one that asks");
    table.refund(&Broken, &charge(1, &limits, Count::Accepted), at(START), at(START + SECOND));
    table.settle(&store, at(START + SECOND));
    assert_eq!(left(), 1, "less the one that asks");
}
