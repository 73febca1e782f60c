//! Instants and lengths as logs write them.

use tollgate::time::{MILLISECOND, Micros, SECOND};

/// The unit of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, usually with a fraction.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// Reads an instant: RFC 3339 or `2026-11-29 09:41:02`, `29/Nov/2026:09:41:02 +0000`, or a number since the
/// UNIX epoch whose size tells its unit. Also whether it is in whole seconds.
pub fn parse(text: &[u8]) -> Option<(Micros, bool)> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    match text {
        [_, _, b'/', ..] => common_log(text),
        [_, _, _, _, b'-', ..] => rfc3339(text),
        _ => since_epoch(text),
    }
}

fn rfc3339(text: &[u8]) -> Option<(Micros, bool)> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text.get(..10)? else { return None };
    let separator = text.get(10)?;
    if !matches!(separator, b'T' | b't' | b' ' | b'\t') {
        return None;
    }
    let seconds = day_number(digits(year)?, two(*m1, *m2)?, two(*d1, *d2)?)?
        .checked_mul(86_400)?
        .checked_add(time_of_day(text.get(11..19)?)?)?;
    let (micros, rest) = fraction(text.get(19..)?);
    let at = seconds.checked_mul(SECOND)?.checked_add(micros.unwrap_or(0))?;
    Some((shifted(at, rest)?, micros.is_none()))
}

fn common_log(text: &[u8]) -> Option<(Micros, bool)> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let [d1, d2, b'/', name @ .., b'/', y1, y2, y3, y4, b':'] = text.get(..12)? else { return None };
    let month = MONTHS.chunks_exact(3).position(|month| month == name)? + 1;
    let year = digits(&[*y1, *y2, *y3, *y4])?;
    let day = day_number(year, u64::try_from(month).ok()?, two(*d1, *d2)?)?;
    let seconds = day.checked_mul(86_400)?.checked_add(time_of_day(text.get(12..20)?)?)?;
    let (micros, rest) = fraction(text.get(20..)?);
    let at = seconds.checked_mul(SECOND)?.checked_add(micros.unwrap_or(0))?;
    Some((shifted(at, rest.trim_ascii())?, micros.is_none()))
}

/// Seconds, milliseconds, microseconds or nanoseconds since the UNIX epoch, by the number of digits.
fn since_epoch(text: &[u8]) -> Option<(Micros, bool)> {
    let whole = text.split(|byte| *byte == b'.').next()?;
    let unit = match whole.len() {
        9..=11 => Unit::Seconds,
        12..=14 => Unit::Millis,
        15..=17 => Unit::Micros,
        18..=20 => Unit::Nanos,
        _ => return None,
    };
    Some((length(text, unit)?, unit == Unit::Seconds && whole.len() == text.len()))
}

/// `hh:mm:ss` in seconds. A leap second is the last of its minute.
fn time_of_day(text: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let (hours, minutes, seconds) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    let valid = hours < 24 && minutes < 60 && seconds <= 60;
    valid.then(|| hours * 3_600 + minutes * 60 + seconds.min(59))
}

/// Days since 1970-01-01, of years from 1970 on.
fn day_number(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

/// The fraction of a second in microseconds, and what follows it.
fn fraction(text: &[u8]) -> (Option<Micros>, &[u8]) {
    let Some(rest) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else { return (None, text) };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    let micros = (0..6)
        .fold(0, |micros, place| micros * 10 + digits.get(place).map_or(0, |byte| Micros::from(byte - b'0')));
    (Some(micros), after)
}

/// The instant in UTC of one with this offset, such as `Z`, `+02:00` or `-0700`; none is UTC.
fn shifted(at: Micros, offset: &[u8]) -> Option<Micros> {
    let (sign, h1, h2, m1, m2) = match offset {
        b"" | b"Z" | b"z" => return Some(at),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, *h1, *h2, *m1, *m2),
        _ => return None,
    };
    let seconds = two(h1, h2)?.checked_mul(3_600)?.checked_add(two(m1, m2)?.checked_mul(60)?)?;
    let offset = seconds.checked_mul(SECOND)?;
    match sign {
        b'+' => at.checked_sub(offset),
        b'-' => at.checked_add(offset),
        _ => None,
    }
}

/// Reads a length, such as `0.123`, `12`, or `12ms`.
pub fn length(text: &[u8], unit: Unit) -> Option<Micros> {
    let text = text.trim_ascii();
    let number = text.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'-'));
    let (number, suffix) = text.split_at(number.unwrap_or(text.len()));
    let unit = match suffix {
        b"" => unit,
        b"s" => Unit::Seconds,
        b"ms" => Unit::Millis,
        b"us" | b"\xC2\xB5s" => Unit::Micros,
        b"ns" => Unit::Nanos,
        _ => return None,
    };
    match unit {
        Unit::Seconds => scaled(number, 6),
        Unit::Millis => scaled(number, 3),
        Unit::Micros => scaled(number, 0),
        Unit::Nanos => scaled(number, 0).map(|nanos| nanos / MILLISECOND),
    }
}

/// A decimal number times a power of ten, cut off to a whole one. Very small numbers come as `1e-05`.
fn scaled(text: &[u8], power: i32) -> Option<u64> {
    let (text, exponent) = match memchr::memchr(b'e', text) {
        Some(at) => (text.get(..at)?, signed(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let power = power.checked_add(exponent).filter(|power| (-30..=18).contains(power))?;
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let mut number: u64 = 0;
    let kept = i32::try_from(whole.len()).ok()?.checked_add(power)?;
    for place in 0..kept {
        let place = usize::try_from(place).ok()?;
        let byte = whole.get(place).or_else(|| fraction.get(place.checked_sub(whole.len())?));
        number = number.checked_mul(10)?.checked_add(byte.map_or(0, |byte| u64::from(byte - b'0')))?;
    }
    Some(number)
}

fn signed(text: &[u8]) -> Option<i32> {
    match text {
        [b'-', digits @ ..] => Some(-i32::try_from(self::digits(digits)?).ok()?),
        [b'+', digits @ ..] | digits => i32::try_from(self::digits(digits)?).ok(),
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

fn two(tens: u8, ones: u8) -> Option<u64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| u64::from(tens - b'0') * 10 + u64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_form() {
        // date -ud '2026-11-29T09:41:02Z' +%s
        const SECONDS: Micros = 1_795_945_262;
        for (text, micros, whole) in [
            ("2026-11-29T09:41:02Z", 0, true),
            ("2026-11-29T09:41:02.123Z", 123_000, false),
            ("2026-11-29T10:41:02.000123456+01:00", 123, false),
            ("2026-11-29 09:41:02", 0, true),
            ("2026-11-29\t09:41:02", 0, true),
            ("[29/Nov/2026:09:41:02 +0000]", 0, true),
            ("29/Nov/2026:02:41:02 -0700", 0, true),
            ("29/Nov/2026:09:41:02.500 +0000", 500_000, false),
            ("1795945262", 0, true),
            ("1795945262.25", 250_000, false),
            ("1795945262007", 7_000, false),
            ("1795945262000007", 7, false),
            ("1795945262000007999", 7, false),
        ] {
            assert_eq!(parse(text.as_bytes()), Some((SECONDS * SECOND + micros, whole)), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "-",
            "[]",
            "now",
            "2026-13-29T09:41:02Z",
            "2026-11-29T25:41:02Z",
            "1969-12-31T23:59:59Z",
            "29/Nov/2026",
            "29/Nix/2026:09:41:02 +0000",
            "2026-11-29T09:41:02*01:00",
            "12",
            "99999999999999999999999",
            "2026-11-29X09:41:02",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn lengths_are_read_in_every_unit() {
        for (text, unit, micros) in [
            ("0.123", Unit::Seconds, 123_000),
            ("0.000929675", Unit::Seconds, 929),
            ("9.2e-05", Unit::Seconds, 92),
            ("12", Unit::Millis, 12_000),
            ("12ms", Unit::Seconds, 12_000),
            ("1.5", Unit::Millis, 1_500),
            ("1504234", Unit::Nanos, 1_504),
            ("7", Unit::Micros, 7),
        ] {
            assert_eq!(length(text.as_bytes(), unit), Some(micros), "{text}");
        }
        for text in ["", "-", "-1", "1.2.3", "x", "1e999999999", "99999999999999999999"] {
            assert_eq!(length(text.as_bytes(), Unit::Seconds), None, "{text}");
        }
    }
}
