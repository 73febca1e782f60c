//! Counts that begin at zero: after a response that resets them, and after a block. What was counted before is
//! never given back afterwards, whichever worker had admitted it, so the cap holds between restarts.

use super::random::Random;
use super::scenario::{Kind, Scenario, storms};
use super::{Run, each};
use crate::limiter::Penalty;
use crate::time::SECOND;

/// One policy with this penalty, whose requests often end soon, and in any way.
fn restarting(random: &mut Random, penalty: Penalty) -> Scenario {
    let kinds = [Kind::Sliding, Kind::Sliding, Kind::Fixed, Kind::Concurrency, Kind::Stock];
    let mut scenario = Scenario::small_of(random, &kinds);
    let length = random.pick(&[SECOND, 2 * SECOND, 10 * SECOND]);
    let policy = scenario.policies.swap_remove(0).with_penalty(length, penalty);
    Scenario {
        policies: vec![policy],
        ends: random.pick(&[200, 400]),
        refunds: random.pick(&[0, 300, 1_000]),
        late_costs: random.pick(&[&[], &[1, 7]]),
        ..scenario
    }
}

fn resetting(random: &mut Random) -> Scenario {
    let resets = random.pick(&[30, 200]);
    Scenario {
        resets,
        ..restarting(random, Penalty { never_blocks: true, resets: true, ..Penalty::default() })
    }
}

#[test]
fn between_resets_no_window_passes_its_limit_and_the_count_is_the_truth() {
    let stats = each(0xD000..0xD100, resetting, Run::check_fresh_starts);
    assert!(stats.cas_misses > 1_000, "they must meet: {stats:?}");
}

#[test]
fn a_reset_that_cannot_be_written_changes_nothing() {
    let stormy = |random: &mut Random| {
        let trouble = storms(random);
        resetting(random).with(trouble).within(30 * SECOND)
    };
    let stats = each(0xD200..0xD280, stormy, Run::check_no_less);
    assert!(stats.degraded > 500, "{stats:?}");
}

#[test]
fn after_each_block_the_counts_begin_at_zero_whatever_was_under_way() {
    let blocking = |random: &mut Random| {
        let resets = random.chance(300);
        let scenario = restarting(random, Penalty { restarts: true, resets, ..Penalty::default() });
        Scenario { resets: if resets { 50 } else { 0 }, ..scenario }
    };
    let stats = each(0xD400..0xD500, blocking, Run::check_fresh_starts);
    assert!(stats.cas_misses > 500, "they must meet: {stats:?}");
}
