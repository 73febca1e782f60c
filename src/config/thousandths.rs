//! Numbers with at most three places, as their thousandths.

/// `None`: the number is negative, has more than three places or is too large.
pub(super) fn of_number(number: f64) -> Option<u32> {
    // A number of three places is the double that is nearest to it, and so is the quotient.
    let thousandths = (number * 1_000.0 + 0.5) as u32;
    (f64::from(thousandths) / 1_000.0 == number).then_some(thousandths)
}

/// The same of a number with a point.
pub(super) fn of_text(text: &str) -> Option<u32> {
    let (whole, places) = text.split_once('.')?;
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let scale = 10_u32.checked_pow(u32::try_from(3_usize.checked_sub(places.len())?).ok()?)?;
    if !are_digits(whole) || !are_digits(places) {
        return None;
    }
    let places = places.parse::<u32>().ok()?.checked_mul(scale)?;
    whole.parse::<u32>().ok()?.checked_mul(1_000)?.checked_add(places)
}

/// What an error says is allowed where a number has at most three places.
pub(super) fn allowed(max: i64) -> String {
    format!("a number from 0 to {max} with at most three places, such as 0.1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_text_is_a_number_only_with_a_point_and_at_most_three_places() {
        for (text, expected) in [("0.1", 100), ("5.0", 5_000), ("12.345", 12_345), ("007.50", 7_500)] {
            assert_eq!(of_text(text), Some(expected), "{text}");
        }
        for text in
            ["5", "", ".", "1.", ".5", "0.0001", "-0.1", "+0.1", "0.-1", "1e3", "1.2.3", "0,1", "99999999.0"]
        {
            assert_eq!(of_text(text), None, "{text}");
        }
        for number in [-0.001, 0.000_1, 0.1 + 0.2, 4_294_967.296, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(of_number(number), None, "{number}");
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn every_number_of_three_places_is_read_exactly(number in 0_u32..=1_000_000_000) {
            let text = format!("{}.{:03}", number / 1_000, number % 1_000);
            prop_assert_eq!(of_text(&text), Some(number));
            prop_assert_eq!(of_number(text.parse().unwrap()), Some(number));
        }
    }
}
