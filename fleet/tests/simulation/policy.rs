//! The limits of the simulated policies.

use std::num::NonZeroU32;
use tollgate::limiter::calendar::Calendar;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, FixedWindow, Limit, LimitId, SlidingWindow, TokenBucket};
use tollgate::time::{Micros, Period, Zone};

pub fn sliding(quota: u32, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    let algorithm = Algorithm::SlidingWindow(SlidingWindow { slots: Slots::that_fit(quota, window, 1_400) });
    Limit { id: LimitId::new("api", "sliding"), quota, window, algorithm }
}

pub fn with(algorithm: Algorithm, quota: u32, window: Micros) -> Limit {
    let id = LimitId::new("api", &algorithm.kind().to_string());
    Limit { id, algorithm, ..sliding(quota, window) }
}

pub fn fixed(quota: u32, window: Micros) -> Limit {
    with(Algorithm::FixedWindow(FixedWindow), quota, window)
}

pub fn calendar(quota: u32, period: Period, zone: &str) -> Limit {
    let calendar = Calendar { period, zone: Zone::named(zone).unwrap() };
    with(Algorithm::Calendar(calendar), quota, calendar.max_length())
}

pub fn bucket(quota: u32, window: Micros, burst: u32) -> Limit {
    with(Algorithm::TokenBucket(TokenBucket { burst: NonZeroU32::new(burst).unwrap() }), quota, window)
}
