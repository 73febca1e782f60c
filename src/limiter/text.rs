//! States as text, for stores that people look into. [`to_text`] and [`from_text`] are inverse.
//! Each algorithm has a form of its own.

use super::Formula;
use crate::varint;

/// A state's bytes as text. `None`: they are damaged, or of an algorithm that this version does not know.
pub fn to_text(kind: u8, state: &[u8]) -> Option<String> {
    of_kind!(kind, Parameters => Parameters::to_text(state))
}

/// The bytes of a state that was written as text. `None`: it is no such text.
pub fn from_text(kind: u8, text: &str) -> Option<Vec<u8>> {
    of_kind!(kind, Parameters => Parameters::from_text(text))
}

/// The units that a state counts, without regard to when they come back. `None`: they are damaged, or not a
/// number of units.
pub fn used(kind: u8, state: &[u8]) -> Option<u64> {
    of_kind!(kind, Parameters => Parameters::used(state))
}

/// All varints, which must be the whole state.
pub(super) fn all_numbers(mut state: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    while !state.is_empty() {
        let (number, rest) = varint::read(state)?;
        numbers.push(number);
        state = rest;
    }
    Some(numbers)
}

/// Exactly so many varints.
pub(super) fn numbers<const N: usize>(mut state: &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        (*number, state) = varint::read(state)?;
    }
    state.is_empty().then_some(numbers)
}

/// These numbers as varints.
pub(super) fn bytes<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    let mut state = Vec::new();
    numbers.iter().for_each(|number| varint::write(&mut state, *number));
    state
}

/// Only the digits that [`to_text`] writes.
pub(super) fn number(word: &str) -> Option<u64> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let sound = digits && (word == "0" || !word.starts_with('0'));
    word.parse().ok().filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::sliding_window::Slots;
    use crate::limiter::{Algorithm, Counter, Growth, Limit, LimitId, Parameters, WorkerId};
    use crate::time::{Now, Period, SECOND, Zone};
    use proptest::prelude::*;
    use std::num::NonZeroU32;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_log_is_readable() {
        let text = "1764403199500 +0x3 +12 +150x2 /2^0ms";
        let state = from_text(1, text).unwrap();
        assert_eq!(to_text(1, &state).unwrap(), text);
        assert_eq!(state[1], 6, "units");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_units_that_a_state_counts_are_read_from_its_bytes() {
        let counted = |kind, text| used(kind, &from_text(kind, text).unwrap());
        assert_eq!(counted(1, "1764403199500 +0 +12x3 /2^0ms"), Some(4));
        assert_eq!(counted(2, "3 in #29406719 after 5"), Some(3));
        assert_eq!(counted(4, "17 until 1764403260000000"), Some(17));
        assert_eq!(counted(6, "0a1b2c3d=2 until 5 0a1b2c3e=3 until 6"), Some(5));
        assert_eq!(counted(7, "4 with 1 open since 1764403200000000"), Some(4));
        assert_eq!(counted(5, "full at 1 filling 60"), None);
        assert_eq!((used(1, &[]), used(6, &[1, 2]), used(99, &[1])), (None, None, None));
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn text_and_bytes_are_inverse(kind in 1u8..12, numbers in proptest::collection::vec(0u64..1 << 50, 1..9)) {
            let mut state = match kind {
                1 => vec![3],
                5 => numbers[0].to_le_bytes().to_vec(),
                6 => vec![1, 2, 3, 4],
                _ => Vec::new(),
            };
            numbers.iter().for_each(|number| varint::write(&mut state, *number));
            if let Some(text) = to_text(kind, &state) {
                let back = from_text(kind, &text);
                // A log's sums are computed anew.
                prop_assert!(kind == 1 || back.as_ref() == Some(&state), "{text}");
                if let Some(back) = back {
                    prop_assert_eq!(to_text(kind, &back), Some(text));
                }
            }
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn whatever_an_algorithm_writes_comes_back(
            quota in 1u32..2_000,
            seconds in 1u64..100_000,
            charges in proptest::collection::vec((0u64..10_000_000, 0u32..300, 0u32..300), 1..40),
        ) {
            let (quota, window) = (NonZeroU32::new(quota).unwrap(), seconds * SECOND);
            let parameters = Parameters {
                slot_shift: Some(Slots::that_fit(quota, window, 1_400).shift()),
                burst: Some(quota),
                period: Some(Period::Month),
                zone: Some(Zone::UTC),
                reported: true,
                after: 0,
                growth: Growth::new([20 * SECOND, 300 * SECOND]),
            };
            for algorithm in Algorithm::ALL.iter().filter_map(|algorithm| algorithm.with(&parameters)) {
                let limit = Limit { id: LimitId(1), quota, window, algorithm };
                let (mut state, mut mono) = (Vec::new(), 1_000_000 * SECOND);
                for (later, units, back) in &charges {
                    mono += later;
                    let now = Now { mono, wall: mono };
                    let old = std::mem::take(&mut state);
                    let mut counter = Counter::open(&limit, &old, now, WorkerId(7)).unwrap();
                    counter.reserve(now, *units);
                    counter.refund(now, *back);
                    counter.write(&mut state);
                    let text = to_text(algorithm.kind(), &state);
                    if !state.is_empty() {
                        let text = text.unwrap();
                        prop_assert_eq!(from_text(algorithm.kind(), &text), Some(state.clone()), "{}", text);
                    }
                }
            }
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn no_text_makes_it_panic(kind in 0u8..12, text in "[0-9a-fx+=# /^usnmit]{0,40}") {
            if let Some(state) = from_text(kind, &text) {
                prop_assert_eq!(to_text(kind, &state), Some(text));
            }
        }
    }
}
