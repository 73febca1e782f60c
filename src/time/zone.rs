//! Time zones by their IANA names, so that a day, a week or a month can be a natural one of some place.
//!
//! The names and rules are a table that `build.rs` makes from the IANA database. The edge of a period is asked for
//! once a period, not once a request.

mod nearest;
mod rules;
mod yearly;

use super::{LAST, Micros, Period, SECOND, civil};
use rules::Rules;
use std::fmt;
use std::iter::successors;

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// A time zone of the IANA database.
#[derive(Clone, Copy)]
pub struct Zone {
    name: &'static str,
    rules: &'static Rules,
}

impl Zone {
    /// The release of the IANA database that the table was made from, such as `2026a`.
    pub const RELEASE: &str = RELEASE;

    /// The zone of that very name, such as `Europe/Madrid`; old names such as `Asia/Calcutta` are names too.
    /// Else the few names that it may be a slip of, the likeliest first.
    pub fn named(name: &str) -> Result<Zone, Vec<&'static str>> {
        match Zone::all().find(|zone| zone.name == name) {
            Some(zone) => Ok(zone),
            None => Err(nearest::nearest(name, Zone::names())),
        }
    }

    /// All names, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.lines()
    }

    fn all() -> impl Iterator<Item = Zone> {
        let rules = RULES_OF_NAMES.iter().filter_map(|i| RULES.get(usize::from(*i)));
        Zone::names().zip(rules).map(|(name, rules)| Zone { name, rules })
    }

    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The first instant after `wall`, an instant since the UNIX epoch, at which a new `period` begins here.
    ///
    /// A period begins when clocks first show 00:00 of its first day, or, where they skip 00:00, whatever is
    /// after it. Clocks set back to before that 00:00 or to it do not begin it again.
    ///
    /// Right from 2024 on, as far as it is known today; earlier instants are reckoned with the rules of that
    /// year. After the year 9999 there is no edge: [`Micros::MAX`].
    pub fn next_edge(self, wall: Micros, period: Period) -> Micros {
        self.edge_after(wall, period).unwrap_or(Micros::MAX)
    }

    fn edge_after(self, wall: Micros, period: Period) -> Option<Micros> {
        let now = i64::try_from(wall / SECOND).ok().filter(|now| *now <= LAST)?;
        let first = period.first_day_after(self.rules.date_at(now));
        let edge = successors(Some(first), |day| Some(period.first_day_after(*day)))
            .map(|day| self.rules.start_of(day))
            // On a day that clocks were set back into, the next day may have begun already.
            .find(|start| *start > now)?;
        u64::try_from(edge).ok().filter(|_| edge <= LAST)?.checked_mul(SECOND)
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
