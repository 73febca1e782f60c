//! When a zone's clocks show what: one POSIX rule, and the changes before it came to hold.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use std::sync::OnceLock;

/// What the table says of one zone or of several.
pub struct Rules {
    posix: &'static str,
    /// Instants in seconds since the UNIX epoch, ascending, and the offset from each of them on, in seconds
    /// east of UTC. From the last one on the POSIX rule holds.
    changes: &'static [(u32, i32)],
    /// The POSIX rule as read: no state, only spared work. Zones are copied freely and share it.
    read: OnceLock<TimeZone>,
}

impl Rules {
    /// For the table.
    pub const fn new(posix: &'static str, changes: &'static [(u32, i32)]) -> Rules {
        Rules { posix, changes, read: OnceLock::new() }
    }

    /// The date that calendars show.
    pub fn date_at(&self, at: Timestamp) -> Date {
        self.offset_at(at).to_datetime(at).date()
    }

    /// The first instant at which clocks show `day` or something later. None beyond the library's range.
    pub fn start_of(&self, day: Date) -> Option<Timestamp> {
        let midnight = day.at(0, 0, 0, 0);
        // No zone can be further ahead, so this is no later than the start of the day anywhere.
        let mut from = Offset::MAX.to_timestamp(midnight).ok()?;
        loop {
            let shown = self.offset_at(from).to_timestamp(midnight).ok()?.max(from);
            match self.change_after(from) {
                Some(change) if change <= shown => from = change,
                Some(_) | None => return Some(shown),
            }
        }
    }

    fn offset_at(&self, at: Timestamp) -> Offset {
        let past = self.changes_until(at);
        // Before the first change its offset holds, too: the table knows no earlier one.
        match self.changes.get(past.saturating_sub(1)) {
            Some((_, offset)) if past < self.changes.len() => {
                Offset::from_seconds(*offset).unwrap_or(Offset::UTC)
            }
            Some(_) | None => self.posix().to_offset(at),
        }
    }

    fn change_after(&self, at: Timestamp) -> Option<Timestamp> {
        match self.changes.get(self.changes_until(at)) {
            Some((change, _)) => Timestamp::from_second(i64::from(*change)).ok(),
            None => self.posix().following(at).next().map(|change| change.timestamp()),
        }
    }

    fn changes_until(&self, at: Timestamp) -> usize {
        self.changes.partition_point(|(change, _)| i64::from(*change) <= at.as_second())
    }

    fn posix(&self) -> &TimeZone {
        // `build.rs` has read the same text with the same library.
        self.read.get_or_init(|| TimeZone::posix(self.posix).unwrap_or(TimeZone::UTC))
    }
}

#[cfg(test)]
impl Rules {
    /// Whether the library understands what the table says.
    pub fn is_readable(&self) -> bool {
        TimeZone::posix(self.posix).is_ok()
            && self.changes.iter().all(|(at, offset)| {
                Timestamp::from_second(i64::from(*at)).is_ok() && Offset::from_seconds(*offset).is_ok()
            })
    }
}

#[cfg(test)]
mod tests;
