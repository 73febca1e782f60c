//! `stock`: at most `quota` units exist at any time, such as a company's webhook endpoints (FA-18).
//!
//! A unit is reserved when a request to create one passes, given back at once if the response says that none
//! was created, and given back later when a response says that one was deleted. So requests at the same time
//! can't create more than the quota. There is no window: nothing comes back by itself, and the state never
//! expires. How long to wait can't be known; a rejection tells the limit's configured wait.
//!
//! # A stock that is reported
//! A response may say how many units there really are ([`Stock::report`]). That number does not have what others are just
//! creating, or may not: so what is in flight is kept apart and counted beside it. And answers overtake each other: one
//! that says less is believed only if nothing of the stock has changed since its request was admitted. A request that gets
//! no answer may still be creating its unit: it stays in flight until nobody has touched the stock for [`SETTLED_BY`], and
//! is then taken to exist.
//!
//! # State
//! `used:varint`, and if the stock is reported `in_flight:varint, changed:varint` (µs, monotonic). Up to 127 units 1 byte, at most
//! 5; at most 20 if it is reported.

use super::{Limit, Verdict, Wear, all_at};
use crate::time::{MILLISECOND, Micros, SECOND};
use crate::varint;
use std::num::NonZeroU32;

/// Longer than this no request waits for its response: Envoy ends idle streams after 5 minutes, by default.
const SETTLED_BY: Micros = 600 * SECOND;

/// Units that exist.
pub struct Stock {
    quota: NonZeroU32,
    wait: Micros,
    reported: bool,
    opened: Micros,
    /// Units that exist, or are being created.
    used: u64,
    /// Those of `used` that are being created, if the stock is reported.
    in_flight: u64,
    /// When anything of it changed last.
    changed: Micros,
}

impl Stock {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, reported: bool, state: &[u8], now: Micros) -> Option<Stock> {
        let mut stock = Stock {
            quota: limit.quota,
            wait: limit.window,
            reported,
            opened: now,
            used: 0,
            in_flight: 0,
            changed: 0,
        };
        if state.is_empty() {
            return Some(stock);
        }
        let (used, rest) = varint::read(state)?;
        stock.used = used;
        if !rest.is_empty() {
            let (in_flight, rest) = varint::read(rest)?;
            let (changed, rest) = varint::read(rest)?;
            rest.is_empty().then_some(())?;
            // A change in the future is damage, or of a clock that was set back: it was just now.
            stock.changed = changed.min(now.saturating_add(MILLISECOND));
            if reported && stock.changed.saturating_add(SETTLED_BY) > now {
                stock.in_flight = in_flight.min(used);
            }
        }
        Some(stock)
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(now.saturating_add(self.wait), self.quota, self.used, now, cost)
    }

    /// See [`super::Counter::charge`].
    pub fn charge(&mut self, units: u32) {
        self.used = self.used.saturating_add(u64::from(units));
        self.changed = self.opened;
    }

    /// See [`super::Counter::reserve`]: units that are being created.
    pub fn reserve(&mut self, units: u32) {
        self.charge(units);
        if self.reported {
            self.in_flight = self.in_flight.saturating_add(u64::from(units));
        }
    }

    /// See [`super::Counter::refund`]. What was created before Tollgate counted can be deleted, too: a stock is
    /// never below 0, nor below what is in flight.
    pub fn refund(&mut self, units: u32) {
        self.used = self.used.saturating_sub(u64::from(units)).max(self.in_flight);
        self.changed = self.opened;
    }

    /// See [`super::Counter::report`]: so many units there are, says the answer to a request that was admitted at `since` and has
    /// settled its own, `settled`.
    pub fn report(&mut self, units: u64, since: Micros) {
        let told = units.saturating_add(self.in_flight);
        self.used = if self.changed > since { told.max(self.used) } else { told };
        self.changed = self.opened;
    }

    /// See [`super::Counter::settle_reserved`]: these units are no longer in flight, whether or not they exist now.
    pub fn settle(&mut self, units: u32) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(units));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        if self.used > 0 {
            varint::write(out, self.used);
        }
        if self.reported && self.used > 0 {
            varint::write(out, self.in_flight);
            varint::write(out, self.changed);
        }
        Wear::new(Micros::MAX, self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
