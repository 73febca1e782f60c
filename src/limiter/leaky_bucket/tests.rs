use super::*;
use crate::limiter::tests::{DAY, Kept, Random, TRACES, after, at, on_traces};
use crate::limiter::{Counter, WorkerId};
use crate::time::SECOND;
use wasm_bindgen_test::wasm_bindgen_test;

const MINUTE: Micros = 60 * SECOND;
const START: Now = Now { mono: 1_000_000 * SECOND, wall: 1_770_000_000 * SECOND };

fn kept(quota: u32, window: Micros) -> Kept {
    Kept::new(NonZeroU32::new(quota).unwrap(), window, LeakyBucket)
}

#[wasm_bindgen_test(unsupported = test)]
fn after_a_request_nothing_passes_until_its_units_are_over() {
    let mut kept = kept(100, MINUTE);
    let first = kept.ask(START, 1);
    assert!(first.admitted);
    assert_eq!((first.remaining, first.next_slot), (0, START.mono + 600_000));
    let early = kept.ask(after(START, 599_999), 1);
    assert_eq!((early.admitted, early.retry_after, early.full_reset), (false, 1, START.mono + 600_000));
    let next = kept.ask(after(START, 600_000), 3);
    assert!(next.admitted);
    assert_eq!(next.full_reset, START.mono + 600_000 + 1_800_000, "three units take three times as long");
    assert!(kept.ask(after(START, 3 * 3_600 * SECOND), 1).admitted);
    assert!(!kept.ask(after(START, 3 * 3_600 * SECOND), 1).admitted, "an hour's pause saves nothing up");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_is_at_most_the_quota_and_is_followed_by_a_whole_window() {
    let mut kept = kept(100, MINUTE);
    assert!(!kept.judge(START, 101).admitted);
    assert_eq!(kept.judge(START, 101).remaining, 100);
    let all = kept.ask(START, 100);
    assert_eq!((all.admitted, all.full_reset), (true, START.mono + MINUTE));
    assert_eq!(kept.judge(START, 1).retry_after, MINUTE);
    assert!(kept.judge(START, 0).admitted, "asking how things stand is always possible");
}

/// Three in a second: a unit takes 333,333 µs and a third. Seven in a microsecond: the clock stands still for
/// seven of them.
#[wasm_bindgen_test(unsupported = test)]
fn the_kth_unit_of_a_caller_that_asks_as_early_as_it_may_passes_at_the_kth_multiple_rounded_up_to_the_clock()
{
    for (quota, window) in [
        (3, SECOND),
        (7, SECOND),
        (1_000_003, SECOND),
        (7_000_000, SECOND),
        (u32::MAX, SECOND),
        (u32::MAX, DAY),
        (997, 366 * DAY),
    ] {
        let (mut kept, mut now) = (kept(quota, window), START);
        for k in 0..3_000 {
            let verdict = kept.ask(now, 1);
            assert!(verdict.admitted, "{k} of {quota} in {window}");
            let due = |k: u64| (u128::from(k) * u128::from(window)).div_ceil(u128::from(quota)) as Micros;
            assert_eq!(verdict.next_slot, START.mono + due(k + 1), "{k} of {quota} in {window}");
            now = at(now, verdict.next_slot);
        }
    }
}

/// The instant at which all units are over, in µs times the quota, from the list of all of them.
fn free(admitted: &[(Micros, u32)], quota: NonZeroU32, window: Micros) -> u128 {
    let quota = u128::from(quota.get());
    let follow = |free: u128, (at, units): &(Micros, u32)| {
        let at = u128::from(*at) * quota;
        let start = if free + quota > at { free } else { at };
        start + u128::from(*units) * u128::from(window)
    };
    admitted.iter().fold(0, follow)
}

/// Anyhow later, or just before, at or just after the instant at which the next unit passes.
fn next(random: &mut Random, kept: &Kept, now: Now) -> Now {
    let edge = kept.judge(now, 0).next_slot;
    match random.one_in(2) {
        true => at(now, random.around(edge, 1, now.mono)),
        false => after(now, random.gap(kept.limit.window, 1)),
    }
}

/// Each word of each verdict is that of the exact fraction, and what passes in any trailing window is below the
/// quota without the last request, and at most the quota if each costs one.
#[wasm_bindgen_test(unsupported = test)]
fn every_verdict_is_the_exact_fractions_and_no_trailing_window_has_more_than_the_quota() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota, window, LeakyBucket);
        let (mut admitted, mut now) = (Vec::new(), random.start());
        for _ in 0..20 {
            now = next(random, &kept, now);
            let cost = random.cost(quota);
            let over =
                |admitted: &[_]| free(admitted, quota, window).div_ceil(u128::from(quota.get())) as Micros;
            let before = over(&admitted);
            let right = before <= now.mono && cost <= quota.get();
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, right, "{quota} in {window}: {admitted:?} {now:?}");
            if right {
                admitted.push((now.mono, cost));
                let young = admitted.iter().filter(|(at, _)| at + window > now.mono);
                let units: u64 = young.map(|(_, units)| u64::from(*units)).sum();
                assert!(
                    units - u64::from(cost) < u64::from(quota.get()),
                    "{quota} in {window}: {admitted:?}"
                );
            }
            let after = over(&admitted).max(now.mono);
            assert_eq!(verdict.next_slot, after, "{quota} in {window}: {admitted:?} {now:?}");
            assert_eq!(verdict.remaining, if after == now.mono { u64::from(quota.get()) } else { 0 });
            assert_eq!(verdict.retry_after, if right { 0 } else { (before.max(now.mono) - now.mono).max(1) });
        }
    });
}

/// When the units so far are over. A verdict says a window from now if that is less than a millisecond later.
fn told(kept: &Kept, now: Now) -> Micros {
    let Counter::LeakyBucket(spacing) = kept.open(now) else { panic!("another algorithm") };
    spacing.over().max(now.mono)
}

/// Refunds and late charges: no more passes than if what was refunded had never been, but for the microsecond in
/// which a request began. And what was refunded of the last request is as if it had never been.
#[wasm_bindgen_test(unsupported = test)]
fn what_is_refunded_lets_no_more_pass_than_if_it_had_never_been() {
    on_traces(TRACES, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota, window, LeakyBucket);
        let (mut counted, mut now): (Vec<(Micros, u32)>, _) = (Vec::new(), random.start());
        // What each charge remembers; of some, nothing is known.
        let mut holds = Vec::new();
        let mut refunds = 0;
        for _ in 0..20 {
            now = next(random, &kept, now);
            let over =
                |counted: &[_]| free(counted, quota, window).div_ceil(u128::from(quota.get())) as Micros;
            let is_exact = told(&kept, now) == over(&counted).max(now.mono);
            match random.below(6) {
                0 if !counted.is_empty() => {
                    // Some or all units of one of the last charges.
                    let which = counted.len() - 1 - random.below(counted.len().min(3) as u64) as usize;
                    let (at, units) = counted[which];
                    let back = 1 + random.below(u64::from(units)) as u32;
                    let counted_at = Now { mono: at, wall: 0 };
                    let hold = holds[which];
                    kept.change(now, |counter| counter.refund_part(counted_at, back, units - back, hold));
                    let was_free = which + 1 == counted.len() && over(&counted[..which]) < at;
                    counted[which].1 -= back;
                    if counted[which].1 == 0 {
                        counted.remove(which);
                        holds.remove(which);
                    }
                    refunds += 1;
                    let (wait, right) = (told(&kept, now), over(&counted).max(now.mono));
                    assert!(wait + refunds >= right, "{quota} in {window}: {counted:?}");
                    let is_right = wait.abs_diff(right) <= refunds;
                    assert!(!is_exact || !was_free || is_right, "{quota} in {window}: {counted:?}");
                }
                // Where as much is not forgiven.
                1 if window <= DAY => {
                    let earlier = at(now, now.mono - random.gap(window, 1).min(now.mono));
                    let units = 1 + random.below(3) as u32;
                    kept.change(now, |counter| counter.charge(earlier, units));
                    counted.push((earlier.mono, units));
                    holds.push(if units > 1 { kept.open(now).hold() } else { 0 });
                }
                _ => {
                    let cost = random.cost(quota);
                    if kept.ask(now, cost).admitted {
                        assert!(over(&counted) <= now.mono + refunds, "{quota} in {window}: {counted:?}");
                        counted.push((now.mono, cost));
                        holds.push(if cost > 1 { kept.open(now).hold() } else { 0 });
                    }
                }
            }
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_refund_the_kept_part_takes_its_time_and_no_more() {
    let held = |later: u64| {
        let mut kept = kept(60, MINUTE);
        assert!(kept.ask(START, 10).admitted);
        let now = after(START, later * SECOND);
        kept.change(now, |counter| counter.refund_part(START, 7, 3, 0));
        kept.judge(now, 1).retry_after / SECOND
    };
    assert_eq!([held(0), held(2), held(3), held(5), held(20)], [3, 1, 0, 0, 0]);
    let mut kept = kept(60, MINUTE);
    kept.ask(START, 2);
    let now = after(START, 2 * SECOND);
    assert!(kept.ask(now, 2).admitted);
    kept.change(now, |counter| counter.refund(START, 2));
    assert_eq!(kept.judge(now, 1).retry_after, 2 * SECOND, "what is over does not come back again");
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_units_that_are_still_to_come_are_as_many_at_another_quota() {
    let mut kept = kept(60, MINUTE);
    kept.ask(START, 4);
    let now = after(START, SECOND);
    for (quota, wait) in [(120, 1_500_000), (30, 6 * SECOND), (7, 25_714_286), (60, 3 * SECOND)] {
        let mut other = Kept { state: kept.state.clone(), ..kept };
        other.limit.quota = NonZeroU32::new(quota).unwrap();
        assert_eq!(other.judge(now, 1).retry_after, wait, "{quota}");
        assert_eq!(other.open(now).restamped(), quota != 60, "it must be written, or the wait would drift");
        other.change(now, |_| {});
        let then = after(now, wait);
        assert!(other.judge(then, 1).admitted && !other.judge(after(now, wait - 1), 1).admitted, "{quota}");
    }
    kept.limit.quota = NonZeroU32::MIN;
    assert!(kept.judge(after(START, 4 * SECOND), 1).admitted, "what is over stays so");
}

/// A caller's next request may be of another plan. The time since the charge is then worth other units.
#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_refund_at_another_quota_gives_back_no_other_units() {
    let mut kept = kept(600, MINUTE);
    assert!(kept.ask(START, 20).admitted);
    let hold = kept.open(START).hold();
    let now = after(START, 2 * SECOND);
    kept.limit.quota = NonZeroU32::new(60).unwrap();
    assert!(kept.ask(now, 5).admitted, "its units are over");
    kept.change(now, |counter| counter.refund_part(START, 20, 0, hold));
    assert_eq!(kept.judge(now, 1).retry_after, 5 * SECOND);
}

/// the wait begins anew, and no more of it than there was.
#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_clock_that_is_set_back_frees_nothing_early_and_holds_nothing_longer() {
    on_traces(TRACES / 10, |random| {
        let (quota, window) = (random.quota(), random.window());
        let mut kept = Kept::new(quota, window, LeakyBucket);
        let mut now = at(random.start(), 1_000 * DAY + random.below(SECOND));
        kept.ask(now, random.cost(quota));
        now = next(random, &kept, now);
        kept.change(now, |_| {});
        let left = kept.judge(now, 0).next_slot - now.mono;
        let back = Now { mono: now.mono - random.pick(&[3 * SECOND, DAY, 900 * DAY]), ..now };
        let wait = kept.judge(back, 0).next_slot - back.mono;
        // Of what was over in the last microsecond it is not known when.
        assert!(wait == left || left == 0 && wait == 1, "{quota} in {window}: {wait}, not {left}");
        assert!(left == 0 || kept.open(back).restamped());
        kept.change(back, |_| {});
        assert_eq!(kept.judge(after(back, wait / 2), 0).next_slot, back.mono + wait);
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn late_charges_are_owed_for_at_most_366_days_and_for_less_where_callers_share_a_record() {
    let mut kept = kept(1, 366 * DAY);
    kept.change(START, |counter| counter.charge(START, u32::MAX));
    assert_eq!(kept.judge(START, 1).retry_after, 2 * 366 * DAY);
    kept.change(START, |counter| counter.forgive(3_600 * SECOND));
    assert_eq!(kept.judge(START, 1).retry_after, 366 * DAY, "a window is no debt");
    let mut kept = Kept::new(NonZeroU32::MIN, MINUTE, LeakyBucket);
    kept.change(START, |counter| counter.charge(START, 1_000));
    assert_eq!(kept.judge(START, 1).retry_after, 1_000 * MINUTE);
    kept.change(START, |counter| counter.forgive(3_600 * SECOND));
    assert_eq!(kept.judge(START, 1).retry_after, 3_600 * SECOND);
}

/// A record of a caller that has taken one unit of a hundred is hardly used, so made-up callers evict no others.
#[wasm_bindgen_test(unsupported = test)]
fn a5_a_unit_of_a_hundred_is_a_hundredth_of_the_quota() {
    let mut kept = kept(100, MINUTE);
    let eviction = kept.change(START, |counter| counter.charge(START, 1));
    assert_eq!((eviction.share, eviction.expires), (3, START.mono + 600_000));
    let eviction = kept.change(START, |counter| counter.charge(START, 99));
    assert_eq!((eviction.share, eviction.expires), (255, START.mono + MINUTE));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_state_takes_as_many_bytes_as_the_documentation_says() {
    let mut kept = Kept::new(NonZeroU32::MAX, 366 * DAY, LeakyBucket);
    kept.ask(Now { mono: 16 * 365 * DAY, wall: 0 }, u32::MAX - 1);
    assert_eq!(kept.state.len(), 24);
    let mut kept = Kept::new(NonZeroU32::new(100).unwrap(), MINUTE, LeakyBucket);
    kept.ask(Now { mono: 30 * DAY, wall: 0 }, 1);
    assert_eq!(kept.state.len(), 10, "a first request");
}

#[wasm_bindgen_test(unsupported = test)]
fn damaged_bytes_are_rejected() {
    let kept = kept(100, MINUTE);
    let open = |state: &[u8]| Counter::open(&kept.limit, state, START, WorkerId(1)).is_some();
    assert!(open(&[1, 2, 3]) && open(&[1, 2, 3, 2]));
    for state in
        [&[0x80][..], &[1, 2], &[1, 2, 0], &[1, 2, 3, 0], &[1, 2, 3, 3], &[1, 2, 3, 1, 1], &[0xFF; 12]]
    {
        assert!(!open(state), "{state:?}");
    }
}
