//! The cap holds while writes can succeed.
//!
//! Where no worker is held up, that is so by each request's own instant. A worker that is held up between
//! reading the clock and reading the page may be judged by a log from which a faster one has already dropped
//! what the slower one's window would still hold. Then the cap holds in each window that is shorter by that
//! delay: what was known to be admitted by `t` and asked for after `t − window` is never above the limit
//! ([`Since::Known`]).

use super::random::Random;
use super::scenario::{Kind, Policy, Scenario, limit};
use super::truth::Since;
use super::{Run, each};
use crate::table::{Count, TableStats};
use crate::time::SECOND;

/// Nothing goes wrong that was not drawn: the cap holds and, once settled, the count is the truth.
pub fn check(mut run: Run) -> TableStats {
    // All eight attempts can fail even so; then the bound for workers that decide alone is added.
    run.assert_cap(Since::Known, |limit| run.excess(limit));
    if !run.scenario.held_up {
        run.assert_cap(Since::Asked, |limit| run.excess(limit));
    }
    run.settle();
    run.assert_count();
    run.stats
}

#[test]
fn while_writes_succeed_no_window_passes_its_limit_and_the_count_is_the_truth() {
    let stats = each(0..300, Scenario::small, check);
    assert!(stats.cas_misses > 1_000, "they must meet: {stats:?}");
}

/// Above the quota, and as much as a response can report.
pub const LATE_COSTS: &[u32] = &[1, 7, 500, 1_000_001, 149_999_000, u32::MAX];

fn with_late_costs(scenario: Scenario) -> Scenario {
    Scenario { late_costs: LATE_COSTS, ends: 300, ..scenario }
}

#[test]
fn late_costs_of_any_size_are_counted_in_full() {
    each(0xA000..0xA0C0, |random| with_late_costs(Scenario::small(random)), check);
    let leased = |random: &mut Random| Scenario { ends: 3, ..with_late_costs(Scenario::large(random)) };
    let stats = each(0xB000..0xB018, leased, check);
    assert!(stats.leased > 1_000, "{stats:?}");
}

#[test]
fn no_window_passes_its_limit_with_leases_and_unused_units_come_back() {
    let stats = each(0x1000..0x1018, Scenario::large, check);
    assert!(stats.leased > 20_000, "{stats:?}");
}

/// Units that responses give back go back to the lease that served them.
#[test]
fn nor_does_one_of_units_that_are_only_held_until_responses() {
    let held = |random: &mut Random| {
        let mut scenario = Scenario::large(random);
        scenario.policies.iter_mut().for_each(|policy| policy.held = true);
        let quota = random.pick(&[1_000, 1_500]);
        let window = random.pick(&[2 * SECOND, 10 * SECOND]);
        if let Some(policy) = scenario.policies.first_mut().filter(|_| random.chance(500)) {
            *policy = Policy { held: true, ..Policy::new(vec![limit(1, Kind::Sliding, quota, window)]) };
        }
        Scenario { ends: random.pick(&[300, 480]), refunds: random.pick(&[900, 1_000]), ..scenario }
    };
    let stats = each(0x1800..0x1818, held, check);
    assert!(stats.leased > 10_000, "{stats:?}");
}

/// The units of streams that have ended stay published for the next ones of the same worker.
#[test]
fn nor_is_a_large_number_in_flight_ever_passed_by_what_workers_keep() {
    let stats = each(0x1900..0x1918, Scenario::large_in_flight, check);
    assert!(stats.leased > 10_000, "{stats:?}");
}

/// A lease serves one charge of a request while others are counted in the table, rejected, or undone.
#[test]
fn x_3_nor_does_one_beside_policies_that_are_counted_one_by_one() {
    let beside = |random: &mut Random| {
        let mut scenario = Scenario::large(random);
        let kind = random.pick(&[Kind::Sliding, Kind::Fixed, Kind::Concurrency, Kind::Stock]);
        let quota = random.between(200, 999);
        let mut other = Policy::new(vec![limit(11, kind, quota, 2 * SECOND)]);
        other.count = random.pick(&[Count::Accepted, Count::Accepted, Count::All, Count::Never]);
        scenario.policies.push(other);
        if let Some(large) = scenario.policies.first_mut() {
            large.count = random.pick(&[Count::Accepted, Count::Accepted, Count::All]);
        }
        let ends = random.pick(&[0, 300]);
        Scenario { ends, workers: random.between(1, 3) as usize, ..scenario }
    };
    let stats = each(0x4000..0x4030, beside, check);
    assert!(stats.cas_misses > 100, "{stats:?}");
}

#[test]
fn sixty_four_workers_of_one_record_stay_within_the_bound() {
    let crowd = |random: &mut Random| {
        let workers = random.between(8, 64);
        let draw = if random.chance(300) { Scenario::large } else { Scenario::small };
        let scenario = draw(random);
        let gap = scenario.gap.min(1_000_000 / workers);
        Scenario { workers: workers as usize, callers: 1, gap, ..scenario }
    };
    let stats = each(0x2000..0x2020, crowd, check);
    assert!(stats.degraded > 0, "{stats:?}");
}

#[test]
fn a_reload_in_the_middle_loses_no_count() {
    let reloaded = |random: &mut Random| {
        let scenario = if random.chance(300) { Scenario::large(random) } else { Scenario::small(random) };
        let half_or_double = random.chance(500);
        let changed = |policy: &Policy| policy.with_quota(half_or_double);
        let reloaded = Some(scenario.policies.iter().map(changed).collect());
        Scenario { reloaded, ..scenario }
    };
    each(0x3000..0x3060, reloaded, |mut run| {
        run.assert_cap(Since::Known, |limit| u64::from(limit.quota.get()) * 2 + run.excess(limit));
        run.settle();
        run.assert_count();
        run.stats
    });
}
