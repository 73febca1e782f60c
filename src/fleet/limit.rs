//! The encoding of limits: they travel with each entry, so the service needs no policy file.

use super::wire::{Fields, Malformed, Writer};
use crate::limiter::calendar::Calendar;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit, LimitId};
use crate::time::{Period, SECOND, Zone};
use std::num::NonZeroU32;

mod field {
    pub const ID: u64 = 1;
    pub const KIND: u64 = 2;
    pub const QUOTA: u64 = 3;
    pub const WINDOW: u64 = 4;
    pub const SLOT_SHIFT: u64 = 5;
    pub const BURST: u64 = 6;
    pub const PERIOD: u64 = 7;
    pub const ZONE: u64 = 8;
    pub const REPORTED: u64 = 9;
}

/// Writes a limit's fields.
pub(super) fn encode(limit: &Limit, out: &mut Writer) {
    out.number(field::ID, limit.id.0.into());
    out.number(field::KIND, limit.algorithm.kind().into());
    out.number(field::QUOTA, limit.quota.get().into());
    out.number(field::WINDOW, limit.window);
    match limit.algorithm {
        Algorithm::SlidingWindow(slots) => out.number(field::SLOT_SHIFT, slots.shift().into()),
        Algorithm::TokenBucket { burst } => out.number(field::BURST, burst.get().into()),
        Algorithm::Calendar(Calendar { period, zone }) => {
            out.number(field::PERIOD, period_number(period));
            out.bytes(field::ZONE, zone.name().as_bytes());
        }
        Algorithm::Stock { reported } => out.number(field::REPORTED, reported.into()),
        Algorithm::SlidingCounter | Algorithm::FixedWindow | Algorithm::Concurrency | Algorithm::Penalty => {}
    }
}

fn period_number(period: Period) -> u64 {
    match period {
        Period::Day => 1,
        Period::Week => 2,
        Period::Month => 3,
    }
}

/// A limit's fields as they came.
#[derive(Default)]
struct Written<'a> {
    id: u32,
    kind: u64,
    quota: u32,
    window: u64,
    slot_shift: u64,
    burst: u32,
    period: u64,
    zone: &'a [u8],
    reported: bool,
}

/// Reads a limit. What no policy could contain is malformed: a window of nothing would divide by zero.
pub(super) fn decode(bytes: &[u8]) -> Result<Limit, Malformed> {
    const MAX_WINDOW: u64 = 367 * 86_400 * SECOND;
    let mut written = Written::default();
    for field in Fields::of(bytes) {
        let field = field?;
        let content = &field.content;
        match field.number {
            field::ID => written.id = content.small()?,
            field::KIND => written.kind = content.number()?,
            field::QUOTA => written.quota = content.small()?,
            field::WINDOW => written.window = content.number()?,
            field::SLOT_SHIFT => written.slot_shift = content.number()?,
            field::BURST => written.burst = content.small()?,
            field::PERIOD => written.period = content.number()?,
            field::ZONE => written.zone = content.bytes()?,
            field::REPORTED => written.reported = content.number()? != 0,
            _ => {}
        }
    }
    let quota = NonZeroU32::new(written.quota).ok_or(Malformed)?;
    let algorithm = written.algorithm().ok_or(Malformed)?;
    if !(SECOND..=MAX_WINDOW).contains(&written.window) {
        return Err(Malformed);
    }
    Ok(Limit { id: LimitId(written.id), quota, window: written.window, algorithm })
}

impl Written<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        let kind = u8::try_from(self.kind).ok()?;
        let all = [
            Algorithm::SlidingWindow(Slots::with_shift(u8::try_from(self.slot_shift).ok()?)?),
            Algorithm::SlidingCounter,
            Algorithm::FixedWindow,
            Algorithm::TokenBucket { burst: NonZeroU32::new(self.burst.max(1))? },
            Algorithm::Concurrency,
            Algorithm::Stock { reported: self.reported },
            Algorithm::Penalty,
        ];
        match all.into_iter().find(|algorithm| algorithm.kind() == kind) {
            Some(Algorithm::TokenBucket { .. }) if self.burst == 0 => None,
            Some(algorithm) => Some(algorithm),
            None => self.calendar().filter(|calendar| calendar.kind() == kind),
        }
    }

    fn calendar(&self) -> Option<Algorithm> {
        let period = match self.period {
            1 => Period::Day,
            2 => Period::Week,
            3 => Period::Month,
            _ => return None,
        };
        let zone = Zone::named(std::str::from_utf8(self.zone).ok()?).ok()?;
        Some(Algorithm::Calendar(Calendar { period, zone }))
    }
}
