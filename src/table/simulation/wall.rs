//! Steps of the wall clock by a second, an hour or a day change neither when units come back nor how many
//!

use super::each;
use super::random::Random;
use super::scenario::{Kind, Policy, Scenario, Trouble, limit};
use super::truth::Since;
use super::worker::new_table;
use crate::identity::Identity;
use crate::table::memory::MemoryStore;
use crate::table::{Charge, ChargeMode, Table};
use crate::time::{MILLISECOND, Micros, Now, SECOND};

#[test]
fn x_6_steps_of_the_wall_clock_change_nothing_that_is_not_aligned_to_it() {
    let stepped = |random: &mut Random| {
        let trouble = Trouble { steps: 200, ..Trouble::default() };
        Scenario::small_of(random, &[Kind::Sliding, Kind::Concurrency, Kind::Stock]).with(trouble)
    };
    each(0xD000..0xD060, stepped, |mut run| {
        run.assert_cap(Since::Known, |limit| run.excess(limit));
        run.settle();
        run.assert_count();
        run.stats
    });
}

const WINDOW: Micros = 60 * SECOND;
const QUOTA: u64 = 20;
const START: Now = Now { mono: 5_000 * SECOND, wall: 1_700_000_000 * SECOND };

/// Two workers ask every 100 ms for three windows; the wall clock is stepped by `step` seconds at `at`, and
/// the second worker notices only `late`. Answers the instants of what was admitted.
fn admitted(at: Micros, late: Micros, step: i64) -> Vec<Micros> {
    let policy = Policy::new(vec![limit(1, Kind::Fixed, QUOTA, WINDOW)]);
    let scenario = Scenario { pages: 1, ..Scenario::small(&mut Random::new(0)) };
    let (store, mut workers) = (MemoryStore::default(), [new_table(&scenario, 1), new_table(&scenario, 2)]);
    let ask = |table: &mut Table, since: Micros, notices: Micros| {
        let wall = START.wall + since;
        let wall = if since < notices { wall } else { wall.strict_add_signed(step * SECOND as i64) };
        let (count, on_contention) = (policy.count, policy.on_contention);
        let identity = Identity { page: 0, fingerprint: 1 };
        let charge = Charge {
            identity,
            limits: &policy.limits,
            cost: 1,
            count,
            on_contention,
            held: false,
            fleet: None,
        };
        let now = Now { mono: START.mono + since, wall };
        table.begin(&store, now).charge(&[charge], ChargeMode::AllOrNothing)[0].admitted()
    };
    let instants = (0..3 * WINDOW / (100 * MILLISECOND)).map(|i| i * 100 * MILLISECOND);
    let admitted = instants.filter(|since| {
        let (one, other) = workers.split_at_mut(1);
        ask(&mut one[0], *since, at) | ask(&mut other[0], *since, at + late)
    });
    admitted.collect()
}

#[test]
fn x_6_steps_of_the_wall_clock_neither_free_nor_freeze_an_aligned_window() {
    // The first window that is asked in has so long to run.
    let edge = WINDOW - START.wall % WINDOW;
    for step in [-86_400, -3_600, -30, -1, 0, 1, 30, 3_600, 86_400] {
        for (at, late) in [(5 * SECOND, SECOND), (edge - SECOND / 2, SECOND), (edge + 5 * SECOND, 0)] {
            let admitted = admitted(at, late, step);
            let used =
                |from: Micros, to: Micros| admitted.iter().filter(|at| (from..to).contains(at)).count();
            assert!(used(0, edge) as u64 <= QUOTA, "freed early by {step} s at {at}");
            for from in (0..2 * WINDOW).step_by(SECOND as usize) {
                assert!(used(from, from + WINDOW + SECOND) > 0, "frozen at {from} by {step} s at {at}");
            }
        }
    }
}
