//! `calendar`: at most `quota` units in each day, week or month of a time zone.
//!
//! The formula is that of [`super::fixed_window`]; only the edges differ. They are the first instants of the
//! zone's local days, ISO weeks (from Monday) and months, whatever daylight saving time does and however long
//! a month is. A month's units stay used until its end, however long the process has been idle, and a tier
//! change only changes the quota (FA-24).

use crate::time::{Micros, Period, SECOND, Zone};

/// A calendar period in a time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calendar {
    /// Day, week or month.
    pub period: Period,
    /// The zone whose midnights count.
    pub zone: Zone,
}

impl Calendar {
    /// The first edge after `wall`, both in µs since the UNIX epoch.
    pub fn edge_after(&self, wall: Micros) -> Micros {
        self.zone.next_edge(wall, self.period)
    }

    /// The longest the period can be: daylight saving time adds up to two hours (Antarctica/Troll).
    pub const fn max_length(self) -> Micros {
        const HOUR: Micros = 3_600 * SECOND;
        match self.period {
            Period::Day => 26 * HOUR,
            Period::Week => (7 * 24 + 2) * HOUR,
            Period::Month => (31 * 24 + 2) * HOUR,
        }
    }
}

#[cfg(test)]
mod tests;
