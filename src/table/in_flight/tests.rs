use crate::limiter::concurrency::WORKER_TTL;
use crate::limiter::{Algorithm, Concurrency, Limit};
use crate::table::memory::MemoryStore;
use crate::table::tests::{NOW, at, charge, limit, worker};
use crate::table::{Charge, ChargeMode, Correction, Outcome, Table};
use crate::time::{MILLISECOND, Micros, SECOND};
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// At most so many that have lasted for longer than `after`; 0: at most so many.
fn long(quota: u32, after: Micros) -> Limit {
    Limit { algorithm: Algorithm::Concurrency(Concurrency { after }), ..limit(1, quota, SECOND) }
}

fn begin(table: &mut Table, store: &MemoryStore, charge: Charge<'_>, now: Micros) -> Outcome {
    table.begin(store, at(now)).charge(&[charge], ChargeMode::AllOrNothing).remove(0)
}

fn end(table: &mut Table, store: &MemoryStore, charge: Charge<'_>, began: Micros, now: Micros) {
    table.begin(store, at(now)).release(&charge, at(began), &Correction::default());
}

fn tick(table: &mut Table, store: &MemoryStore, now: Micros) {
    table.begin(store, at(now)).settle();
}

fn callers(table: &Table) -> usize {
    table.in_flight.limits.len()
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_only_requests_that_have_lasted_for_longer_count() {
    let (mut one, mut other, store) = (worker(1), worker(2), MemoryStore::default());
    let limits = [long(2, 20 * SECOND)];
    for _ in 0..10 {
        assert!(begin(&mut one, &store, charge(1, &limits), NOW).admitted());
    }
    let young = NOW + 19 * SECOND;
    tick(&mut one, &store, young);
    assert_eq!(begin(&mut other, &store, charge(1, &limits), young).verdicts[0].remaining, 2);
    let old = NOW + 21 * SECOND;
    tick(&mut one, &store, old);
    let rejected = begin(&mut other, &store, charge(1, &limits), old);
    assert!(!rejected.admitted() && !rejected.charged);
    assert!(begin(&mut other, &store, charge(2, &limits), old).admitted(), "another caller");
    for left in (0..10).rev() {
        end(&mut one, &store, charge(1, &limits), NOW, old);
        assert_eq!(
            begin(&mut other, &store, charge(1, &limits), old).admitted(),
            left < 2,
            "{left} are left"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_ends_in_time_writes_nothing() {
    let (mut table, store, limits) = (worker(1), MemoryStore::default(), [long(2, 20 * SECOND)]);
    for second in 0..30 {
        let now = NOW + second * SECOND;
        assert!(begin(&mut table, &store, charge(1, &limits), now).charged);
        end(&mut table, &store, charge(1, &limits), now, now + SECOND / 2);
        tick(&mut table, &store, now);
    }
    assert_eq!((store.writes.get(), callers(&table)), (0, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_million_short_streams_take_65_entries_and_leave_none() {
    let (mut table, limits) = (worker(1), [long(2, 20 * SECOND)]);
    let streams: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let step = 60 * SECOND / streams;
    let mut most = 0;
    for stream in 0..streams {
        let now = NOW + stream * step;
        table.in_flight.add(&charge(1, &limits), at(now));
        let entries = table.in_flight.limits.iter().map(|(_, entries)| entries[0].young.len());
        most = entries.max().unwrap().max(most);
    }
    assert!((60..=65).contains(&most), "{most}");
    for stream in 0..streams {
        table.in_flight.remove(&charge(1, &limits), at(NOW + stream * step));
    }
    assert_eq!(callers(&table), 0);
    for caller in 0..10_000 {
        table.in_flight.add(&charge(caller, &limits), at(NOW));
        table.in_flight.remove(&charge(caller, &limits), at(NOW));
    }
    assert_eq!(callers(&table), 0);
}

/// Streams that end just before they would count are never rejected, but are all the other limit's.
#[wasm_bindgen_test(unsupported = test)]
fn x_6_streams_of_just_below_the_time_are_left_to_the_limit_beside_it() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let all = Limit { id: crate::limiter::LimitId(2), ..long(50, 0) };
    let limits = [long(2, 20 * SECOND), all];
    for round in 0..5 {
        let now = NOW + round * 20 * SECOND;
        let admitted = (0..60).filter(|_| begin(&mut table, &store, charge(1, &limits), now).admitted());
        assert_eq!(admitted.count(), 50);
        let last = now + 20 * SECOND - MILLISECOND;
        tick(&mut table, &store, last);
        (0..50).for_each(|_| end(&mut table, &store, charge(1, &limits), now, last));
    }
    assert_eq!(callers(&table), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_2_what_began_before_a_new_policy_is_released_once_by_its_own_rule() {
    for (before, later) in [(0, 20 * SECOND), (20 * SECOND, 0), (20 * SECOND, 5 * SECOND)] {
        let (mut table, store) = (worker(1), MemoryStore::default());
        let (old, new) = ([long(9, before)], [long(9, later)]);
        for (limits, began) in [(&old, NOW), (&new, NOW + SECOND)] {
            (0..3).for_each(|_| drop(begin(&mut table, &store, charge(1, limits), began)));
        }
        table.set_in_force(new.iter());
        let now = NOW + 30 * SECOND;
        tick(&mut table, &store, now);
        let left = |table: &mut Table| begin(table, &store, Charge { cost: 9, ..charge(1, &new) }, now);
        assert_eq!(left(&mut table).verdicts[0].remaining, 3);
        (0..3).for_each(|_| end(&mut table, &store, charge(1, &old), NOW, now));
        assert_eq!(left(&mut table).verdicts[0].remaining, 6, "{before} {later}");
        (0..3).for_each(|_| end(&mut table, &store, charge(1, &new), NOW + SECOND, now));
        assert!(left(&mut table).admitted(), "{before} {later}");
    }
}

/// A stream as the oracle knows it.
struct Stream {
    worker: usize,
    who: u64,
    cost: u32,
    began: Micros,
}

/// Three workers that tick once a second, each at its own time, and what is truly in flight.
struct World {
    store: MemoryStore,
    workers: Vec<Table>,
    ids: u32,
    limits: [Limit; 1],
    after: Micros,
    now: Micros,
    streams: Vec<Stream>,
    /// Whose worker has died: their units, and until when they may count.
    dead: Vec<(u64, u64, Micros)>,
}

impl World {
    fn new(quota: u32, after: Micros) -> World {
        let workers = (1..4).map(worker).collect();
        let (streams, dead) = (Vec::new(), Vec::new());
        let (store, limits) = (MemoryStore::default(), [long(quota, after)]);
        World { store, workers, ids: 4, limits, after, now: NOW, streams, dead }
    }

    fn advance(&mut self, time: Micros) {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + 1).next_multiple_of(SECOND / 4).min(end);
            if self.now.is_multiple_of(SECOND / 4)
                && let Some(worker) = self.workers.get_mut((self.now / (SECOND / 4) % 4) as usize)
            {
                tick(worker, &self.store, self.now);
            }
        }
    }

    /// The units of a caller in flight that must count, and those that may.
    fn truth(&self, who: u64) -> (u64, u64) {
        let of = |time: Micros| {
            let own = self
                .streams
                .iter()
                .filter(move |stream| stream.who == who && stream.began + time <= self.now);
            own.map(|stream| u64::from(stream.cost)).sum::<u64>()
        };
        let dead = self.dead.iter().filter(|(dead, _, until)| *dead == who && self.now < *until);
        let dead: u64 = dead.map(|(_, units, _)| units).sum();
        (of(self.after + self.after / 64 + SECOND), of(self.after) + dead)
    }

    fn request(&mut self, worker: usize, who: u64, cost: u32, exact: bool) {
        let (least, most) = self.truth(who);
        let asked = Charge { cost, ..charge(who, &self.limits) };
        let outcome = begin(&mut self.workers[worker], &self.store, asked, self.now);
        let fits = |units: u64| units + u64::from(cost) <= u64::from(self.limits[0].quota.get());
        assert!(!exact || !outcome.admitted() || fits(least), "{least} had lasted for longer");
        assert!(!exact || outcome.admitted() || !fits(most), "only {most} had lasted for longer");
        assert_eq!(outcome.charged, outcome.admitted());
        if outcome.charged {
            self.streams.push(Stream { worker, who, cost, began: self.now });
        }
    }

    fn end(&mut self, which: usize) {
        if self.streams.is_empty() {
            return;
        }
        let Stream { worker, who, cost, began } = self.streams.swap_remove(which % self.streams.len());
        let asked = Charge { cost, ..charge(who, &self.limits) };
        end(&mut self.workers[worker], &self.store, asked, began, self.now);
    }

    fn die(&mut self, dying: usize) {
        self.workers[dying] = worker(self.ids);
        self.ids += 1;
        let (now, after) = (self.now, self.after);
        self.dead.extend(self.streams.extract_if(.., |stream| stream.worker == dying).filter_map(|stream| {
            let counted = stream.began + after <= now;
            counted.then_some((stream.who, stream.cost.into(), now + WORKER_TTL + SECOND))
        }));
    }
}

proptest! {
    /// Workers, callers, costs, times and deaths at random; in a part of the runs also conflicts, which delay
    /// what is published. In the end nothing is counted for ever, and nothing is remembered.
    #[wasm_bindgen_test(unsupported = test)]
    fn fp_1_a_request_counts_from_the_tick_after_its_time_to_its_end(
        quota in 1u32..6,
        after in prop::sample::select(vec![SECOND, 5 * SECOND, 20 * SECOND]),
        conflicts in prop::bool::weighted(0.2),
        steps in prop::collection::vec((0usize..3, 0u32..20, 0u64..4_000, 1u32..3, any::<usize>()), 1..120),
    ) {
        let mut world = World::new(quota, after);
        for (worker, act, gap, cost, which) in steps {
            world.store.conflicts.set(if conflicts { which as u32 % 12 } else { 0 });
            world.advance(gap * MILLISECOND);
            match act {
                0 => world.die(worker),
                1..9 => world.end(which),
                _ => world.request(worker, which as u64 % 2, cost, !conflicts),
            }
        }
        world.store.conflicts.set(0);
        while !world.streams.is_empty() {
            world.end(0);
        }
        world.advance(2 * WORKER_TTL);
        for who in 0..2 {
            let all = Charge { cost: quota, ..charge(who, &world.limits) };
            let outcome = begin(&mut world.workers[0], &world.store, all, world.now);
            prop_assert!(outcome.admitted(), "units that nobody has are counted");
            end(&mut world.workers[0], &world.store, all, world.now, world.now);
        }
        prop_assert!(world.workers.iter().all(|worker| callers(worker) == 0));
    }
}
