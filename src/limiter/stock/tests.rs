use super::*;
use crate::limiter::Algorithm;
use crate::limiter::tests::{DAY, Kept, TRACES, after, on_traces};
use crate::time::{Now, SECOND};
use wasm_bindgen_test::wasm_bindgen_test;

fn kept(quota: NonZeroU32) -> Kept {
    Kept::new(quota, 60 * SECOND, Algorithm::Stock { reported: false })
}

/// FA-18: reserved, given back at once or later, in any order: never above the quota, never below 0.
#[wasm_bindgen_test(unsupported = test)]
fn what_exists_is_what_was_reserved_and_not_given_back() {
    on_traces(TRACES, |random| {
        let quota = random.quota();
        let (mut kept, mut now) = (kept(quota), random.start());
        let (mut exists, mut reserved) = (0u64, Vec::new());
        for _ in 0..24 {
            now = after(now, random.gap(400 * DAY, 1));
            let units = random.cost(quota);
            match random.below(5) {
                0 => {
                    // Deleted: one of these, or some from before Tollgate counted.
                    kept.change(now, |counter| counter.refund(now, units));
                    exists = exists.saturating_sub(u64::from(units));
                    reserved.clear();
                }
                1 => {
                    if let Some(units) = reserved.pop() {
                        kept.change(now, |counter| counter.refund(now, units));
                        exists -= u64::from(units);
                    }
                }
                _ => {
                    let right = exists + u64::from(units) <= u64::from(quota.get());
                    let verdict = kept.ask(now, units);
                    assert_eq!(verdict.admitted, right);
                    if right {
                        exists += u64::from(units);
                        reserved.push(units);
                    }
                    assert_eq!(verdict.remaining, u64::from(quota.get()) - exists);
                }
            }
            assert!(exists <= u64::from(quota.get()));
            assert_eq!(kept.judge(now, 0).remaining, u64::from(quota.get()) - exists);
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn what_exists_never_expires_and_a_rejection_has_the_configured_wait() {
    let mut kept = kept(NonZeroU32::MIN);
    let now = Now { mono: SECOND, wall: DAY };
    let eviction = kept.change(now, |counter| counter.charge(now, 1));
    assert_eq!((eviction.expires, eviction.share), (Micros::MAX, 255));
    let verdict = kept.ask(after(now, 1_000 * DAY), 1);
    assert_eq!((verdict.admitted, verdict.retry_after), (false, 60 * SECOND));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_lower_quota_shows_0_remaining_until_enough_is_deleted() {
    let mut kept = kept(NonZeroU32::new(10).unwrap());
    let now = Now { mono: SECOND, wall: DAY };
    kept.ask(now, 8);
    kept.limit.quota = NonZeroU32::new(5).unwrap();
    assert_eq!((kept.judge(now, 1).admitted, kept.judge(now, 1).remaining), (false, 0));
    kept.change(now, |counter| counter.refund(now, 4));
    assert_eq!(kept.ask(now, 1).remaining, 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_as_many_bytes_as_the_documentation_says() {
    let bytes = |units| {
        let mut kept = kept(NonZeroU32::MAX);
        kept.ask(Now::default(), units);
        kept.state.len()
    };
    assert_eq!((bytes(0), bytes(1), bytes(u32::MAX)), (0, 1, 5));
}

const MINUTE: Micros = 60 * SECOND;

fn reported(state: &[u8], now: Micros) -> Stock {
    let quota = NonZeroU32::new(10).unwrap();
    let algorithm = Algorithm::Stock { reported: true };
    let limit = Limit { id: crate::limiter::LimitId(1), quota, window: MINUTE, algorithm };
    Stock::open(&limit, true, state, now).unwrap()
}

fn then(state: &mut Vec<u8>, now: Micros, change: impl FnOnce(&mut Stock)) -> u64 {
    let mut stock = reported(state, now);
    change(&mut stock);
    state.clear();
    stock.write(state);
    10 - reported(state, now).judge(now, 0).remaining
}

#[wasm_bindgen_test(unsupported = test)]
fn a_report_is_added_to_what_others_are_creating() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    assert_eq!(then(&mut state, now, |stock| stock.reserve(1)), 1);
    assert_eq!(then(&mut state, now, |stock| stock.reserve(1)), 2);
    let answered = |stock: &mut Stock| {
        stock.settle(1);
        stock.report(7, now);
    };
    assert_eq!(then(&mut state, now + SECOND, answered), 8);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_report_that_others_have_overtaken_only_raises_the_stock() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    then(&mut state, now, |stock| stock.charge(5));
    assert_eq!(
        then(&mut state, now + 2 * SECOND, |stock| stock.report(3, now + SECOND)),
        3,
        "nothing changed since"
    );
    then(&mut state, now + 4 * SECOND, |stock| stock.charge(2));
    assert_eq!(then(&mut state, now + 5 * SECOND, |stock| stock.report(4, now + 3 * SECOND)), 5);
    assert_eq!(then(&mut state, now + 6 * SECOND, |stock| stock.report(6, now + 3 * SECOND)), 6);
}

#[wasm_bindgen_test(unsupported = test)]
fn what_never_settles_is_in_flight_for_ten_minutes_and_then_exists_until_a_report_says_otherwise() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    then(&mut state, now, |stock| stock.reserve(2));
    assert_eq!(then(&mut state, now + 2 * SECOND, |stock| stock.report(1, now + SECOND)), 3);
    let later = now + 2 * SECOND + MAX_RESPONSE_TIME;
    assert_eq!(then(&mut state, later, |_| {}), 3);
    assert_eq!(then(&mut state, later + SECOND, |stock| stock.report(1, later)), 1);
}
