//! Dates as day numbers.
//!
//! The algorithm, with years in eras of 400, is Howard Hinnant's:
//! <https://howardhinnant.github.io/date_algorithms.html>. A library would add ten times as many bytes to the
//! module.

/// Days since 1970-01-01.
pub type Day = i64;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// 0000-03-01. Counting years from March puts the leap day at the end of the year.
const FIRST: Day = -719_468;

/// Days in 400, 100 and 4 years.
const ERA: i64 = 146_097;
const CENTURY: i64 = 36_524;
const OLYMPIAD: i64 = 1_461;

/// The day number of a date, from the year 1 on. `month` may be 13: January of the next year.
pub const fn day(year: i64, month: i64, day: i64) -> Day {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year / 4 - year / 100 + year / 400;
    // Five months from March, August or January on have 153 days.
    FIRST + before + (153 * month + 2) / 5 + day - 1
}

/// The year and the month (1 to 12) of a day, from the year 1 on.
pub const fn month_of(day: Day) -> (i64, i64) {
    let (era, days) = ((day - FIRST) / ERA, (day - FIRST) % ERA);
    let year = (days - days / (OLYMPIAD - 1) + days / CENTURY - days / (ERA - 1)) / 365;
    let day_of_year = days - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3) } else { (year + 1, month - 9) }
}

/// The day of the week: 0 (Sunday) to 6.
pub const fn weekday(day: Day) -> i64 {
    (day + 4).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn days_equal_those_of_an_independent_calendar() {
        let mut expected = date(1, 1, 1);
        for number in day(1, 1, 1)..=day(9999, 12, 31) {
            let (year, month) = (i64::from(expected.year()), i64::from(expected.month()));
            assert_eq!(day(year, month, i64::from(expected.day())), number, "{expected}");
            assert_eq!(month_of(number), (year, month), "{expected}");
            assert_eq!(weekday(number), i64::from(expected.weekday().to_sunday_zero_offset()), "{expected}");
            expected = expected.tomorrow().unwrap_or(expected);
        }
        assert_eq!(expected, date(9999, 12, 31));
        assert_eq!((day(1970, 1, 1), day(2024, 13, 1)), (0, day(2025, 1, 1)));
    }
}
