//! When a zone's clocks show what: a yearly rule, and the changes before it came to hold.

use super::civil::{DAY, Day};
use super::yearly::Yearly;

/// No zone is further ahead of UTC, in seconds.
const FURTHEST: i64 = 26 * 3_600;

/// What the table says of one zone or of several. Instants are in seconds since the UNIX epoch.
pub struct Rules {
    yearly: Yearly,
    /// Instants, ascending, and the offset from each of them on, in seconds east of UTC. From the last one on the
    /// yearly rule holds.
    changes: &'static [(u32, i32)],
}

impl Rules {
    /// For the table.
    pub const fn new(posix: &str, changes: &'static [(u32, i32)]) -> Rules {
        let yearly = match Yearly::parse(posix) {
            Some(yearly) => yearly,
            // `build.rs` has read the same text with the same reader.
            None => Yearly::constant(0),
        };
        Rules { yearly, changes }
    }

    /// The date that calendars show.
    pub fn date_at(&self, at: i64) -> Day {
        (at + i64::from(self.offset_at(at))).div_euclid(DAY)
    }

    /// The first instant at which clocks show `day` or something later.
    pub fn start_of(&self, day: Day) -> i64 {
        let midnight = day * DAY;
        // No later than the start of the day anywhere.
        let mut from = midnight - FURTHEST;
        loop {
            let shown = from.max(midnight - i64::from(self.offset_at(from)));
            match self.change_after(from) {
                Some(change) if change <= shown => from = change,
                Some(_) | None => return shown,
            }
        }
    }

    fn offset_at(&self, at: i64) -> i32 {
        let past = self.changes_until(at);
        // Before the first change its offset holds, too: the table knows no earlier one.
        match self.changes.get(past.saturating_sub(1)) {
            Some((_, offset)) if past < self.changes.len() => *offset,
            Some(_) | None => self.yearly.offset_at(at),
        }
    }

    fn change_after(&self, at: i64) -> Option<i64> {
        match self.changes.get(self.changes_until(at)) {
            Some((change, _)) => Some(i64::from(*change)),
            None => self.yearly.change_after(at),
        }
    }

    fn changes_until(&self, at: i64) -> usize {
        self.changes.partition_point(|(change, _)| i64::from(*change) <= at)
    }
}

#[cfg(test)]
impl Rules {
    /// Whether the table says what can be.
    pub fn is_readable(&self) -> bool {
        let in_order = self.changes.is_sorted_by(|(one, _), (next, _)| one < next);
        in_order && self.changes.iter().all(|(_, offset)| i64::from(offset.abs()) < FURTHEST)
    }
}

#[cfg(test)]
mod tests;
