//! The periods of the calendar.

use jiff::civil::{Date, Weekday};

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
    /// The first day of the next one. None at the end of the library's range, the year 9999.
    pub(super) fn first_day_after(self, day: Date) -> Option<Date> {
        let first = match self {
            Period::Day => day.tomorrow(),
            Period::Week => day.nth_weekday(1, Weekday::Monday),
            Period::Month => day.last_of_month().tomorrow(),
        };
        first.ok()
    }
}
