//! What holds for every algorithm: the words of a verdict are true of each other and of what then happens.

mod traces;

pub(super) use traces::{DAY, Kept, Oracle, Random, TRACES, after, at, on_traces};

use super::*;
use crate::time::{Now, Period, Zone};
use sliding_window::Slots;
use wasm_bindgen_test::wasm_bindgen_test;

/// One limit of any algorithm that a policy can name.
fn any_limit(random: &mut Random, zone: Zone) -> Limit {
    let (quota, window) = (random.quota(), random.window());
    let period = random.pick(&[Period::Day, Period::Week, Period::Month]);
    let (burst, room) = (random.quota(), random.pick(&[288, 1_312]));
    let parameters = Parameters {
        slot_shift: Some(Slots::that_fit(quota, window, room).shift()),
        burst: Some(burst),
        period: Some(period),
        zone: Some(zone),
        ..Parameters::default()
    };
    let algorithm = random.pick(Algorithm::WORDS.0).means;
    let algorithm = if random.one_in(3) { algorithm.refilled_at_once() } else { algorithm };
    let algorithm = algorithm.with(&parameters).unwrap();
    Limit { id: LimitId(1), quota, window: algorithm.max_window().unwrap_or(window), algorithm }
}

/// Runs traces of all algorithms, and checks each instant of them with `check(kept, now, cost)`.
fn on_all_algorithms(traces: u64, check: impl Fn(&mut Kept, Now, u32)) {
    let zone = Zone::named("Europe/Madrid").unwrap();
    on_traces(traces, |random| {
        let limit = any_limit(random, zone);
        let mut kept = Kept::new(limit.quota, limit.window, limit.algorithm);
        let mut now = random.start();
        for _ in 0..12 {
            let edge = kept.judge(now, 0).next_slot;
            now = match random.one_in(4) {
                true => at(now, random.around(edge, 1, now.mono)),
                false => after(now, random.gap(limit.window, 1)),
            };
            let cost = random.cost(limit.quota);
            check(&mut kept, now, cost);
            kept.ask(now, cost);
        }
    });
}

/// How much later than `told` a unit may be back: verdicts are capped at the window, and a log rounds
/// its times up. Only what was counted in the very slot that it was asked in is so late.
fn rounded_up(kept: &Kept, told: Micros) -> Micros {
    let (limit, algorithm) = (&kept.limit, kept.limit.algorithm);
    match algorithm.parameters().burst {
        // A nanosecond for each unit, since what one lasts is rounded up.
        Some(burst) if told == longest(limit) => u64::from(burst.get()) / 1_000 + 1,
        None if told == limit.window && algorithm.counts_by_time() && algorithm.slides() => {
            algorithm.resolution()
        }
        Some(_) | None => 0,
    }
}

/// X-2, FA-11, PA-4.
#[wasm_bindgen_test(unsupported = test)]
fn after_the_wait_and_not_a_microsecond_before_the_same_request_is_admitted() {
    on_all_algorithms(TRACES / 5, |kept, now, cost| {
        let verdict = kept.judge(now, cost);
        assert!(verdict.next_slot <= verdict.full_reset, "{:?} {verdict:?}", kept.limit);
        assert!(verdict.full_reset >= now.mono + verdict.retry_after, "{:?} {verdict:?}", kept.limit);
        assert_eq!(verdict.admitted, verdict.retry_after == 0);
        if !verdict.admitted && cost <= verdict.quota && kept.limit.has_window() {
            let then = after(now, verdict.retry_after);
            let before = after(now, verdict.retry_after - 1);
            let here = after(then, rounded_up(kept, then.mono - now.mono));
            assert!(kept.judge(here, cost).admitted, "{:?} {now:?} {cost}: {verdict:?}", kept.limit);
            assert!(!kept.judge(before, cost).admitted, "{:?} {now:?} {cost}: {verdict:?}", kept.limit);
            if cost == 1 {
                assert_eq!(verdict.next_slot, then.mono, "the next slot is the wait's end (FA-11)");
            }
        }
    });
}

/// Late costs are counted in full, whatever the quota, and the wait that they cause is the true one.
#[wasm_bindgen_test(unsupported = test)]
fn b_after_a_late_cost_above_the_quota_the_told_wait_is_true() {
    let zone = Zone::named("Europe/Madrid").unwrap();
    on_traces(TRACES / 10, |random| {
        let limit = any_limit(random, zone);
        if !limit.has_window() {
            return;
        }
        let mut kept = Kept::new(limit.quota, limit.window, limit.algorithm);
        let mut now = random.start();
        for _ in 0..3 {
            let units = match random.below(3) {
                0 => limit.max_at_once().saturating_mul(3),
                1 => random.pick(&[1_000_001, 149_999_000, u32::MAX]),
                _ => random.cost(limit.quota),
            };
            kept.change(now, |counter| counter.charge(now, units));
            let verdict = kept.judge(now, 1);
            if verdict.admitted {
                continue;
            }
            assert_eq!(verdict.remaining, 0);
            let then = after(now, verdict.retry_after);
            // A debt of less than a millisecond may be another worker's clock.
            let here = after(then, rounded_up(&kept, verdict.retry_after) + CLOCK_JITTER);
            let here = if kept.judge(then, 1).admitted { then } else { here };
            assert!(kept.judge(here, 1).admitted, "{limit:?} {now:?} {units}: {verdict:?}");
            let before = after(now, verdict.retry_after - 1);
            assert!(!kept.judge(before, 1).admitted, "{limit:?} {now:?} {units}: {verdict:?}");
            now = after(now, random.below(verdict.retry_after));
        }
    });
}

/// What the next window begins with after one that was passed, by algorithm.
#[wasm_bindgen_test(unsupported = test)]
fn b_only_a_bucket_and_the_two_counters_carry_a_late_cost_into_the_next_window() {
    let (quota, window) = (NonZeroU32::new(10).unwrap(), 60 * SECOND);
    let start = Now { mono: 600_000 * SECOND, wall: 1_770_000_000 * SECOND };
    for (algorithm, remaining) in [
        (Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }), 10),
        (Algorithm::FixedWindow(FixedWindow), 10),
        (Algorithm::SlidingCounter(SlidingCounter), 0),
        (Algorithm::TokenBucket(TokenBucket { burst: quota }), 0),
    ] {
        let mut kept = Kept::new(quota, window, algorithm);
        kept.change(start, |counter| counter.charge(start, 30));
        assert_eq!(kept.judge(after(start, window), 0).remaining, remaining, "{algorithm:?}");
        // At the end of the window after it there is nothing left of it.
        assert_eq!(kept.judge(after(start, 3 * window), 0).remaining, 10, "{algorithm:?}");
    }
}

/// and in no history, whatever was owed, taken back or made coarse, or counted by a worker whose clock
/// is ahead.
#[wasm_bindgen_test(unsupported = test)]
fn no_time_in_a_verdict_is_further_away_than_the_window() {
    let zone = Zone::named("Europe/Madrid").unwrap();
    on_traces(TRACES / 5, |random| {
        let mut limit = any_limit(random, zone);
        if random.one_in(8) {
            limit.algorithm = Algorithm::Penalty(Penalty::default());
        }
        let mut kept = Kept::new(limit.quota, limit.window, limit.algorithm);
        let mut now = random.start();
        for _ in 0..12 {
            now = after(now, random.gap(limit.window, 1));
            let (units, ahead) = (random.cost(limit.quota), random.below(999));
            // Of a lease, which only limits with a window have.
            let ahead =
                if limit.algorithm.counts_by_time() && random.one_in(4) { ahead * 1_000 } else { ahead };
            kept.change(now, |counter| match random.below(4) {
                0 => counter.refund(now, units),
                1 => drop(counter.coarsen(Coarseness::Any)),
                _ if counter.judge(after(now, ahead), units).admitted || limit.algorithm.counts_by_time() => {
                    counter.charge(after(now, ahead), units);
                }
                _ => {}
            });
            let latest = now.mono + longest(&limit);
            assert!(kept.open(now).penalty_end(now).is_none_or(|end| end <= latest), "{limit:?} {now:?}");
            for cost in [0, 1, units, limit.quota.get(), u32::MAX].into_iter().filter(|_| !limit.is_penalty())
            {
                let verdict = kept.judge(now, cost);
                let told = verdict.next_slot.max(verdict.full_reset).max(now.mono + verdict.retry_after);
                assert!(told <= latest, "{limit:?} {now:?} {cost}: {verdict:?} is later than {latest}");
            }
        }
    });
}

/// How long a limit takes until what it has counted is back.
fn longest(limit: &Limit) -> Micros {
    let fills = |burst: NonZeroU32| {
        let fills = u128::from(burst.get()) * u128::from(limit.window);
        fills.div_ceil(u128::from(limit.quota.get())).min(1 << 62) as Micros
    };
    let windows = match limit.algorithm {
        Algorithm::SlidingCounter(_) => 2,
        Algorithm::AtOnce(AtOnce { burst }) => {
            let refills = u64::from(burst.get()).div_ceil(limit.quota.get().into());
            // It takes at most 292 years.
            return refills.min(u64::MAX / 2_000 / limit.window) * limit.window;
        }
        Algorithm::SlidingWindow(_)
        | Algorithm::FixedWindow(_)
        | Algorithm::Calendar(_)
        | Algorithm::TokenBucket(_)
        | Algorithm::LeakyBucket(_)
        | Algorithm::Concurrency(_)
        | Algorithm::Stock(_)
        | Algorithm::Penalty(_) => 1,
    };
    limit.algorithm.parameters().burst.map_or(windows * limit.window, fills)
}

/// FA-10, FA-13.
#[wasm_bindgen_test(unsupported = test)]
fn what_is_said_to_remain_is_what_is_then_admitted_and_comes_back_when_said() {
    on_all_algorithms(TRACES / 5, |kept, now, cost| {
        let standing = kept.judge(now, 0);
        assert!(standing.admitted, "asking how things stand is always possible");
        let verdict = kept.judge(now, cost);
        assert_eq!(verdict.admitted, u64::from(cost) <= standing.remaining);
        let spent = if verdict.admitted { u64::from(cost) } else { 0 };
        let saves_up = kept.limit.algorithm.saves_up();
        assert!(!saves_up || verdict.remaining == standing.remaining - spent);

        let mut spent = Kept { state: kept.state.clone(), ..*kept };
        let eviction = spent.change(now, |counter| {
            if verdict.admitted {
                counter.charge(now, cost);
            }
        });
        let said = Verdict { admitted: true, retry_after: 0, ..verdict };
        let then = spent.judge(now, 0);
        // A cost that is never admitted is told to wait for nothing, and so to see nothing back before that.
        let full_reset = if cost > said.quota { said.full_reset } else { then.full_reset };
        assert_eq!(Verdict { full_reset, ..then }, said, "{:?} {now:?} {cost}", kept.limit);
        if kept.limit.has_window() {
            comes_back_when_said(&spent, now, verdict, eviction);
        }
        if verdict.remaining <= 40 && saves_up {
            (0..verdict.remaining).for_each(|_| assert!(spent.ask(now, 1).admitted));
            assert!(!spent.ask(now, 1).admitted);
        }
    });
}

fn comes_back_when_said(spent: &Kept, now: Now, said: Verdict, eviction: EvictionInfo) {
    let whole = u64::from(said.quota);
    let remaining_at = |then: Micros| spent.judge(at(now, then.max(now.mono)), 0).remaining;
    let here = said.full_reset + rounded_up(spent, said.full_reset.saturating_sub(now.mono));
    assert_eq!(remaining_at(here), whole, "{:?} {now:?} {said:?}", spent.limit);
    assert_eq!(remaining_at(eviction.expires), whole, "a state that says something has expired");
    if said.remaining < whole {
        let here = said.next_slot + rounded_up(spent, said.next_slot - now.mono);
        assert!(remaining_at(here) > said.remaining, "{:?} {now:?} {said:?}", spent.limit);
        assert_eq!(remaining_at(said.next_slot - 1), said.remaining, "{:?} {now:?} {said:?}", spent.limit);
        let saves_up = spent.limit.algorithm.saves_up();
        assert!(!saves_up || u64::from(eviction.share) * whole >= (whole - said.remaining) * 255);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_charge_that_is_refunded_has_never_been() {
    on_all_algorithms(TRACES / 10, |kept, now, cost| {
        let before = kept.judge(now, 0);
        // A debt of one, if there is no room for more.
        let cost = if kept.judge(now, cost).admitted { cost } else { 1 };
        let mut state = Kept { state: kept.state.clone(), ..*kept };
        state.change(now, |counter| counter.charge(now, cost));
        state.change(now, |counter| counter.refund(now, cost));
        let mut after = state.judge(now, 0);
        if matches!(kept.limit.algorithm, Algorithm::SlidingWindow(SlidingWindow { slots }) if slots != Slots::EXACT)
        {
            // The instant of the newest unit is forgotten for a newer one, so it is that of its slot's end.
            assert!(after.next_slot >= before.next_slot && after.full_reset >= before.full_reset);
            (after.next_slot, after.full_reset) = (before.next_slot, before.full_reset);
        }
        assert_eq!(after, before, "{:?}", kept.limit);
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn to_judge_and_to_write_changes_nothing() {
    on_all_algorithms(TRACES / 10, |kept, now, cost| {
        let before = kept.judge(now, cost);
        kept.change(now, |counter| assert_eq!(counter.judge(now, cost), before));
        assert_eq!(kept.judge(now, cost), before);
        let state = kept.state.clone();
        kept.change(now, |_| {});
        assert_eq!(kept.state, state, "{:?}", kept.limit);
    });
}

/// Damaged pages can hold anything: noise, and sound states with a few bytes changed.
#[wasm_bindgen_test(unsupported = test)]
fn no_bytes_make_any_algorithm_panic() {
    let zone = Zone::named("Europe/Madrid").unwrap();
    on_traces(TRACES, |random| {
        let limit = any_limit(random, zone);
        let algorithm =
            if random.one_in(8) { Algorithm::Penalty(Penalty::default()) } else { limit.algorithm };
        let mut kept = Kept::new(limit.quota, limit.window, algorithm);
        let now = random.start();
        if random.one_in(2) {
            for _ in 0..4 {
                kept.ask(after(now, random.gap(limit.window, 1)), 1);
            }
        } else {
            kept.state = (0..random.below(30)).map(|_| random.number() as u8).collect();
        }
        for _ in 0..random.below(4).min(kept.state.len() as u64) {
            let place = random.below(kept.state.len() as u64) as usize;
            kept.state[place] = random.pick(&[0, 0x7F, 0x80, 0xFF, 1, 42]);
        }
        let mono = random.pick(&[0, 1, now.mono, now.mono + limit.window, u64::MAX / 1_000, u64::MAX]);
        use_all_of(&kept, Now { mono, ..now }, random);
    });
}

fn use_all_of(kept: &Kept, now: Now, random: &mut Random) {
    let Some(mut counter) = Counter::open(&kept.limit, &kept.state, now, kept.worker) else { return };
    let earlier = Now { mono: now.mono / 2, wall: now.wall - 1_000 };
    for _ in 0..4 {
        let units = random.pick(&[0, 1, 7, u32::MAX]);
        match random.below(6) {
            0 => counter.charge(earlier, units),
            1 => counter.charge(now, units),
            2 => counter.refund(now, units),
            3 => counter.refund(earlier, units),
            4 => {
                counter.coarsen(Coarseness::Any);
            }
            _ => {
                counter.set_in_flight(units);
            }
        }
        counter.judge(now, units);
        counter.judge(earlier, 1);
        counter.write(&mut Vec::new());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn each_algorithm_has_a_tag_of_its_own_and_only_the_penalty_no_word() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::of_kind(algorithm.kind()), Some(*algorithm));
        let has_word = Algorithm::WORDS.of(algorithm).is_some();
        let by_field = matches!(algorithm, Algorithm::AtOnce(_));
        assert_eq!(has_word, !algorithm.is_penalty() && !by_field);
    }
    assert_eq!(Algorithm::of_kind(0), None);
}

#[wasm_bindgen_test(unsupported = test)]
fn no_state_is_longer_than_its_algorithm_says() {
    on_all_algorithms(TRACES / 10, |kept, now, _| {
        if let Some(most) = kept.limit.algorithm.max_state_bytes(&kept.limit) {
            kept.change(now, |counter| counter.refund(now, 1));
            assert!(kept.state.len() as u64 <= most, "{:?} {:?}", kept.limit, kept.state);
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn a_workers_share_is_its_part_of_quota_and_burst() {
    let [quota, part] = [100, 25].map(|units| NonZeroU32::new(units).unwrap());
    for algorithm in Algorithm::ALL {
        let limit = Limit { id: LimitId(1), quota, window: SECOND, algorithm: *algorithm };
        assert_eq!(Limit { quota: part, ..limit }, limit.share(4));
    }
    let limit =
        Limit { id: LimitId(1), quota, window: SECOND, algorithm: TokenBucket { burst: quota }.into() };
    assert_eq!(limit.share(4), Limit { quota: part, algorithm: TokenBucket { burst: part }.into(), ..limit });
    assert_eq!(limit.share(1_000).quota, NonZeroU32::MIN, "and at least a unit");
}
