//! Numbers in decimal, written without a request for memory: three of them stand in each response.

use std::fmt;
use std::ops::Deref;

/// The most digits that a number has.
const MOST_DIGITS: usize = u64::MAX.ilog10() as usize + 1;

/// A number's digits, as text.
#[derive(Clone, Copy)]
pub struct Decimal {
    /// Written from the end.
    digits: [u8; MOST_DIGITS],
    begin: usize,
}

impl Decimal {
    /// In decimal, without zeros in front.
    // The standard library's formatter takes several times as long.
    #[inline(never)]
    pub fn new(number: u64) -> Decimal {
        let mut digits = [b'0'; MOST_DIGITS];
        let (mut begin, mut rest) = (MOST_DIGITS, number);
        let mut places = digits.iter_mut().rev();
        // A division of 32 bits by ten is a multiplication, one of 64 is not.
        let mut small = loop {
            match u32::try_from(rest) {
                Ok(small) => break small,
                Err(_) => {
                    places.next().into_iter().for_each(|place| *place += (rest % 10) as u8);
                    (begin, rest) = (begin - 1, rest / 10);
                }
            }
        };
        for place in places {
            *place += (small % 10) as u8;
            (begin, small) = (begin - 1, small / 10);
            if small == 0 {
                break;
            }
        }
        Decimal { digits, begin }
    }
}

impl Deref for Decimal {
    type Target = str;

    fn deref(&self) -> &str {
        let digits = self.digits.get(self.begin..).unwrap_or_default();
        // SAFETY: all of them are ASCII digits: zeros, and what the rest of a division by ten adds to them.
        unsafe { std::str::from_utf8_unchecked(digits) }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_number_is_written_as_the_standard_library_writes_it(number in any::<u64>(), shift in 0_u32..64) {
            prop_assert_eq!(&*Decimal::new(number >> shift), (number >> shift).to_string());
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_least_the_greatest_and_those_where_another_way_begins_are_written() {
        for number in [0, 9, 10, u64::from(u32::MAX), u64::from(u32::MAX) + 1, 10_000_000_000, u64::MAX] {
            assert_eq!(&*Decimal::new(number), number.to_string());
        }
    }
}
