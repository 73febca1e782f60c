//! Numbers as text, without the standard library's formatting, which would make the module larger.

use std::borrow::Cow;

/// A number's digits, as text.
pub(super) fn decimal(number: u64) -> Cow<'static, str> {
    Cow::Owned(itoa::Buffer::new().format(number).into())
}

/// Appends a number's digits.
pub(super) fn push_decimal(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// What happens to zeros at the end of a fraction.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Zeros {
    /// They are written.
    Keep,
    /// They are left out, and the point with them if nothing follows it.
    Drop,
}

/// Appends `number / unit` as a decimal. `unit` is a power of ten.
pub(super) fn push_fraction(out: &mut String, number: u64, unit: u64, zeros: Zeros) {
    let whole = number.checked_div(unit).unwrap_or_default();
    push_decimal(out, whole);
    let (mut rest, mut unit) = (number.saturating_sub(whole.saturating_mul(unit)), unit / 10);
    if zeros == Zeros::Drop && rest == 0 {
        return;
    }
    out.push('.');
    while unit > 0 && (rest > 0 || zeros == Zeros::Keep) {
        push_decimal(out, rest / unit);
        (rest, unit) = (rest % unit, unit / 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_fraction_has_its_places_or_no_zeros_at_its_end() {
        for (number, kept, dropped) in [
            (0, "0.000", "0"),
            (1, "0.001", "0.001"),
            (20, "0.020", "0.02"),
            (500, "0.500", "0.5"),
            (1_000, "1.000", "1"),
            (64_570, "64.570", "64.57"),
            (u64::MAX, "18446744073709551.615", "18446744073709551.615"),
        ] {
            for (zeros, expected) in [(Zeros::Keep, kept), (Zeros::Drop, dropped)] {
                let mut out = String::new();
                push_fraction(&mut out, number, 1_000, zeros);
                assert_eq!(out, expected);
            }
        }
    }
}
