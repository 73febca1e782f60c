use super::super::memory::MemoryStore;
use super::super::tests::{NOW, at, charge, limit, worker};
use super::super::{ChargeMode, Correction, Count, Table};
use super::*;
use crate::time::SECOND;
use wasm_bindgen_test::wasm_bindgen_test;

/// Workers that share a table, and everything they admitted.
struct Fleet {
    workers: Vec<Table>,
    store: MemoryStore,
    limits: [Limit; 1],
    admitted: Vec<Micros>,
    leased: u64,
}

impl Fleet {
    fn new(workers: u32, quota: u32) -> Fleet {
        Fleet {
            workers: (0..workers).map(worker).collect(),
            store: MemoryStore::default(),
            limits: [limit(1, quota, 60 * SECOND)],
            admitted: Vec::new(),
            leased: 0,
        }
    }

    /// One request at each worker in turn, every `gap`, for so long; each worker ticks every second.
    fn run(&mut self, from: Micros, length: Micros, gap: Micros) -> usize {
        let mut rejected = 0;
        for (i, now) in (from..from + length).step_by(gap as usize).enumerate() {
            let worker = i % self.workers.len();
            if now % SECOND < gap {
                self.workers.iter_mut().for_each(|worker| worker.begin(&self.store, at(now)).settle());
            }
            let outcome = self.workers[worker]
                .begin(&self.store, at(now))
                .charge(&[charge(1, &self.limits)], ChargeMode::Sequential);
            if outcome[0].admitted() { self.admitted.push(now) } else { rejected += 1 }
        }
        self.leased = self.workers.iter_mut().map(|worker| worker.take_stats().leased).sum();
        rejected
    }

    fn max_in_a_window(&self) -> usize {
        let window = self.limits[0].window;
        let within =
            |(i, from): (usize, &Micros)| self.admitted[i..].partition_point(|at| *at < from + window);
        self.admitted.iter().enumerate().map(within).max().unwrap_or_default()
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_hot_caller_is_served_from_leases_and_never_passes_the_limit() {
    for workers in [1, 2, 4] {
        let mut fleet = Fleet::new(workers, 6_000);
        // Twice as fast as the limit: 5,000 of 6,000 units in the first 25 s.
        fleet.run(NOW, 25 * SECOND, 5_003);
        let (leased, writes) = (fleet.leased, fleet.store.writes.get());
        assert!(leased > 4_000 && writes < 1_000, "{workers} workers: {leased} leased, {writes} writes");
        fleet.run(NOW + 25 * SECOND, 125 * SECOND, 5_003);
        assert!(fleet.max_in_a_window() <= 6_000, "{workers} workers: {}", fleet.max_in_a_window());
        assert!(fleet.admitted.len() >= 17_800, "{workers} workers: {} of 18000", fleet.admitted.len());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_7_a_steady_caller_below_the_limit_is_never_rejected() {
    let mut fleet = Fleet::new(4, 6_000);
    // 97 a second where 100 are allowed.
    assert_eq!(fleet.run(NOW, 180 * SECOND, 10_309), 0);
    assert!(fleet.leased > 1_000, "{} leased", fleet.leased);
}

#[wasm_bindgen_test(unsupported = test)]
fn unused_units_go_back_with_a_tick() {
    let mut fleet = Fleet::new(1, 6_000);
    fleet.run(NOW, 30 * SECOND, 10_000);
    let end = NOW + 31 * SECOND;
    fleet.workers[0].begin(&fleet.store, at(end)).settle();
    let verdicts =
        worker(9).begin(&fleet.store, at(end)).charge(&[charge(1, &fleet.limits)], ChargeMode::Sequential);
    assert_eq!(verdicts[0].verdicts[0].remaining, 6_000 - 3_000 - 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn small_quotas_and_rare_callers_are_never_leased() {
    let mut small = Fleet::new(1, MIN_QUOTA - 1);
    small.run(NOW, 60 * SECOND, 100_000);
    let mut rare = Fleet::new(1, 6_000);
    rare.run(NOW, 60 * SECOND, SECOND);
    assert_eq!((small.leased, rare.leased), (0, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_lease_reports_the_remaining_units_as_if_it_were_shared() {
    let mut fleet = Fleet::new(1, 6_000);
    let mut last = 6_000;
    for i in 0..3_000 {
        let now = at(NOW + i * 5_000);
        let outcome = fleet.workers[0]
            .begin(&fleet.store, now)
            .charge(&[charge(1, &fleet.limits)], ChargeMode::Sequential);
        let verdict = outcome[0].verdicts[0];
        assert_eq!(verdict.remaining, last - 1, "request {i}");
        assert!(verdict.full_reset >= now.mono + 60 * SECOND);
        last = verdict.remaining;
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_hot_caller_is_leased_whoever_is_counted_beside_it() {
    for mode in [ChargeMode::Sequential, ChargeMode::AllOrNothing] {
        hot_beside_others(mode);
    }
}

fn hot_beside_others(mode: ChargeMode) {
    const REQUESTS: u64 = 10_000;
    let (mut table, store) = (worker(1), MemoryStore::default());
    let (hot, small) = ([limit(1, 6_000, 60 * SECOND)], [limit(2, 500, 60 * SECOND)]);
    let mut admitted = 0;
    for i in 0..REQUESTS {
        // The second caller is another one each time, so it has no lease, and may have none.
        let charges = [charge(1, &hot), charge(1_000 + i, &small)];
        let outcomes = table.begin(&store, at(NOW + i * 2_500)).charge(&charges, mode);
        admitted += u64::from(outcomes.iter().all(Outcome::admitted));
    }
    // 25 s: not a unit of the first ones is back, and the cap holds to the unit.
    assert_eq!(admitted, 6_000);
    let hot_writes = u64::from(store.writes.get()) - admitted;
    assert!(hot_writes < 1_500, "{hot_writes} writes of the hot record");
}

/// A request that another limit rejects takes nothing from a lease.
#[wasm_bindgen_test(unsupported = test)]
fn x_3_a_rejection_beside_a_lease_spends_nothing_of_it() {
    let (mut table, store) = (worker(1), MemoryStore::default());
    let (hot, small) = ([limit(1, 6_000, 60 * SECOND)], [limit(2, 50, 60 * SECOND)]);
    let warm = |table: &mut Table, i: u64| {
        table.begin(&store, at(NOW + i * 2_500)).charge(&[charge(1, &hot)], ChargeMode::AllOrNothing)
    };
    (0..1_000).for_each(|i| drop(warm(&mut table, i)));
    let writes = store.writes.get();
    let mut left = Vec::new();
    for i in 0..100 {
        let now = at(NOW + 2_500_000 + i);
        let outcomes =
            table.begin(&store, now).charge(&[charge(1, &hot), charge(2, &small)], ChargeMode::AllOrNothing);
        let rejected = i >= 50;
        assert_eq!(outcomes[1].admitted(), !rejected, "request {i}");
        assert_eq!(outcomes[0].charged, !rejected, "request {i}");
        left.push(outcomes[0].verdicts[0].remaining);
    }
    assert_eq!(left, (0..100).map(|i| 6_000 - 1_000 - (i + 1).min(50)).collect::<Vec<_>>());
    let writes = store.writes.get() - writes;
    assert!((50..55).contains(&writes), "{writes} writes, 50 of them of the small limit");
}

/// Every worker serves from leases, and every worker returns units that any of them has counted.
#[wasm_bindgen_test(unsupported = test)]
fn returns_are_exact_across_workers_and_their_leases() {
    for (seed, algorithm) in (0..40).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut fleet = Fleet::new(1 + seed % 4, 6_000);
        if algorithm {
            fleet.limits[0].algorithm = crate::limiter::FixedWindow.into();
        }
        let (mut random, mut returned, mut now) = (u64::from(seed), 0, NOW.next_multiple_of(60 * SECOND));
        fleet.run(now, 10 * SECOND, 5_003);
        now += 10 * SECOND;
        for _ in 0..600 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = random >> 40;
            now += draw % 20 * MILLISECOND;
            if now % SECOND < 20 * MILLISECOND {
                fleet.workers.iter_mut().for_each(|worker| worker.begin(&fleet.store, at(now)).settle());
            }
            let worker = (draw >> 8) as usize % fleet.workers.len();
            let mut transaction = fleet.workers[worker].begin(&fleet.store, at(now));
            let one = charge(1, &fleet.limits);
            if draw.is_multiple_of(3) {
                let correction = Correction { returned: Some((at(now), 1)), ..Correction::default() };
                transaction.correct(&one, &correction);
                returned += 1;
            } else if transaction.charge(&[one], ChargeMode::Sequential)[0].admitted() {
                fleet.admitted.push(now);
            }
        }
        fleet.workers.iter_mut().for_each(|worker| worker.begin(&fleet.store, at(now)).close());
        let looked = Charge { cost: 0, count: Count::Never, ..charge(1, &fleet.limits) };
        let left = worker(9).begin(&fleet.store, at(now)).charge(&[looked], ChargeMode::Sequential)[0]
            .verdicts[0]
            .remaining;
        let counted = fleet.admitted.len() as u64 - returned;
        assert_eq!(6_000 - left, counted, "seed {seed}, {} workers, {algorithm}", fleet.workers.len());
        let leased: u64 = fleet.leased + fleet.workers.iter_mut().map(|w| w.take_stats().leased).sum::<u64>();
        assert!(leased > 100, "{leased} leased");
    }
}
