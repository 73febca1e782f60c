//! The simulator finds bugs: with one in the store, the same checks fail.

use super::cap::check;
use super::scenario::Scenario;
use super::world::Bug;
use super::{Random, Run};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The first of a hundred seeds whose check fails.
fn caught(bug: Bug) -> Option<u64> {
    let draw = |random: &mut Random| {
        let workers = random.between(2, 7) as usize;
        Scenario { bug, workers, callers: 3, ..Scenario::small(random) }
    };
    let fails = |seed: &u64| catch_unwind(AssertUnwindSafe(|| check(Run::of(*seed, draw)))).is_err();
    (0..100).find(fails)
}

#[test]
fn a_store_that_is_right_passes() {
    assert_eq!(caught(Bug::None), None);
}

#[test]
fn lost_updates_are_caught() {
    assert!(caught(Bug::LostUpdates).is_some_and(|seed| seed < 10));
}

#[test]
fn an_insert_that_overwrites_is_caught() {
    assert!(caught(Bug::InsertOverwrites).is_some_and(|seed| seed < 10));
}

#[test]
fn a_write_that_is_stored_and_answered_with_a_conflict_is_caught() {
    assert!(caught(Bug::FalseConflicts).is_some_and(|seed| seed < 10));
}
