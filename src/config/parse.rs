//! What the texts of a policy become.

use crate::time::{MILLISECOND, Micros, SECOND};

/// A name that an operator gives to something.
pub(super) fn name(text: &str) -> Option<String> {
    is_name(text).then(|| text.to_string())
}

/// Whether an operator may give this name to something.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A text that can stand where HTTP wants a token, in the case it is written in.
pub(super) fn token(text: &str) -> Option<String> {
    is_token(text).then(|| text.to_string())
}

/// The same in lower case, as Envoy delivers the names of headers.
pub(super) fn header_name(text: &str) -> Option<String> {
    is_token(text).then(|| text.to_ascii_lowercase())
}

/// The same, in which `{policy}` and `{limit_name}` stand for names that are tokens themselves.
pub(super) fn header_name_template(text: &str) -> Option<String> {
    let is_literal = |text: &str| text.bytes().all(is_token_char);
    let is_variable = |word: &str| word == "policy" || word == "limit_name";
    let mut parts = text.split('{');
    let valid = (1..=256).contains(&text.len())
        && parts.next().is_some_and(is_literal)
        && parts.all(|part| {
            part.split_once('}').is_some_and(|(word, literal)| is_variable(word) && is_literal(literal))
        });
    valid.then(|| text.to_ascii_lowercase())
}

/// A share in whole percent, from `1%` to `100%`.
pub(super) fn percent(text: &str) -> Option<u32> {
    let percent = digits(text.strip_suffix('%')?)?;
    u32::try_from(percent).ok().filter(|percent| (1..=100).contains(percent))
}

/// Whether this is a token (RFC 9110, 5.6.2) of at most 256 bytes.
pub fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(is_token_char)
}

fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A text of 1 to 256 characters. A zero byte would end it for the host.
pub(super) fn text(text: &str) -> Option<String> {
    ((1..=256).contains(&text.chars().count()) && !text.contains('\0')).then(|| text.to_string())
}

/// A text of 1 to 16 characters.
pub(super) fn separator(text: &str) -> Option<String> {
    (1..=16).contains(&text.chars().count()).then(|| text.to_string())
}

/// An upper-case method.
pub(super) fn method(text: &str) -> Option<String> {
    let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    capitals.then(|| text.to_string())
}

/// A media type, which a header can carry.
pub(super) fn media_type(text: &str) -> Option<String> {
    let valid = text.contains('/') && text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    valid.then(|| text.to_string())
}

/// A language tag, by its form (RFC 5646, 2.1); whether there is such a language is not known.
pub(super) fn language(text: &str) -> Option<String> {
    let part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (text.len() <= 35 && text.split('-').all(part)).then(|| text.to_string())
}

/// Any text.
pub(super) fn any_text(text: &str) -> Option<String> {
    Some(text.to_string())
}

/// A leap year: longer than any usual quota's window, and no number derived from it overflows.
const MAX_DURATION: Micros = 366 * 86_400 * SECOND;

/// `60s`, `10m`, `1h` or `7d`, from 1 s to 366 d.
pub(super) fn duration(text: &str) -> Option<Micros> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let length = digits(number)?.checked_mul(seconds)?.checked_mul(SECOND)?;
    (SECOND..=MAX_DURATION).contains(&length).then_some(length)
}

/// `1ms` to `1000ms`, or `1s`.
pub(super) fn milliseconds(text: &str) -> Option<Micros> {
    let number = if text == "1s" { 1_000 } else { digits(text.strip_suffix("ms")?)? };
    (1..=1_000).contains(&number).then_some(number * MILLISECOND)
}

/// A number of digits only: without a sign.
fn digits(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn durations_are_whole_numbers_with_a_unit() {
        assert_eq!(duration("60s"), Some(60 * SECOND));
        assert_eq!(duration("10m"), Some(600 * SECOND));
        assert_eq!(duration("1h"), Some(3_600 * SECOND));
        assert_eq!(duration("7d"), Some(604_800 * SECOND));
        assert_eq!(duration("366d"), Some(MAX_DURATION));
        for text in [
            "",
            "s",
            "60",
            "0s",
            "367d",
            "1.5m",
            "-1s",
            "+1s",
            "1 s",
            "1w",
            "é",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_share_is_a_whole_percent() {
        assert_eq!((percent("1%"), percent("80%"), percent("100%")), (Some(1), Some(80), Some(100)));
        for text in ["", "%", "80", "0%", "101%", "1.5%", "+8%", "8 %", "99999999999999999999%"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_name_of_a_header_may_have_two_variables() {
        assert_eq!(header_name_template("X-{policy}-{limit_name}"), Some("x-{policy}-{limit_name}".into()));
        for text in ["", "{", "x-{limit}", "x-{Policy}", "x {policy}", "x:{policy}", "{policy", "policy}"] {
            assert_eq!(header_name_template(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn milliseconds_end_at_a_second() {
        assert_eq!(milliseconds("50ms"), Some(50 * MILLISECOND));
        assert_eq!(milliseconds("1s"), Some(SECOND));
        assert_eq!(milliseconds("1000ms"), Some(SECOND));
        for text in ["", "ms", "0ms", "1001ms", "2s", "+5ms", "5", "99999999999999999999ms"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
