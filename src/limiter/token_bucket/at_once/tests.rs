use super::*;
use crate::limiter::tests::{Kept, Random, TRACES, after, at, on_traces};
use crate::limiter::{Counter, WorkerId};
use wasm_bindgen_test::wasm_bindgen_test;

const NOW: Now = Now { mono: 1_000 * SECOND, wall: 1_770_000_000 * SECOND };

fn kept(quota: u32, burst: u32, window: Micros) -> Kept {
    let [quota, burst] = [quota, burst].map(|units| NonZeroU32::new(units).unwrap());
    Kept::new(quota, window, AtOnce { burst })
}

/// The truth: all that has happened, replayed in order each time.
#[derive(Default)]
struct Oracle {
    /// What was taken when, and how much of it was given back later, which only matters if it never flowed over.
    taken: Vec<(Micros, u64)>,
}

impl Oracle {
    /// What is missing at `now`, and when the next units come back.
    fn missing(&self, kept: &Kept, burst: u64, now: Micros) -> (u64, Micros) {
        let (quota, window) = (u64::from(kept.limit.quota.get()), kept.limit.window);
        let (mut missing, mut next) = (0, 0);
        for (at, units) in self.taken.iter().copied().chain([(now, 0)]) {
            // One refill after the other.
            while missing > 0 && next <= at {
                missing = u64::saturating_sub(missing, quota);
                next += window;
            }
            if missing == 0 {
                next = at + window;
            }
            missing += units;
        }
        assert!(missing <= burst);
        (missing, next)
    }
}

fn drawn(random: &mut Random) -> (Kept, u64) {
    let (quota, window) = (1 + random.below(40), random.window());
    let burst = random.pick(&[1, quota, 2 * quota, 3 * quota + 1, quota / 2 + 1]);
    (kept(quota as u32, burst as u32, window), burst)
}

#[wasm_bindgen_test(unsupported = test)]
fn the_whole_quota_comes_back_after_each_window_since_the_first_use() {
    on_traces(TRACES, |random| {
        let (mut kept, burst) = drawn(random);
        let (mut oracle, mut now) = (Oracle::default(), random.start());
        for _ in 0..16 {
            let (_, next) = oracle.missing(&kept, burst, now.mono);
            now = match random.one_in(3) {
                true => at(now, random.around(next, 1, now.mono)),
                false => after(now, random.gap(3 * kept.limit.window, 1)),
            };
            let (missing, next) = oracle.missing(&kept, burst, now.mono);
            let cost = random.cost(kept.limit.quota);
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, missing + u64::from(cost) <= burst, "{missing} of {burst}, {cost}");
            if verdict.admitted {
                oracle.taken.push((now.mono, cost.into()));
                assert_eq!(verdict.remaining, burst - missing - u64::from(cost));
            } else if missing > 0 {
                assert_eq!(verdict.next_slot, next);
            }
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn whatever_is_given_back_no_window_has_more_than_the_burst_and_one_quota() {
    on_traces(TRACES, |random| {
        let (mut kept, burst) = drawn(random);
        let (quota, window) = (u64::from(kept.limit.quota.get()), kept.limit.window);
        let (mut taken, mut now): (Vec<(Now, u64)>, _) = (Vec::new(), random.start());
        for _ in 0..24 {
            now = after(now, random.gap(2 * window, 1));
            if random.one_in(3) && !taken.is_empty() {
                let which = random.below(taken.len() as u64) as usize;
                let (then, units) = taken[which];
                let stay = random.below(units + 1);
                taken[which].1 = stay;
                kept.change(now, |counter| {
                    counter.refund_part(then, (units - stay) as u32, stay as u32, 0);
                });
            }
            let cost = random.cost(kept.limit.quota);
            if kept.ask(now, cost).admitted {
                taken.push((now, cost.into()));
                let young = taken.iter().filter(|(at, _)| at.mono + window > now.mono);
                let used: u64 = young.map(|(_, units)| units).sum();
                assert!(used <= burst + quota, "{used} of {burst} and {quota}");
            }
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn two_thousand_burst_and_five_hundred_a_minute_come_back_in_steps() {
    let mut kept = kept(500, 2_000, 60 * SECOND);
    assert!(kept.ask(NOW, 2_000).admitted);
    let left = |kept: &Kept, seconds: u64| kept.judge(after(NOW, seconds * SECOND), 0).remaining;
    assert_eq!(
        [0, 59, 60, 119, 120, 239, 240].map(|at| left(&kept, at)),
        [0, 0, 500, 500, 1_000, 1_500, 2_000]
    );
    let verdict = kept.judge(after(NOW, 30 * SECOND), 501);
    assert_eq!((verdict.retry_after, verdict.full_reset), (90 * SECOND, NOW.mono + 240 * SECOND));
}

#[wasm_bindgen_test(unsupported = test)]
fn what_refills_have_brought_back_is_not_given_back_again() {
    let window = 60 * SECOND;
    for (since, back) in [(0, 100), (59, 100), (60, 60), (119, 60), (120, 20), (180, 0)] {
        let mut kept = kept(40, 200, window);
        kept.ask(NOW, 100);
        kept.ask(NOW, 100);
        let now = after(NOW, since * SECOND);
        let before = kept.judge(now, 0).remaining;
        kept.change(now, |counter| counter.refund(NOW, 100));
        assert_eq!(kept.judge(now, 0).remaining - before, back, "{since}");
    }
    // Of 100 units 30 are kept: the first 30 that come back are theirs.
    let mut kept = kept(40, 200, window);
    kept.ask(NOW, 100);
    let now = after(NOW, window);
    kept.change(now, |counter| counter.refund_part(NOW, 70, 30, 0));
    assert_eq!(kept.judge(now, 0).remaining, 200);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_debt_stays_when_the_burst_changes_and_an_empty_bucket_is_empty() {
    let mut owing = kept(10, 20, 60 * SECOND);
    owing.change(NOW, |counter| counter.charge(NOW, 45));
    assert_eq!(owing.judge(NOW, 1).retry_after, 3 * 60 * SECOND);
    owing.limit = kept(10, 5, 60 * SECOND).limit;
    assert_eq!(owing.judge(NOW, 1).retry_after, 3 * 60 * SECOND, "25 units as before");
    let mut empty = kept(10, 20, 60 * SECOND);
    empty.ask(NOW, 20);
    empty.limit = kept(10, 5, 60 * SECOND).limit;
    assert_eq!(empty.judge(NOW, 1).retry_after, 60 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_shorter_window_takes_effect_at_once_and_only_once() {
    let mut kept = kept(10, 10, 86_400 * SECOND);
    kept.ask(NOW, 10);
    kept.limit.window = 60 * SECOND;
    assert_eq!(kept.judge(NOW, 1).retry_after, 60 * SECOND);
    assert!(kept.open(NOW).restamped());
    kept.change(NOW, |_| {});
    assert_eq!(kept.judge(after(NOW, 59 * SECOND), 1).retry_after, SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn damaged_bytes_are_rejected() {
    let limit = kept(10, 10, 60 * SECOND).limit;
    for state in [&[0x80][..], &[1], &[1, 0x80], &[1, 2, 3, 4], &[0xFF; 11]] {
        assert!(Counter::open(&limit, state, NOW, WorkerId(1)).is_none(), "{state:?}");
    }
}
