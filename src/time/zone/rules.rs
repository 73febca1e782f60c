//! The offsets of one zone over time: a list of changes, and after the last of them a yearly rule.

use super::civil::{DAY, Day};
use super::posix_tz::PosixTz;

/// In seconds. No zone is further from UTC.
const MAX_OFFSET: i64 = 26 * 3_600;

/// The table's entry for one zone, or for several with the same rules. Instants are in seconds since the UNIX
/// epoch.
pub struct ZoneRules {
    tz: PosixTz,
    /// Ascending instants, and the offset from each on, in seconds east of UTC. From the last one on, `tz`
    /// holds.
    changes: &'static [(u32, i32)],
}

impl ZoneRules {
    /// Called by the generated table.
    pub const fn new(posix: &str, changes: &'static [(u32, i32)]) -> ZoneRules {
        let tz = match PosixTz::parse(posix) {
            Some(tz) => tz,
            // Never taken: `build.rs` has parsed the same text with the same parser.
            None => PosixTz::constant(0),
        };
        ZoneRules { tz, changes }
    }

    /// The local date at `at`.
    pub fn date_at(&self, at: i64) -> Day {
        self.shown_at(at).div_euclid(DAY)
    }

    /// What local clocks show at `at`, as the seconds since they would have shown the start of 1970.
    pub fn shown_at(&self, at: i64) -> i64 {
        at + i64::from(self.offset_at(at))
    }

    /// The first instant at which local time is on `day` or later.
    pub fn start_of(&self, day: Day) -> i64 {
        let midnight = day * DAY;
        // No zone's day starts before this.
        let mut from = midnight - MAX_OFFSET;
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
        // The first change's offset is used for earlier instants, too: the table has none before it.
        match self.changes.get(past.saturating_sub(1)) {
            Some((_, offset)) if past < self.changes.len() => *offset,
            Some(_) | None => self.tz.offset_at(at),
        }
    }

    fn change_after(&self, at: i64) -> Option<i64> {
        match self.changes.get(self.changes_until(at)) {
            Some((change, _)) => Some(i64::from(*change)),
            None => self.tz.change_after(at),
        }
    }

    fn changes_until(&self, at: i64) -> usize {
        self.changes.partition_point(|(change, _)| i64::from(*change) <= at)
    }
}

#[cfg(test)]
impl ZoneRules {
    /// Whether changes are in order and offsets in range.
    pub fn is_readable(&self) -> bool {
        let in_order = self.changes.is_sorted_by(|(one, _), (next, _)| one < next);
        in_order && self.changes.iter().all(|(_, offset)| i64::from(offset.abs()) < MAX_OFFSET)
    }
}

#[cfg(test)]
mod tests;
