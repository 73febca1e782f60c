//! States as text, for stores that people look into. [`to_text`] and [`from_text`] are inverse.
//!
//! | algorithm | text |
//! |---|---|
//! | `sliding_window` | `1764403199500 x3 +12 +150x2 /2^0ms`: slots, oldest first, each with its distance from the one before and its units |
//! | `sliding_counter` | `3 in #29406719 after 5` |
//! | `fixed_window`, `calendar` | `17 until 1764403260000000` |
//! | `token_bucket` | `full at 1764403200000000000 filling 60`: seconds; then `owing` and `refunded`, if there are such |
//! | `concurrency` | `0a1b2c3d=2 until 1764403230`, one for each worker |
//! | `stock` | `4`, or `4 with 1 open since 1764403200000000` |
//! | `penalty` | `until 1764403260000000` |

use super::kind::{
    CALENDAR, CONCURRENCY, FIXED_WINDOW, PENALTY, SLIDING_COUNTER, SLIDING_WINDOW, STOCK, TOKEN_BUCKET,
};
use super::sliding_window::HAS_EARLY;
use crate::varint;
use std::fmt::Write as _;

/// A state's bytes as text. `None`: they are damaged, or of an algorithm that this version does not know.
pub fn to_text(kind: u8, state: &[u8]) -> Option<String> {
    match kind {
        SLIDING_WINDOW => log_text(state),
        SLIDING_COUNTER => {
            let [index, current, previous] = numbers(state)?;
            Some(format!("{current} in #{index} after {previous}"))
        }
        FIXED_WINDOW | CALENDAR => {
            let [used, edge] = numbers(state)?;
            Some(format!("{used} until {edge}"))
        }
        TOKEN_BUCKET => {
            let (tat, rest) = state.split_first_chunk::<8>()?;
            let mut text = format!("full at {}", u64::from_le_bytes(*tat));
            let rest = all_numbers(rest)?;
            for (word, number) in BUCKET_WORDS.iter().zip(&rest) {
                let _ = write!(text, " {word} {number}");
            }
            (1..=BUCKET_WORDS.len()).contains(&rest.len()).then_some(text)
        }
        CONCURRENCY => workers_text(state),
        STOCK => match numbers::<3>(state) {
            Some([used, open, changed]) => Some(format!("{used} with {open} open since {changed}")),
            None => numbers::<1>(state).map(|[used]| used.to_string()),
        },
        PENALTY => numbers(state).map(|[end]| format!("until {end}")),
        _ => None,
    }
}

/// The bytes of a state that was written as text. `None`: nobody has written this text.
pub fn from_text(kind: u8, text: &str) -> Option<Vec<u8>> {
    let words: Vec<&str> = text.split(' ').collect();
    match (kind, words.as_slice()) {
        (SLIDING_WINDOW, words) => log_bytes(words),
        (SLIDING_COUNTER, [current, "in", index, "after", previous]) => {
            Some(bytes([number(index.strip_prefix('#')?)?, number(current)?, number(previous)?]))
        }
        (FIXED_WINDOW | CALENDAR, [used, "until", edge]) => Some(bytes([number(used)?, number(edge)?])),
        (TOKEN_BUCKET, ["full", "at", tat, rest @ ..]) => {
            let (pairs, []) = rest.as_chunks::<2>() else { return None };
            let mut state = number(tat)?.to_le_bytes().to_vec();
            for (expected, [word, value]) in BUCKET_WORDS.iter().zip(pairs) {
                varint::write(&mut state, number(value).filter(|_| word == expected)?);
            }
            (1..=BUCKET_WORDS.len()).contains(&pairs.len()).then_some(state)
        }
        (CONCURRENCY, words) => workers_bytes(words),
        (STOCK, [used, "with", open, "open", "since", changed]) => {
            Some(bytes([number(used)?, number(open)?, number(changed)?]))
        }
        (STOCK, [used]) => Some(bytes([number(used)?])),
        (PENALTY, ["until", end]) => Some(bytes([number(end)?])),
        _ => None,
    }
}

/// What a bucket's numbers after its instant are: the seconds that it takes to fill, how long a unit takes in
/// ps if it owes some, and the units that were refunded.
const BUCKET_WORDS: [&str; 3] = ["filling", "owing", "refunded"];

/// All varints, which must be the whole state.
fn all_numbers(mut state: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    while !state.is_empty() {
        let (number, rest) = varint::read(state)?;
        numbers.push(number);
        state = rest;
    }
    Some(numbers)
}

/// Exactly so many varints.
fn numbers<const N: usize>(mut state: &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        (*number, state) = varint::read(state)?;
    }
    state.is_empty().then_some(numbers)
}

fn bytes<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    let mut state = Vec::new();
    numbers.iter().for_each(|number| varint::write(&mut state, *number));
    state
}

/// Only the digits that [`to_text`] writes.
fn number(word: &str) -> Option<u64> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let sound = digits && (word == "0" || !word.starts_with('0'));
    word.parse().ok().filter(|_| sound)
}

fn log_text(state: &[u8]) -> Option<String> {
    let (shift, rest) = state.split_first()?;
    let (_, rest) = varint::read(rest)?;
    let (base, rest) = varint::read(rest)?;
    let (_, rest) = varint::read(rest)?;
    let has_early = shift & HAS_EARLY > 0;
    let (early, mut entries) = if has_early { varint::read(rest)? } else { (0, rest) };
    let mut text = base.to_string();
    while !entries.is_empty() {
        let (head, rest) = varint::read(entries)?;
        let (units, rest) = if head & 1 == 0 { (1, rest) } else { varint::read(rest)? };
        entries = rest;
        let _ = write!(text, " +{}", head >> 1);
        if units != 1 {
            let _ = write!(text, "x{units}");
        }
    }
    let _ = write!(text, " /2^{}ms", shift & !HAS_EARLY);
    if early > 0 {
        let _ = write!(text, " early {early}us");
    }
    Some(text)
}

fn log_bytes(words: &[&str]) -> Option<Vec<u8>> {
    let (words, early) = match words {
        [words @ .., "early", early] => {
            (words, number(early.strip_suffix("us")?).filter(|early| *early > 0)?)
        }
        words => (words, 0),
    };
    let [base, entries @ .., slots] = words else { return None };
    let shift = u8::try_from(number(slots.strip_prefix("/2^")?.strip_suffix("ms")?)?).ok()?;
    let shift = Some(shift).filter(|shift| shift & HAS_EARLY == 0)?;
    let (mut used, mut span, mut encoded) = (0u64, 0u64, Vec::new());
    for word in entries {
        let word = word.strip_prefix('+')?;
        let (gap, units) = match word.split_once('x') {
            Some((gap, units)) => (number(gap)?, number(units).filter(|units| *units != 1)?),
            None => (number(word)?, 1),
        };
        used = used.checked_add(units)?;
        span = span.checked_add(gap)?;
        varint::write(&mut encoded, gap.checked_mul(2)? | u64::from(units != 1));
        if units != 1 {
            varint::write(&mut encoded, units);
        }
    }
    let mut state = vec![if early > 0 { shift | HAS_EARLY } else { shift }];
    [used, number(base)?, span].iter().for_each(|number| varint::write(&mut state, *number));
    if early > 0 {
        varint::write(&mut state, early);
    }
    state.extend(encoded);
    Some(state)
}

fn workers_text(mut state: &[u8]) -> Option<String> {
    let mut workers = Vec::new();
    while !state.is_empty() {
        let (worker, rest) = state.split_first_chunk::<4>()?;
        let (units, rest) = varint::read(rest)?;
        let (expires, rest) = varint::read(rest)?;
        workers.push(format!("{:08x}={units} until {expires}", u32::from_le_bytes(*worker)));
        state = rest;
    }
    (!workers.is_empty()).then(|| workers.join(" "))
}

fn workers_bytes(words: &[&str]) -> Option<Vec<u8>> {
    let (workers, []) = words.as_chunks::<3>() else { return None };
    let mut state = Vec::new();
    for [worker, until, expires] in workers {
        let (worker, units) = worker.split_once('=')?;
        let sound = worker.len() == 8 && *until == "until";
        let worker = u32::from_str_radix(worker, 16).ok().filter(|_| sound)?;
        state.extend(worker.to_le_bytes());
        varint::write(&mut state, number(units)?);
        varint::write(&mut state, number(expires)?);
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::concurrency::WorkerId;
    use crate::limiter::sliding_window::Slots;
    use crate::limiter::{Algorithm, Counter, Limit, LimitId};
    use crate::time::{Now, SECOND};
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

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn text_and_bytes_are_inverse(kind in 1u8..9, numbers in proptest::collection::vec(0u64..1 << 50, 1..9)) {
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
            let algorithms = [
                Algorithm::SlidingWindow(Slots::that_fit(quota, window, 1_400)),
                Algorithm::SlidingCounter,
                Algorithm::FixedWindow,
                Algorithm::TokenBucket { burst: quota },
                Algorithm::Concurrency,
                Algorithm::Stock { reported: true },
                Algorithm::Penalty,
            ];
            for algorithm in algorithms {
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
        fn no_text_makes_it_panic(kind in 0u8..10, text in "[0-9a-fx+=# /^usnmit]{0,40}") {
            if let Some(state) = from_text(kind, &text) {
                prop_assert_eq!(to_text(kind, &state), Some(text));
            }
        }
    }
}
