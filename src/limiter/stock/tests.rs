use super::*;
use crate::limiter::tests::{DAY, Kept, TRACES, after, on_traces};
use crate::limiter::{LimitId, WorkerId};
use crate::time::{Now, SECOND};
use wasm_bindgen_test::wasm_bindgen_test;

fn kept(quota: NonZeroU32) -> Kept {
    Kept::new(quota, 60 * SECOND, Stock { reported: false })
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

fn reported(state: &[u8], now: Micros) -> UnitsInStock {
    let quota = NonZeroU32::new(10).unwrap();
    let stock = Stock { reported: true };
    let limit = Limit { id: LimitId(1), quota, window: MINUTE, algorithm: stock.into() };
    let opening = Opening { now: Now { mono: now, wall: 0 }, worker: WorkerId(1), stall: 0 };
    if state.is_empty() { stock.unused(&limit, opening) } else { stock.open(&limit, state, opening).unwrap() }
}

fn then(state: &mut Vec<u8>, now: Micros, change: impl FnOnce(&mut UnitsInStock)) -> u64 {
    let mut stock = reported(state, now);
    change(&mut stock);
    state.clear();
    stock.write(state);
    10 - reported(state, now).judge(now, 0).remaining
}

fn reserve(stock: &mut UnitsInStock, units: u32) {
    stock.charge(Now::default(), units);
    stock.reserve(units);
}

fn reports(units: u64, since: Micros) -> impl FnOnce(&mut UnitsInStock) {
    move |stock| assert!(stock.report(units, since))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_report_is_added_to_what_others_are_creating() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    assert_eq!(then(&mut state, now, |stock| reserve(stock, 1)), 1);
    assert_eq!(then(&mut state, now, |stock| reserve(stock, 1)), 2);
    let answered = |stock: &mut UnitsInStock| {
        stock.settle_reserved(1);
        stock.report(7, now);
    };
    assert_eq!(then(&mut state, now + SECOND, answered), 8);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_report_that_others_have_overtaken_only_raises_the_stock() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    then(&mut state, now, |stock| stock.charge(Now::default(), 5));
    assert_eq!(then(&mut state, now + 2 * SECOND, reports(3, now + SECOND)), 3, "nothing changed since");
    then(&mut state, now + 4 * SECOND, |stock| stock.charge(Now::default(), 2));
    assert_eq!(then(&mut state, now + 5 * SECOND, reports(4, now + 3 * SECOND)), 5);
    assert_eq!(then(&mut state, now + 6 * SECOND, reports(6, now + 3 * SECOND)), 6);
}

#[wasm_bindgen_test(unsupported = test)]
fn what_never_settles_is_in_flight_for_ten_minutes_and_then_exists_until_a_report_says_otherwise() {
    let (mut state, now) = (Vec::new(), 1_000 * SECOND);
    then(&mut state, now, |stock| reserve(stock, 2));
    assert_eq!(then(&mut state, now + 2 * SECOND, reports(1, now + SECOND)), 3);
    let later = now + 2 * SECOND + MAX_RESPONSE_TIME;
    assert_eq!(then(&mut state, later, |_| {}), 3);
    assert_eq!(then(&mut state, later + SECOND, reports(1, later)), 1);
}
