//! `stock`: at most `quota` units exist at any time, such as a company's webhook endpoints (FA-18).
//!
//! A unit is reserved when a request to create one passes. It is given back at once if the response says that
//! none was created, and later when a response says that one was deleted. So concurrent requests can't create
//! more than the quota. There is no window: nothing comes back by itself, and the state never expires. How
//! long to wait can't be known, so a rejection's `retry_after` is the limit's configured wait.
//!
//! # A reported stock
//! A response may report how many units exist ([`State::report`]). That number may not include units that
//! other requests are creating, so units in flight are counted separately and added. Responses can also
//! overtake each other: a lower number is accepted only if the stock has not changed since the response's
//! request was admitted. A request without a response may still be creating its unit. It stays in flight
//! until the stock has not changed for [`MAX_RESPONSE_TIME`], and is then assumed to exist.
//!
//! # State
//! `used:varint`, and for a reported stock `in_flight:varint, changed:varint` (µs, monotonic). 1 byte for up
//! to 127 units, at most 5; at most 20 for a reported stock.

use super::algorithm::{Field, Parameters, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::{bytes, number, numbers};
use super::verdict::{Verdict, all_at};
use super::{Limit, MAX_RESPONSE_TIME};
use crate::time::{MILLISECOND, Micros, Now, SECOND};
use crate::varint;
use std::num::NonZeroU32;

/// `stock`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stock {
    /// Whether responses report the number of existing units. If so, units in flight are counted separately.
    pub reported: bool,
}

impl Properties for Stock {
    const FIELDS: &'static [Field] = &[Field::RetryAfter, Field::StockHeader];

    fn parameters(self) -> Parameters {
        Parameters { reported: self.reported, ..Parameters::default() }
    }

    fn announced_wait(self) -> Option<Micros> {
        Some(60 * SECOND)
    }
}

impl Formula for Stock {
    type State<'a> = UnitsInStock;
    const KIND: u8 = 7;
    const ABOUT: &str = "at most `quota` items may exist at once; units are released only by `refund_on`, `refund_unless` and `returns`";
    const PLAIN: Stock = Stock { reported: false };

    fn in_words(self, quota: u32, _window: &str) -> String {
        format!("at most {quota} may exist")
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(3 * varint::MAX_LEN as u64)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        match numbers::<3>(state) {
            Some([used, open, changed]) => Some(format!("{used} with {open} open since {changed}")),
            None => numbers::<1>(state).map(|[used]| used.to_string()),
        }
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let Some((used, rest)) = text.split_once(" with ") else { return Some(bytes([number(text)?])) };
        let (open, changed) = rest.split_once(" open since ")?;
        Some(bytes([number(used)?, number(open)?, number(changed)?]))
    }

    fn with(self, given: &Parameters) -> Option<Stock> {
        Some(Stock { reported: given.reported })
    }

    fn unused(self, limit: &Limit, opening: Opening) -> UnitsInStock {
        UnitsInStock {
            quota: limit.quota,
            wait: limit.window,
            reported: self.reported,
            opened: opening.now.mono,
            used: 0,
            in_flight: 0,
            changed: 0,
        }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<UnitsInStock> {
        let mut stock = self.unused(limit, opening);
        stock.read(state, opening.now.mono)?;
        Some(stock)
    }
}

/// The units that exist.
pub struct UnitsInStock {
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

impl UnitsInStock {
    fn read(&mut self, state: &[u8], now: Micros) -> Option<()> {
        let (used, rest) = varint::read(state)?;
        self.used = used;
        if rest.is_empty() {
            return Some(());
        }
        let (in_flight, rest) = varint::read(rest)?;
        let (changed, rest) = varint::read(rest)?;
        rest.is_empty().then_some(())?;
        // A change in the future is damaged or from before the clock was set back. It is taken to be just now.
        self.changed = changed.min(now.saturating_add(MILLISECOND));
        if self.reported && self.changed.saturating_add(MAX_RESPONSE_TIME) > now {
            self.in_flight = in_flight.min(used);
        }
        Some(())
    }
}

impl State for UnitsInStock {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(now.saturating_add(self.wait), self.quota, self.used, now, cost)
    }

    fn charge(&mut self, _at: Now, units: u32) {
        self.used = self.used.saturating_add(u64::from(units));
        self.changed = self.opened;
    }

    /// Counts units that are being created.
    fn reserve(&mut self, units: u32) {
        if self.reported {
            self.in_flight = self.in_flight.saturating_add(u64::from(units));
        }
    }

    /// Units that were created before Tollgate counted can be deleted, too,
    /// so the count stops at 0, and at the number in flight.
    fn refund(&mut self, _at: Now, units: u32, _kept: u32, _hold: u64) {
        self.used = self.used.saturating_sub(u64::from(units)).max(self.in_flight);
        self.changed = self.opened;
    }

    /// The reporting request's own units are no longer in flight.
    fn report(&mut self, units: u64, since: Micros) -> bool {
        let reported = units.saturating_add(self.in_flight);
        self.used = if self.changed > since { reported.max(self.used) } else { reported };
        self.changed = self.opened;
        true
    }

    fn settle_reserved(&mut self, units: u32) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(units));
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
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
