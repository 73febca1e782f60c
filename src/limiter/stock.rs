//! `stock`: at most `quota` units exist at any time, such as a company's webhook endpoints (FA-18).
//!
//! A unit is reserved when a request to create one passes. It is given back at once if the response says that
//! none was created, and later when a response says that one was deleted. So concurrent requests can't create
//! more than the quota. There is no window: nothing comes back by itself, and the state never expires. How
//! long to wait can't be known, so a rejection's `retry_after` is the limit's configured wait.
//!
//! # A reported stock
//! A response may report how many units exist ([`Stock::report`]). That number may not include units that
//! other requests are creating, so units in flight are counted separately and added. Responses can also
//! overtake each other: a lower number is accepted only if the stock has not changed since the response's
//! request was admitted. A request without a response may still be creating its unit. It stays in flight
//! until the stock has not changed for [`MAX_RESPONSE_TIME`], and is then assumed to exist.
//!
//! # State
//! `used:varint`, and for a reported stock `in_flight:varint, changed:varint` (µs, monotonic). 1 byte for up
//! to 127 units, at most 5; at most 20 for a reported stock.

use super::{EvictionInfo, Limit, MAX_RESPONSE_TIME, Verdict, all_at};
use crate::time::{MILLISECOND, Micros};
use crate::varint;
use std::num::NonZeroU32;

/// The units that exist.
pub struct Stock {
    quota: NonZeroU32,
    wait: Micros,
    reported: bool,
    opened: Micros,
    /// Units that exist, or are being created.
    used: u64,
    /// Those of `used` that are being created. 0 unless the stock is reported.
    in_flight: u64,
    /// When the stock last changed, on the monotonic clock.
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
            // A change in the future is damaged or from before the clock was set back. It is taken to be just
            // now.
            stock.changed = changed.min(now.saturating_add(MILLISECOND));
            if reported && stock.changed.saturating_add(MAX_RESPONSE_TIME) > now {
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

    /// See [`super::Counter::reserve`]. Counts units that are being created.
    pub fn reserve(&mut self, units: u32) {
        self.charge(units);
        if self.reported {
            self.in_flight = self.in_flight.saturating_add(u64::from(units));
        }
    }

    /// See [`super::Counter::refund`]. Units that were created before Tollgate counted can be deleted, too,
    /// so the count stops at 0, and at the number in flight.
    pub fn refund(&mut self, units: u32) {
        self.used = self.used.saturating_sub(u64::from(units)).max(self.in_flight);
        self.changed = self.opened;
    }

    /// See [`super::Counter::report`]. The reporting request's own units are no longer in flight.
    pub fn report(&mut self, units: u64, since: Micros) {
        let reported = units.saturating_add(self.in_flight);
        self.used = if self.changed > since { reported.max(self.used) } else { reported };
        self.changed = self.opened;
    }

    /// See [`super::Counter::settle_reserved`].
    pub fn settle(&mut self, units: u32) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(units));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.used > 0 {
            varint::write(out, self.used);
        }
        if self.reported && self.used > 0 {
            varint::write(out, self.in_flight);
            varint::write(out, self.changed);
        }
        EvictionInfo::new(Micros::MAX, self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
