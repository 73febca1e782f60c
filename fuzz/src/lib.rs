//! What several targets draw from the fuzzer's bytes: limits as a policy can have them, and instants.

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use std::num::NonZeroU32;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit, LimitId, Parameters};
use tollgate::table::TableSize;
use tollgate::time::{Micros, Now, Period, SECOND, Zone};

/// The worker that a target is.
pub const WORKER: WorkerId = WorkerId(7);

/// A year and a day, the longest window that a policy may have.
const LONGEST: Micros = 366 * 86_400 * SECOND;

/// No clock is further: 2^54 µs are 570 years.
const LAST: Micros = 1 << 54;

/// Small numbers as often as large ones: most edges are near 1.
pub fn number(u: &mut Unstructured<'_>) -> Result<u32> {
    let bits = u.int_in_range(0..=32u32)?;
    let mask = u32::MAX.checked_shr(32 - bits).unwrap_or(0);
    Ok(u32::arbitrary(u)? & mask)
}

/// A number that is not 0.
pub fn some(u: &mut Unstructured<'_>) -> Result<NonZeroU32> {
    Ok(NonZeroU32::new(number(u)?).unwrap_or(NonZeroU32::MIN))
}

/// Both clocks, anywhere.
pub fn instant(u: &mut Unstructured<'_>) -> Result<Now> {
    Ok(Now { mono: u64::arbitrary(u)? % LAST, wall: u64::arbitrary(u)? % LAST })
}

/// A length of time that a policy may name: whole seconds, 1 s to 366 d.
fn window(u: &mut Unstructured<'_>) -> Result<Micros> {
    const USUAL: [u64; 6] = [1, 60, 600, 3_600, 86_400, 30 * 86_400];
    let seconds = match USUAL.get(usize::from(u8::arbitrary(u)? % 8)) {
        Some(seconds) => *seconds,
        None => u64::from(number(u)?),
    };
    Ok((seconds * SECOND).clamp(SECOND, LONGEST))
}

/// A limit such as the compiler makes one.
pub fn limit(u: &mut Unstructured<'_>, id: u32, table: TableSize) -> Result<Limit> {
    let (quota, window) = (some(u)?, window(u)?);
    let word = u.choose(Algorithm::WORDS.0)?;
    let (period, zone) = period(u)?;
    let parameters = Parameters {
        slot_shift: Some(Slots::that_fit(quota, window, table.max_state_bytes()).shift()),
        burst: Some(some(u)?),
        period: Some(period),
        zone: Some(zone),
        reported: false,
        ..Parameters::default()
    };
    let algorithm = word.means.with(&parameters).expect("it has all parameters");
    Ok(Limit { id: LimitId(id), quota, window: algorithm.max_window().unwrap_or(window), algorithm })
}

fn period(u: &mut Unstructured<'_>) -> Result<(Period, Zone)> {
    const ZONES: [&str; 4] = ["UTC", "Europe/Madrid", "Australia/Lord_Howe", "America/Santiago"];
    let period = *u.choose(&[Period::Day, Period::Week, Period::Month])?;
    Ok((period, Zone::named(u.choose(&ZONES)?).expect("the zone is known")))
}

/// The same instant, later on both clocks.
pub fn later(now: Now, by: Micros) -> Now {
    Now { mono: now.mono.saturating_add(by), wall: now.wall.saturating_add(by) }
}

/// The size of the default table, but with this many pages.
pub fn pages(pages: u32) -> TableSize {
    TableSize { pages: NonZeroU32::new(pages).unwrap_or(NonZeroU32::MIN), page_bytes: 1_536 }
}
