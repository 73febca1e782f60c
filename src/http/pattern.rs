//! Patterns: how a policy names the values of headers, hosts, query parameters and cookies.

use std::fmt;

/// A text, in which `*` stands for any text, also none, at the start, at the end or both.
///
/// `*` alone is any text but the empty one. `\*` is an asterisk itself, and `\\` a backslash; a backslash
/// before anything else is itself, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    shape: Shape,
    text: String,
}

/// What a value has to do with a pattern's text.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// It is the text.
    Exact,
    /// It starts with the text.
    Prefix,
    /// It ends with the text.
    Suffix,
    /// It contains the text. For each prefix of the text, the length of its longest proper prefix that it
    /// also ends with (Knuth, Morris and Pratt): a client must not make a search slow.
    Contains(Vec<usize>),
    /// It is not empty.
    Any,
}

impl Pattern {
    /// Parses a pattern. `None`: a `*` is neither at the start nor at the end, or there is nothing between
    /// two.
    pub fn parse(written: &str) -> Option<Pattern> {
        let mut text = Vec::with_capacity(written.len());
        // How many asterisks there are, and whether the first and the last byte are some.
        let (mut stars, mut first, mut last) = (0, false, false);
        let mut rest = written.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            (rest, last) = (behind, *byte == b'*');
            if last {
                first |= text.is_empty() && stars == 0;
                stars += 1;
                continue;
            }
            match (byte, behind) {
                (b'\\', [escaped @ (b'*' | b'\\'), behind @ ..]) => {
                    text.push(*escaped);
                    rest = behind;
                }
                (other, _) => text.push(*other),
            }
        }
        // Only ASCII bytes were left out.
        let text = String::from_utf8(text).ok()?;
        let shape = match (stars, first, last, text.is_empty()) {
            (0, ..) => Shape::Exact,
            (1, _, _, true) => Shape::Any,
            (1, true, ..) => Shape::Suffix,
            (1, _, true, _) => Shape::Prefix,
            (2, true, true, false) => Shape::Contains(borders(text.as_bytes())),
            _ => return None,
        };
        Some(Pattern { shape, text })
    }

    /// Whether a value fits.
    #[inline(never)] // one copy for all callers
    pub fn fits(&self, value: &[u8]) -> bool {
        let text = self.text.as_bytes();
        match &self.shape {
            Shape::Exact => value == text,
            Shape::Prefix => value.starts_with(text),
            Shape::Suffix => value.ends_with(text),
            Shape::Contains(borders) => contains(value, text, borders),
            Shape::Any => !value.is_empty(),
        }
    }

    /// Whether every value that fits `other` fits this pattern, as far as that can be decided.
    pub fn covers(&self, other: &Pattern) -> bool {
        let text = other.text.as_bytes();
        match (&self.shape, &other.shape) {
            (Shape::Exact, _) | (_, Shape::Any) => self == other,
            (Shape::Any, _) => !text.is_empty(),
            (_, Shape::Exact) => self.fits(text),
            (Shape::Prefix, Shape::Prefix) | (Shape::Suffix, Shape::Suffix) | (Shape::Contains(_), _) => {
                self.fits(text)
            }
            (Shape::Prefix, Shape::Suffix | Shape::Contains(_))
            | (Shape::Suffix, Shape::Prefix | Shape::Contains(_)) => false,
        }
    }

    /// The text without its asterisks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether only the text itself fits.
    pub fn is_exact(&self) -> bool {
        self.shape == Shape::Exact
    }
}

impl fmt::Display for Pattern {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.replace('\\', "\\\\").replace('*', "\\*");
        match self.shape {
            Shape::Exact => f.write_str(&text),
            Shape::Prefix => write!(f, "{text}*"),
            Shape::Suffix => write!(f, "*{text}"),
            Shape::Contains(_) => write!(f, "*{text}*"),
            Shape::Any => f.write_str("*"),
        }
    }
}

/// See [`Shape::Contains`].
fn borders(text: &[u8]) -> Vec<usize> {
    let mut borders = Vec::with_capacity(text.len());
    for (i, byte) in text.iter().enumerate() {
        let found = if i == 0 { 0 } else { matched(text, &borders, borders.last().copied(), *byte) };
        borders.push(found);
    }
    borders
}

/// How much of the text is matched once `byte` follows `before` of its bytes.
fn matched(text: &[u8], borders: &[usize], before: Option<usize>, byte: u8) -> usize {
    let mut length = before.unwrap_or_default();
    loop {
        if text.get(length) == Some(&byte) {
            return length + 1;
        }
        match length.checked_sub(1).and_then(|last| borders.get(last)) {
            Some(shorter) => length = *shorter,
            None => return 0,
        }
    }
}

fn contains(value: &[u8], text: &[u8], borders: &[usize]) -> bool {
    let mut length = 0;
    value.iter().any(|byte| {
        length = matched(text, borders, Some(length), *byte);
        length == text.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn c_an_asterisk_is_any_text_at_the_start_at_the_end_or_both() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("live", &["live"], &["", "Live", "live ", "alive"]),
            ("sk_live_*", &["sk_live_", "sk_live_1"], &["sk_test_1", " sk_live_1", "SK_LIVE_1", ""]),
            ("*-staging", &["-staging", "api-staging"], &["api-staging2", "staging", ""]),
            ("*bot*", &["bot", "Googlebot/2.1", "bbot"], &["bo", "Bot", "b-ot", ""]),
            ("*", &["a", "*", " "], &[""]),
            ("", &[""], &["a"]),
            (r"\*", &["*"], &["a", r"\*", ""]),
            (r"2\*3*", &["2*3", "2*34"], &["2x3"]),
            (r"*\*", &["*", "a*"], &["", "a"]),
            (r"CORP\\*", &[r"CORP\ann"], &["CORP", "CORPann"]),
            (r"a\b", &[r"a\b"], &["ab"]),
            (r"a\", &[r"a\"], &["a"]),
        ];
        for (text, fitting, others) in cases {
            for value in *fitting {
                assert!(pattern(text).fits(value.as_bytes()), "{text} fits {value:?}");
            }
            for value in *others {
                assert!(!pattern(text).fits(value.as_bytes()), "{text} does not fit {value:?}");
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn c_an_asterisk_anywhere_else_is_no_pattern() {
        for text in ["a*b", "**", "***", "*a*b", "a*b*", "**a", "a**", "*a**", r"a*\*"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_pattern_covers_another_if_it_fits_all_that_the_other_does() {
        for (one, other) in [
            ("*", "a"),
            ("*", "a*"),
            ("a*", "ab*"),
            ("a*", "ab"),
            ("*a", "*ba"),
            ("*a*", "*bac*"),
            ("*a*", "ba*"),
            ("*a*", "*ab"),
        ] {
            assert!(pattern(one).covers(&pattern(other)), "{one} {other}");
            assert!(!pattern(other).covers(&pattern(one)), "{other} {one}");
        }
        for (one, other) in [("a*", "*a"), ("a*", "*a*"), ("*", ""), ("a", "b"), ("a*", "*")] {
            assert!(!pattern(one).covers(&pattern(other)), "{one} {other}");
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn c_a_pattern_of_any_text_fits_what_it_says(
            text in "[ab\\\\*é]{0,6}", value in prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..12),
        ) {
            if let Some(pattern) = Pattern::parse(&text) {
                prop_assert_eq!(&Pattern::parse(&pattern.to_string()), &Some(pattern.clone()));
                let own = pattern.text().as_bytes();
                let found = own.is_empty() || value.windows(own.len()).any(|part| part == own);
                let expected = match &pattern.shape {
                    Shape::Exact => value == own,
                    Shape::Prefix => value.starts_with(own),
                    Shape::Suffix => value.ends_with(own),
                    Shape::Contains(_) => found,
                    Shape::Any => !value.is_empty(),
                };
                prop_assert_eq!(pattern.fits(&value), expected);
            }
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn c_a_text_is_found_wherever_it_is(text in "[ab]{1,6}", value in "[ab]{0,30}") {
            let pattern = Pattern::parse(&format!("*{text}*")).unwrap();
            prop_assert_eq!(pattern.fits(value.as_bytes()), value.contains(&text));
        }
    }
}
