//! A token bucket as its promise has it, whose caller may be of another tier with each request.

use tollgate::limiter::Limit;
use tollgate::time::{Micros, SECOND};

/// The longest that a bucket owes.
pub const MAX_DEBT: Micros = 366 * 86_400 * SECOND;

/// How fast units come back, and how many there are at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    quota: u128,
    burst: u128,
}

impl Rate {
    pub fn of(limit: &Limit) -> Rate {
        Rate { quota: limit.quota.get().into(), burst: limit.max_at_once().into() }
    }
}

/// What is missing in a bucket, in units times the window.
pub struct Bucket {
    window: u128,
    rate: Rate,
    missing: u128,
    at: Micros,
}

impl Bucket {
    pub fn full(limit: &Limit) -> Bucket {
        Bucket { window: limit.window.into(), rate: Rate::of(limit), missing: 0, at: 0 }
    }

    pub fn charge(&mut self, at: Micros, units: u64, rate: Rate) {
        self.missing = self.missing.saturating_sub(u128::from(at - self.at) * self.rate.quota);
        self.at = at;
        self.take_over(rate);
        let most = rate.burst * self.window + rate.quota * u128::from(MAX_DEBT);
        self.missing = (self.missing + u128::from(units) * self.window).min(most);
    }

    /// The units that are missing at a rate, right after the last charge.
    pub fn missing(mut self, rate: Rate) -> u64 {
        self.take_over(rate);
        u64::try_from(self.missing.div_ceil(self.window)).unwrap_or(u64::MAX)
    }

    /// At another rate a bucket takes as long to fill as before, and at most as long as an empty one. What it owes
    /// beyond that are units.
    fn take_over(&mut self, rate: Rate) {
        if rate == self.rate {
            return;
        }
        let taken = self.missing.min(self.rate.burst * self.window);
        let owed = self.missing - taken;
        let fills = (taken / self.rate.quota).min(rate.burst * self.window / rate.quota);
        self.missing = fills * rate.quota + owed;
        self.rate = rate;
    }
}
