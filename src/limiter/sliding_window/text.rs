//! A log as text: `1764403199500 +0x3 +12 +150x2 /2^0ms`. That is its slots, oldest first, each with its distance
//! from the one before and its units; then the length of the slots.

use super::log::HAS_EARLY;
use crate::limiter::text::number;
use crate::varint;
use std::fmt::Write as _;

/// See [`crate::limiter::Formula::to_text`].
pub(super) fn to_text(state: &[u8]) -> Option<String> {
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

/// See [`crate::limiter::Formula::from_text`].
pub(super) fn from_text(text: &str) -> Option<Vec<u8>> {
    let words: Vec<&str> = text.split(' ').collect();
    let (words, early) = match words.as_slice() {
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
