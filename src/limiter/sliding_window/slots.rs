//! The length of a log's slots, and how many bytes a log takes with it.

use crate::time::{MILLISECOND, Micros, times};
use crate::varint;
use std::num::NonZeroU32;

/// No slot is longer than 2^32 ms, 49 days.
pub(super) const MOST_SHIFT: u8 = 32;

/// The most bytes before a state's entries.
const HEADER_BYTES: u64 = 20;

/// The length of a log's slots: `2^shift` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slots {
    pub(super) shift: u8,
}

impl Slots {
    /// 1 ms.
    pub const EXACT: Slots = Slots { shift: 0 };

    /// The shortest slots with which a log of this limit never passes `room` bytes.
    pub fn that_fit(quota: NonZeroU32, window: Micros, room: usize) -> Slots {
        (0..MOST_SHIFT)
            .map(|shift| Slots { shift })
            .find(|slots| slots.most_bytes(quota, window) <= room as u64)
            .unwrap_or(Slots { shift: MOST_SHIFT })
    }

    /// The length of one slot.
    pub const fn length(self) -> Micros {
        MILLISECOND << self.shift
    }

    /// The most bytes that a log of this limit takes.
    ///
    /// Entries are in distinct slots of one window, so there are at most `n = min(quota, slots)`, and at most
    /// `slots / g` of them have a gap of `g` or more. With fewer units than slots the worst is one unit an
    /// entry, each as far apart as can be; with more, every slot is used and has a number.
    pub fn most_bytes(self, quota: NonZeroU32, window: Micros) -> u64 {
        let quota = u64::from(quota.get());
        let slots = window.div_ceil(self.length()) + 1;
        let entries = quota.min(slots);
        // A gap needs a further byte from 2^6, 2^13, 2^20, 2^27 and 2^34 slots on.
        let gaps: u64 = (0..5).map(|byte| entries.min(slots >> (6 + 7 * byte))).sum();
        let numbers = if quota > slots { entries * varint::len(quota) as u64 } else { 0 };
        HEADER_BYTES + entries + gaps + numbers
    }

    /// The first slot whose time is not before `instant`.
    pub(super) const fn at_or_after(self, instant: Micros) -> u64 {
        instant.div_ceil(self.length())
    }

    /// The latest instant that is of a slot.
    pub(super) const fn time(self, slot: u64) -> Micros {
        times(slot, self.length())
    }
}
