//! Instants in the configuration.

use super::civil::{DAY, day, month_of};
use super::{MAX_EPOCH_SECONDS, Micros, SECOND};

/// Appends an instant, given in seconds since the UNIX epoch, as RFC 3339: `2026-05-19T06:00:00Z`. One after the
/// year 9999 is written as the last instant before.
pub fn push_instant(out: &mut String, seconds: u64) {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(MAX_EPOCH_SECONDS);
    let (days, second) = (seconds / DAY, seconds % DAY);
    let (year, month) = month_of(days);
    push_digits(out, year, 1_000);
    for (before, number) in [
        ('-', month),
        ('-', days - day(year, month, 1) + 1),
        ('T', second / 3_600),
        (':', second / 60 % 60),
        (':', second % 60),
    ] {
        out.push(before);
        push_digits(out, number, 10);
    }
    out.push('Z');
}

/// Appends the decimal digits of a number from that of `place` on: 1, 10, 100 and so on.
fn push_digits(out: &mut String, number: i64, mut place: i64) {
    while place > 0 {
        out.extend(u32::try_from(number / place % 10).ok().and_then(|digit| char::from_digit(digit, 10)));
        place /= 10;
    }
}

/// Parses an RFC 3339 instant of whole seconds, such as `2026-05-19T00:00:00-06:00` or
/// `2026-05-19T06:00:00Z`, into microseconds since the UNIX epoch. `None` for anything else and for instants
/// before 1970.
pub fn parse_instant(text: &str) -> Option<Micros> {
    let (date, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = time.split_at_checked(8)?;
    let [year, month, of_month] = *numbers(date, '-')? else { return None };
    let [hour, minute, second] = *numbers(time, ':')? else { return None };
    let day = day(year, month, of_month);
    let sound = month_of(day) == (year, month) && hour <= 23 && minute <= 59 && second <= 59;
    let instant = day * DAY + (hour * 60 + minute) * 60 + second - parse_offset(offset)?;
    Micros::try_from(instant).ok().filter(|_| sound && instant <= MAX_EPOCH_SECONDS)?.checked_mul(SECOND)
}

/// Parses `Z`, `+hh:mm` or `-hh:mm`; returns seconds.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", text) => (1, text),
        ("-", text) => (-1, text),
        _ => return None,
    };
    let [hours, minutes] = *numbers(text, ':')? else { return None };
    let sound = text.len() == 5 && hours <= 23 && minutes <= 59;
    sound.then_some((hours * 60 + minutes) * 60 * sign)
}

/// Parses separated numbers of two to four digits.
fn numbers(text: &str, separator: char) -> Option<Box<[i64]>> {
    let number = |part: &str| {
        let digits = (2..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    text.split(separator).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn an_instant_that_is_written_is_read_as_the_same(seconds in 0..=MAX_EPOCH_SECONDS as u64) {
            let mut text = String::new();
            push_instant(&mut text, seconds);
            prop_assert_eq!(text.len(), "2026-05-19T06:00:00Z".len());
            prop_assert_eq!(parse_instant(&text), Some(seconds * SECOND));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn an_instant_after_the_year_9999_is_written_as_the_last_one_before() {
        for (seconds, expected) in [
            (1_779_170_400, "2026-05-19T06:00:00Z"),
            (0, "1970-01-01T00:00:00Z"),
            (u64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            let mut text = String::new();
            push_instant(&mut text, seconds);
            assert_eq!(text, expected);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn anything_that_is_not_an_instant_is_an_error() {
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
