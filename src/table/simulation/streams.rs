//! Units in flight: they end with their stream, or with the worker, and never before.

use super::random::Random;
use super::scenario::{Kind, Scenario, Trouble, storms};
use super::truth::Since;
use super::{Run, each};
use crate::table::TableStats;
use crate::time::SECOND;

/// Streams that end in any order, within the 20 s in which the units of a worker that can't write still
/// count.
fn streams(random: &mut Random) -> Scenario {
    let ends = random.between(100, 450);
    let trouble = if random.chance(500) { storms(random) } else { Trouble::default() };
    let scenario = Scenario::small_of(random, &[Kind::Concurrency, Kind::Concurrency, Kind::Sliding]);
    Scenario { ends, ..scenario.with(trouble).within(30 * SECOND) }
}

/// Lets seconds pass in which only ticks happen.
fn seconds_go_by(run: &mut Run, seconds: u32, mut look: impl FnMut(&Run)) -> TableStats {
    for _ in 0..seconds {
        run.stage.world().mono += SECOND / 2;
        run.settle();
        look(run);
    }
    run.stats
}

#[test]
fn when_all_streams_have_ended_nothing_is_in_flight() {
    let all_end = |random: &mut Random| Scenario { ends_all: true, ..streams(random) };
    each(0xA000..0xA060, all_end, |mut run| {
        run.assert_cap(Since::Known, |limit| run.excess(limit));
        run.settle();
        run.assert_count();
        for (identity, limit) in run.in_flight() {
            assert_eq!(run.counted(identity, &limit), 0, "{run}");
        }
        run.stats
    });
}

#[test]
fn a_stream_is_in_flight_for_minutes_while_its_worker_ticks() {
    let never_end = |random: &mut Random| Scenario { ends: 0, ..streams(random) };
    each(0xB000..0xB010, never_end, |mut run| {
        run.settle();
        run.assert_count();
        seconds_go_by(&mut run, 200, |run| run.assert_in_flight())
    });
}

#[test]
fn what_a_dead_worker_had_in_flight_is_gone_after_half_a_minute() {
    let deadly = |random: &mut Random| {
        let scenario = streams(random);
        let trouble = Trouble { crashes: 20, ..scenario.trouble };
        scenario.with(trouble)
    };
    each(0xC000..0xC040, deadly, |mut run| {
        run.assert_cap(Since::Known, |limit| run.excess(limit));
        seconds_go_by(&mut run, 31, |_| {});
        run.assert_in_flight();
        run.stats
    });
}
