use super::*;
use crate::limiter::LimitId;
use crate::limiter::sliding_window::SlidingWindow;
use crate::limiter::tests::DAY;
use crate::time::{MILLISECOND, SECOND};
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

mod traces;

const T0: Micros = 1_000_000 * SECOND;

fn limit(quota: u32, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    Limit { id: LimitId(1), quota, window, algorithm: SlidingWindow { slots: Slots::EXACT }.into() }
}

fn instant(mono: Micros) -> Now {
    Now { mono, wall: 0 }
}

/// A limit with its state, as the table would keep it.
struct Kept {
    limit: Limit,
    slots: Slots,
    state: Vec<u8>,
}

impl Kept {
    fn new(quota: u32, window: Micros, slots: Slots) -> Kept {
        Kept { limit: limit(quota, window), slots, state: Vec::new() }
    }

    fn open(&self, now: Micros) -> Log<'_> {
        if self.state.is_empty() {
            return Log::unused(&self.limit, self.slots, now);
        }
        Log::open(&self.limit, self.slots, &self.state, now).expect("its own state is sound")
    }

    /// Changes the log and keeps what it writes.
    fn change(&mut self, now: Micros, change: impl FnOnce(&mut Log<'_>)) -> EvictionInfo {
        let mut state = Vec::new();
        let mut log = self.open(now);
        change(&mut log);
        let eviction = log.write(&mut state);
        self.state = state;
        eviction
    }

    /// One request: judged, and counted if admitted.
    fn ask(&mut self, now: Micros, cost: u32) -> Verdict {
        let log = self.open(now);
        let (verdict, restamped) = (log.judge(now, cost), log.restamped());
        if verdict.admitted || restamped {
            self.change(now, |log| log.charge(instant(now), if verdict.admitted { cost } else { 0 }));
        }
        verdict
    }
}

/// The truth: every admission with its exact instant.
#[derive(Default)]
struct Oracle(Vec<(Micros, u64)>);

impl Oracle {
    /// Units with an age below `age`.
    fn younger_than(&self, age: Micros, now: Micros) -> u64 {
        self.0.iter().filter(|(at, _)| at + age > now).map(|(_, units)| units).sum()
    }
}

/// Gaps between requests, in µs: bursts, a steady pace, and jumps to just before, onto and just after an
/// edge.
fn gaps(step: Micros, window: Micros) -> impl Strategy<Value = Vec<Micros>> {
    let gap = prop_oneof![
        4 => Just(0),
        4 => (0..=window / step / 8).prop_map(move |n| n * step),
        2 => (0..=window / step).prop_map(move |n| n * step),
        1 => prop_oneof![Just(window - step), Just(window), Just(window + step)],
    ];
    proptest::collection::vec(gap, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// X-1, FA-5, FA-6, PA-5, PA-6, PA-9: on the clock's milliseconds the log is the truth, decision by
    /// decision.
    #[wasm_bindgen_test(unsupported = test)]
    fn exact_slots_answer_as_an_exact_log_would(
        quota in 1u32..40,
        window in prop_oneof![Just(SECOND), Just(60 * SECOND), 1_000u64..100_000],
        gaps in gaps(MILLISECOND, 60 * SECOND),
        costs in proptest::collection::vec(1u32..4, 120),
    ) {
        let window = window / MILLISECOND * MILLISECOND;
        let mut kept = Kept::new(quota, window, Slots::EXACT);
        let (mut oracle, mut now) = (Oracle::default(), T0);
        for (gap, cost) in gaps.into_iter().zip(costs) {
            now += gap;
            let used = oracle.younger_than(window, now);
            let right = used + u64::from(cost) <= u64::from(quota);
            let verdict = kept.ask(now, cost);
            prop_assert_eq!(verdict.admitted, right);
            if right {
                oracle.0.push((now, u64::from(cost)));
            }
            prop_assert_eq!(verdict.remaining, u64::from(quota) - oracle.younger_than(window, now));
        }
    }

    /// Whatever the slots: never a unit too many, and a rejection at most one slot too early.
    #[wasm_bindgen_test(unsupported = test)]
    fn coarse_slots_never_admit_too_much_and_reject_at_most_a_slot_early(
        quota in 1u32..60,
        shift in 0u8..14,
        gaps in gaps(137, 10 * SECOND),
    ) {
        let window = 10 * SECOND;
        let slots = Slots { shift };
        let mut kept = Kept::new(quota, window, slots);
        let (mut oracle, mut now) = (Oracle::default(), T0 + 77);
        for gap in gaps {
            now += gap;
            let admitted = kept.ask(now, 1).admitted;
            if admitted {
                prop_assert!(oracle.younger_than(window, now) < u64::from(quota), "one too many");
                oracle.0.push((now, 1));
            } else {
                let used = oracle.younger_than(window + slots.length(), now);
                prop_assert!(used >= u64::from(quota), "rejected more than a slot too early");
            }
        }
    }

    /// X-2, FA-11, PA-4: the wait is exact, and consistent with what else is said.
    #[wasm_bindgen_test(unsupported = test)]
    fn after_the_wait_and_not_before_the_same_request_is_admitted(
        quota in 1u32..20,
        cost in 1u32..4,
        shift in 0u8..10,
        gaps in gaps(333, 10 * SECOND),
    ) {
        let mut kept = Kept::new(quota, 10 * SECOND, Slots { shift });
        let mut now = T0;
        for gap in gaps {
            now += gap;
            let verdict = kept.ask(now, cost);
            prop_assert!(verdict.next_slot <= verdict.full_reset);
            if verdict.admitted {
                prop_assert_eq!(verdict.retry_after, 0);
            } else if cost <= quota {
                let then = now + verdict.retry_after;
                prop_assert!(kept.open(then).judge(then, cost).admitted);
                prop_assert!(!kept.open(then - 1).judge(then - 1, cost).admitted);
                prop_assert!(verdict.full_reset >= then && verdict.next_slot <= then);
            }
            let all = kept.open(verdict.full_reset).judge(verdict.full_reset, 0);
            prop_assert_eq!(all.remaining, u64::from(quota));
        }
    }

    /// The formula that chooses the slots holds for every log.
    #[wasm_bindgen_test(unsupported = test)]
    fn no_log_takes_more_bytes_than_foreseen(
        quota in prop_oneof![1u32..300, 1u32..1_000_000],
        shift in 0u8..12,
        gaps in gaps(1_000, 60 * SECOND),
        cost in 1u32..2_000,
    ) {
        let slots = Slots { shift };
        let mut kept = Kept::new(quota, 60 * SECOND, slots);
        let mut now = T0;
        for gap in gaps {
            now += gap;
            kept.ask(now, cost);
            prop_assert!(kept.state.len() as u64 <= slots.max_bytes(kept.limit.quota, kept.limit.window));
        }
    }

    /// Coarsening in the middle of a trace gives nothing away.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_log_coarsened_under_way_never_admits_too_much(
        quota in 1u32..40,
        gaps in gaps(1_000, 10 * SECOND),
        coarsen in proptest::collection::vec(0u8..12, 120),
    ) {
        let window = 10 * SECOND;
        let mut kept = Kept::new(quota, window, Slots::EXACT);
        let (mut oracle, mut now) = (Oracle::default(), T0);
        for (gap, coarsen) in gaps.into_iter().zip(coarsen) {
            now += gap;
            if coarsen == 0 {
                kept.change(now, |log| { log.coarsen(Coarseness::Any); });
            }
            if kept.ask(now, 1).admitted {
                prop_assert!(oracle.younger_than(window, now) < u64::from(quota));
                oracle.0.push((now, 1));
            }
        }
    }

    /// A refund is as if the charge had never been.
    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_refunded_was_never_spent(quota in 1u32..40, gaps in gaps(1_000, 10 * SECOND), cost in 1u32..4) {
        let mut kept = Kept::new(quota, 10 * SECOND, Slots::EXACT);
        let mut now = T0;
        for gap in gaps {
            now += gap;
            let before = kept.open(now).judge(now, 0);
            kept.change(now, |log| { log.charge(instant(now), cost); log.refund(instant(now), cost, 0, 0) });
            prop_assert_eq!(kept.open(now).judge(now, 0), before);
            kept.ask(now, 1);
        }
    }

    /// To settle a lease in one go is to take it back and to charge its uses one by one.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_lease_is_settled_as_if_unit_by_unit(
        gaps in gaps(1_000, 10 * SECOND),
        shift in 0u8..10,
        taken in 1u32..40,
        uses in proptest::collection::vec((0..500 * MILLISECOND, 1u32..4), 0..20),
        late in 0..12 * SECOND,
    ) {
        let mut kept = Kept::new(1_000, 10 * SECOND, Slots { shift });
        let mut now = T0;
        for gap in gaps {
            now += gap;
            kept.ask(now, 1);
        }
        let end = now + 500 * MILLISECOND;
        kept.change(now, |log| log.charge(instant(end), taken));
        let mut used: Vec<_> = uses.iter().map(|(at, units)| (Now { mono: now + at, wall: 0 }, *units)).collect();
        used.sort_by_key(|(at, _)| at.mono);
        let mut one_by_one = Kept { state: kept.state.clone(), ..kept };
        one_by_one.change(end + late, |log| {
            log.refund(instant(end), taken, 0, 0);
            used.iter().for_each(|(at, units)| log.charge(*at, *units));
        });
        kept.change(end + late, |log| assert!(log.settle(instant(end), taken, &used)));
        let then = |kept: &Kept| kept.open(end + late).judge(end + late, 1);
        prop_assert_eq!(then(&kept), then(&one_by_one));
        let leaves = then(&kept).next_slot;
        prop_assert_eq!(kept.open(leaves).judge(leaves, 0), one_by_one.open(leaves).judge(leaves, 0));
    }

    /// Damaged pages can hold anything.
    #[wasm_bindgen_test(unsupported = test)]
    fn no_bytes_can_make_a_log_panic(state in proptest::collection::vec(any::<u8>(), 0..60), now in any::<u64>()) {
        let limit = limit(7, 60 * SECOND);
        if let Some(mut log) = Log::open(&limit, Slots::EXACT, &state, now) {
            log.judge(now, 1);
            log.refund(instant(now / 2), 3, 0, 0);
            log.charge(instant(now), 2);
            log.coarsen(Coarseness::Any);
            log.write(&mut Vec::new());
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_5_at_the_age_of_exactly_one_window_a_request_is_out() {
    let mut kept = Kept::new(1, 60 * SECOND, Slots::EXACT);
    assert!(kept.ask(T0, 1).admitted);
    assert!(!kept.ask(T0 + 60 * SECOND - 1, 1).admitted);
    assert!(kept.ask(T0 + 60 * SECOND, 1).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_10_a_slot_frees_one_window_after_the_oldest_and_now_if_there_is_none() {
    let mut kept = Kept::new(3, 60 * SECOND, Slots::EXACT);
    assert_eq!(kept.open(T0).judge(T0, 0).next_slot, T0);
    kept.ask(T0, 1);
    let verdict = kept.ask(T0 + 10 * SECOND, 1);
    assert_eq!(verdict.next_slot, T0 + 60 * SECOND);
    assert_eq!(verdict.full_reset, T0 + 70 * SECOND);
    assert_eq!(verdict.remaining, 1);
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_7_ten_a_second_at_600_a_minute_all_pass_for_five_minutes() {
    let slots = Slots::that_fit(NonZeroU32::new(600).unwrap(), 60 * SECOND, 1_312);
    assert_eq!(slots, Slots::EXACT, "the default table holds 600 a minute exactly");
    let mut kept = Kept::new(600, 60 * SECOND, slots);
    for i in 0..3_000 {
        assert!(kept.ask(T0 + i * 100 * MILLISECOND, 1).admitted, "request {i}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_figures_in_the_documentation_are_those_of_the_formula() {
    let quota_that_is_exact = |window| {
        let exact =
            |quota: &u32| Slots::that_fit(NonZeroU32::new(*quota).unwrap(), window, 1_312) == Slots::EXACT;
        (1..2_000).take_while(exact).last()
    };
    assert_eq!(quota_that_is_exact(60 * SECOND), Some(642));
    assert_eq!(quota_that_is_exact(3_600 * SECOND), Some(429));
    assert_eq!(quota_that_is_exact(86_400 * SECOND), Some(403));
    let ring = Slots::that_fit(NonZeroU32::new(10_000).unwrap(), 60 * SECOND, 1_312);
    assert_eq!(ring.length(), 256 * MILLISECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_largest_quota_and_the_longest_window_still_fit() {
    for window in [SECOND, 60 * SECOND, 366 * DAY] {
        let slots = Slots::that_fit(NonZeroU32::MAX, window, 288);
        assert!(slots.max_bytes(NonZeroU32::MAX, window) <= 288, "{window}: {slots:?}");
        let mut kept = Kept::new(u32::MAX, window, slots);
        assert_eq!(kept.ask(T0, u32::MAX).remaining, 0);
        assert!(!kept.ask(T0 + window - 1, 1).admitted);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_above_the_quota_is_never_admitted_and_never_waits_for_ever() {
    let mut kept = Kept::new(3, 60 * SECOND, Slots::EXACT);
    assert!(kept.ask(T0, 2).admitted);
    let verdict = kept.ask(T0 + SECOND, 4);
    assert!(!verdict.admitted);
    assert_eq!(verdict.retry_after, 59 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_lower_quota_shows_0_remaining_and_a_higher_one_only_moves_the_cap() {
    let mut kept = Kept::new(10, 60 * SECOND, Slots::EXACT);
    for _ in 0..8 {
        kept.ask(T0, 1);
    }
    kept.limit = limit(5, 60 * SECOND);
    let verdict = kept.ask(T0 + SECOND, 1);
    assert_eq!((verdict.admitted, verdict.remaining), (false, 0));
    kept.limit = limit(20, 60 * SECOND);
    assert_eq!(kept.ask(T0 + SECOND, 1).remaining, 11);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_clock_set_back_frees_nothing_and_freezes_nothing_for_longer_than_a_window() {
    for back in [SECOND, 3_600 * SECOND, 86_400 * SECOND] {
        let mut kept = Kept::new(2, 60 * SECOND, Slots::EXACT);
        kept.ask(T0, 1);
        kept.ask(T0 + 30 * SECOND, 1);
        let now = T0 + 30 * SECOND - back;
        assert!(!kept.ask(now, 1).admitted, "back by {back}: freed");
        let verdict = kept.ask(now, 1);
        assert!(verdict.retry_after <= 60 * SECOND + back.min(MAX_CLOCK_SKEW), "back by {back}: frozen");
        assert!(kept.ask(now + verdict.retry_after, 1).admitted);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_burst_within_one_slot_is_one_entry() {
    let mut kept = Kept::new(600, 60 * SECOND, Slots::EXACT);
    for _ in 0..600 {
        assert!(kept.ask(T0, 1).admitted);
    }
    assert!(!kept.ask(T0, 1).admitted);
    assert!(kept.state.len() < 20, "{} bytes", kept.state.len());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_first_request_takes_9_bytes() {
    let mut kept = Kept::new(50, 60 * SECOND, Slots::EXACT);
    kept.ask(T0, 1);
    assert_eq!(kept.state.len(), 9);
}
