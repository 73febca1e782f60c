//! What a hop costs: exchanges per request, and requests that are rejected although the limit has room.

use crate::adversary::Traffic;
use crate::policy::sliding;
use crate::scenario::Scenario;
use crate::world::World;
use tollgate::time::SECOND;

/// Units a minute, then for 2, 10 and 50 proxies about how many exchanges 1,000 requests take at 50, 90 and 100 %
/// of the limit.
const TABLE: [(u32, [[u64; 3]; 3]); 3] = [
    (300, [[490, 745, 825], [1_000, 975, 1_010], [1_000, 1_000, 1_000]]),
    (1_000, [[205, 220, 680], [695, 720, 895], [1_015, 1_010, 1_000]]),
    (10_000, [[25, 25, 600], [115, 125, 655], [395, 490, 810]]),
];

fn steady(per_minute: u32, percent: u64, proxies: usize) -> World {
    let limit = sliding(per_minute, 60 * SECOND);
    let traffic = Traffic::Steady(u64::from(per_minute) * percent / 100);
    let scenario = Scenario::new(proxies, &[limit], traffic);
    Scenario { duration: 150 * SECOND, quiet: SECOND, ..scenario }.run(1)
}

#[test]
fn a_steady_caller_below_the_limit_is_not_rejected_and_seldom_asks() {
    let mut wrong = Vec::new();
    for (per_minute, table) in TABLE {
        for (proxies, expected) in [2, 10, 50].into_iter().zip(table) {
            for (percent, expected) in [50, 90, 100].into_iter().zip(expected) {
                let world = steady(per_minute, percent, proxies);
                let truth = &world.truth;
                let rejected = truth.wrongly_rejected(&world.scenario.limits[0]);
                let cost = truth.exchanges_per_thousand();
                let row = format!(
                    "{per_minute:>6}/min × {percent:>3} %, {proxies:>2} proxies: {cost:>4} exchanges per 1,000 \
                     (about {expected}), waited {:>3} per 1,000; wrongly rejected {:.2} %, unanswered {}, record {} B",
                    truth.waited * 1_000 / truth.requests,
                    rejected * 100.0,
                    truth.unavailable,
                    truth.longest,
                );
                println!("{row}");
                // Slots of 256 ms take a share of a quota of 10,000, and few proxies hold much of it in hand.
                let most = if percent < 100 { 0.0 } else { 0.007 };
                if rejected > most
                    || truth.unavailable * 2_000 > truth.requests
                    || cost > expected * 12 / 10 + 5
                {
                    wrong.push(row);
                }
                assert!(truth.worst(&world.scenario.limits[0]) <= i64::from(per_minute));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A proxy asks once for each unit that comes back to the caller, and once for each time that it remembers a
/// rejection. So a small quota behind many proxies costs most.
#[test]
fn an_attacker_at_three_times_the_limit_seldom_makes_a_proxy_ask() {
    for (per_minute, proxies, most) in [
        (300, 2, 500),
        (300, 10, 750),
        (1_000, 2, 500),
        (1_000, 10, 500),
        (10_000, 2, 500),
        (10_000, 10, 500),
    ] {
        let world = steady(per_minute, 300, proxies);
        let cost = world.truth.exchanges_per_thousand();
        println!(
            "{per_minute:>6}/min × 300 %, {proxies:>2} proxies: {cost:>4} exchanges per 1,000, admitted {}",
            world.truth.admitted.len()
        );
        assert!(cost <= most, "{per_minute} a minute, {proxies} proxies: {cost}");
    }
}
