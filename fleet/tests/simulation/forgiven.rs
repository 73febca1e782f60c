//! A forgiven caller gets one fresh quota for each time that it is forgiven, however many proxies hear of it, when
//! and how often, and whatever goes wrong meanwhile.

use crate::adversary::Traffic;
use crate::network::{BAD, Trouble};
use crate::policy::{calendar, fixed, sliding};
use crate::random::Random;
use crate::scenario::{Blow, Responses, Scenario};
use crate::world::World;
use tollgate::limiter::Limit;
use tollgate::time::{Micros, Period, SECOND};

const HOUR: Micros = 3_600 * SECOND;

/// Nothing leaves these windows, so all that a caller is admitted is its quota and fresh ones.
fn long(random: &mut Random) -> Limit {
    let quota = random.one_of(&[1, 5, 30, 300]);
    random.one_of(&[
        sliding(quota, HOUR),
        fixed(quota, 10 * HOUR),
        calendar(quota, Period::Month, "Europe/Madrid"),
    ])
}

/// Callers that ask for more than they may, and are forgiven at these instants.
fn scenario(trouble: Trouble, at: &[Micros], random: &mut Random) -> Scenario {
    let limit = long(random);
    let traffic = Traffic::Steady(limit.window / SECOND * random.one_of(&[50, 200]));
    let proxies = random.one_of(&[1, 2, 10]);
    let plan = at.iter().map(|at| (*at, Blow::Forgive)).collect();
    let callers = random.one_of(&[1, 2]);
    let duration = 40 * SECOND;
    Scenario { trouble, plan, callers, duration, ..Scenario::new(proxies, &[limit], traffic) }
}

/// How many units each caller was admitted, in quotas.
fn quotas(world: &World) -> Vec<(i64, i64)> {
    let quota = i64::from(world.scenario.limits[0].quota.get());
    (0..world.scenario.callers).map(|caller| (world.truth.net(caller), quota)).collect()
}

fn check(world: &World, fresh: i64, seed: u64) {
    for (admitted, quota) in quotas(world) {
        assert!(admitted <= quota * (1 + fresh), "seed {seed}: {admitted} of {quota} and {fresh} fresh ones");
    }
}

#[test]
fn a_forgiven_caller_gets_exactly_one_fresh_quota_over_all_proxies() {
    for seed in 0..24 {
        let world = scenario(Trouble::default(), &[15 * SECOND], &mut Random(seed)).run(seed);
        check(&world, 1, seed);
        for (admitted, quota) in quotas(&world) {
            assert!(admitted > quota, "seed {seed}: {admitted} of {quota}");
        }
    }
}

#[test]
fn and_no_more_while_proxies_die_and_messages_are_lost_repeated_and_late() {
    let mut fresh = 0;
    for seed in 0..48 {
        let mut random = Random(seed);
        let trouble = random.one_of(&[BAD, Trouble { proxy_deaths: 200, ..BAD }]);
        let base = scenario(trouble, &[15 * SECOND], &mut random);
        let world = Scenario { hang_up: 100, wall_steps: seed % 2 == 0, ..base }.run(seed);
        check(&world, 1, seed);
        fresh += quotas(&world).iter().filter(|(admitted, quota)| admitted > quota).count();
    }
    assert!(fresh > 24, "only {fresh} callers have come to a fresh quota");
}

#[test]
fn whoever_is_forgiven_twice_at_once_or_again_later_gets_one_for_each() {
    for (at, seeds) in [([15 * SECOND, 15 * SECOND + 1], 0..16), ([10 * SECOND, 25 * SECOND], 16..32)] {
        for seed in seeds {
            let world = scenario(BAD, &at, &mut Random(seed)).run(seed);
            check(&world, 2, seed);
        }
    }
}

#[test]
fn units_that_go_back_after_a_caller_was_forgiven_are_not_used_twice() {
    for seed in 0..24 {
        let responses = Responses { back: 300, more: 100, slowest: 5 * SECOND };
        let base = scenario(Trouble::default(), &[15 * SECOND], &mut Random(seed));
        let world = Scenario { responses, ..base }.run(seed);
        for (admitted, quota) in quotas(&world) {
            assert!(admitted > 0);
            // What is counted late, whether or not a quota allows it, was admitted within one.
            let late: i64 = world.truth.admitted.iter().map(|one| i64::from(one.more)).sum();
            assert!(admitted - late <= 2 * quota, "seed {seed}: {admitted} of {quota}, {late} late");
        }
    }
}
