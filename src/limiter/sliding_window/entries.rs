//! The encoding of a log's entries.

use crate::varint;

/// Iterates over entries as `(slot, units)`, oldest first.
pub(super) struct Entries<'a> {
    /// The slot that the next entry's gap counts from.
    pub base: u64,
    /// The remaining entries.
    pub bytes: &'a [u8],
}

impl Iterator for Entries<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        let (slot, units, rest) = entry(self.bytes, self.base)?;
        (self.base, self.bytes) = (slot, rest);
        Some((slot, units))
    }
}

/// Splits off the first entry. Returns its slot, its units and the rest.
pub(super) fn entry(bytes: &[u8], base: u64) -> Option<(u64, u64, &[u8])> {
    let (head, rest) = varint::read(bytes)?;
    let slot = base.checked_add(head >> 1)?;
    if head & 1 == 0 {
        return Some((slot, 1, rest));
    }
    let (units, rest) = varint::read(rest)?;
    Some((slot, units, rest))
}

/// Adds units to sorted entries. It searches from the end, since the slot is nearly always among the newest.
pub(super) fn insert(entries: &mut Vec<(u64, u64)>, stamp: u64, units: u64) {
    let after = entries.iter().rposition(|(slot, _)| *slot <= stamp);
    match after.and_then(|place| entries.get_mut(place)) {
        Some((slot, counted)) if *slot == stamp => *counted = counted.saturating_add(units),
        Some(_) | None => entries.insert(after.map_or(0, |place| place + 1), (stamp, units)),
    }
}

/// Takes units out of the newest entries that are not after `stamp`. Returns whether it took any.
pub(super) fn take_newest(entries: &mut Vec<(u64, u64)>, stamp: u64, units: u64) -> bool {
    let mut left = units;
    for (_, counted) in entries.iter_mut().rev().skip_while(|(slot, _)| *slot > stamp) {
        let taken = left.min(*counted);
        (*counted, left) = (*counted - taken, left - taken);
        if left == 0 {
            break;
        }
    }
    entries.retain(|(_, counted)| *counted > 0);
    left < units
}

/// Appends an entry.
pub(super) fn push(entries: &mut Vec<u8>, gap: u64, units: u64) {
    let more = units > 1;
    varint::write(entries, gap << 1 | u64::from(more));
    if more {
        varint::write(entries, units);
    }
}
