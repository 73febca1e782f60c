//! `calendar`: at most `quota` units in each natural day, week or month of a time zone.
//!
//! The formula is [`super::fixed_window`]'s; only the edges differ. They are the first instants of the zone's
//! local days, ISO weeks (from Monday) and months, through daylight saving and months of any length. A month's
//! units stay used until its end, however long the process has been idle, and a tier change moves only the
//! quota (FA-24).

use crate::time::{Micros, Period, SECOND, Zone};

/// A period of the calendar in a time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calendar {
    /// Day, week or month.
    pub period: Period,
    /// Whose days.
    pub zone: Zone,
}

impl Calendar {
    /// The first edge after an instant of the wall clock.
    pub fn edge_after(&self, wall: Micros) -> Micros {
        self.zone.next_edge(wall, self.period)
    }

    /// No period is longer: in Antarctica/Troll daylight saving adds two hours.
    pub const fn longest(self) -> Micros {
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
