//! `sliding_window`: at most `quota` units in every trailing window.
//!
//! # Derivation
//! Let the units admitted so far be stamped `s₁ ≤ s₂ ≤ …`. A request of `cost` units at `now` passes iff the
//! number of units with `sᵢ + window > now`, plus `cost`, is at most `quota`. A unit of age exactly `window`
//! is out. If no stamp is earlier than the true instant, then for every instant `t` the true number of units
//! in `(t − window, t]` is at most the number counted, and so at most `quota`.
//!
//! Stamps are rounded **up** to **slots** of `2^shift` milliseconds: `s = ⌈instant / slot⌉`. So the cap is
//! hard for any slot length, and longer slots take fewer bytes; the price is that units come back up to one
//! slot late.
//!
//! The newest slot may end after `now`, and its units would come back later than a window from now. So a log
//! whose slots are longer than 1 ms also keeps the instant of its **newest unit**, and the newest slot's
//! units come back one window after that. Slots of 1 ms do without it (see [`super::Counter::judge`]), and so
//! do the longer slots of a full page, which has no room for it.
//!
//! - A quota whose log always fits in a record gets slots of 1 ms: **exact**, to the clock's millisecond.
//!   With the default table these are quotas up to 642 per minute, 429 per hour, 403 per day.
//! - A larger quota gets the shortest slots with which its log always fits (10,000 per minute: 256 ms).
//! - A log in a full page doubles its slots ([`Log::coarsen`]), which is sound since `⌈⌈t/s⌉/2⌉ = ⌈t/2s⌉`. It
//!   returns to the limit's own slots once it has been empty.
//!
//! # State
//! `shift:u8, used:varint, base:varint, newest − base:varint, early:varint, entries`, oldest entry first.
//! `early` is how many µs before the end of its slot the newest unit was counted; it is there only if
//! [`log::HAS_EARLY`] is added to `shift`. An entry has the units of one slot: `varint(gap << 1 | more)`, where
//! `gap` is the distance in slots from the entry before (for the first, from `base`), and `varint(units)` if
//! `more` is set, else one unit. An entry takes 1 byte for gaps below 64 slots and 2 below 8,192. A state
//! takes at most [`Slots::max_bytes`]; after a first request it has 9.

mod entries;
mod log;
mod slots;
mod text;

pub use log::Log;
pub use slots::Slots;

use super::algorithm::{Field, Parameters, Properties};
use super::formula::{Formula, Opening};
use super::{Limit, LimitId};
use crate::time::Micros;
use crate::varint;
use std::num::NonZeroU32;

/// `sliding_window`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlidingWindow {
    /// Times are rounded up to slots of this length.
    pub slots: Slots,
}

impl Limit {
    /// A hard cap that no policy has, whose state has at most `room` bytes.
    pub fn trailing(id: LimitId, quota: NonZeroU32, window: Micros, room: usize) -> Limit {
        let slots = Slots::that_fit(quota, window, room);
        Limit { id, quota, window, algorithm: SlidingWindow { slots }.into() }
    }
}

impl Properties for SlidingWindow {
    const FIELDS: &'static [Field] = &[Field::Window];

    fn parameters(self) -> Parameters {
        Parameters { slot_shift: Some(self.slots.shift()), ..Parameters::default() }
    }

    fn counts_by_time(self) -> bool {
        true
    }

    fn resolution(self) -> Micros {
        self.slots.length()
    }
}

impl Formula for SlidingWindow {
    type State<'a> = Log<'a>;
    const KIND: u8 = 1;
    const ABOUT: &str = "at most `quota` in every trailing window";
    const PLAIN: SlidingWindow = SlidingWindow { slots: Slots::EXACT };

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("at most {quota} in any {window}")
    }

    fn max_state_bytes(self, limit: &Limit) -> Option<u64> {
        Some(self.slots.max_bytes(limit.quota, limit.window))
    }

    fn coarser(state: &[u8]) -> Option<Vec<u8>> {
        Log::coarser(state)
    }

    fn used(state: &[u8]) -> Option<u64> {
        varint::read(state.get(1..)?).map(|(used, _)| used)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        text::to_text(state)
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        text::from_text(text)
    }

    fn with(self, given: &Parameters) -> Option<SlidingWindow> {
        Some(SlidingWindow { slots: Slots::with_shift(given.slot_shift?)? })
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Log<'static> {
        Log::unused(limit, self.slots, opening.now.mono)
    }

    fn open<'a>(self, limit: &Limit, state: &'a [u8], opening: Opening) -> Option<Log<'a>> {
        Log::open(limit, self.slots, state, opening.now.mono)
    }
}
