//! The periods of the calendar.

use super::civil::{Day, day, month_of, weekday};

/// A natural period: it begins at 00:00 of its first day, wherever that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From 00:00 to 00:00.
    Day,
    /// From Monday to Sunday, as ISO 8601 has it.
    Week,
    /// From day 1 on.
    Month,
}

impl Period {
    /// The first day of the next one.
    pub(super) fn first_day_after(self, today: Day) -> Day {
        const MONDAY: i64 = 1;
        match self {
            Period::Day => today + 1,
            Period::Week => today + 7 - (weekday(today) - MONDAY).rem_euclid(7),
            Period::Month => {
                let (year, month) = month_of(today);
                day(year, month + 1, 1)
            }
        }
    }
}
