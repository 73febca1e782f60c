use super::*;
use crate::limiter::tests::{DAY, Kept, Oracle, Random, TRACES, after, at, on_traces};
use crate::time::{Micros, Now, SECOND};
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

/// The next instant: anyhow later, or just before, at and just after the clock's edge.
fn next(random: &mut Random, now: Now, window: Micros) -> Now {
    let edge = now.mono + window - now.wall % window;
    match random.one_in(3) {
        true => at(now, random.around(edge, 1, now.mono)),
        false => after(now, random.gap(window, 1)),
    }
}

/// Each decision is that of a list of all units, counted anew in the clock's window; debts of earlier
/// instants and refunds included. Without them twice the quota is the most in any trailing window.
#[wasm_bindgen_test(unsupported = test)]
fn every_verdict_is_the_clocks_and_a_trailing_window_has_at_most_twice_the_quota() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota, window, FixedWindow);
        let (mut oracle, mut now, mut posts) = (Oracle::default(), random.start(), random.one_in(2));
        for _ in 0..20 {
            now = next(random, now, window);
            let cost = random.cost(quota);
            if posts {
                posts = post(random, &mut kept, &mut oracle, now);
            }
            let used = oracle.units(|at| at.wall / window == now.wall / window);
            let free = u64::from(quota.get()).saturating_sub(used);
            let edge = now.mono + (now.wall / window + 1) * window - now.wall;
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, u64::from(cost) <= free, "{now:?}");
            assert_eq!(verdict.remaining, if verdict.admitted { free - u64::from(cost) } else { free });
            assert_eq!((verdict.next_slot, verdict.full_reset), (edge, edge));
            assert_eq!(verdict.retry_after, if verdict.admitted { 0 } else { edge - now.mono });
            if verdict.admitted {
                oracle.0.push((now, u64::from(cost)));
                let trailing = oracle.younger_than(window, now.mono);
                assert!(posts || trailing <= 2 * u64::from(quota.get()), "{trailing} in a trailing window");
            }
        }
    });
}

/// Answers that units were posted.
fn post(random: &mut Random, kept: &mut Kept, oracle: &mut Oracle, now: Now) -> bool {
    let earlier = at(now, now.mono - random.gap(kept.limit.window, 1).min(now.mono));
    match random.below(6) {
        0 => {
            let units = 1 + random.below(3) as u32;
            kept.change(now, |counter| counter.charge(earlier, units));
            oracle.0.push((earlier, u64::from(units)));
        }
        1 => {
            if let Some((at, units)) = oracle.forget_one(random) {
                kept.change(now, |counter| counter.refund(at, units));
            }
        }
        _ => {}
    }
    true
}

/// the window that is open keeps its edge, whatever the wall clock says; the next one is the clock's.
#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_stepped_wall_clock_frees_nothing_early_and_holds_nothing_longer_than_a_window() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota, window, FixedWindow);
        let mut now = random.start();
        // The truth: when the open window ends, and what has been used in it.
        let (mut ends, mut used) = (0, 0);
        for _ in 0..20 {
            now = match random.one_in(3) {
                true if ends > now.mono => at(now, random.around(ends, 1, now.mono)),
                true | false => next(random, now, window),
            };
            if random.one_in(5) {
                let by = random.pick(&[SECOND, 3_600 * SECOND, DAY]);
                now.wall = random.pick(&[now.wall + by, now.wall - by]);
            }
            if used == 0 || ends <= now.mono {
                (ends, used) = (now.mono + window - now.wall % window, 0);
            }
            let cost = random.cost(quota);
            let right = used + u64::from(cost) <= u64::from(quota.get());
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, right, "{now:?}");
            assert_eq!(verdict.full_reset, ends);
            assert!(ends <= now.mono + window);
            used += if right { u64::from(cost) } else { 0 };
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reload_with_a_shorter_window_holds_nothing_longer_than_it() {
    let mut kept = Kept::new(NonZeroU32::MIN, DAY, FixedWindow);
    let now = Now { mono: SECOND, wall: 20_000 * DAY + SECOND };
    assert!(kept.ask(now, 1).admitted);
    kept.limit.window = 60 * SECOND;
    assert_eq!(kept.ask(after(now, SECOND), 1).retry_after, 60 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_lower_quota_shows_0_remaining_and_a_higher_one_only_moves_the_cap() {
    let mut kept = Kept::new(NonZeroU32::new(10).unwrap(), DAY, FixedWindow);
    let now = Now { mono: SECOND, wall: 20_000 * DAY };
    kept.ask(now, 8);
    kept.limit.quota = NonZeroU32::new(5).unwrap();
    assert_eq!((kept.judge(now, 1).admitted, kept.judge(now, 1).remaining), (false, 0));
    kept.limit.quota = NonZeroU32::new(20).unwrap();
    assert_eq!(kept.ask(now, 1).remaining, 11);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_as_many_bytes_as_the_documentation_says() {
    let mut kept = Kept::new(NonZeroU32::MAX, 366 * DAY, FixedWindow);
    kept.ask(Now { mono: 16 * 365 * DAY, wall: 20_000 * DAY }, u32::MAX);
    assert_eq!(kept.state.len(), 12, "the most, for 16 years of uptime");
    let mut kept = Kept::new(NonZeroU32::new(100).unwrap(), 60 * SECOND, FixedWindow);
    kept.ask(Now { mono: 30 * DAY, wall: 20_000 * DAY }, 1);
    assert_eq!(kept.state.len(), 7, "a first request");
}
