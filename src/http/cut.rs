//! A part of a value, between two texts.

use std::borrow::Cow;

/// What of a value counts: what follows one text, up to another one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    /// What follows the first occurrence of this text.
    pub after: Option<String>,
    /// What precedes the first occurrence of this text, after `after`.
    pub before: Option<String>,
}

impl Cut {
    /// The part of a value that counts. If a text does not occur, or nothing is left, the whole value counts: so
    /// nobody escapes a policy by leaving the text out.
    pub fn of<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        match self.part(value) {
            Some(part) if !part.is_empty() => part,
            Some(_) | None => value,
        }
    }

    /// The same for a value that may be owned.
    pub fn of_cow<'a>(&self, value: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        match value {
            Cow::Borrowed(value) => Cow::Borrowed(self.of(value)),
            Cow::Owned(value) => Cow::Owned(self.of(&value).to_vec()),
        }
    }

    /// Takes both texts in lower case, for values in which case does not matter.
    pub fn ignore_case(&mut self) {
        self.after.iter_mut().chain(&mut self.before).for_each(|text| text.make_ascii_lowercase());
    }

    fn part<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let rest = match &self.after {
            Some(after) => value.get(find(value, after)? + after.len()..)?,
            None => value,
        };
        match &self.before {
            Some(before) => rest.get(..find(rest, before)?),
            None => Some(rest),
        }
    }
}

/// Where a text occurs first.
fn find(value: &[u8], text: &str) -> Option<usize> {
    let text = text.as_bytes();
    let first = text.first()?;
    let starts = value.iter().enumerate().filter(|(_, byte)| *byte == first).map(|(at, _)| at);
    starts.into_iter().find(|at| value.get(*at..).is_some_and(|rest| rest.starts_with(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn cut(after: &str, before: &str) -> Cut {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_string());
        Cut { after: text(after), before: text(before) }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_part_lies_between_the_first_occurrences_of_two_texts() {
        for (after, before, value, part) in [
            ("CN=", ",", "O=acme,CN=ann,OU=x", "ann"),
            ("/ns/", "/", "spiffe://cluster/ns/shop/sa/web", "shop"),
            ("-", "", "a-b-c", "b-c"),
            ("", "-", "a-b-c", "a"),
            ("b", "b", "abcbd", "c"),
            ("aab", "", "aaabx", "x"),
        ] {
            assert_eq!(cut(after, before).of(value.as_bytes()), part.as_bytes(), "{value}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn without_the_text_or_with_nothing_behind_it_the_whole_value_counts() {
        for (after, before, value) in [
            ("CN=", "", "O=acme"),
            ("CN=", ",", "CN=ann"),
            ("CN=", "", "CN="),
            ("", "-", "-a"),
            ("-", "-", "a--b"),
            ("-", "-", "a-b"),
            ("x", "", ""),
        ] {
            assert_eq!(cut(after, before).of(value.as_bytes()), value.as_bytes(), "{value}");
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn what_it_finds_is_the_first_occurrence(value in "[ab]{0,12}", after in "[ab]{0,3}", before in "[ab]{0,3}") {
            let rest = if after.is_empty() { Some(value.as_str()) } else { value.split_once(&after).map(|(_, rest)| rest) };
            let part = rest.and_then(|rest| if before.is_empty() { Some(rest) } else { rest.split_once(&before).map(|(part, _)| part) });
            let expected = part.filter(|part| !part.is_empty()).unwrap_or(&value);
            prop_assert_eq!(cut(&after, &before).of(value.as_bytes()), expected.as_bytes());
        }
    }
}
