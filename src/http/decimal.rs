//! Numbers as texts. Formatting them with the standard library would add 15 KB to the module.

/// The shortest decimal that stands for a number, without an exponent: of a whole one its digits. `None`: it
/// is none, or has no decimal of at most 19 places before and after the point.
pub fn decimal(number: f64) -> Option<String> {
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    let (sign, size) = (if number < 0.0 { "-" } else { "" }, number.abs());
    if size.is_nan() || size >= TWO_TO_64 {
        return None;
    }
    let whole = size as u64;
    if size.fract() == 0.0 {
        return Some(format!("{sign}{whole}"));
    }
    let (places, fraction) = (1..=19).find_map(|places| Some((places, fraction(size, whole, places)?)))?;
    Some(format!("{sign}{whole}.{fraction:0places$}"))
}

/// The digits behind the point, if that many are enough to tell the number from all others. `size` is not
/// whole, so it is smaller than 2^53.
fn fraction(size: f64, whole: u64, places: usize) -> Option<u64> {
    const LEAST: u64 = 1 << 52;
    let bits = size.to_bits();
    // The number is `digits` / 2^`shift`. Those that are too small have a larger shift.
    let digits = bits & (LEAST - 1) | LEAST;
    let shift = 1_075_u64.checked_sub(bits >> 52).filter(|shift| (1..=126).contains(shift))?;
    let scale = 10_u64.checked_pow(u32::try_from(places).ok()?)?;
    let exact = u128::from(digits) * u128::from(scale);
    let rounded = (exact + (1 << (shift - 1))) >> shift;
    let error = (rounded << shift).abs_diff(exact);
    // The next number is 1 / 2^`shift` away, and below a power of two half as much.
    let steps = if digits == LEAST { 4 } else { 2 };
    let is_enough = error * steps < u128::from(scale);
    let fraction = rounded.checked_sub(u128::from(whole) * u128::from(scale))?;
    is_enough.then(|| u64::try_from(fraction).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_number_reads_as_its_shortest_decimal() {
        for (number, digits) in [
            (3.0, "3"),
            (0.0, "0"),
            (-0.0, "0"),
            (-12.0, "-12"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-2.5, "-2.5"),
            (19.99, "19.99"),
            (1e15, "1000000000000000"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (-9_007_199_254_740_992.0, "-9007199254740992"),
            (1e19, "10000000000000000000"),
            (1e-7, "0.0000001"),
            (0.5, "0.5"),
            (1.0 / 3.0, "0.3333333333333333"),
            (4_503_599_627_370_495.5, "4503599627370495.5"),
        ] {
            assert_eq!(decimal(number).as_deref(), Some(digits));
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 2e19, 1e-20, 5e-324] {
            assert_eq!(decimal(number), None);
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_decimal_stands_for_its_number_and_for_no_other(
            number in prop_oneof![-1e3..1e3, -1e18..1e18, any::<f64>(), (-10_000i32..10_000).prop_map(|cents| f64::from(cents) / 100.0)],
        ) {
            if let Some(text) = decimal(number) {
                prop_assert_eq!(text.parse::<f64>().unwrap(), number);
                prop_assert!(text.len() <= number.to_string().len() || number.abs() > 9e15);
            }
            let usual = number == 0.0 || (0.01..1e19).contains(&number.abs());
            prop_assert!(!usual || decimal(number).is_some());
        }
    }
}
