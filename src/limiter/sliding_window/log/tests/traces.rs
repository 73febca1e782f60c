//! The log beside a plain list of all admissions, decision by decision.

use super::*;
use crate::limiter::tests::{Oracle, Random, TRACES, after, at, on_traces};
use crate::time::Now;
use crate::time::{MILLISECOND, SECOND};

/// What the list says of a request: the same verdict, found the long way.
fn right_verdict(oracle: &Oracle, limit: &Limit, now: Micros, cost: u32) -> Verdict {
    let (window, quota) = (limit.window, u64::from(limit.quota.get()));
    let cost = u64::from(cost);
    let used = oracle.younger_than(window, now);
    let admitted = used + cost <= quota;
    let mut leaving: Vec<Micros> = oracle.0.iter().map(|(at, _)| at.mono + window).collect();
    leaving.retain(|leaves| *leaves > now);
    leaving.sort_unstable();
    let fits = |then: &&Micros| oracle.younger_than(window, **then) + cost.min(quota) <= quota;
    let wait = leaving.iter().find(fits).map_or(0, |then| then - now);
    if admitted && cost > 0 {
        leaving.push(now + window); // the last
    }
    // The next unit that can be spent: debts may be more than the quota.
    let frees = |then: &&Micros| used < quota || oracle.younger_than(window, **then) < quota;
    let (next, full) = (leaving.iter().find(frees).copied(), leaving.iter().max().copied());
    let retry_after = if admitted { 0 } else { wait.max(1) };
    Verdict {
        admitted,
        quota: limit.quota.get(),
        remaining: quota.saturating_sub(used + if admitted { cost } else { 0 }),
        next_slot: next.unwrap_or(now),
        full_reset: full.unwrap_or(now).max(now + retry_after),
        retry_after,
    }
}

/// The next instant: anyhow later, or just before, at and just after some units leave.
fn next(random: &mut Random, oracle: &Oracle, now: Now, window: Micros, step: Micros) -> Now {
    let edge = oracle.some_instant(random, now) + window;
    match random.one_in(4) {
        true => at(now, random.around(edge, step, now.mono)),
        false => after(now, random.gap(window, step)),
    }
}

/// Now and then a debt of an earlier instant, which may have left the window, or a refund.
fn post(random: &mut Random, log: &mut Log<'_>, oracle: &mut Oracle, now: Now, step: Micros) {
    let window = log.window;
    match random.below(12) {
        0 => {
            let earlier =
                at(now, now.mono - (random.gap(window, step) + random.gap(window, step)).min(now.mono));
            let units = 1 + random.below(3) as u32;
            log.charge(earlier, units);
            oracle.0.push((earlier, u64::from(units)));
        }
        1 => {
            if let Some((at, units)) = oracle.forget_one(random) {
                log.refund(at, units, 0, 0);
                if at.mono + window <= now.mono {
                    // It had left: there is nothing to give back.
                    oracle.0.push((at, u64::from(units)));
                }
            }
        }
        2 => {
            let units = 1 + random.below(3) as u32;
            log.give_back_newest(now, units);
            oracle.return_newest(units, window, now.mono);
        }
        _ => {}
    }
}

/// FA-5, FA-6, FA-10, FA-11, FA-13, PA-4, PA-5, PA-6, PA-9.
#[wasm_bindgen_test(unsupported = test)]
fn on_the_clocks_milliseconds_every_word_of_every_verdict_is_the_truth() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota.get(), window, Slots::EXACT);
        let (mut oracle, mut now) = (Oracle::default(), random.start());
        for _ in 0..20 {
            now = next(random, &oracle, now, window, MILLISECOND);
            let cost = random.cost(quota);
            let mut state = Vec::new();
            let mut log = kept.open(now.mono);
            post(random, &mut log, &mut oracle, now, MILLISECOND);
            let verdict = log.judge(now.mono, cost);
            assert_eq!(verdict, right_verdict(&oracle, &kept.limit, now.mono, cost), "{now:?} {cost}");
            if verdict.admitted {
                log.charge(now, cost);
                oracle.0.push((now, u64::from(cost)));
            }
            log.write(&mut state);
            kept.state = state;
        }
    });
}

/// with slots of any length, coarsened under way or not.
#[wasm_bindgen_test(unsupported = test)]
fn a_ring_admits_nothing_wrongly_and_rejects_at_most_one_slot_early() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let slots = match random.below(3) {
            0 => Slots::that_fit(quota, window, random.pick(&[40, 288, 1_312])),
            1 => Slots { shift: random.below(8) as u8 },
            // Some slices a window.
            _ => Slots { shift: ((window / MILLISECOND) >> random.below(8)).ilog2().min(32) as u8 },
        };
        let mut kept = Kept::new(quota.get(), window, slots);
        let (mut oracle, mut now) = (Oracle::default(), random.start());
        let mut step = slots.length();
        for _ in 0..20 {
            let precision = random.pick(&[1, step.min(window / 2)]);
            now = next(random, &oracle, now, window, precision);
            let cost = random.cost(quota);
            let mut state = Vec::new();
            let mut log = kept.open(now.mono);
            if random.one_in(12) && log.slots.length() < window {
                log.coarsen(random.pick(&[Coarseness::Slight, Coarseness::Any]));
            }
            post(random, &mut log, &mut oracle, now, 1);
            step = log.slots.length();
            let needs = |age| oracle.younger_than(age, now.mono) + u64::from(cost);
            let (used, cautiously) = (needs(window), needs(window + step));
            let admitted = log.judge(now.mono, cost).admitted;
            assert!(!admitted || used <= u64::from(quota.get()), "a wrong admission at {now:?}");
            assert!(admitted || cautiously > u64::from(quota.get()), "more than a slot too early at {now:?}");
            if admitted {
                log.charge(now, cost);
                oracle.0.push((now, u64::from(cost)));
            }
            log.write(&mut state);
            kept.state = state;
        }
    });
}

/// whenever the clock is set back, far or once a little, the cap holds in true time, and all is free a
/// window after the last step or admission.
#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_clock_set_back_again_and_again_frees_nothing_and_freezes_nothing() {
    on_traces(TRACES / 5, |random| {
        let (quota, window) = (random.quota(), random.window());
        let slots = Slots { shift: random.below(4) as u8 };
        let mut kept = Kept::new(quota.get(), window, slots);
        let mut oracle = Oracle::default();
        // How much the clock is behind true time, which is what the oracle goes by.
        let (mut truth, mut behind, mut last) = (random.start(), 0, 0);
        truth.mono += 400 * DAY;
        let (often, little) = (random.one_in(2), random.pick(&[MILLISECOND, SECOND]));
        for _ in 0..20 {
            truth = next(random, &oracle, truth, window, MILLISECOND);
            if random.one_in(6) && (often || behind == 0) {
                let by = if often { 3 * SECOND } else { little };
                behind += random.pick(&[by, 3_600 * SECOND, DAY]);
                last = truth.mono;
            }
            let verdict = kept.ask(truth.mono - behind, 1);
            if verdict.admitted {
                oracle.0.push((truth, 1));
                let used = oracle.younger_than(window, truth.mono);
                assert!(used <= u64::from(quota.get()), "freed early");
                last = truth.mono;
            }
            let longest = window + MAX_CLOCK_SKEW + 2 * slots.length();
            let then = truth.mono - behind + longest - (truth.mono - last).min(longest);
            assert_eq!(kept.open(then).judge(then, 0).remaining, u64::from(quota.get()), "frozen");
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_clock_set_back_to_its_zero_keeps_the_state_sound() {
    let mut kept = Kept::new(2, 60 * SECOND, Slots::EXACT);
    kept.ask(T0, 1);
    kept.ask(T0 + 50 * SECOND, 1);
    let verdict = kept.ask(10 * SECOND, 1);
    assert!(!verdict.admitted);
    assert!(verdict.retry_after <= 60 * SECOND, "{verdict:?}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_debt_that_has_left_the_window_by_the_time_it_is_posted_is_none() {
    let kept = Kept::new(1, 60 * SECOND, Slots::EXACT);
    let mut log = kept.open(T0);
    log.charge(instant(T0 - 60 * SECOND), 1);
    assert!(log.judge(T0, 1).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_unit_that_has_left_is_not_refunded_from_the_longer_slot_that_its_own_became_a_part_of() {
    let mut kept = Kept::new(2, 60 * SECOND, Slots::EXACT);
    let odd = T0 + MILLISECOND;
    kept.ask(odd, 1);
    kept.ask(odd + MILLISECOND, 1);
    let now = odd + 60 * SECOND;
    kept.change(now, |log| assert!(log.coarsen(Coarseness::Any)));
    kept.change(now, |log| log.refund(instant(odd), 1, 0, 0));
    assert_eq!(kept.open(now).judge(now, 0).remaining, 1);
}

/// A year's log of single units, as far apart as they can be, ten years after the machine's start.
#[wasm_bindgen_test(unsupported = test)]
fn the_longest_gaps_take_no_more_bytes_than_foreseen() {
    on_traces(TRACES / 50, |random| {
        let (quota, window) = (random.quota(), random.window());
        let slots = Slots::that_fit(quota, window, random.pick(&[40, 288, 1_312]));
        let mut kept = Kept::new(quota.get(), window, slots);
        let (mut now, apart) = (3_650 * DAY, window / random.pick(&[1, 2, 3, u64::from(quota.get())]).max(1));
        for _ in 0..50 {
            now += apart.saturating_sub(random.below(3) * slots.length());
            kept.ask(now, random.cost(quota));
            assert!(kept.state.len() as u64 <= slots.max_bytes(quota, window), "{quota} {window} {slots:?}");
        }
    });
}
