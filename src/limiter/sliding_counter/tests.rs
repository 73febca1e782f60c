use super::*;
use crate::limiter::tests::{DAY, Kept, Oracle, Random, TRACES, after, at, on_traces};
use crate::time::{MILLISECOND, Now, SECOND};
use wasm_bindgen_test::wasm_bindgen_test;

fn kept(quota: NonZeroU32, window: Micros) -> Kept {
    Kept::new(quota, window, SlidingCounter)
}

fn next(random: &mut Random, now: Now, window: Micros) -> Now {
    let edge = (now.mono / window + 1) * window;
    match random.one_in(3) {
        true => at(now, random.around(edge, 1, now.mono)),
        false => after(now, random.gap(window, 1)),
    }
}

/// The formula, of a list of all units.
fn estimate(oracle: &Oracle, window: Micros, now: Micros) -> u64 {
    let of = |index: Option<u64>| index.map_or(0, |index| oracle.units(|at| at.mono / window == index));
    let index = now / window;
    let previous = u128::from(of(index.checked_sub(1))) * u128::from(window - now % window);
    previous.div_ceil(u128::from(window)) as u64 + of(Some(index))
}

#[wasm_bindgen_test(unsupported = test)]
fn every_verdict_is_the_formulas_of_a_list_of_all_units() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let (mut kept, mut now) = (kept(quota, window), random.start());
        let mut oracle = Oracle::default();
        for _ in 0..20 {
            now = next(random, now, window);
            if random.one_in(10)
                && let Some((at, units)) = oracle.forget_one(random)
            {
                kept.change(now, |counter| counter.refund(at, units));
            }
            if random.one_in(10) {
                // A debt counts in the window that it is posted in.
                let earlier = at(now, now.mono - random.gap(window, 1).min(now.mono));
                kept.change(now, |counter| counter.charge(earlier, 1));
                oracle.0.push((now, 1));
            }
            let cost = random.cost(quota);
            let free = u64::from(quota.get()).saturating_sub(estimate(&oracle, window, now.mono));
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, u64::from(cost) <= free, "{now:?}");
            assert_eq!(verdict.remaining, if verdict.admitted { free - u64::from(cost) } else { free });
            if verdict.admitted {
                oracle.0.push((now, u64::from(cost)));
            }
        }
    });
}

/// A worker that read the clock just before an edge may write just after another who read it just after:
/// nothing of either window is lost.
#[wasm_bindgen_test(unsupported = test)]
fn a_slower_worker_at_an_edge_counts_in_the_window_that_has_begun() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let (mut kept, mut now) = (kept(quota, window), random.start());
        let (mut oracle, mut newest) = (Oracle::default(), 0);
        for _ in 0..20 {
            now = next(random, now, window);
            let late = random.pick(&[0, 0, 1, 700, MILLISECOND]);
            let read = Now { mono: now.mono - late, ..now };
            // The state knows how late it is by the window of its last unit.
            let known = Now { mono: read.mono.max(newest / window * window), ..read };
            let free = u64::from(quota.get()).saturating_sub(estimate(&oracle, window, known.mono));
            let verdict = kept.ask(read, 1);
            assert_eq!(verdict.admitted, 1 <= free, "{read:?}");
            if verdict.admitted {
                oracle.0.push((known, 1));
                newest = known.mono;
            }
        }
    });
}

/// The most units in a trailing window of a trace that spends all it can at once late in one window, and then
/// each unit as soon as it is admitted, or late again.
fn max_in_a_trailing_window(random: &mut Random, quota: NonZeroU32) -> u64 {
    let window = 60 * SECOND;
    let (mut kept, mut oracle) = (kept(quota, window), Oracle::default());
    let edge = 20_000 * window;
    let mut now = at(Now::default(), edge - random.pick(&[1, MILLISECOND, SECOND, 30 * SECOND]));
    let patience = random.pick(&[0, 1, 2]);
    let mut most = 0;
    for _ in 0..5 * quota.get() {
        let verdict = kept.ask(now, 1);
        if verdict.admitted {
            oracle.0.push((now, 1));
            most = most.max(oracle.younger_than(window, now.mono));
        } else {
            let wait = verdict.retry_after * (1 + random.below(1 + patience));
            now = after(now, wait);
            if random.one_in(8) {
                now = at(now, random.around((now.mono / window + 1) * window - 1, 1, now.mono));
            }
        }
    }
    most
}

/// The figure in the module's documentation.
#[wasm_bindgen_test(unsupported = test)]
fn the_worst_case_in_the_documentation_is_measured() {
    for quota in [1, 2, 10, 60, 100] {
        let quota = NonZeroU32::new(quota).unwrap();
        let most = std::cell::Cell::new(0);
        on_traces(200, |random| most.set(most.get().max(max_in_a_trailing_window(random, quota))));
        assert_eq!(most.get(), 2 * u64::from(quota.get()) - 1, "of {quota}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_as_many_bytes_as_the_documentation_says() {
    let bytes = |mono, window, units| {
        let mut kept = kept(NonZeroU32::MAX, window);
        let now = Now { mono, wall: 0 };
        kept.change(now, |counter| counter.charge(now, units));
        kept.change(after(now, window), |counter| counter.charge(after(now, window), units));
        kept.state.len()
    };
    assert_eq!(bytes(30 * DAY, 60 * SECOND, 100), 5);
    assert_eq!(bytes(16 * 365 * DAY, SECOND, u32::MAX), 15, "the most, for 16 years of uptime");
}
