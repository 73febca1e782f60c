//! IANA time zones, and where calendar periods begin in them.
//!
//! `build.rs` generates the table of names and rules from the IANA database. The edge of a period is computed
//! once per period and record, not once per request.

mod nearest;
mod posix_tz;
mod rules;

use super::{MAX_EPOCH_SECONDS, Micros, Period, SECOND, civil};
use rules::ZoneRules;
use std::fmt;
use std::iter::successors;

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// A time zone of the IANA database.
#[derive(Clone, Copy)]
pub struct Zone {
    name: &'static str,
    rules: &'static ZoneRules,
}

impl Zone {
    /// The release of the IANA database that the table was made from, such as `2026a`.
    pub const RELEASE: &str = RELEASE;

    /// The zone without an offset.
    pub const UTC: Zone = Zone { name: "UTC", rules: &ZoneRules::new("UTC0", &[]) };

    /// The zone with this exact name, such as `Europe/Madrid` or an old name such as `Asia/Calcutta`. The
    /// error is up to three similar names, the most similar first.
    pub fn named(name: &str) -> Result<Zone, Vec<&'static str>> {
        match Zone::all().find(|zone| zone.name == name) {
            Some(zone) => Ok(zone),
            None => Err(nearest::nearest(name, Zone::names())),
        }
    }

    /// All names in the database, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.lines()
    }

    fn all() -> impl Iterator<Item = Zone> {
        let rules = RULES_OF_NAMES.iter().filter_map(|i| RULES.get(usize::from(*i)));
        Zone::names().zip(rules).map(|(name, rules)| Zone { name, rules })
    }

    /// The name in the IANA database.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The first instant after `wall` (µs since the UNIX epoch) at which a new `period` begins in this zone.
    ///
    /// A period begins when local clocks first show 00:00 of its first day or, if they skip 00:00, the first
    /// time after it. Setting clocks back to that 00:00 or before it does not begin the period again.
    ///
    /// Correct from 2024 on, as far as the database knows; earlier instants use the rules of 2024. After the
    /// year 9999 there is no edge, and the result is [`Micros::MAX`].
    pub fn next_edge(self, wall: Micros, period: Period) -> Micros {
        self.edge_after(wall, period).unwrap_or(Micros::MAX)
    }

    /// What clocks in this zone show at `wall` (µs since the UNIX epoch): the day of the week, from 0 for
    /// Sunday, and the seconds since 00:00.
    pub fn clock_at(self, wall: Micros) -> (u8, u32) {
        let now = i64::try_from(wall / SECOND).unwrap_or(MAX_EPOCH_SECONDS).min(MAX_EPOCH_SECONDS);
        let shown = self.rules.shown_at(now);
        let (day, second) = (shown.div_euclid(civil::DAY), shown.rem_euclid(civil::DAY));
        // A weekday is below 7, and a day has 86,400 seconds.
        (civil::weekday(day) as u8, second as u32)
    }

    fn edge_after(self, wall: Micros, period: Period) -> Option<Micros> {
        let now = i64::try_from(wall / SECOND).ok().filter(|now| *now <= MAX_EPOCH_SECONDS)?;
        let first = period.first_day_after(self.rules.date_at(now));
        let edge = successors(Some(first), |day| Some(period.first_day_after(*day)))
            .map(|day| self.rules.start_of(day))
            // If clocks were set back across midnight, the next day may have begun already.
            .find(|start| *start > now)?;
        u64::try_from(edge).ok().filter(|_| edge <= MAX_EPOCH_SECONDS)?.checked_mul(SECOND)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

#[cfg(test)]
mod tests;
