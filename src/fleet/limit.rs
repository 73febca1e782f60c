//! The encoding of limits: they travel with each entry, so the service needs no policy file.

use super::wire::{Fields, Malformed, Writer};
use crate::limiter::{Algorithm, Growth, Limit, LimitId, Parameters};
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
    pub const GROWTH: u64 = 10;
}

/// Writes a limit's fields.
pub(super) fn encode(limit: &Limit, out: &mut Writer) {
    out.number(field::ID, limit.id.0.into());
    out.number(field::KIND, limit.algorithm.kind().into());
    out.number(field::QUOTA, limit.quota.get().into());
    out.number(field::WINDOW, limit.window);
    // No policy of a fleet has `after`.
    let Parameters { slot_shift, burst, period, zone, reported, after: _, growth } =
        limit.algorithm.parameters();
    out.number(field::SLOT_SHIFT, slot_shift.unwrap_or_default().into());
    out.number(field::BURST, burst.map_or(0, NonZeroU32::get).into());
    out.number(field::PERIOD, period.map_or(0, period_number));
    if let Some(zone) = zone {
        out.bytes(field::ZONE, zone.name().as_bytes());
    }
    out.number(field::REPORTED, reported.into());
    growth.lengths().for_each(|length| out.number(field::GROWTH, length));
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
    growth: Vec<u64>,
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
            field::GROWTH => written.growth.push(content.number()?),
            _ => {}
        }
    }
    let quota = NonZeroU32::new(written.quota).ok_or(Malformed)?;
    let algorithm = written.algorithm().ok_or(Malformed)?;
    let is_length = |length: &u64| (SECOND..=MAX_WINDOW).contains(length);
    if !is_length(&written.window) || !written.growth.iter().all(is_length) {
        return Err(Malformed);
    }
    Ok(Limit { id: LimitId(written.id), quota, window: written.window, algorithm })
}

impl Written<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        let zone = std::str::from_utf8(self.zone).ok().filter(|zone| !zone.is_empty());
        let parameters = Parameters {
            slot_shift: Some(u8::try_from(self.slot_shift).ok()?),
            burst: NonZeroU32::new(self.burst),
            period: [Period::Day, Period::Week, Period::Month]
                .into_iter()
                .find(|period| period_number(*period) == self.period),
            zone: zone.and_then(|zone| Zone::named(zone).ok()),
            reported: self.reported,
            after: 0,
            growth: Growth::new(self.growth.iter().copied()),
        };
        Algorithm::of_kind(u8::try_from(self.kind).ok()?)?.with(&parameters)
    }
}
