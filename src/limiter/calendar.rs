//! `calendar`: at most `quota` units in each day, week or month of a time zone.
//!
//! The formula and the state are those of [`super::fixed_window`]; only the edges differ. They are the first instants of the
//! zone's local days, ISO weeks (from Monday) and months, whatever daylight saving time does and however long
//! a month is. A month's units stay used until its end, however long the process has been idle, and a tier
//! change only changes the quota (FA-24).

use super::Limit;
use super::algorithm::{Field, Parameters, Properties};
use super::aligned::{self, Aligned, Edges};
use super::formula::{Formula, Opening};
use crate::time::{Micros, Period, SECOND, Zone};

const HOUR: Micros = 3_600 * SECOND;
const DAY: Micros = 24 * HOUR;

/// `calendar`: a calendar period in a time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calendar {
    /// Day, week or month.
    pub period: Period,
    /// The zone whose midnights count.
    pub zone: Zone,
}

impl Calendar {
    /// The longest the period can be: daylight saving time adds up to two hours (Antarctica/Troll).
    pub const fn max_length(self) -> Micros {
        self.announced_length() + 2 * HOUR
    }

    /// The period's length without daylight saving time; a month's is that of the longest.
    const fn announced_length(self) -> Micros {
        match self.period {
            Period::Day => DAY,
            Period::Week => 7 * DAY,
            Period::Month => 31 * DAY,
        }
    }
}

impl Properties for Calendar {
    const FIELDS: &'static [Field] = &[Field::Window, Field::TimeZone];

    fn parameters(self) -> Parameters {
        Parameters { period: Some(self.period), zone: Some(self.zone), ..Parameters::default() }
    }

    fn max_window(self) -> Option<Micros> {
        Some(self.max_length())
    }

    fn announced_window(self, _window: Micros) -> Option<Micros> {
        Some(self.announced_length())
    }

    fn is_aligned(self) -> bool {
        true
    }

    fn counts_by_time(self) -> bool {
        true
    }

    fn holds_windows_of(self, _limit: &Limit, other: &Limit) -> bool {
        let Parameters { period, zone, .. } = other.algorithm.parameters();
        zone == Some(self.zone) && period == Some(Period::Day)
    }
}

impl Formula for Calendar {
    type State<'a> = Aligned;
    const KIND: u8 = 4;
    const ABOUT: &str = "at most `quota` in each calendar day, week or month of a time zone";
    const PLAIN: Calendar = Calendar { period: Period::Day, zone: Zone::UTC };

    fn in_words(self, quota: u32, _window: &str) -> String {
        let period = match self.period {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        };
        format!("at most {quota} in each {period} of {}", self.zone.name())
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(aligned::MAX_BYTES)
    }

    fn used(state: &[u8]) -> Option<u64> {
        aligned::used(state)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        aligned::to_text(state)
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        aligned::from_text(text)
    }

    fn with(self, given: &Parameters) -> Option<Calendar> {
        Some(Calendar { period: given.period?, zone: given.zone? })
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Aligned {
        Aligned::unused(limit, Edges::Of(self.period, self.zone), opening.now)
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Aligned> {
        Aligned::open(limit, Edges::Of(self.period, self.zone), state, opening.now)
    }
}

#[cfg(test)]
mod tests;
