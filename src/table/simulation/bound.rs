//! When writes can't succeed: within the stated bound, and no debt is lost.

use super::cap::LATE_COSTS;
use super::random::Random;
use super::scenario::{Scenario, Trouble, storms};
use super::truth::Since;
use super::{Run, each};
use crate::table::{OnContention, TableStats};
use crate::time::SECOND;

fn stormy(random: &mut Random, on_contention: OnContention) -> Scenario {
    let scenario = if random.chance(200) { Scenario::large(random) } else { Scenario::small(random) };
    let trouble = storms(random);
    // Units in flight expire if nobody can write for 20 s.
    scenario.answered_by(on_contention).with(trouble).within(30 * SECOND)
}

/// After the storm the count is the truth.
fn settled(mut run: Run) -> TableStats {
    run.settle();
    run.assert_count();
    run.stats
}

#[test]
fn workers_that_answer_from_their_buckets_stay_within_the_bound_and_lose_no_debt() {
    let stats = each(
        0x4000..0x40C0,
        |random| stormy(random, OnContention::Bucket),
        |run| {
            run.assert_cap(Since::Known, |limit| run.excess(limit));
            settled(run)
        },
    );
    assert!(stats.degraded > 1_000, "{stats:?}");
}

#[test]
fn late_costs_that_could_not_be_written_are_no_less_once_they_are() {
    let late = |random: &mut Random| Scenario {
        late_costs: LATE_COSTS,
        ends: 300,
        ..stormy(random, OnContention::Deny)
    };
    let stats = each(0xC000..0xC080, late, settled);
    assert!(stats.degraded > 1_000, "{stats:?}");
}

#[test]
fn workers_that_deny_never_pass_the_limit_at_all() {
    let stats = each(
        0x5000..0x5080,
        |random| stormy(random, OnContention::Deny),
        |run| {
            run.assert_cap(Since::Known, |_| 0);
            settled(run)
        },
    );
    assert!(stats.degraded > 1_000, "{stats:?}");
}

#[test]
fn workers_that_allow_everything_lose_no_debt() {
    let stats = each(0x6000..0x6080, |random| stormy(random, OnContention::Allow), settled);
    assert!(stats.degraded > 1_000, "{stats:?}");
}

#[test]
fn a_worker_that_dies_costs_at_most_what_it_had_admitted_alone() {
    let deadly = |random: &mut Random| {
        let scenario = stormy(random, OnContention::Bucket);
        let crashes = random.between(5, 50);
        let trouble = Trouble { crashes, ..scenario.trouble };
        Scenario { acts: scenario.acts * 2, trouble, ..scenario }
    };
    each(0x7000..0x7080, deadly, |run| {
        run.assert_cap(Since::Known, |limit| run.excess(limit));
        run.stats
    });
}

#[test]
fn a_damaged_page_harms_nobody_but_its_callers_counts() {
    let damaged = |random: &mut Random| {
        let trouble = Trouble { damage: 100, ..storms(random) };
        Scenario::small(random).with(trouble)
    };
    let stats = each(0x8000..0x8040, damaged, |mut run| {
        run.settle();
        run.stats
    });
    assert!(stats.damaged > 100, "{stats:?}");
}
