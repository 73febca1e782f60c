//! `concurrency`: at most `quota` units in flight at once (FP-1).
//!
//! # Derivation
//! Each worker's VM is a **holder**: the state has for each holder how many units it has in flight, and until
//! when that is to be believed. A request of `cost` units passes iff the units of all holders that are to be
//! believed, plus `cost`, are at most `quota`. A holder's every write renews it for [`BELIEVED`], and what is
//! in flight for longer is renewed by the worker's tick. A VM that dies renews nothing, so its units come back
//! after [`BELIEVED`] and nothing leaks. When a unit comes back can't be known; a refusal tells the limit's
//! configured wait (FP-14).
//!
//! # State
//! For each holder `id:u32, units:varint, until:varint` (s, monotonic). At most 13 bytes a holder; with up to
//! 127 units each 8 or 9.

use super::{Limit, Verdict, Wear, all_at};
use crate::time::{Micros, SECOND, seconds_up};
use crate::varint;
use std::num::NonZeroU32;

/// How long a holder is believed after it has written.
pub const BELIEVED: Micros = 30 * SECOND;

/// Names a worker's VM, drawn at random when the VM starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Holder(pub u32);

/// Who has units in flight.
pub struct Holders {
    quota: NonZeroU32,
    wait: Micros,
    me: Holder,
    now: Micros,
    /// The units and the belief of each, in no order.
    holders: Vec<(Holder, u64, u64)>,
}

impl Holders {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, me: Holder, state: &[u8], now: Micros) -> Option<Holders> {
        let mut holders = Vec::new();
        let mut rest = state;
        while !rest.is_empty() {
            let (id, after) = rest.split_first_chunk::<4>()?;
            let (units, after) = varint::read(after)?;
            let (until, after) = varint::read(after)?;
            rest = after;
            // A belief further away than any can be is a clock's that has since been set back.
            if until > now / SECOND && until <= seconds_up(now.saturating_add(2 * BELIEVED)) {
                holders.push((Holder(u32::from_le_bytes(*id)), units, until));
            }
        }
        Some(Holders { quota: limit.quota, wait: limit.window, me, now, holders })
    }

    fn used(&self) -> u64 {
        self.holders.iter().fold(0, |sum, (_, units, _)| units.saturating_add(sum))
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(now.saturating_add(self.wait), self.quota, self.used(), now, cost)
    }

    /// See [`super::Counter::charge`]: this worker has `units` more in flight.
    pub fn charge(&mut self, units: u32) {
        self.hold(|mine| mine.saturating_add(u64::from(units)));
    }

    /// See [`super::Counter::refund`]: this worker has `units` less in flight.
    pub fn refund(&mut self, units: u32) {
        self.hold(|mine| mine.saturating_sub(u64::from(units)));
    }

    /// See [`super::Counter::hold`]: what this worker has in flight, whatever was believed of it.
    pub fn set(&mut self, units: u32) -> bool {
        let before = self.used();
        self.hold(|_| u64::from(units));
        self.used() != before
    }

    /// Changes this worker's units, and renews the belief in them.
    fn hold(&mut self, change: impl FnOnce(u64) -> u64) {
        let mine = self.holders.iter().position(|(holder, ..)| *holder == self.me);
        let units = mine.map_or(0, |at| self.holders.swap_remove(at).1);
        self.holders.push((self.me, change(units), seconds_up(self.now.saturating_add(BELIEVED))));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        let mut last = 0;
        for (holder, units, until) in self.holders.iter().filter(|(_, units, _)| *units > 0) {
            out.extend_from_slice(&holder.0.to_le_bytes());
            varint::write(out, *units);
            varint::write(out, *until);
            last = last.max(*until);
        }
        Wear::new(last.saturating_mul(SECOND), self.used(), self.quota)
    }
}

#[cfg(test)]
mod tests;
