//! Instants as the configuration writes them.

use super::{Micros, SECOND};
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Reads an RFC 3339 instant of whole seconds, such as `2026-05-19T00:00:00-06:00` or `2026-05-19T06:00:00Z`, as
/// microseconds since the UNIX epoch. `None`: it is none, or before 1970.
///
/// The parser that comes with the calendar reads much more, and would add 60 KB to the module.
pub fn parse_instant(text: &str) -> Option<Micros> {
    let (date, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = time.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let small = |number: i16| i8::try_from(number).ok();
    let local =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0);
    let instant = parse_offset(offset)?.to_timestamp(local.ok()?).ok()?;
    Micros::try_from(instant.as_second()).ok()?.checked_mul(SECOND)
}

/// `Z`, or `+hh:mm` or `-hh:mm`.
fn parse_offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(Offset::UTC);
    }
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", text) => (1, text),
        ("-", text) => (-1, text),
        _ => return None,
    };
    let [hours, minutes] = numbers(text, ':')?;
    let sound = text.len() == 5 && hours <= 23 && minutes <= 59;
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60 * sign;
    sound.then(|| Offset::from_seconds(seconds).ok()).flatten()
}

/// Numbers of digits only, with a separator between them.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i16; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for number in &mut numbers {
        let part = parts.next()?;
        let digits = part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = if digits { part.parse().ok()? } else { return None };
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_3_an_instant_has_an_offset() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-05-19T00:00:00-06:00", 1_779_170_400),
            ("2026-05-19T06:00:00Z", 1_779_170_400),
            ("2026-05-19 11:30:00+05:30", 1_779_170_400),
            ("2024-02-29t23:59:59z", 1_709_251_199),
        ] {
            assert_eq!(parse_instant(text), Some(seconds * SECOND), "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-05-19",
            "2026-05-19T00:00:00",
            "2026-05-19T00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-05-19T24:00:00Z",
            "2026-05-19T00:00:60Z",
            "2026-5-19T00:00:00Z0",
            "2026-05-19T00:00:00+6:00",
            "2026-05-19T00:00:00+24:00",
            "2026-05-19T00:00:00+06:60",
            "1969-12-31T23:59:59Z",
            "+026-05-19T00:00:00Z",
            "2026-05-19T00:00:00é",
            "2026-05-19T00:00:00.5Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
