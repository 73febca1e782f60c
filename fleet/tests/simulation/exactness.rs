//! Nothing is lost, and nothing is counted twice: in the end, the record says what was used in truth.

use crate::adversary::Traffic;
use crate::network::{BAD, Trouble};
use crate::policy::{bucket, calendar, fixed, sliding, with};
use crate::random::Random;
use crate::scenario::{Blow, Responses, Scenario};
use crate::world::World;
use tollgate::fleet::OnOutage;
use tollgate::limiter::{Algorithm, Limit, SlidingCounter, Stock};
use tollgate::time::{Micros, Period, SECOND};
use tollgate_fleet::record::Record;

/// Much room, so that everything is granted ahead, and nothing leaves the window.
fn long(quota: u32) -> Vec<Limit> {
    let hour = 3_600 * SECOND;
    vec![
        sliding(quota, hour),
        fixed(quota, 10 * hour),
        calendar(quota, Period::Month, "Europe/Madrid"),
        with(Algorithm::SlidingCounter(SlidingCounter), quota, 10 * hour),
        with(Algorithm::Stock(Stock { reported: false }), quota, SECOND),
        bucket(1, hour, quota),
    ]
}

fn alive(trouble: Trouble) -> Trouble {
    Trouble { proxy_deaths: 0, cuts: 0, ..trouble }
}

fn scenario(limit: Limit, random: &mut Random) -> Scenario {
    let proxies = random.one_of(&[2, 5, 20]);
    let traffic = Traffic::Steady(limit.window / SECOND * 100);
    Scenario {
        trouble: alive(BAD),
        most_cost: 3,
        callers: 3,
        duration: 20 * SECOND,
        quiet: 90 * SECOND,
        hang_up: 50,
        ..Scenario::new(proxies, &[limit], traffic)
    }
}

fn check(world: &World, limit: &Limit, seed: u64) {
    for caller in 0..world.scenario.callers {
        let (counted, net) = (world.counted_of(caller, limit), world.truth.net(caller));
        assert_eq!(counted, net, "seed {seed}, caller {caller}, {limit:?}: {:?}", world.record(caller));
        assert!(net > 0);
    }
}

#[test]
fn the_record_counts_what_was_used() {
    for limit in long(100_000) {
        for seed in 0..4 {
            let world = scenario(limit, &mut Random(seed)).run(seed);
            check(&world, &limit, seed);
        }
    }
}

#[test]
fn the_record_counts_what_was_used_at_the_limit() {
    for limit in [sliding(500, 3_600 * SECOND), fixed(500, 36_000 * SECOND)] {
        for seed in 0..6 {
            let world = scenario(limit, &mut Random(seed)).run(seed);
            check(&world, &limit, seed);
        }
    }
}

#[test]
fn corrections_are_counted_once() {
    for limit in long(100_000) {
        if matches!(limit.algorithm, Algorithm::TokenBucket(_)) {
            // What a bucket gives back depends on what has come back by itself.
            continue;
        }
        for seed in 0..4 {
            let responses = Responses { back: 300, more: 200, slowest: SECOND };
            let trouble = Trouble { duplicate: 50, drift: 1_900, ..Trouble::default() };
            // A worker remembers some of its uses only.
            let traffic = Traffic::Steady(limit.window / SECOND * 30);
            let world =
                Scenario { responses, trouble, traffic, ..scenario(limit, &mut Random(seed)) }.run(seed);
            check(&world, &limit, seed);
        }
    }
}

#[test]
fn corrections_whose_message_was_lost_take_nothing_from_other_requests() {
    for limit in [sliding(100_000, 3_600 * SECOND), fixed(100_000, 36_000 * SECOND)] {
        for seed in 0..4 {
            let responses = Responses { back: 300, more: 200, slowest: 5 * SECOND };
            let world = Scenario { responses, ..scenario(limit, &mut Random(seed)) }.run(seed);
            for caller in 0..world.scenario.callers {
                let (counted, net) = (world.counted_of(caller, &limit), world.truth.net(caller));
                assert!(counted >= net && counted <= net + net / 2, "seed {seed}: {counted} of {net}");
            }
        }
    }
}

#[test]
fn what_proxies_admit_alone_is_counted_afterwards() {
    for on_outage in [OnOutage::Local, OnOutage::Allow] {
        for seed in 0..6 {
            let limit = sliding(100_000, 3_600 * SECOND);
            let plan = vec![(5 * SECOND, Blow::Silence(4 * SECOND))];
            let world = Scenario { on_outage, plan, ..scenario(limit, &mut Random(seed)) }.run(seed);
            assert!(world.truth.admitted.iter().any(|one| one.alone));
            check(&world, &limit, seed);
        }
    }
}

#[test]
fn what_a_failover_has_forgotten_of_running_grants_is_counted_when_they_are_reported() {
    let (mut forgotten, mut missing) = (0, 0);
    for seed in 0..8 {
        let limit = sliding(100_000, 3_600 * SECOND);
        let base = scenario(limit, &mut Random(seed));
        let plan = vec![(10 * SECOND, Blow::FailOver(SECOND))];
        let traffic = Traffic::Steady(3_600 * 300);
        let trouble = Trouble::default();
        let world = Scenario { plan, trouble, traffic, proxies: 2, callers: 1, ..base }.run(seed);
        forgotten += world.truth.forgotten;
        missing += (world.truth.net(0) - world.counted_of(0, &limit)).max(0);
    }
    println!("forgotten: {forgotten}, missing in the end: {missing}");
    assert!(forgotten > 0 && missing < forgotten / 2, "forgotten: {forgotten}, missing: {missing}");
}

#[test]
fn what_a_dead_proxy_had_in_hand_stays_counted() {
    for seed in 0..6 {
        let limit = sliding(100_000, 3_600 * SECOND);
        let trouble = Trouble { proxy_deaths: 100, ..BAD };
        let world = Scenario { trouble, ..scenario(limit, &mut Random(seed)) }.run(seed);
        for caller in 0..world.scenario.callers {
            let (counted, net) = (world.counted_of(caller, &limit), world.truth.net(caller));
            assert!(counted >= net, "seed {seed}: {counted} of {net}");
            assert!(counted <= net + net / 2, "seed {seed}: {counted} of {net}");
        }
    }
}

#[test]
fn rejected_requests_that_count_are_counted_once() {
    for seed in 0..6 {
        let limit = fixed(50, 36_000 * SECOND);
        let base = scenario(limit, &mut Random(seed));
        let world = Scenario { count_rejected: true, most_cost: 1, callers: 1, ..base }.run(seed);
        let record = Record::from_text(world.record(0).unwrap()).unwrap();
        let state = record.state(limit.id, limit.algorithm.kind());
        let (used, _) = tollgate_used(state);
        let truth = world.truth.net(0) as u64 + world.truth.counted_rejected;
        assert_eq!(used, truth, "seed {seed}");
    }
}

/// The first number of an aligned state.
fn tollgate_used(state: &[u8]) -> (u64, Micros) {
    let text = tollgate::limiter::text::to_text(3, state).unwrap();
    let (used, edge) = text.split_once(" until ").unwrap();
    (used.parse().unwrap(), edge.parse().unwrap())
}
