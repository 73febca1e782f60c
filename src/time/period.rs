//! Calendar periods.

use super::civil::{Day, day, month_of, weekday};

/// A calendar period. It begins at 00:00 local time of its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// From the 1st to the last day of a month.
    Month,
}

impl Period {
    /// The first day of the period after the one that contains `today`.
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
