//! When a policy applies: times of the week, as clocks in a zone show them.

use crate::time::{Micros, SECOND, Zone};
use std::sync::atomic::{AtomicU64, Ordering};

/// The times at which a policy applies.
#[derive(Debug)]
pub struct Schedule {
    spans: Vec<Span>,
    /// The minute of the wall clock that was asked about last, and in the lowest bit whether the policy applies
    /// then. All requests of a minute have the same answer: spans and the changes of every zone's clocks begin
    /// at whole minutes.
    latest: AtomicU64,
}

/// A span of a day, on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The days on which it begins, as bits: the lowest one is Sunday's.
    pub days: u8,
    /// When it begins, in seconds since 00:00.
    pub from: u32,
    /// When it ends. Unless this is after `from`, it ends on the next day.
    pub to: u32,
    /// The zone whose clocks count.
    pub zone: Zone,
}

impl Schedule {
    /// The schedule of a policy that applies in each of these spans.
    pub fn new(spans: Vec<Span>) -> Schedule {
        Schedule { spans, latest: AtomicU64::new(u64::MAX) }
    }

    /// The spans, in the order of the configuration.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether the policy applies at an instant of the wall clock.
    pub fn is_open(&self, wall: Micros) -> bool {
        let minute = wall / (60 * SECOND);
        let latest = self.latest.load(Ordering::Relaxed);
        if latest >> 1 == minute {
            return latest & 1 == 1;
        }
        let open = self.spans.iter().any(|span| span.holds(wall));
        self.latest.store(minute << 1 | u64::from(open), Ordering::Relaxed);
        open
    }
}

impl Clone for Schedule {
    fn clone(&self) -> Schedule {
        Schedule::new(self.spans.clone())
    }
}

impl Span {
    /// Whether clocks show a time within the span. Where they are set back, the hour that they show twice is
    /// within it twice.
    fn holds(&self, wall: Micros) -> bool {
        let (weekday, second) = self.zone.clock_at(wall);
        let begins_on = |weekday: u8| self.days >> weekday & 1 == 1;
        let yesterday = if weekday == 0 { 6 } else { weekday - 1 };
        if self.from < self.to {
            begins_on(weekday) && (self.from..self.to).contains(&second)
        } else {
            begins_on(weekday) && second >= self.from || begins_on(yesterday) && second < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;
    use wasm_bindgen_test::wasm_bindgen_test;

    const WEEKDAYS: u8 = 0b011_1110;
    const ALL_DAYS: u8 = 0b111_1111;
    const HOUR: u32 = 3_600;

    fn open(span: Span, instants: &[&str]) -> Vec<bool> {
        let schedule = Schedule::new(vec![span]);
        instants.iter().map(|instant| schedule.is_open(parse_instant(instant).unwrap())).collect()
    }

    fn madrid(days: u8, from: u32, to: u32) -> Span {
        Span { days, from, to, zone: Zone::named("Europe/Madrid").unwrap() }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_span_begins_and_ends_at_the_second() {
        let span = Span { days: WEEKDAYS, from: 9 * HOUR, to: 17 * HOUR, zone: Zone::UTC };
        // 2026-05-15 is a Friday.
        let instants = [
            "2026-05-15T08:59:59Z",
            "2026-05-15T09:00:00Z",
            "2026-05-15T16:59:59Z",
            "2026-05-15T17:00:00Z",
            "2026-05-16T12:00:00Z",
            "2026-05-17T12:00:00Z",
            "2026-05-18T12:00:00Z",
        ];
        assert_eq!(open(span, &instants), [false, true, true, false, false, false, true]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_span_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let friday_night = Span { days: 0b010_0000, from: 22 * HOUR, to: 6 * HOUR, zone: Zone::UTC };
        let instants = [
            "2026-05-15T05:00:00Z", // the night from Thursday on
            "2026-05-15T21:59:59Z",
            "2026-05-15T22:00:00Z",
            "2026-05-16T05:59:59Z",
            "2026-05-16T06:00:00Z",
            "2026-05-16T22:00:00Z",
        ];
        assert_eq!(open(friday_night, &instants), [false, false, true, true, false, false]);
        let sundays = Span { days: 1, from: 0, to: 0, zone: Zone::UTC };
        let instants =
            ["2026-05-16T23:59:59Z", "2026-05-17T00:00:00Z", "2026-05-17T23:59:59Z", "2026-05-18T00:00:00Z"];
        assert_eq!(open(sundays, &instants), [false, true, true, false], "a whole day");
        let saturday_night = Span { days: 0b100_0000, from: 22 * HOUR, to: 6 * HOUR, zone: Zone::UTC };
        assert_eq!(open(saturday_night, &["2026-05-17T05:00:00Z"]), [true], "into the first day of the week");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn where_clocks_go_forward_a_span_within_the_gap_begins_after_it() {
        // On 2026-03-29, Madrid's clocks show 03:00 after 01:59:59.
        let instants =
            ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:59:59Z", "2026-03-29T02:00:00Z"];
        assert_eq!(open(madrid(ALL_DAYS, 2 * HOUR + 1_800, 4 * HOUR), &instants), [false, true, true, false]);
        assert_eq!(open(madrid(ALL_DAYS, 2 * HOUR, 3 * HOUR), &instants), [false; 4], "no clock shows it");
        // The day has an hour less: office hours begin an hour earlier in UTC than the day before.
        let office = madrid(ALL_DAYS, 9 * HOUR, 17 * HOUR);
        let instants =
            ["2026-03-28T07:30:00Z", "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-29T15:00:00Z"];
        assert_eq!(open(office, &instants), [false, true, true, false]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn where_clocks_go_back_the_hour_that_they_show_twice_counts_twice() {
        // On 2026-10-25, Madrid's clocks show 02:00 after 02:59:59.
        let instants = [
            "2026-10-24T23:59:59Z", // 01:59:59
            "2026-10-25T00:00:00Z", // 02:00
            "2026-10-25T00:30:00Z", // 02:30
            "2026-10-25T01:00:00Z", // 02:00 again
            "2026-10-25T01:59:59Z", // 02:59:59 again
            "2026-10-25T02:00:00Z", // 03:00
        ];
        assert_eq!(
            open(madrid(ALL_DAYS, 2 * HOUR, 3 * HOUR), &instants),
            [false, true, true, true, true, false]
        );
        let half = madrid(ALL_DAYS, 2 * HOUR + 1_800, 3 * HOUR);
        assert_eq!(open(half, &instants), [false, false, true, false, true, false]);
        let to_monday = madrid(1, 23 * HOUR, 0);
        assert_eq!(
            open(to_monday, &["2026-10-25T21:59:59Z", "2026-10-25T22:00:00Z", "2026-10-25T23:00:00Z"]),
            [false, true, false]
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_answer_of_a_minute_is_the_same_in_any_order_of_questions() {
        let schedule =
            Schedule::new(vec![madrid(WEEKDAYS, 9 * HOUR, 17 * HOUR), madrid(1, 22 * HOUR, 3 * HOUR)]);
        let start = parse_instant("2026-03-20T00:00:00Z").unwrap();
        for step in 0..20_000_u64 {
            // Forwards and backwards through the weeks around a change.
            let minute = step * 7_919 % 20_000;
            let wall = start + minute * 60 * SECOND + step % 60 * SECOND;
            let right = schedule.spans().iter().any(|span| span.holds(wall));
            assert_eq!((schedule.is_open(wall), schedule.is_open(wall)), (right, right), "{wall}");
        }
    }
}
