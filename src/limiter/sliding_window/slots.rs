//! The length of a log's slots, and how many bytes the log takes.

use crate::time::{MILLISECOND, Micros, times};
use crate::varint;
use std::num::NonZeroU32;

/// The longest slots have 2^32 ms: 49 days.
pub(super) const MAX_SHIFT: u8 = 32;

/// The maximum number of bytes before a state's entries, without `early`.
const HEADER_BYTES: u64 = 20;

/// The length of a log's slots: `2^shift` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slots {
    pub(super) shift: u8,
}

impl Slots {
    /// 1 ms.
    pub const EXACT: Slots = Slots { shift: 0 };

    /// The shortest slots with which a log of this limit never takes more than `room` bytes.
    pub fn that_fit(quota: NonZeroU32, window: Micros, room: usize) -> Slots {
        (0..MAX_SHIFT)
            .map(|shift| Slots { shift })
            .find(|slots| slots.max_bytes(quota, window) <= room as u64)
            .unwrap_or(Slots { shift: MAX_SHIFT })
    }

    /// Slots of `2^shift` milliseconds. `None`: longer than any.
    pub const fn with_shift(shift: u8) -> Option<Slots> {
        if shift <= MAX_SHIFT { Some(Slots { shift }) } else { None }
    }

    /// The binary logarithm of their length in milliseconds.
    pub const fn shift(self) -> u8 {
        self.shift
    }

    /// The length of one slot.
    pub const fn length(self) -> Micros {
        MILLISECOND << self.shift
    }

    /// The maximum number of bytes that a log of this limit takes.
    ///
    /// Entries are in distinct slots of one window, so there are at most `n = min(quota, slots)`, and at most
    /// `slots / g` of them have a gap of `g` or more. The worst case with fewer units than slots is one unit
    /// per entry, as far apart as possible; with more units, every slot is used and has a number.
    pub fn max_bytes(self, quota: NonZeroU32, window: Micros) -> u64 {
        let quota = u64::from(quota.get());
        let slots = window.div_ceil(self.length()) + 1;
        let entries = quota.min(slots);
        // A gap takes one more byte from 2^6, 2^13, 2^20, 2^27 and 2^34 slots on.
        let gaps: u64 = (0..5).map(|byte| entries.min(slots >> (6 + 7 * byte))).sum();
        let numbers = if quota > slots { entries * varint::len(quota) as u64 } else { 0 };
        let early = if self == Slots::EXACT { 0 } else { varint::len(self.length()) as u64 };
        HEADER_BYTES + early + entries + gaps + numbers
    }

    /// The first slot that ends at or after `instant`.
    pub(super) const fn at_or_after(self, instant: Micros) -> u64 {
        instant.div_ceil(self.length())
    }

    /// The end of a slot: the latest instant in it.
    pub(super) const fn time(self, slot: u64) -> Micros {
        times(slot, self.length())
    }
}
