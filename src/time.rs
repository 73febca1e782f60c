//! Time as an argument: the core never reads a clock.

mod civil;
mod instant;
mod period;
mod zone;

pub use instant::parse_instant;
pub use period::Period;
pub use zone::Zone;

/// Microseconds, as an instant or as a length; which clock an instant belongs to, its place says.
pub type Micros = u64;

/// One second.
pub const SECOND: Micros = 1_000_000;

/// 9999-12-30T22:00:00Z, in seconds since the UNIX epoch: anywhere on earth it still has a year of four digits.
const LAST: i64 = 253_402_207_200;

/// One millisecond.
pub const MILLISECOND: Micros = 1_000;

/// The instant of one request, on two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Now {
    /// The monotonic clock, the same in all workers of one process, never stepped. All windows are
    /// measured on it, so that a step of the wall clock neither frees nor freezes anything.
    pub mono: Micros,
    /// The wall clock since the UNIX epoch, only for what people read: header values.
    pub wall: Micros,
}

impl Now {
    /// The wall clock's reading at a monotonic instant.
    pub fn wall_at(&self, mono: Micros) -> Micros {
        self.wall.saturating_add(mono).saturating_sub(self.mono)
    }
}

/// So many times a length, or the latest instant there is.
pub const fn times(count: u64, length: Micros) -> Micros {
    // Then the product has at most 64 bits. To see an overflow WebAssembly multiplies 128 of them, in a function of its own.
    if count.leading_zeros() + length.leading_zeros() >= u64::BITS {
        count * length
    } else {
        count.saturating_mul(length)
    }
}

/// Whole seconds, rounded up: what is said to a client is never earlier than the truth.
pub const fn seconds_up(time: Micros) -> u64 {
    time.div_ceil(SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_product_that_has_no_room_is_the_latest_instant(
            one in any::<u64>(), other in any::<u64>(), shifts in (0_u32..64, 0_u32..64)
        ) {
            let (count, length) = (one >> shifts.0, other >> shifts.1);
            prop_assert_eq!(times(count, length), count.saturating_mul(length));
        }
    }
}
