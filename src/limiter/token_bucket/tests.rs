use super::*;
use crate::limiter::tests::{DAY, Kept, TRACES, after, at, on_traces};
use crate::limiter::{FixedWindow, LimitId};
use crate::time::{Now, SECOND};
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

fn limit(quota: u32) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    Limit { id: LimitId(1), quota, window: 60 * SECOND, algorithm: FixedWindow.into() }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_workers_burst_passes_at_once_and_then_one_unit_at_the_limits_rate() {
    let mut bucket = Bucket::of_worker(&limit(600));
    for _ in 0..9 {
        assert_eq!(bucket.wait(SECOND, 1), 0);
        bucket.spend(SECOND, 1);
    }
    assert_eq!(bucket.wait(SECOND, 1), 100_000);
    assert_eq!(bucket.wait(SECOND + 99_999, 1), 1);
    assert_eq!(bucket.wait(SECOND + 100_000, 1), 0);
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn in_any_time_at_most_burst_and_rate_pass(
        quota in 1u32..100_000,
        gaps in proptest::collection::vec(0u64..300_000, 1..200),
    ) {
        let limit = limit(quota);
        let mut bucket = Bucket::of_worker(&limit);
        let (mut now, mut passed) = (SECOND, 0u64);
        for gap in gaps {
            now += gap;
            if bucket.wait(now, 1) == 0 {
                bucket.spend(now, 1);
                passed += 1;
            }
            let rate = u64::from(quota) * (now - SECOND) / limit.window;
            prop_assert!(passed <= u64::from(bucket.burst.get()) + rate);
        }
    }
}

/// The real-valued bucket, in units times the window: exact, and filled anew from a list of all admissions.
fn ideal_level(
    limit: &Limit,
    burst: NonZeroU32,
    start: Micros,
    admitted: &[(Micros, u32)],
    now: Micros,
) -> u128 {
    let (window, full) = (u128::from(limit.window), u128::from(burst.get()) * u128::from(limit.window));
    let fill = |level: u128, time: Micros| full.min(level + u128::from(time) * u128::from(limit.quota.get()));
    let (mut level, mut last) = (full, start);
    for (at, units) in admitted {
        level = fill(level, at - last) - u128::from(*units) * window;
        last = *at;
    }
    fill(level, now - last)
}

/// nothing passes that the ideal bucket would not let pass, and a rejection is right, but for one
/// nanosecond for each unit that was taken.
#[wasm_bindgen_test(unsupported = test)]
fn every_decision_is_the_ideal_buckets_but_for_a_nanosecond_a_unit() {
    on_traces(TRACES, |random| {
        let (quota, burst, window) = (random.quota(), random.quota(), random.window());
        let mut kept = Kept::new(quota, window, TokenBucket { burst });
        let start = random.start();
        // A burst of centuries is cut.
        let burst = NonZeroU32::new(kept.judge(start, 0).quota).unwrap();
        let (mut now, mut admitted, mut taken) = (start, Vec::new(), 0u128);
        for _ in 0..20 {
            let edge = kept.judge(now, 0).next_slot;
            now = match random.one_in(4) {
                true => at(now, random.around(edge, 1, now.mono)),
                false => after(now, random.gap(window, 1) / random.pick(&[1, u64::from(quota.get())])),
            };
            let cost = random.cost(burst);
            let level = ideal_level(&kept.limit, burst, start.mono, &admitted, now.mono);
            let needed = u128::from(cost) * u128::from(window);
            let verdict = kept.ask(now, cost);
            if verdict.admitted {
                assert!(level >= needed, "{now:?} {cost}: a wrong admission");
                admitted.push((now.mono, cost));
                taken += u128::from(cost);
            } else if cost <= burst.get() {
                // `taken` nanoseconds' worth of units.
                let slack = (taken * u128::from(quota.get())).div_ceil(1_000);
                assert!(level < needed + slack, "{now:?} {cost}: a wrong rejection");
            }
        }
        in_every_interval_at_most_burst_and_rate(&kept.limit, burst, &admitted);
    });
}

fn in_every_interval_at_most_burst_and_rate(limit: &Limit, burst: NonZeroU32, admitted: &[(Micros, u32)]) {
    let window = u128::from(limit.window);
    for (first, (from, _)) in admitted.iter().enumerate() {
        let mut units = 0;
        for (to, more) in &admitted[first..] {
            units += u128::from(*more);
            let rate = u128::from(to - from) * u128::from(limit.quota.get());
            assert!(units * window <= u128::from(burst.get()) * window + rate, "{units} in {from}..{to}");
        }
    }
}

/// A refund is of units that are still missing: what has come back by itself in the meantime is not given
/// twice. All of a charge is refunded, or a part, and once.
#[wasm_bindgen_test(unsupported = test)]
fn refunds_never_let_more_pass_than_burst_and_rate() {
    on_traces(TRACES, |random| {
        let (quota, burst, window) = (random.quota(), random.quota(), random.window());
        let mut kept = Kept::new(quota, window, TokenBucket { burst });
        let start = random.start();
        let burst = NonZeroU32::new(kept.judge(start, 0).quota).unwrap();
        // What was admitted, in order, and of what is not settled yet its place there and what it remembers.
        let (mut now, mut admitted, mut open) = (start, Vec::new(), Vec::new());
        for _ in 0..40 {
            now = after(now, random.gap(window, 1) / random.pick(&[1, 2, u64::from(quota.get())]));
            for _ in 0..random.below(4).min(open.len() as u64) {
                let (place, hold): (usize, u64) = open.swap_remove(random.below(open.len() as u64) as usize);
                let (at, units): (Micros, u32) = admitted[place];
                let stays = if random.one_in(2) { 0 } else { random.below(u64::from(units) + 1) as u32 };
                admitted[place].1 = stays;
                let at = Now { mono: at, wall: 0 };
                kept.change(now, |counter| counter.refund_part(at, units - stays, stays, hold));
            }
            let cost = random.cost(burst);
            let level = ideal_level(&kept.limit, burst, start.mono, &admitted, now.mono);
            if kept.judge(now, cost).admitted {
                assert!(level >= u128::from(cost) * u128::from(window), "{now:?} {cost}: a wrong admission");
                let mut hold = 0;
                kept.change(now, |counter| {
                    counter.charge(now, cost);
                    hold = counter.hold();
                });
                open.push((admitted.len(), hold));
                admitted.push((now.mono, cost));
            }
        }
    });
}

/// Ten requests at once hold all of a bucket and cost little: what they held too much comes back, though as
/// much has come back by itself.
#[wasm_bindgen_test(unsupported = test)]
fn b_holds_of_many_requests_at_once_are_settled() {
    let now = Now { mono: 1_000 * SECOND, wall: 0 };
    let mut kept = bucket_of(50, SECOND, 100);
    let holds = [(); 10].map(|()| {
        let mut hold = 0;
        kept.change(now, |counter| {
            counter.charge(now, 10);
            hold = counter.hold();
        });
        hold
    });
    assert_eq!(kept.judge(now, 0).remaining, 0);
    let later = after(now, SECOND / 5);
    for hold in holds {
        kept.change(later, |counter| counter.refund_part(now, 8, 2, hold));
    }
    // 20 are spent, and 10 have come back; the first of them was back before its response came.
    assert_eq!(kept.judge(later, 0).remaining, 82);
}

/// Under load each request costs what it costs, and not what it holds.
#[wasm_bindgen_test(unsupported = test)]
fn b_under_constant_load_holds_do_not_become_the_cost() {
    let mut kept = bucket_of(100_000, 60 * SECOND, 100_000);
    let mut now = Now { mono: 10_000 * SECOND, wall: 0 };
    let (mut open, mut passed) = (std::collections::VecDeque::new(), 0_u64);
    // Each holds 2,000 for 5 s, and costs 1,000. Forty a second ask for it, for ten minutes.
    for _ in 0..600 * 40 {
        now = after(now, SECOND / 40);
        while let Some((at, hold)) =
            open.pop_front_if(|(at, _): &mut (Now, u64)| at.mono + 5 * SECOND <= now.mono)
        {
            kept.change(now, |counter| counter.refund_part(at, 1_000, 1_000, hold));
        }
        if kept.judge(now, 2_000).admitted {
            kept.change(now, |counter| {
                counter.charge(now, 2_000);
                open.push_back((now, counter.hold()));
            });
            passed += 1_000;
        }
    }
    let rate = 10 * 100_000;
    assert!((rate * 95 / 100..=rate + 100_000).contains(&passed), "{passed} of {rate}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_unit_that_has_come_back_by_itself_is_not_refunded() {
    let mut kept = Kept::new(
        NonZeroU32::new(60).unwrap(),
        60 * SECOND,
        TokenBucket { burst: NonZeroU32::new(2).unwrap() },
    );
    let first = Now { mono: 10 * SECOND, wall: 0 };
    kept.ask(first, 1);
    let second = after(first, 10 * SECOND);
    kept.ask(second, 2);
    kept.change(second, |counter| counter.refund(first, 1));
    assert_eq!(kept.judge(second, 0).remaining, 0);
}

fn bucket_of(quota: u32, window: Micros, burst: u32) -> Kept {
    let [quota, burst] = [quota, burst].map(|units| NonZeroU32::new(units).unwrap());
    Kept::new(quota, window, TokenBucket { burst })
}

/// How long one unit is rejected in truth, asked again and again, each time after half of what was told.
fn true_wait(kept: &mut Kept, start: Now) -> Micros {
    let mut now = start;
    loop {
        let told = kept.judge(now, 1).retry_after;
        // As the table does: what was read anew at a new rate is written.
        kept.change(now, |_| {});
        match told {
            0 => return now.mono - start.mono,
            _ => now = after(now, told.div_ceil(2)),
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn b_a_late_cost_above_the_burst_is_owed_in_full_and_its_wait_is_true() {
    let now = Now { mono: 100 * SECOND, wall: 0 };
    for answers in [1, 10] {
        let mut kept = bucket_of(50, SECOND, 100);
        for _ in 0..answers {
            assert!(kept.ask(now, 10).admitted);
        }
        for _ in 0..answers {
            kept.change(now, |counter| counter.charge(now, 990));
        }
        // 1,000 units each, of which 100 are there and 50 come back in a second; and one more for the caller.
        let wait = (answers * 1_000 - 100) * SECOND / 50 + SECOND / 50;
        assert_eq!(kept.judge(now, 1).retry_after, wait, "{answers}");
        assert_eq!(true_wait(&mut kept, now), wait, "{answers}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn debts_are_paid_back_and_a_refund_takes_no_more_than_they_were() {
    let mut kept = bucket_of(60, 60 * SECOND, 2);
    let now = Now { mono: 100 * SECOND, wall: 0 };
    kept.ask(now, 2);
    kept.change(now, |counter| counter.charge(now, 5));
    assert_eq!(kept.judge(now, 1).retry_after, 6 * SECOND);
    kept.change(now, |counter| counter.refund(now, 5));
    assert_eq!(kept.judge(now, 1).retry_after, SECOND);
    kept.change(now, |counter| counter.charge(now, 1_000_000));
    assert_eq!(kept.judge(now, 1).retry_after, 1_000_001 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn b_nobody_owes_more_than_366_days() {
    for (quota, window) in [(1, 366 * DAY), (1, SECOND), (1_000_000, SECOND)] {
        let mut kept = bucket_of(quota, window, 1);
        let now = Now { mono: 3_650 * DAY, wall: 0 };
        for _ in 0..100_000 {
            kept.change(now, |counter| counter.charge(now, u32::MAX));
        }
        let t = window / u64::from(quota);
        let all = (100_000 * u64::from(u32::MAX)).saturating_mul(t);
        assert_eq!(kept.judge(now, 1).retry_after, all.min(366 * DAY + t), "{quota} in {window}");
        assert!(kept.state.len() <= 21, "{}", kept.state.len());
    }
}

/// Equal rates are equal, however they are written: all verdicts, all states.
#[wasm_bindgen_test(unsupported = test)]
fn b_a_rate_in_other_units_is_the_same_bucket() {
    on_traces(TRACES / 10, |random| {
        let (per_second, burst) = (random.pick(&[1, 7, 50, 333]), 1 + random.below(400) as u32);
        let ways = [(1, SECOND), (60, 60 * SECOND), (3_600, 3_600 * SECOND)];
        let mut all = ways.map(|(times, window)| bucket_of(per_second * times, window, burst));
        let mut now = random.start();
        for _ in 0..20 {
            now = after(now, random.gap(10 * SECOND, 1));
            let (act, units, earlier) = (random.below(4), random.below(3_000) as u32, random.below(SECOND));
            let then = at(now, now.mono - earlier);
            let said = all.each_mut().map(|kept| {
                match act {
                    0 => drop(kept.change(now, |counter| counter.charge(now, units))),
                    1 => drop(kept.change(now, |counter| counter.refund(then, units / 10))),
                    _ => drop(kept.ask(now, units / 100)),
                }
                (kept.judge(now, 0), kept.judge(now, 1), kept.state.clone())
            });
            assert_eq!(said[0], said[1]);
            assert_eq!(said[0], said[2]);
        }
        let workers = all.map(|kept| Bucket { opened: 0, ..Bucket::of_worker(&kept.limit) });
        assert_eq!(workers[0], workers[1]);
        assert_eq!(workers[0], workers[2]);
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn b_a_new_rate_keeps_the_units_that_are_owed_and_their_wait_is_true() {
    let now = Now { mono: 3_650 * DAY, wall: 0 };
    // 1,000 of 10 units, at one an hour; and then at others.
    let mut slow = bucket_of(1, 3_600 * SECOND, 10);
    slow.change(now, |counter| counter.charge(now, 1_000));
    for (quota, window, burst) in [(100, SECOND, 10), (1, 7_200 * SECOND, 10), (100, SECOND, 500)] {
        let mut other = bucket_of(quota, window, burst);
        other.state = slow.state.clone();
        // What a bucket of ten owes is 990 units, of which a larger one has room for more.
        let wait = (1_000 + 1 - u64::from(burst)).max(1) * window / u64::from(quota);
        assert_eq!(other.judge(now, 1).retry_after, wait, "{quota} in {window}");
        assert_eq!(true_wait(&mut other, now), wait, "{quota} in {window}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn b_a_bucket_that_owes_nothing_is_at_most_empty_at_a_faster_rate() {
    let now = Now { mono: 3_650 * DAY, wall: 0 };
    let mut slow = bucket_of(1, DAY, 10);
    assert!(slow.ask(now, 10).admitted);
    let mut fast = bucket_of(10, SECOND, 10);
    fast.state = slow.state.clone();
    assert_eq!(fast.judge(now, 1).retry_after, SECOND / 10);
    assert_eq!(true_wait(&mut fast, now), SECOND / 10);
}

/// Before, a state did not say that it owes, and a debt was forgotten after a window.
#[wasm_bindgen_test(unsupported = test)]
fn a_state_of_an_earlier_version_owes_at_most_a_window() {
    let now = Now { mono: 3_650 * DAY, wall: 0 };
    let mut kept = bucket_of(60, 60 * SECOND, 2);
    kept.change(now, |counter| counter.charge(now, 1_000));
    kept.state.truncate(9);
    assert_eq!(kept.judge(now, 1).retry_after, 61 * SECOND);
    assert_eq!(true_wait(&mut kept, now), 61 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_record_that_owes_lives_until_it_has_paid() {
    let now = Now { mono: 100 * SECOND, wall: 0 };
    let mut kept = bucket_of(50, SECOND, 100);
    let eviction = kept.change(now, |counter| counter.charge(now, 10_000));
    assert_eq!((eviction.expires, eviction.share), (now.mono + 200 * SECOND, 255));
    for (later, share) in [(0, 255), (197, 255), (199, 128), (200, 0)] {
        assert_eq!(Bucket::share_of(&kept.state, now.mono + later * SECOND), Some(share), "{later}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn debts_beyond_what_is_forgiven_are_forgiven() {
    let now = Now { mono: 100 * SECOND, wall: 0 };
    let mut kept = bucket_of(50, SECOND, 100);
    kept.change(now, |counter| counter.charge(now, u32::MAX));
    kept.change(now, |counter| counter.forgive(3_600 * SECOND));
    assert_eq!(kept.judge(now, 1).retry_after, 3_600 * SECOND + SECOND / 50);
}

/// A burst that takes longer to fill than the clock can count, centuries, is cut to what it can.
#[wasm_bindgen_test(unsupported = test)]
fn a_burst_of_centuries_is_no_bucket_without_a_bottom() {
    for (quota, burst) in [(1, 1_000), (1, u32::MAX), (7, 100_000)] {
        let (quota, burst) = (NonZeroU32::new(quota).unwrap(), NonZeroU32::new(burst).unwrap());
        let mut kept = Kept::new(quota, 366 * DAY, TokenBucket { burst });
        let now = Now { mono: 3_650 * DAY, wall: 0 };
        let all = kept.judge(now, 0).remaining;
        assert!(all > 0 && all <= u64::from(burst.get()));
        assert!(kept.ask(now, all as u32).admitted);
        let verdict = kept.ask(now, 1);
        assert!(!verdict.admitted);
        assert!(kept.judge(after(now, verdict.retry_after), 1).admitted);
        assert!(!kept.judge(after(now, verdict.retry_after - 1), 1).admitted);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_9_bytes_and_12_for_a_bucket_that_takes_a_year_to_fill() {
    let burst = NonZeroU32::MAX;
    for (window, bytes) in [(SECOND, 9), (366 * DAY, 12)] {
        let mut kept = Kept::new(burst, window, TokenBucket { burst });
        assert!(kept.ask(Now { mono: 3_650 * DAY, wall: 0 }, u32::MAX).admitted);
        assert_eq!(kept.state.len(), bytes);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a5_a_bucket_that_lacks_a_unit_counts_as_hardly_used_and_less_as_it_fills() {
    let burst = NonZeroU32::new(100).unwrap();
    let mut kept = Kept::new(burst, 100 * SECOND, TokenBucket { burst });
    let now = 1_000 * SECOND;
    assert!(kept.ask(Now { mono: now, wall: 0 }, 1).admitted);
    assert_eq!(Bucket::share_of(&kept.state, now), Some(3));
    assert!(kept.ask(Now { mono: now, wall: 0 }, 99).admitted);
    let shares = [0, 50, 99, 100].map(|later| Bucket::share_of(&kept.state, now + later * SECOND).unwrap());
    assert_eq!(shares, [255, 128, 3, 0]);
    assert_eq!(Bucket::share_of(b"short", now), None);
}
