use super::*;
use crate::limiter::tests::{DAY, Kept, Oracle, TRACES, after, at, on_traces};
use crate::time::Now;
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

/// 2026-01-01T00:00:00Z.
const YEAR_2026: Micros = 1_767_225_600 * SECOND;

/// The starts of the months of 2026 in Madrid, and of January 2027: 00:00 at one hour east, from April to
/// October two.
fn months_in_madrid() -> Vec<Micros> {
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let starts = (0..=12).map(|month| YEAR_2026 + days[..month].iter().sum::<u64>() * DAY);
    let east = |month| if (3..10).contains(&month) { 2 } else { 1 };
    starts.enumerate().map(|(month, start)| start - east(month) * 3_600 * SECOND).collect()
}

/// The edges from 2026-01-01 to 2027-01-01, found by other means than the zone's.
fn edges() -> Vec<(&'static str, Period, Vec<Micros>)> {
    let days = (0..=365).map(|day| YEAR_2026 + day * DAY).collect();
    // 2026 begins on a Thursday.
    let weeks = (0..=53).map(|week| YEAR_2026 + week * 7 * DAY - 3 * DAY).collect();
    vec![
        ("UTC", Period::Day, days),
        ("UTC", Period::Week, weeks),
        ("Europe/Madrid", Period::Month, months_in_madrid()),
    ]
}

/// Each decision is that of a list of all units, counted anew in the period; debts and refunds included.
#[wasm_bindgen_test(unsupported = test)]
fn every_verdict_is_that_of_a_list_of_all_units_in_the_same_day_week_or_month() {
    let calendars: Vec<_> = edges()
        .into_iter()
        .map(|(name, period, edges)| (Calendar { period, zone: Zone::named(name).unwrap() }, edges))
        .collect();
    on_traces(TRACES, |random| {
        let (calendar, edges) = &calendars[random.below(3) as usize];
        let quota = random.quota();
        let mut kept = Kept::new(quota, calendar.max_length(), *calendar);
        let mut oracle = Oracle::default();
        let mut now = Now { mono: 400 * DAY, wall: YEAR_2026 + random.below(200 * DAY) };
        let period = |wall: Micros| edges.partition_point(|edge| *edge <= wall);
        for _ in 0..10 {
            if now.wall > YEAR_2026 + 300 * DAY {
                break;
            }
            let edge = now.mono + edges[period(now.wall)] - now.wall;
            now = match random.one_in(3) {
                true => at(now, random.around(edge, 1, now.mono)),
                false => after(now, random.gap(8 * DAY, 1)),
            };
            let mine = period(now.wall);
            let (cost, edge) = (random.cost(quota), now.mono + edges[mine] - now.wall);
            if random.one_in(12) {
                let earlier = at(now, now.mono - random.gap(40 * DAY, 1));
                kept.change(now, |counter| counter.charge(earlier, 1));
                oracle.0.push((earlier, 1));
            }
            if random.one_in(12)
                && let Some((at, units)) = oracle.forget_one(random)
            {
                kept.change(now, |counter| counter.refund(at, units));
            }
            let used = oracle.units(|at| period(at.wall) == mine);
            let free = u64::from(quota.get()).saturating_sub(used);
            let verdict = kept.ask(now, cost);
            assert_eq!(verdict.admitted, u64::from(cost) <= free, "{now:?}");
            assert_eq!(verdict.remaining, if verdict.admitted { free - u64::from(cost) } else { free });
            assert_eq!((verdict.next_slot, verdict.full_reset), (edge, edge), "{now:?}");
            if verdict.admitted {
                oracle.0.push((now, u64::from(cost)));
            }
        }
    });
}

fn month_in_madrid(quota: u32) -> Kept {
    let calendar = Calendar { period: Period::Month, zone: Zone::named("Europe/Madrid").unwrap() };
    Kept::new(NonZeroU32::new(quota).unwrap(), calendar.max_length(), calendar)
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_25_a_month_in_madrid_begins_at_its_own_midnight_in_winter_and_in_summer() {
    // The last second of March and of October there, and the first of April and of November.
    for (last, first) in [(1_774_994_399, 1_774_994_400), (1_793_487_599, 1_793_487_600)] {
        let mut kept = month_in_madrid(1);
        let last = Now { mono: DAY, wall: last * SECOND };
        let verdict = kept.ask(last, 1);
        assert_eq!(last.wall_at(verdict.full_reset), first * SECOND);
        assert!(!kept.ask(after(last, SECOND - 1), 1).admitted);
        assert!(kept.ask(after(last, SECOND), 1).admitted);
        assert!(!kept.ask(after(last, 27 * DAY), 1).admitted, "that is the new month's");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_25_the_starts_of_the_months_are_those_of_the_requirement() {
    let starts: Vec<_> = months_in_madrid().into_iter().map(|start| start / SECOND).collect();
    for (month, start) in [(0, 1_767_222_000), (3, 1_774_994_400), (9, 1_790_805_600), (10, 1_793_487_600)] {
        assert_eq!(starts[month], start);
        let before = Now { mono: 40 * DAY, wall: start * SECOND - 1 };
        assert_eq!(before.wall_at(month_in_madrid(1).judge(before, 1).full_reset), start * SECOND);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_24_a_tier_change_keeps_the_months_used_count_and_moves_only_the_cap() {
    let mut kept = month_in_madrid(10);
    let now = Now { mono: 40 * DAY, wall: 1_775_000_000 * SECOND };
    kept.ask(now, 8);
    kept.limit.quota = NonZeroU32::new(5).unwrap();
    assert_eq!((kept.judge(now, 1).admitted, kept.judge(now, 1).remaining), (false, 0));
    kept.limit.quota = NonZeroU32::new(20).unwrap();
    assert_eq!(kept.ask(now, 1).remaining, 11);
}

/// X-6, FA-25: a step of the wall clock over a month's edge neither begins the month anew nor ends it.
#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_wall_clock_stepped_over_an_edge_keeps_the_month_that_is_open() {
    for by in [SECOND, 3_600 * SECOND, DAY] {
        let mut kept = month_in_madrid(1);
        let now = Now { mono: 40 * DAY, wall: 1_774_994_400 * SECOND - by / 2 };
        assert!(kept.ask(now, 1).admitted);
        let stepped = Now { wall: now.wall + by, ..now };
        assert!(!kept.ask(stepped, 1).admitted, "forward by {by}: freed early");
        assert!(kept.ask(after(stepped, by / 2), 1).admitted, "forward by {by}: frozen");
        let back = after(Now { wall: stepped.wall - by, ..stepped }, by / 2);
        assert!(!kept.ask(back, 1).admitted, "back by {by}: freed early");
    }
}
