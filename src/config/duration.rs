//! Reads durations such as `60s`.

use super::Reader;
use crate::time::{Micros, SECOND};

/// A leap year: longer than any usual quota's window, and no number derived from it overflows.
const MAX_DURATION: Micros = 366 * 86_400 * SECOND;

/// What a duration may be.
pub const DURATION: &str = "a duration such as 60s, 10m, 1h or 7d, from 1s to 366d";

/// Reads `60s`, `10m`, `1h` or `7d`, from 1 s to 366 d.
pub fn read(reader: &Reader<'_>) -> Option<Micros> {
    let length = parse(reader.text(DURATION)?);
    length.filter(|length| (SECOND..=MAX_DURATION).contains(length)).or_else(|| reader.error(DURATION))
}

fn parse(text: &str) -> Option<Micros> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = if digits { number.parse().ok()? } else { return None };
    number.checked_mul(seconds)?.checked_mul(SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn durations_are_whole_numbers_with_a_unit() {
        assert_eq!(parse("60s"), Some(60 * SECOND));
        assert_eq!(parse("10m"), Some(600 * SECOND));
        assert_eq!(parse("1h"), Some(3_600 * SECOND));
        assert_eq!(parse("7d"), Some(604_800 * SECOND));
        for text in [
            "",
            "s",
            "60",
            "1.5m",
            "-1s",
            "+1s",
            "1 s",
            "1w",
            "é",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
