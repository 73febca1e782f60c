//! The entries of a log: how they are written, read and added to.

use super::Log;
use crate::varint;

/// The entries as `(slot, units)`, oldest first.
pub(super) struct Entries<'a> {
    /// What the next one's gap counts from.
    pub base: u64,
    /// Those that are still to come.
    pub bytes: &'a [u8],
}

impl<'a> Entries<'a> {
    pub fn of(log: &'a Log<'_>) -> Self {
        Entries { base: log.base, bytes: &log.entries }
    }
}

impl Iterator for Entries<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        let (slot, units, rest) = entry(self.bytes, self.base)?;
        (self.base, self.bytes) = (slot, rest);
        Some((slot, units))
    }
}

/// Splits the first entry off: its slot, its units, the rest.
pub(super) fn entry(bytes: &[u8], base: u64) -> Option<(u64, u64, &[u8])> {
    let (head, rest) = varint::read(bytes)?;
    let slot = base.checked_add(head >> 1)?;
    if head & 1 == 0 {
        return Some((slot, 1, rest));
    }
    let (units, rest) = varint::read(rest)?;
    Some((slot, units, rest))
}

/// Adds units to entries that are sorted, nearly always among the newest.
pub(super) fn insert(entries: &mut Vec<(u64, u64)>, stamp: u64, units: u64) {
    let after = entries.iter().rposition(|(slot, _)| *slot <= stamp);
    match after.and_then(|place| entries.get_mut(place)) {
        Some((slot, counted)) if *slot == stamp => *counted = counted.saturating_add(units),
        Some(_) | None => entries.insert(after.map_or(0, |place| place + 1), (stamp, units)),
    }
}

/// Appends an entry.
pub(super) fn push(entries: &mut Vec<u8>, gap: u64, units: u64) {
    let more = units > 1;
    varint::write(entries, gap << 1 | u64::from(more));
    if more {
        varint::write(entries, units);
    }
}
