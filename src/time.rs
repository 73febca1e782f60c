//! Instants, lengths, calendar periods and time zones. Time is always an argument: the core never reads a
//! clock.

mod civil;
mod instant;
mod period;
mod zone;

pub use instant::{parse_instant, push_instant};
pub use period::Period;
pub use zone::Zone;

/// Microseconds: a length, or an instant on the clock that the field or parameter names.
pub type Micros = u64;

/// One second.
pub const SECOND: Micros = 1_000_000;

/// 9999-12-30T22:00:00Z, in seconds since the UNIX epoch: the year still has four digits in every time zone.
const MAX_EPOCH_SECONDS: i64 = 253_402_207_200;

/// One millisecond.
pub const MILLISECOND: Micros = 1_000;

/// The instant of a request on two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Now {
    /// The monotonic clock, shared by all workers of a process and never stepped. All windows are measured on
    /// it, so a step of the wall clock neither frees units nor holds them longer.
    pub mono: Micros,
    /// The wall clock since the UNIX epoch: for header values, and for the edges of aligned windows.
    pub wall: Micros,
}

impl Now {
    /// The wall-clock time at a monotonic instant.
    pub fn wall_at(&self, mono: Micros) -> Micros {
        self.wall.saturating_add(mono).saturating_sub(self.mono)
    }
}

/// `count × length`, saturating.
pub const fn times(count: u64, length: Micros) -> Micros {
    // If so the product fits in 64 bits. Overflow detection in WebAssembly calls a 128-bit multiplication.
    if count.leading_zeros() + length.leading_zeros() >= u64::BITS {
        count * length
    } else {
        count.saturating_mul(length)
    }
}

/// A length in words: in the largest unit that divides it, unless that would be a single one.
pub fn in_words(length: Micros) -> String {
    let seconds = length / SECOND;
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds / unit > 1) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}

/// Whole seconds, rounded up, so that a client never retries too early.
pub const fn seconds_up(time: Micros) -> u64 {
    in_units_up(time, SECOND)
}

/// Whole units of this length, rounded up.
#[inline(always)]
pub const fn in_units_up(time: Micros, unit: Micros) -> u64 {
    time.div_ceil(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn times_saturates(
            one in any::<u64>(), other in any::<u64>(), shifts in (0_u32..64, 0_u32..64)
        ) {
            let (count, length) = (one >> shifts.0, other >> shifts.1);
            prop_assert_eq!(times(count, length), count.saturating_mul(length));
        }
    }
}
