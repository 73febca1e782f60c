//! Units in flight that do not count yet, of one limit of one caller.
//!
//! Of a unit only the instant is remembered from which it counts, rounded up to a [`SLOTS`]th of the time that
//! it has to last. Units that count from the same instant share an entry. So however many streams a client
//! opens, a caller has at most `SLOTS + 1` entries here, and none that has no open stream.

use crate::time::{Micros, Now};

/// The time that a unit has to last is divided into so many parts.
const SLOTS: u64 = 64;

/// From when on a unit counts that was admitted at `at`, on the monotonic clock. It is after `at`, since `after`
/// is not 0.
pub(super) fn counts_from(at: Now, after: Micros) -> Micros {
    let slot = (after / SLOTS).max(1);
    at.mono.saturating_add(after).div_ceil(slot).saturating_mul(slot)
}

/// Units, by the instant from which they count.
#[derive(Default)]
pub(super) struct Young(Vec<(Micros, u32)>);

impl Young {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, from: Micros, units: u32) {
        match self.0.iter_mut().find(|(own, _)| *own == from) {
            Some((_, own)) => *own = own.saturating_add(units),
            None => self.0.push((from, units)),
        }
    }

    /// Removes `units` that would have counted from this instant on. Returns how many there were: those that
    /// [`Young::take_old`] has taken are not here any more. It takes all of one instant together, and none is
    /// added for an instant that has passed, so that is either all or none of them.
    pub fn remove(&mut self, from: Micros, units: u32) -> u32 {
        let Some(place) = self.0.iter().position(|(own, _)| *own == from) else { return 0 };
        let Some((_, own)) = self.0.get_mut(place) else { return 0 };
        let removed = units.min(*own);
        *own -= removed;
        if *own == 0 {
            self.0.swap_remove(place);
        }
        removed
    }

    /// Takes the units that count by now.
    pub fn take_old(&mut self, now: Now) -> u32 {
        let mut old: u32 = 0;
        self.0.retain(|(from, units)| {
            let is_old = *from <= now.mono;
            old = if is_old { old.saturating_add(*units) } else { old };
            !is_old
        });
        old
    }
}

#[cfg(test)]
impl Young {
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
