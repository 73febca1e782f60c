mod full_page;

use super::fake_store::FakeStore;
use super::memory::MemoryStore;
use super::*;
use crate::identity::{Identity, Seed};
use crate::limiter::concurrency::WorkerId;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Concurrency, Limit, LimitId, SlidingWindow};
use crate::time::{Micros, Now, SECOND};
use proptest::prelude::*;
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

pub(super) const NOW: Micros = 1_000_000 * SECOND;
const ONE_PAGE: TableSize = TableSize { pages: NonZeroU32::MIN, page_bytes: 1_536 };

pub(super) fn limit(id: u32, quota: u32, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    let slots = Slots::that_fit(quota, window, ONE_PAGE.max_state_bytes());
    Limit { id: LimitId(id), quota, window, algorithm: Algorithm::SlidingWindow(SlidingWindow { slots }) }
}

/// A proven identity.
fn identity(n: u64) -> Identity {
    Identity { page: n, fingerprint: n }.known(true)
}

pub(super) fn worker(id: u32) -> Table {
    Table::new(Seed::new([0; Seed::LEN]), ONE_PAGE, WorkerId(id))
}

fn table() -> Table {
    worker(1)
}

/// A charge of one unit.
pub(super) fn charge(who: u64, limits: &[Limit]) -> Charge<'_> {
    let (count, on_contention) = Default::default();
    Charge { identity: identity(who), limits, cost: 1, count, on_contention, held: false, fleet: None }
}

/// Both clocks at a monotonic instant.
pub(super) fn at(mono: Micros) -> Now {
    Now { mono, wall: mono + 1_700_000_000 * SECOND }
}

fn ask(table: &mut Table, store: &MemoryStore, who: u64, limits: &[Limit], now: Micros) -> Verdicts {
    table.begin(store, at(now)).charge(&[charge(who, limits)], ChargeMode::AllOrNothing).remove(0).verdicts
}

/// How many of `requests` at one instant pass.
fn passed(
    table: &mut Table,
    store: &MemoryStore,
    who: u64,
    limits: &[Limit],
    now: Micros,
    requests: u32,
) -> u32 {
    (0..requests).filter(|_| admitted(&ask(table, store, who, limits, now))).count() as u32
}

#[wasm_bindgen_test(unsupported = test)]
fn x_1_exactly_the_quota_passes_and_a_rejection_writes_nothing() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 50, 60 * SECOND)]);
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 60), 50);
    assert_eq!(store.writes.get(), 50);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_3_all_workers_share_every_counter() {
    let (store, limits) = (MemoryStore::default(), [limit(1, 50, 60 * SECOND)]);
    let mut workers = [table(), table(), table()];
    let passed: usize =
        (0..90).filter(|i| admitted(&ask(&mut workers[i % 3], &store, 1, &limits, NOW))).count();
    assert_eq!(passed, 50);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_limits_of_one_policy_cost_one_read_and_one_write_and_spend_together() {
    let (mut table, store) = (table(), MemoryStore::default());
    let limits = [limit(1, 10, 60 * SECOND), limit(2, 3, 3_600 * SECOND)];
    ask(&mut table, &store, 1, &limits, NOW);
    assert_eq!((store.reads.get(), store.writes.get()), (1, 1));
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 5), 2);
    // The minute was judged 6 times and spent 3 times: what the hour rejected cost it nothing.
    assert_eq!(ask(&mut table, &store, 1, &limits, NOW)[0].remaining, 7);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_5_sequential_spends_what_came_before_the_rejection_and_all_or_nothing_does_not() {
    for (mode, left) in [(ChargeMode::Sequential, 0), (ChargeMode::AllOrNothing, 8)] {
        let (mut table, store) = (table(), MemoryStore::default());
        let (ip, key) = ([limit(1, 10, 60 * SECOND)], [limit(2, 2, 60 * SECOND)]);
        let charges = [charge(1, &ip), charge(2, &key)];
        for _ in 0..20 {
            table.begin(&store, at(NOW)).charge(&charges, mode);
        }
        assert_eq!(passed(&mut table, &store, 1, &ip, NOW, 20), left, "{mode:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn two_policies_of_one_caller_do_not_conflict_with_each_other() {
    for mode in [ChargeMode::Sequential, ChargeMode::AllOrNothing] {
        let (mut table, store) = (table(), MemoryStore::default());
        let (one, other) = ([limit(1, 10, 60 * SECOND)], [limit(2, 2, 60 * SECOND)]);
        let charge = |limits| charge(1, limits);
        for _ in 0..5 {
            table.begin(&store, at(NOW)).charge(&[charge(&one), charge(&other)], mode);
        }
        assert_eq!(table.take_stats(), TableStats::default(), "{mode:?}");
        let left = if mode == ChargeMode::Sequential { 5 } else { 8 };
        assert_eq!(passed(&mut table, &store, 1, &one, NOW, 20), left, "{mode:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_12_after_a_rejection_the_later_limits_are_still_looked_at() {
    let (mut table, store) = (table(), MemoryStore::default());
    let (ip, key) = ([limit(1, 1, 10 * SECOND)], [limit(2, 1, 60 * SECOND)]);
    let charges = [charge(1, &ip), charge(2, &key)];
    for mode in [ChargeMode::Sequential, ChargeMode::AllOrNothing] {
        table.begin(&store, at(NOW)).charge(&charges, mode);
        let answers = table.begin(&store, at(NOW)).charge(&charges, mode);
        let waits: Vec<_> = answers.iter().map(|outcome| outcome.verdicts[0].retry_after).collect();
        assert_eq!(waits, [10 * SECOND, 60 * SECOND], "{mode:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_22_a_late_rejection_refunds_what_was_already_spent() {
    let size = TableSize { pages: NonZeroU32::new(16).unwrap(), page_bytes: 1_536 };
    let table = || Table::new(Seed::new([0; Seed::LEN]), size, WorkerId(1));
    let store = MemoryStore::default();
    let (first, second) = ([limit(1, 10, 60 * SECOND)], [limit(2, 1, 60 * SECOND)]);
    let charges = [charge(1, &first), charge(2, &second)];
    let rival_takes_the_second = || assert_eq!(passed(&mut table(), &store, 2, &second, NOW, 1), 1);
    let rival = FakeStore::with_rival(&store, 2, rival_takes_the_second);
    let answers = table().begin(&rival, at(NOW)).charge(&charges, ChargeMode::AllOrNothing);
    assert_eq!(answers.iter().map(Outcome::admitted).collect::<Vec<_>>(), [true, false]);
    assert_eq!(answers[0].verdicts[0].remaining, 10, "nothing is spent at the first limit");
    assert_eq!(passed(&mut table(), &store, 1, &first, NOW, 20), 10);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_page_created_by_two_workers_at_once_loses_no_count() {
    let (store, limits) = (MemoryStore::default(), [limit(1, 10, 60 * SECOND)]);
    let rival_is_first = || assert_eq!(passed(&mut table(), &store, 1, &limits, NOW, 3), 3);
    let rival = FakeStore::with_rival(&store, 0, rival_is_first);
    let charge = charge(1, &limits);
    let mut slow = table();
    let verdict = slow.begin(&rival, at(NOW)).charge(&[charge], ChargeMode::Sequential)[0].verdicts[0];
    assert_eq!(verdict.remaining, 6);
    assert_eq!(slow.take_stats().cas_misses, 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn after_eight_conflicts_the_bucket_decides_and_its_debt_is_posted() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 128, 60 * SECOND)]);
    store.conflicts.set(u32::MAX);
    // A 64th of 128 is 2: the burst.
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 10), 2);
    assert_eq!(table.take_stats(), TableStats { degraded: 10, cas_misses: 80, ..TableStats::default() });
    assert!(store.pages().is_empty());
    store.conflicts.set(0);
    // The next write that succeeds posts the debt of 2 with its own unit.
    assert_eq!(ask(&mut table, &store, 1, &limits, NOW)[0].remaining, 125);
    assert_eq!(
        passed(&mut table, &store, 1, &limits, NOW, 200),
        125,
        "after the storm the count is the truth"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_debt_is_posted_by_a_tick_even_if_the_caller_never_comes_back() {
    let (mut one, mut other) = (table(), table());
    let (store, limits) = (MemoryStore::default(), [limit(1, 64, 60 * SECOND)]);
    store.conflicts.set(8);
    assert_eq!(passed(&mut one, &store, 1, &limits, NOW, 1), 1);
    one.begin(&store, at(NOW + SECOND)).settle();
    one.begin(&store, at(NOW + SECOND)).settle();
    assert_eq!(store.writes.get(), 9, "posted once");
    assert_eq!(passed(&mut other, &store, 1, &limits, NOW + SECOND, 100), 63);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_full_limit_is_not_passed_even_when_nothing_can_be_written() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 640, 60 * SECOND)]);
    passed(&mut table, &store, 1, &limits, NOW, 640);
    store.conflicts.set(u32::MAX);
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 50), 0);
    assert_eq!(table.take_stats().degraded, 0, "a rejection needs no write");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_damaged_page_reads_as_empty_and_is_counted() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 2, 60 * SECOND)]);
    store.overwrite(0, b"another module's bytes");
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 5), 2);
    assert_eq!(table.take_stats().damaged, 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reload_keeps_what_still_fits() {
    let (mut table, store) = (table(), MemoryStore::default());
    passed(&mut table, &store, 1, &[limit(1, 10, 60 * SECOND), limit(2, 5, 60 * SECOND)], NOW, 4);
    // Limit 2 is gone, limit 3 is new, limit 1 has another quota and window.
    let limits = [limit(3, 100, 60 * SECOND), limit(1, 6, 3_600 * SECOND)];
    let verdicts = ask(&mut table, &store, 1, &limits, NOW);
    assert_eq!(verdicts.iter().map(|verdict| verdict.remaining).collect::<Vec<_>>(), [99, 1]);
    // Limit 2 comes back and finds its count.
    assert_eq!(ask(&mut table, &store, 1, &[limit(2, 5, 60 * SECOND)], NOW)[0].remaining, 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a1_late_charges_of_any_number_of_callers_are_written_at_once() {
    let size = TableSize { pages: NonZeroU32::new(1_024).unwrap(), page_bytes: 1_536 };
    let mut table = Table::new(Seed::new([0; Seed::LEN]), size, WorkerId(1));
    let (store, limits) = (MemoryStore::default(), [limit(1, 5, 600 * SECOND)]);
    for who in 0..10_000 {
        (0..5).for_each(|_| table.begin(&store, at(NOW)).charge_late(&charge(who, &limits)));
    }
    assert!((0..10_000).all(|who| !admitted(&ask(&mut table, &store, who, &limits, NOW))));
    assert_eq!(table.take_stats().debts_dropped, 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a1_what_can_not_be_written_is_owed_by_8192_and_then_counted_as_dropped() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 5, 600 * SECOND)]);
    store.conflicts.set(u32::MAX);
    let alone = (0..5_000).filter(|who| admitted(&ask(&mut table, &store, *who, &limits, NOW))).count();
    assert_eq!(alone, 4_096, "a worker alone decides about no more, and rejects the others");
    for who in 0..9_000 {
        table.begin(&store, at(NOW)).charge_late(&charge(who, &limits));
    }
    assert_eq!(table.take_stats().debts_dropped, 9_000 - 8_192);
    store.conflicts.set(0);
    table.begin(&store, at(NOW + SECOND)).settle();
    assert_eq!(
        table.take_stats().debts_dropped,
        0,
        "all that was owed is posted, and nothing is owed any more"
    );
    let late =
        (9_000..17_000).map(|who| table.begin(&store, at(NOW)).charge_late(&charge(who, &limits))).count();
    assert_eq!((late, table.take_stats().debts_dropped), (8_000, 0));
}

#[wasm_bindgen_test(unsupported = test)]
fn after_a_stall_of_the_process_units_in_flight_still_count() {
    let store = MemoryStore::default();
    let (mut one, mut other) = (worker(1), worker(2));
    let limits =
        [Limit { algorithm: Algorithm::Concurrency(Concurrency { after: 0 }), ..limit(1, 8, SECOND) }];
    [&mut one, &mut other].into_iter().for_each(|table| table.begin(&store, at(NOW)).settle());
    assert_eq!(passed(&mut one, &store, 1, &limits, NOW, 9), 8);
    // Nobody runs for 35 s, and the other worker is the first to run again.
    let awake = NOW + 35 * SECOND;
    assert_eq!(passed(&mut other, &store, 1, &limits, awake, 8), 0);
    one.begin(&store, at(awake + SECOND)).settle();
    for second in 1..40 {
        let now = at(awake + second * SECOND);
        [&mut one, &mut other].into_iter().for_each(|table| table.begin(&store, now).settle());
    }
    assert_eq!(passed(&mut other, &store, 1, &limits, awake + 39 * SECOND, 1), 0, "they still are");
    // A worker that died renews nothing: its units come back.
    for second in 40..80 {
        other.begin(&store, at(awake + second * SECOND)).settle();
    }
    assert_eq!(passed(&mut other, &store, 1, &limits, awake + 79 * SECOND, 9), 8);
}

proptest! {
    /// Workers, identities, time and conflicts at random: no identity passes its quota by more than what
    /// the buckets may give, and the page stays within its bytes.
    #[wasm_bindgen_test(unsupported = test)]
    fn the_stated_bound_holds_under_forced_conflicts(
        quota in 1u32..200,
        steps in proptest::collection::vec((0usize..3, 0u64..2, 0u64..400_000, 0u32..12), 1..250),
    ) {
        let (store, limits) = (MemoryStore::default(), [limit(1, quota, 10 * SECOND)]);
        let mut workers = [table(), table(), table()];
        let mut log: Vec<(u64, Micros)> = Vec::new();
        let mut now = NOW;
        for (worker, who, gap, conflicts) in steps {
            now += gap;
            store.conflicts.set(conflicts);
            if admitted(&ask(&mut workers[worker], &store, who, &limits, now)) {
                log.push((who, now));
            }
            let within = log.iter().filter(|(w, at)| *w == who && at + limits[0].window > now).count() as u64;
            let rate = u64::from(quota) * (now - NOW).min(limits[0].window) / limits[0].window;
            let burst = u64::from((quota / 64).max(1));
            prop_assert!(within <= u64::from(quota) + 3 * (burst + rate));
        }
        prop_assert!(store.page(0).len() <= usize::from(ONE_PAGE.page_bytes));
        store.conflicts.set(0);
        workers.iter_mut().for_each(|worker| worker.begin(&store, at(now)).settle());
        let used = log.iter().filter(|(w, at)| *w == 0 && at + limits[0].window > now).count() as u64;
        let remaining = ask(&mut workers[0], &store, 0, &limits, now)[0].remaining;
        prop_assert!(remaining <= u64::from(quota).saturating_sub(used), "after the storm a debt was lost");
    }
}
