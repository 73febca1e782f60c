use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

const PERIODS: [Period; 3] = [Period::Day, Period::Week, Period::Month];
const YEAR_2024: Micros = 1_704_067_200 * SECOND;
const YEAR_2030: Micros = 1_893_456_000 * SECOND;
const YEAR_2041: Micros = 2_240_611_200 * SECOND;
/// The last instant of the library.
const YEAR_10000: Micros = 253_402_207_200 * SECOND;

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap_or_else(|unknown| panic!("{name}: {unknown:?}"))
}

/// What Python's zoneinfo says; see `tests/data/zone_edges.py`.
struct Oracle {
    release: &'static str,
    zones: Vec<Expected>,
}

/// All edges of one zone from the first of 2024 to the first of 2041.
struct Expected {
    name: &'static str,
    days: Vec<Micros>,
    weeks: Vec<Micros>,
    months: Vec<Micros>,
}

impl Oracle {
    fn read() -> Oracle {
        let mut oracle = Oracle { release: "", zones: Vec::new() };
        for line in include_str!("../../../tests/data/zone_edges.txt").lines() {
            oracle.take(line);
        }
        oracle
    }

    fn take(&mut self, line: &'static str) {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "release" {
            self.release = rest;
        } else if word == "zone" {
            self.zones.push(Expected { name: rest, days: vec![], weeks: vec![], months: vec![] });
        } else if word != "#" {
            let zone = self.zones.last_mut().unwrap();
            match word {
                "months" => zone.months.extend(rest.split(' ').skip(1).map(instant)),
                "weeks" => zone.weeks = runs(rest),
                "days" => zone.days = runs(rest),
                _ => panic!("{line}"),
            }
        }
    }
}

impl Expected {
    fn of(&self, period: Period) -> &[Micros] {
        match period {
            Period::Day => &self.days,
            Period::Week => &self.weeks,
            Period::Month => &self.months,
        }
    }
}

/// No period is longer: in all zones days have 24 hours, and the two that clocks go back by at Troll.
fn longest(period: Period) -> Micros {
    let days = match period {
        Period::Day => 1,
        Period::Week => 7,
        Period::Month => 31,
    };
    (days * 24 + 2) * 3_600 * SECOND
}

fn instant(seconds: &str) -> Micros {
    seconds.parse::<u64>().unwrap() * SECOND
}

/// `100 60x2 70` → 100, 160, 220, 290, in seconds.
fn runs(text: &str) -> Vec<Micros> {
    let mut words = text.split(' ');
    let mut edges = vec![instant(words.next().unwrap())];
    for word in words {
        let (length, times) = word.split_once('x').unwrap_or((word, "1"));
        for _ in 0..times.parse().unwrap() {
            edges.push(edges.last().unwrap() + instant(length));
        }
    }
    edges
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_25_months_begin_at_midnight_in_madrid() {
    let madrid = zone("Europe/Madrid");
    for start in [1_767_222_000, 1_774_994_400, 1_790_805_600, 1_793_487_600] {
        let start = start * SECOND;
        assert_eq!(madrid.next_edge(start - 1, Period::Month), start);
        assert_eq!(madrid.next_edge(start - SECOND, Period::Month), start);
        assert!(madrid.next_edge(start, Period::Month) > start + 27 * 86_400 * SECOND);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_1_fa_4_all_edges_to_2040_are_those_of_an_independent_oracle() {
    let oracle = Oracle::read();
    for expected in &oracle.zones {
        for (period, at_least) in PERIODS.into_iter().zip([17 * 365, 17 * 52, 17 * 12]) {
            let edges = expected.of(period);
            assert!(edges.len() > at_least, "{}: {} {period:?} edges", expected.name, edges.len());
            check(zone(expected.name), period, edges);
        }
    }
    assert!(oracle.zones.len() >= 22);
}

/// From each edge the next one follows, and from a microsecond before an edge it is that edge.
fn check(zone: Zone, period: Period, edges: &[Micros]) {
    let mut before = edges[0] - 1;
    for &edge in edges {
        assert_eq!(zone.next_edge(before, period), edge, "{zone:?} {period:?} after {before}");
        assert_eq!(zone.next_edge(edge - 1, period), edge, "{zone:?} {period:?} before {edge}");
        before = edge;
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_table_and_the_oracle_are_of_one_release() {
    assert_eq!(Oracle::read().release, Zone::RELEASE, "make tests/data/zone_edges.txt anew");
}

/// Clocks at midnight of the day that begins: 2026-09-06 in Santiago skips it, 2026-03-08 in Havana too;
/// 2026-11-01 in Havana and 2026-10-25 in the Azores have it twice.
#[wasm_bindgen_test(unsupported = test)]
fn a_midnight_that_is_skipped_or_repeated_is_one_edge() {
    for (name, edge, length_in_hours) in [
        ("America/Santiago", 1_788_667_200, 23),
        ("America/Havana", 1_772_946_000, 23),
        ("America/Havana", 1_793_505_600, 25),
        ("Atlantic/Azores", 1_792_886_400, 25),
    ] {
        let (zone, edge) = (zone(name), edge * SECOND);
        assert_eq!(zone.next_edge(edge - 1, Period::Day), edge, "{name}");
        let next = edge + length_in_hours * 3_600 * SECOND;
        for within in [edge, edge + 1_800 * SECOND, edge + 5_400 * SECOND, next - 1] {
            assert_eq!(zone.next_edge(within, Period::Day), next, "{name}");
        }
    }
}

/// Clocks go back from 00:01 to 23:01, so that the old day comes back for 59 minutes after the new one.
#[wasm_bindgen_test(unsupported = test)]
fn a_day_that_comes_back_does_not_end_twice() {
    static RULES: ZoneRules = ZoneRules::new("UTC0", &[(0, 0), (1_906_588_860, -3_600), (1_909_180_800, 0)]);
    let zone = Zone { name: "set back at 00:01", rules: &RULES };
    let edge = 1_906_588_800 * SECOND;
    assert_eq!(zone.next_edge(edge - 1, Period::Day), edge);
    for after in [0, 59, 60, 1_800, 3_660, 80_000] {
        let after = edge + after * SECOND;
        assert_eq!(zone.next_edge(after, Period::Day), edge + 25 * 3_600 * SECOND, "{after}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn in_all_zones_a_day_has_22_to_26_hours() {
    for rules in &RULES {
        let zone = Zone { name: "any", rules };
        let mut start = zone.next_edge(YEAR_2024, Period::Day);
        while start < YEAR_2030 {
            let end = zone.next_edge(start, Period::Day);
            let hours = 22 * 3_600 * SECOND..=longest(Period::Day);
            assert!(hours.contains(&(end - start)), "{start} to {end}");
            start = end;
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn old_names_are_names_of_the_same_zone() {
    for (old, new) in [("Asia/Calcutta", "Asia/Kolkata"), ("US/Eastern", "America/New_York"), ("Zulu", "UTC")]
    {
        let (old, new) = (zone(old), zone(new));
        assert_ne!(old, new);
        assert!(std::ptr::eq(old.rules, new.rules), "{old:?} {new:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn names_are_sorted_found_and_their_rules_can_be_read() {
    let names: Vec<_> = Zone::names().collect();
    assert!(names.is_sorted() && names.len() > 590);
    for name in names {
        let zone = zone(name);
        assert!(zone.name() == name && zone.rules.is_readable(), "{name}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_unknown_name_is_answered_with_the_nearest() {
    assert_eq!(Zone::named("Europe/Madird"), Err(vec!["Europe/Madrid"]));
    assert_eq!(Zone::named("banana"), Err(vec![]));
}

#[wasm_bindgen_test(unsupported = test)]
fn there_is_no_edge_beyond_the_year_9999() {
    for zone in Zone::all() {
        for period in PERIODS {
            assert_eq!(zone.next_edge(YEAR_10000, period), Micros::MAX, "{zone:?}");
            assert_eq!(zone.next_edge(Micros::MAX, period), Micros::MAX, "{zone:?}");
        }
    }
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(Zone::all().collect::<Vec<_>>())
}

fn any_period() -> impl Strategy<Value = Period> {
    prop::sample::select(PERIODS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[wasm_bindgen_test(unsupported = test)]
    fn the_next_edge_is_within_one_period(
        zone in any_zone(), period in any_period(), wall in YEAR_2024..YEAR_2041
    ) {
        let edge = zone.next_edge(wall, period);
        prop_assert!(edge > wall);
        prop_assert!(edge - wall <= longest(period));
        prop_assert_eq!(edge % SECOND, 0);
        prop_assert_eq!(zone.next_edge(edge - 1, period), edge);
        prop_assert!(zone.next_edge(edge, period) > edge);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn any_instant_has_an_answer_that_is_later(
        zone in any_zone(), period in any_period(), wall in prop_oneof![any::<u64>(), 0..=YEAR_10000]
    ) {
        let edge = zone.next_edge(wall, period);
        prop_assert!(edge > wall || edge == Micros::MAX);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn later_instants_have_no_earlier_edges(
        zone in any_zone(), period in any_period(), wall in 0..2 * YEAR_2041, step in 0..90_000 * SECOND
    ) {
        prop_assert!(zone.next_edge(wall + step, period) >= zone.next_edge(wall, period));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_month_or_a_week_begins_with_a_day(zone in any_zone(), wall in 0..2 * YEAR_2041) {
        for period in [Period::Week, Period::Month] {
            let edge = zone.next_edge(wall, period);
            prop_assert_eq!(zone.next_edge(edge - 1, Period::Day), edge);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[wasm_bindgen_test(unsupported = test)]
    fn any_name_has_an_answer(name in "\\PC{0,70}") {
        let _ = Zone::named(&name);
    }
}
