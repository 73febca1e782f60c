//! Whole numbers that requests and responses state.

/// Parses digits, with blanks around them; a larger number than a `u64` becomes the largest. `None`: it is not a
/// whole number. A sign, a fraction or an exponent is none, since servers differ in what they read there.
pub fn whole_number(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn only_digits_are_a_number_and_none_is_too_large() {
        for (value, number) in [
            (&b"0"[..], 0),
            (b"007", 7),
            (b" 7\t", 7),
            (b"18446744073709551615", u64::MAX),
            (b"18446744073709551616", u64::MAX),
            (&[b'9'; 10_000], u64::MAX),
        ] {
            assert_eq!(whole_number(value), Some(number), "{value:?}");
        }
        for value in ["", " ", "-1", "+1", "1.0", "1e3", "0x1", "1,2", "1 2", "1_000", "١", "seven"] {
            assert_eq!(whole_number(value.as_bytes()), None, "{value}");
        }
        assert_eq!(whole_number(b"\xFF1"), None);
    }
}
