//! `stock`: at most `quota` units exist at any time, such as a company's webhook endpoints (FA-18).
//!
//! A unit is reserved when a request to create one passes, given back at once if the response says that none
//! was created, and given back later when a response says that one was deleted. So requests at the same time
//! can't create more than the quota. There is no window: nothing comes back by itself, and the state never
//! expires. How long to wait can't be known; a refusal tells the limit's configured wait.
//!
//! # State
//! `used:varint`. At most 5 bytes; up to 127 units 1.

use super::{Limit, Verdict, Wear, all_at};
use crate::time::Micros;
use crate::varint;
use std::num::NonZeroU32;

/// Units that exist.
pub struct Stock {
    quota: NonZeroU32,
    wait: Micros,
    used: u64,
}

impl Stock {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, state: &[u8]) -> Option<Stock> {
        let used =
            if state.is_empty() { 0 } else { varint::read(state).filter(|(_, rest)| rest.is_empty())?.0 };
        Some(Stock { quota: limit.quota, wait: limit.window, used })
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(now.saturating_add(self.wait), self.quota, self.used, now, cost)
    }

    /// See [`super::Counter::charge`].
    pub fn charge(&mut self, units: u32) {
        self.used = self.used.saturating_add(u64::from(units));
    }

    /// See [`super::Counter::refund`]. What was created before Tollgate counted can be deleted, too: a stock is
    /// never below 0.
    pub fn refund(&mut self, units: u32) {
        self.used = self.used.saturating_sub(u64::from(units));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        if self.used > 0 {
            varint::write(out, self.used);
        }
        Wear::new(Micros::MAX, self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
