//! Counts that an operator forgives: they begin at zero once for each entry, whichever worker hears of it first, and
//! whatever the others hold at that moment. Between fresh starts the cap holds, and once settled the count is what
//! was counted since the last one.

use super::random::Random;
use super::scenario::{Kind, Policy, Scenario, Trouble, limit, storms};
use super::truth::Since;
use super::{Run, each};
use crate::limiter::Penalty;
use crate::time::SECOND;
use std::cell::Cell;

fn forgiving(random: &mut Random) -> Scenario {
    let kinds = [Kind::Sliding, Kind::Sliding, Kind::Fixed, Kind::Fixed, Kind::Concurrency, Kind::Stock];
    let mut scenario = Scenario::small_of(random, &kinds);
    // With one policy, the write of a fresh start tells apart what was counted before it and after it.
    scenario.policies.truncate(1);
    if random.chance(300) {
        let policy = scenario.policies.swap_remove(0);
        let resets = random.chance(500);
        scenario.policies = vec![policy.with_penalty(SECOND, Penalty { resets, ..Penalty::default() })];
        scenario.resets = if resets { 50 } else { 0 };
    }
    Scenario {
        forgives: random.pick(&[10, 50, 200]),
        at_once: random.chance(500),
        ends: random.pick(&[0, 200, 400]),
        refunds: random.pick(&[0, 300, 1_000]),
        late_costs: random.pick(&[&[], &[1, 7]]),
        ..scenario
    }
}

fn leasing(random: &mut Random) -> Scenario {
    let mut scenario = Scenario::large(random);
    scenario.forgives = random.pick(&[2, 10]);
    scenario.ends = random.pick(&[0, 50, 300]);
    scenario.refunds = random.pick(&[0, 900]);
    if random.chance(300) {
        let policy = Policy::new(vec![limit(1, Kind::Sliding, 2_000, 10 * SECOND)]);
        scenario.policies = vec![Policy { held: true, ..policy }];
    }
    scenario
}

#[test]
fn between_fresh_starts_no_window_passes_its_limit_and_the_count_is_the_truth() {
    let stats = each(0x1_0000..0x1_0180, forgiving, Run::check_fresh_starts);
    assert!(stats.cas_misses > 1_000 && stats.forgiven > 500, "{stats:?}");
}

#[test]
fn units_that_workers_have_taken_ahead_are_not_used_after_a_fresh_start_that_all_know() {
    let stats = each(0x1_1000..0x1_1020, leasing, Run::check_no_less);
    assert!(stats.leased > 10_000 && stats.forgiven > 50, "{stats:?}");
}

/// Those of workers that have not heard of it yet were counted before.
#[test]
fn and_else_no_more_of_them_than_were_counted_before_it() {
    let late = |random: &mut Random| Scenario { at_once: false, ..leasing(random) };
    let stats = each(0x1_2000..0x1_2020, late, |mut run| {
        let workers = run.scenario.workers as u64;
        run.assert_cap(Since::Known, |limit| u64::from(limit.quota.get()) / 32 * workers + run.excess(limit));
        run.settle();
        run.assert_no_less();
        run.stats
    });
    assert!(stats.leased > 10_000 && stats.forgiven > 50, "{stats:?}");
}

#[test]
fn what_workers_owe_from_after_a_fresh_start_is_counted() {
    let stormy = |random: &mut Random| {
        let trouble = storms(random);
        forgiving(random).with(trouble).within(30 * SECOND)
    };
    let stats = each(0x1_3000..0x1_3080, stormy, Run::check_no_less);
    assert!(stats.degraded > 500 && stats.forgiven > 50, "{stats:?}");
}

/// Operators who forgive callers by any worker, also two at the same instant.
fn with_operators(random: &mut Random) -> Scenario {
    Scenario { forgives: 0, operators: random.pick(&[20, 100]), ..forgiving(random) }
}

/// No caller gets more fresh starts than operators have asked for.
fn assert_one_for_each(run: &Run) {
    if run.scenario.resets > 0 {
        // Responses let counts begin at zero, too.
        return;
    }
    let world = run.stage.world();
    let (starts, asked) = (world.fresh_starts, world.forgivings);
    drop(world);
    assert!(starts <= asked, "{starts} fresh starts, {asked} asked for, {run}");
}

#[test]
fn operators_who_forgive_at_once_give_no_more_than_one_fresh_quota_each() {
    let stats = each(0x1_4000..0x1_4100, with_operators, |run| {
        assert_one_for_each(&run);
        run.check_fresh_starts()
    });
    assert!(stats.cas_misses > 500 && stats.forgiven > 500, "{stats:?}");
}

#[test]
fn when_a_vm_dies_while_callers_are_forgiven_nobody_gets_more() {
    let crashes = Cell::new(0);
    let deadly = |random: &mut Random| {
        let by_operators = random.chance(500);
        let scenario = if by_operators { with_operators(random) } else { forgiving(random) };
        let crashes = random.between(5, 50);
        Scenario { acts: scenario.acts * 2, trouble: Trouble { crashes, ..Trouble::default() }, ..scenario }
    };
    let stats = each(0x1_5000..0x1_5100, deadly, |run| {
        if run.scenario.operators > 0 {
            assert_one_for_each(&run);
        }
        crashes.set(crashes.get() + run.truth(|truth| truth.crashes));
        run.assert_cap(Since::Known, |limit| run.excess(limit));
        run.stats
    });
    assert!(stats.forgiven > 200 && crashes.get() > 200, "{} deaths, {stats:?}", crashes.get());
}
