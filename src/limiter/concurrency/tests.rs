use super::*;
use crate::limiter::Counter;
use crate::limiter::tests::{DAY, Kept, TRACES, after, on_traces};
use crate::time::Now;
use wasm_bindgen_test::wasm_bindgen_test;

const T0: Now = Now { mono: 1_000_000 * SECOND, wall: 20_000 * DAY };

fn kept(quota: u32) -> Kept {
    Kept::new(NonZeroU32::new(quota).unwrap(), SECOND, Concurrency { after: 0 })
}

/// What one worker has written: its units, and when.
#[derive(Clone, Copy, Default)]
struct Written {
    units: u64,
    at: Micros,
}

impl Written {
    /// Its units, if they are younger than `age`.
    fn younger_than(self, age: Micros, now: Now) -> u64 {
        if self.at + age > now.mono { self.units } else { 0 }
    }

    /// The last second in which a worker's units count: expiry is in whole seconds, rounded up.
    fn last_second(self) -> u64 {
        (self.at + 30 * SECOND).div_ceil(SECOND) - 1
    }
}

/// FP-1: three workers ask, release, renew, die and come again. What is younger than 30 s is counted, what is
/// of 31 s is not.
#[wasm_bindgen_test(unsupported = test)]
fn a_worker_counts_for_30_seconds_after_a_write_and_is_forgotten_after_31() {
    on_traces(TRACES, |random| {
        let quota = random.quota();
        let (mut kept, mut now) = (kept(quota.get()), random.start());
        let mut workers = [Written::default(); 3];
        for _ in 0..24 {
            let (forgotten, step) = (random.pick(&workers).at + 30 * SECOND, random.pick(&[1, SECOND]));
            now = match random.one_in(4) {
                true => Now { mono: random.around(forgotten, step, now.mono), ..now },
                false => after(now, random.gap(40 * SECOND, 1)),
            };
            let me = random.below(3) as usize;
            kept.worker = WorkerId(me as u32);
            let cost = random.cost(quota);
            let used = |age| workers.iter().map(|worker| worker.younger_than(age, now)).sum::<u64>();
            let (least, most) = (used(30 * SECOND), used(31 * SECOND));
            let mine = match now.mono / SECOND <= workers[me].last_second() {
                true => workers[me].units,
                false => 0,
            };
            let mine = match random.below(6) {
                0 => {
                    kept.change(now, |counter| counter.refund(now, cost));
                    mine.saturating_sub(u64::from(cost))
                }
                1 => {
                    kept.change(now, |counter| {
                        counter.set_in_flight(cost);
                    });
                    u64::from(cost)
                }
                _ => {
                    let verdict = kept.ask(now, cost);
                    let fits = |used: u64| used + u64::from(cost) <= u64::from(quota.get());
                    assert!(!verdict.admitted || fits(least), "too many in flight");
                    assert!(verdict.admitted || !fits(most), "rejected for what is to be forgotten");
                    if !verdict.admitted {
                        continue;
                    }
                    mine + u64::from(cost)
                }
            };
            workers[me] = Written { units: mine, at: now.mono };
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_1_a_unit_is_free_when_it_is_released_and_not_before() {
    let mut kept = kept(2);
    assert_eq!(kept.ask(T0, 1).remaining, 1);
    assert_eq!(kept.ask(T0, 1).remaining, 0);
    assert!(!kept.ask(after(T0, 20 * SECOND), 1).admitted);
    kept.change(after(T0, 20 * SECOND), |counter| counter.refund(T0, 1));
    assert!(kept.ask(after(T0, 20 * SECOND), 1).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_worker_that_dies_is_forgotten_after_30_seconds_and_one_that_renews_is_not() {
    let mut kept = kept(2);
    kept.ask(T0, 1);
    kept.worker = WorkerId(2);
    kept.ask(T0, 1);
    let renewed = after(T0, 25 * SECOND);
    kept.change(renewed, |counter| {
        counter.set_in_flight(1);
    });
    assert!(!kept.judge(after(T0, WORKER_TTL - 1), 1).admitted);
    assert_eq!(kept.judge(after(T0, WORKER_TTL), 1).remaining, 0);
    assert!(!kept.judge(after(renewed, WORKER_TTL - 1), 2).admitted);
    assert!(kept.judge(after(renewed, WORKER_TTL), 2).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_belief_of_a_clock_that_has_since_been_set_back_is_none() {
    let mut kept = kept(1);
    kept.ask(T0, 1);
    assert!(!kept.judge(Now { mono: T0.mono - 29 * SECOND, ..T0 }, 1).admitted);
    assert!(kept.judge(Now { mono: T0.mono - DAY, ..T0 }, 1).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn fp_14_a_rejection_has_the_configured_wait() {
    let mut kept = kept(1);
    kept.limit.window = 7 * SECOND;
    kept.ask(T0, 1);
    assert_eq!(kept.judge(T0, 1).retry_after, 7 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn bytes_that_end_within_a_holder_are_damaged() {
    let mut kept = kept(5);
    kept.ask(T0, 3);
    for end in 1..kept.state.len() {
        assert!(Counter::open(&kept.limit, &kept.state[..end], T0, WorkerId(1)).is_none(), "{end} bytes");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_as_many_bytes_as_the_documentation_says() {
    let bytes = |mono, units| {
        let mut kept = kept(u32::MAX);
        for id in 1..=4 {
            kept.worker = WorkerId(id);
            kept.change(Now { mono, ..T0 }, |counter| {
                counter.set_in_flight(units);
            });
        }
        kept.state.len()
    };
    assert_eq!(bytes(16 * DAY, 100), 4 * 8, "per worker, in the first weeks of a machine");
    assert_eq!(bytes(8 * 365 * DAY, u32::MAX), 4 * 13, "the most, for 8 years of uptime");
    assert_eq!(bytes(16 * DAY, 0), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn with_after_a_request_is_judged_by_published_units_alone_and_changes_none() {
    let mut kept = Kept::new(NonZeroU32::new(2).unwrap(), SECOND, Concurrency { after: 20 * SECOND });
    for _ in 0..5 {
        let verdict = kept.ask(T0, 1);
        assert_eq!((verdict.admitted, verdict.remaining), (true, 2), "not one of them has lasted for long");
    }
    kept.change(T0, |counter| counter.refund(T0, 5));
    assert!(kept.state.is_empty());
    kept.change(T0, |counter| {
        counter.set_in_flight(1);
    });
    assert_eq!(kept.ask(T0, 1).remaining, 1);
    assert!(!kept.ask(T0, 2).admitted, "with its cost it would be too much");
    kept.change(T0, |counter| {
        counter.set_in_flight(7);
    });
    let verdict = kept.ask(T0, 1);
    assert_eq!((verdict.admitted, verdict.remaining, verdict.retry_after), (false, 0, SECOND));
}
