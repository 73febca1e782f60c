//! No window has more than its quota, whatever goes wrong; where a condition does not hold, no more than the
//! stated formula says.

use crate::adversary::Traffic;
use crate::network::{BAD, Trouble};
use crate::policy::{bucket, calendar, fixed, sliding, with};
use crate::proxy::TIMEOUT;
use crate::random::Random;
use crate::scenario::{Blow, Responses, Scenario};
use crate::world::World;
use tollgate::fleet::OnOutage;
use tollgate::limiter::{Algorithm, Concurrency, LeakyBucket, Limit, Penalty, SlidingCounter, Stock};
use tollgate::time::{MILLISECOND, Micros, Period, SECOND};

const SEEDS: u64 = 12;

fn check(world: &World, limit: &Limit, most: i64, seed: u64) {
    let worst = world.truth.worst(limit);
    let Scenario { proxies, traffic, .. } = &world.scenario;
    assert!(worst <= most, "seed {seed}: {worst} of {most}: {limit:?}, {proxies} proxies, {traffic:?}");
}

/// Any number of proxies, quotas and kinds of traffic.
fn random_scenario(limits: &[Limit], random: &mut Random) -> Scenario {
    let quota = u64::from(limits[0].quota.get());
    let traffic = match random.below(4) {
        0 => Traffic::Steady(3 * quota),
        1 => Traffic::Waves(3 * quota),
        _ => Traffic::Edges,
    };
    let proxies = random.one_of(&[2, 3, 10, 50]);
    let trouble = random.one_of(&[Trouble::default(), Trouble { drift: 1_900, ..Trouble::default() }, BAD]);
    let hang_up = random.one_of(&[0, 100]);
    let most_cost = random.one_of(&[1, 1, 3]).min(limits[0].quota.get());
    Scenario { trouble, hang_up, most_cost, wall_steps: true, ..Scenario::new(proxies, limits, traffic) }
}

fn hold(name: &str, limit_of: impl Fn(&mut Random) -> Limit) {
    let (mut fullest, mut admitted) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit = limit_of(&mut random);
        let world = random_scenario(&[limit], &mut random).run(seed);
        check(&world, &limit, limit.quota.get().into(), seed);
        fullest = fullest.max(world.truth.worst(&limit) * 1_000 / i64::from(limit.quota.get()));
        admitted += world.truth.admitted.len();
    }
    println!("{name}: worst window {fullest} per mille of the quota, {admitted} admitted");
    assert!(fullest == 1_000, "{name}: nobody has used a quota up: {fullest}");
}

#[test]
fn no_sliding_window_has_more_than_the_quota() {
    hold("sliding window", |random| {
        let quota = random.one_of(&[1, 2, 5, 30, 300, 3_000]);
        sliding(quota, random.one_of(&[SECOND, 5 * SECOND, 60 * SECOND]))
    });
}

#[test]
fn no_fixed_window_has_more_than_the_quota() {
    hold("fixed window", |random| {
        fixed(random.one_of(&[1, 5, 30, 300]), random.one_of(&[SECOND, 5 * SECOND]))
    });
}

/// Clocks go forward in Madrid at 2026-03-29 01:00 UTC, so this day has 23 hours; April begins two days later.
const SPRING: Micros = 1_774_738_800 * SECOND;
const APRIL: Micros = 1_774_994_400 * SECOND;

#[test]
fn no_calendar_period_has_more_than_the_quota() {
    let mut sides = (0, 0);
    for (edge, period) in
        [(SPRING, Period::Day), (SPRING + 23 * 3_600 * SECOND, Period::Day), (APRIL, Period::Month)]
    {
        for seed in 0..4 {
            let mut random = Random(seed);
            let limit = calendar(random.one_of(&[5, 100, 1_000]), period, "Europe/Madrid");
            let near = random_scenario(&[limit], &mut random);
            let traffic = random.one_of(&[Traffic::Edges, Traffic::Steady(2_000 * 86_400 * 31)]);
            let scenario = Scenario { start: edge - 20 * SECOND, duration: 40 * SECOND, traffic, ..near };
            let world = scenario.run(seed);
            check(&world, &limit, limit.quota.get().into(), seed);
            sides.0 += world.truth.admitted.iter().filter(|one| one.clock < edge).count();
            sides.1 += world.truth.admitted.iter().filter(|one| one.clock >= edge).count();
        }
    }
    assert!(sides.0 > 1_000 && sides.1 > 1_000, "the edges are not in it: {sides:?}");
}

#[test]
fn no_bucket_gives_more_than_its_burst_and_its_rate() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let (quota, burst) = random.one_of(&[(10, 10), (100, 5), (6_000, 600)]);
        let limit = bucket(quota, 10 * SECOND, burst);
        let world = random_scenario(&[limit], &mut random).run(seed);
        // A unit is taken when it is granted, and used before the request's patience ends.
        let waiting = TIMEOUT as f64 * f64::from(quota) / limit.window as f64;
        check(&world, &limit, (f64::from(burst) + waiting).ceil() as i64, seed);
    }
}

/// A unit is counted when it is granted, and used before the request's patience ends.
#[test]
fn requests_are_spaced_over_all_proxies() {
    let mut admitted = 0;
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit =
            with(Algorithm::LeakyBucket(LeakyBucket), random.one_of(&[1, 10, 100, 1_000]), 10 * SECOND);
        let world = random_scenario(&[limit], &mut random).run(seed);
        let quota = limit.quota.get();
        let waiting = (TIMEOUT as f64 * f64::from(quota) / limit.window as f64).ceil();
        let most = i64::from(quota + world.scenario.most_cost - 1) + waiting as i64;
        check(&world, &limit, most, seed);
        admitted += world.truth.admitted.len();
    }
    assert!(admitted > 1_000, "{admitted}");
}

#[test]
fn the_two_counters_never_admit_twice_the_quota() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit = with(Algorithm::SlidingCounter(SlidingCounter), random.one_of(&[5, 60, 300]), 5 * SECOND);
        let world = random_scenario(&[limit], &mut random).run(seed);
        check(&world, &limit, 2 * i64::from(limit.quota.get()) - 1, seed);
    }
}

#[test]
fn no_more_requests_are_in_flight_than_permitted() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit =
            with(Algorithm::Concurrency(Concurrency { after: 0 }), random.one_of(&[1, 5, 50]), SECOND);
        let responses = Responses { slowest: random.one_of(&[SECOND, 8 * SECOND]), ..Responses::default() };
        // Whoever hangs up leaves a permit in hand for the next one.
        let hang_up = random.one_of(&[0, 500]);
        let base = random_scenario(&[limit], &mut random);
        let traffic = Traffic::Steady(random.one_of(&[20, 200]));
        let world = Scenario { responses, hang_up, traffic, ..base }.run(seed);
        check(&world, &limit, limit.quota.get().into(), seed);
    }
}

#[test]
fn no_more_units_of_a_stock_exist_than_its_quota() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit = with(Algorithm::Stock(Stock { reported: false }), random.one_of(&[1, 20, 200]), SECOND);
        let responses = Responses { back: 300, more: 0, slowest: SECOND };
        let base = random_scenario(&[limit], &mut random);
        let world = Scenario { responses, ..base }.run(seed);
        check(&world, &limit, limit.quota.get().into(), seed);
    }
}

#[test]
fn all_limits_of_a_policy_hold_at_once() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limits = [
            sliding(random.one_of(&[20, 100]), 2 * SECOND),
            fixed(random.one_of(&[100, 400]), 10 * SECOND),
            sliding_named("long", 600, 30 * SECOND),
        ];
        let world = random_scenario(&limits, &mut random).run(seed);
        for limit in &limits {
            check(&world, limit, limit.quota.get().into(), seed);
        }
    }
}

fn sliding_named(name: &str, quota: u32, window: Micros) -> Limit {
    Limit { id: tollgate::limiter::LimitId::new("api", name), ..sliding(quota, window) }
}

#[test]
fn units_that_go_back_are_not_used_twice() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit = sliding(random.one_of(&[5, 30, 300]), random.one_of(&[5 * SECOND, 20 * SECOND]));
        let responses = Responses { back: 300, more: 0, slowest: 2 * SECOND };
        let base = random_scenario(&[limit], &mut random);
        let world = Scenario { responses, ..base }.run(seed);
        check(&world, &limit, limit.quota.get().into(), seed);
    }
}

#[test]
fn a_rejected_caller_is_blocked_everywhere() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let limit = sliding(random.one_of(&[5, 30]), SECOND);
        let penalty = Limit::penalty("api", 5 * SECOND, Penalty::default());
        let base = random_scenario(&[limit, penalty], &mut random);
        let world = Scenario { trouble: Trouble::default(), hang_up: 0, ..base }.run(seed);
        check(&world, &limit, limit.quota.get().into(), seed);
        // A proxy remembers a rejection from when its answer comes.
        const NEAR: Micros = 60 * MILLISECOND;
        let rejected = &world.truth.rejected_at;
        let mut blocks = Vec::new();
        for one in &world.truth.admitted {
            let next = rejected.partition_point(|at| *at < one.at - NEAR);
            // It was admitted, so the next rejection begins a block, if none of one that ends came just before.
            if let Some(at) = rejected.get(next).filter(|at| **at > one.at) {
                blocks.push((at + NEAR, at + penalty.window - NEAR));
            }
        }
        assert!(!blocks.is_empty());
        blocks.dedup();
        for one in &world.truth.admitted {
            let blocked = blocks.iter().find(|(from, to)| (*from..*to).contains(&one.at));
            assert_eq!(blocked, None, "seed {seed}: admitted at {}", one.at);
        }
    }
}

fn blows(
    name: &str,
    most: impl Fn(&Limit, &World) -> i64,
    plan: impl Fn(&mut Random) -> Vec<(Micros, Blow)>,
) {
    let mut worst = 0;
    for seed in 0..2 * SEEDS {
        let mut random = Random(seed);
        let limit = match random.below(3) {
            0 => fixed(random.one_of(&[5, 30, 300]), 10 * SECOND),
            _ => sliding(random.one_of(&[5, 30, 300]), random.one_of(&[5 * SECOND, 20 * SECOND])),
        };
        let base = random_scenario(&[limit], &mut random);
        let world = Scenario { plan: plan(&mut random), duration: 60 * SECOND, ..base }.run(seed);
        check(&world, &limit, most(&limit, &world), seed);
        worst = worst.max(world.truth.worst(&limit) * 1_000 / i64::from(limit.quota.get()));
    }
    println!("{name}: worst window {worst} per mille of the quota");
}

fn quota(limit: &Limit) -> i64 {
    limit.quota.get().into()
}

fn just_the_quota(limit: &Limit, _: &World) -> i64 {
    quota(limit)
}

fn and_what_was_forgotten(limit: &Limit, world: &World) -> i64 {
    quota(limit) + quota(limit).min(world.truth.forgotten)
}

#[test]
fn an_engine_clock_that_steps_back_admits_nothing_more() {
    blows("clock back", just_the_quota, |random| {
        let by = random.one_of(&[500 * MILLISECOND, 1_900 * MILLISECOND, 5 * SECOND, 3_600 * SECOND]) as i64;
        vec![(20 * SECOND + random.below(5 * SECOND), Blow::Step(-by))]
    });
}

/// A worker that has used its units up says so with its next news only, and these may be long in coming.
#[test]
fn an_engine_clock_that_steps_back_while_a_caller_is_silent_admits_nothing_more() {
    for seconds in [3, 5, 8, 12, 20] {
        for seed in 0..4 {
            let limit = sliding(30, 60 * SECOND);
            let plan = vec![(10 * SECOND, Blow::Step(-(seconds * SECOND as i64)))];
            let traffic = Traffic::Bursts(13 * SECOND);
            let base = Scenario::new(2, &[limit], traffic);
            let world = Scenario { plan, duration: 60 * SECOND, ..base }.run(seed);
            check(&world, &limit, quota(&limit), seed);
        }
    }
}

#[test]
fn an_engine_clock_that_steps_forward_shortens_one_window_by_the_step() {
    for seed in 0..2 * SEEDS {
        let mut random = Random(seed);
        let limit = sliding(random.one_of(&[5, 30, 300]), 20 * SECOND);
        let by = random.one_of(&[SECOND, 5 * SECOND, 15 * SECOND]);
        let plan = vec![(25 * SECOND + random.below(5 * SECOND), Blow::Step(by as i64))];
        let base = random_scenario(&[limit], &mut random);
        let world = Scenario { plan, duration: 60 * SECOND, ..base }.run(seed);
        let worst = world.truth.worst_trailing(0, limit.window - by);
        assert!(worst <= quota(&limit), "seed {seed}: {worst} of {limit:?} in {by} less");
    }
}

#[test]
fn a_failover_adds_at_most_what_it_forgets() {
    blows("failover", and_what_was_forgotten, |random| {
        let lag = random.one_of(&[10 * MILLISECOND, SECOND, 30 * SECOND]);
        vec![(20 * SECOND + random.below(5 * SECOND), Blow::FailOver(lag))]
    });
}

#[test]
fn an_emptied_engine_adds_at_most_a_quota() {
    blows("emptied", and_what_was_forgotten, |random| {
        vec![(20 * SECOND + random.below(5 * SECOND), Blow::Empty)]
    });
}

#[test]
fn a_silent_engine_admits_nothing_more() {
    blows("silent", just_the_quota, |random| {
        vec![(20 * SECOND + random.below(5 * SECOND), Blow::Silence(random.one_of(&[SECOND, 20 * SECOND])))]
    });
}

#[test]
fn proxies_alone_stay_below_twice_the_quota() {
    for seed in 0..2 * SEEDS {
        let mut random = Random(seed);
        let limit = sliding(random.one_of(&[5, 30, 300]), random.one_of(&[5 * SECOND, 20 * SECOND]));
        let length = random.one_of(&[SECOND, 10 * SECOND, 40 * SECOND]);
        let blow = random.one_of(&[Blow::Silence(length), Blow::Cut(length)]);
        let plan = vec![(12 * SECOND + random.below(5 * SECOND), blow)];
        let base = random_scenario(&[limit], &mut random);
        let trouble = Trouble { drift: 1_900, ..Trouble::default() };
        let on_outage = OnOutage::Local;
        let world = Scenario { plan, on_outage, trouble, duration: 60 * SECOND, ..base }.run(seed);
        let proxies = world.scenario.proxies as i64;
        check(&world, &limit, quota(&limit) + quota(&limit).max(proxies), seed);
    }
}
