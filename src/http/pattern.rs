//! Patterns: how a policy names the values of headers, hosts, query parameters and cookies, and segments of
//! paths.

use std::fmt;

/// A text, in which each `*` stands for any text, also none.
///
/// `*` alone is any text but the empty one. `\*` is an asterisk itself, and `\\` a backslash; a backslash
/// before anything else is itself, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    shape: Shape,
    /// Without asterisks.
    text: Vec<u8>,
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
    /// It has the parts of the text one after another.
    Parts(Box<Parts>),
    /// It is not empty.
    Any,
}

/// The texts between asterisks.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    /// Before the first asterisk; may be empty.
    start: Vec<u8>,
    /// Between two asterisks each.
    inner: Vec<Part>,
    /// After the last asterisk; may be empty.
    end: Vec<u8>,
}

/// A text that is searched for.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// Not empty.
    text: Vec<u8>,
    /// For each prefix of the text, the length of its longest proper prefix that it also ends with (Knuth,
    /// Morris and Pratt): a client must not make a search slow.
    borders: Vec<usize>,
}

impl Pattern {
    /// Parses a pattern. `None`: there is nothing between two asterisks.
    pub fn parse(written: &str) -> Option<Pattern> {
        let mut texts = vec![Vec::with_capacity(written.len())];
        let mut rest = written.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            let (byte, behind) = match (byte, behind) {
                (b'\\', [escaped @ (b'*' | b'\\'), behind @ ..]) => (Some(*escaped), behind),
                (b'*', _) => (None, behind),
                (other, _) => (Some(*other), behind),
            };
            match byte {
                Some(byte) => texts.last_mut()?.push(byte),
                None => texts.push(Vec::new()),
            }
            rest = behind;
        }
        Pattern::of(texts)
    }

    /// The pattern with an asterisk between each two of these texts. `None`: one between two asterisks is
    /// empty.
    pub(super) fn of(mut texts: Vec<Vec<u8>>) -> Option<Pattern> {
        let text = texts.concat();
        let (end, start) = (texts.pop()?, if texts.is_empty() { None } else { Some(texts.remove(0)) });
        let shape = match start {
            None => Shape::Exact,
            Some(_) if texts.iter().any(Vec::is_empty) => return None,
            Some(start) => match (texts.is_empty(), start.is_empty(), end.is_empty()) {
                (true, true, true) => Shape::Any,
                (true, false, true) => Shape::Prefix,
                (true, true, false) => Shape::Suffix,
                (_, _, _) => {
                    let inner = texts.into_iter().map(Part::new).collect();
                    Shape::Parts(Box::new(Parts { start, inner, end }))
                }
            },
        };
        Some(Pattern { shape, text })
    }

    /// The texts with an asterisk between each two.
    pub(super) fn texts(&self) -> Vec<&[u8]> {
        match &self.shape {
            Shape::Exact => vec![&self.text],
            Shape::Prefix => vec![&self.text, b""],
            Shape::Suffix => vec![b"", &self.text],
            Shape::Any => vec![b"", b""],
            Shape::Parts(parts) => {
                let inner = parts.inner.iter().map(|part| part.text.as_slice());
                let (start, end) = (parts.start.as_slice(), parts.end.as_slice());
                std::iter::once(start).chain(inner).chain([end]).collect()
            }
        }
    }

    /// What fits this pattern up to a `dot` and then has anything. `None`: that fits it anyway.
    pub fn before(&self, dot: u8) -> Option<Pattern> {
        let texts = self.texts();
        let (end, others) = texts.split_last()?;
        if end.is_empty() {
            return None;
        }
        let others = others.iter().map(|text| text.to_vec());
        Pattern::of(others.chain([[end, &[dot][..]].concat(), Vec::new()]).collect())
    }

    /// Whether a value fits. The time that it takes grows with the length of the value and with nothing else
    /// that a client chooses.
    #[inline(never)] // one copy for all callers
    pub fn fits(&self, value: &[u8]) -> bool {
        let text = self.text.as_slice();
        match &self.shape {
            Shape::Exact => value == text,
            Shape::Prefix => value.starts_with(text),
            Shape::Suffix => value.ends_with(text),
            Shape::Parts(parts) => parts.fit(value),
            Shape::Any => !value.is_empty(),
        }
    }

    /// Whether every value that fits `other` fits this pattern, as far as that can be decided.
    pub fn covers(&self, other: &Pattern) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Exact, _) | (_, Shape::Any) => self == other,
            (Shape::Any, _) => !other.text.is_empty(),
            // An asterisk of the other one is a text that only an asterisk of this one has for sure.
            (Shape::Prefix | Shape::Suffix | Shape::Parts(_), _) => {
                let marked: Vec<Vec<Option<u8>>> = other.texts().iter().map(|text| marked(text)).collect();
                self.fits_marked(&marked.join(&None))
            }
        }
    }

    /// Whether a value fits in which `None` is any text.
    fn fits_marked(&self, value: &[Option<u8>]) -> bool {
        let texts: Vec<Vec<Option<u8>>> = self.texts().iter().map(|text| marked(text)).collect();
        let [start, inner @ .., end] = texts.as_slice() else { return false };
        let between = value.strip_prefix(start.as_slice()).and_then(|rest| rest.strip_suffix(end.as_slice()));
        let Some(mut rest) = between else { return false };
        inner.iter().all(|text| {
            let found = rest.windows(text.len()).position(|part| part == text.as_slice());
            rest = found.and_then(|at| rest.get(at + text.len()..)).unwrap_or_default();
            found.is_some()
        })
    }

    /// The text without its asterisks.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Whether only the text itself fits.
    pub fn is_exact(&self) -> bool {
        self.shape == Shape::Exact
    }
}

fn marked(text: &[u8]) -> Vec<Option<u8>> {
    text.iter().copied().map(Some).collect()
}

impl fmt::Display for Pattern {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, text) in self.texts().iter().enumerate() {
            let text = String::from_utf8_lossy(text).replace('\\', "\\\\").replace('*', "\\*");
            f.write_str(if i == 0 { "" } else { "*" })?;
            f.write_str(&text)?;
        }
        Ok(())
    }
}

impl Parts {
    /// Each part is taken where it is first found: what follows then has the most room.
    fn fit(&self, value: &[u8]) -> bool {
        let between = value.strip_prefix(self.start.as_slice());
        let Some(mut rest) = between.and_then(|rest| rest.strip_suffix(self.end.as_slice())) else {
            return false;
        };
        self.inner.iter().all(|part| match part.end_in(rest).and_then(|end| rest.get(end..)) {
            Some(behind) => {
                rest = behind;
                true
            }
            None => false,
        })
    }
}

impl Part {
    fn new(text: Vec<u8>) -> Part {
        let mut part = Part { borders: Vec::with_capacity(text.len()), text };
        for (i, byte) in part.text.iter().enumerate() {
            let before = part.borders.last().copied().unwrap_or_default();
            let found = if i == 0 { 0 } else { part.matched(before, *byte) };
            part.borders.push(found);
        }
        part
    }

    /// Where the first occurrence of the text ends.
    fn end_in(&self, value: &[u8]) -> Option<usize> {
        let mut length = 0;
        let last = value.iter().position(|byte| {
            length = self.matched(length, *byte);
            length == self.text.len()
        });
        last.map(|last| last + 1)
    }

    /// How much of the text is matched once `byte` follows `length` of its bytes.
    fn matched(&self, mut length: usize, byte: u8) -> usize {
        loop {
            if self.text.get(length) == Some(&byte) {
                return length + 1;
            }
            match length.checked_sub(1).and_then(|last| self.borders.get(last)) {
                Some(shorter) => length = *shorter,
                None => return 0,
            }
        }
    }
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
    fn an_asterisk_is_any_text_wherever_it_is() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("live", &["live"], &["", "Live", "live ", "alive"]),
            ("sk_live_*", &["sk_live_", "sk_live_1"], &["sk_test_1", " sk_live_1", "SK_LIVE_1", ""]),
            ("*-staging", &["-staging", "api-staging"], &["api-staging2", "staging", ""]),
            ("*bot*", &["bot", "Googlebot/2.1", "bbot"], &["bo", "Bot", "b-ot", ""]),
            ("*", &["a", "*", " "], &[""]),
            ("", &[""], &["a"]),
            (
                "sk_*_live",
                &["sk__live", "sk_1_live", "sk_live_live"],
                &["sk_live", "sk_1_live2", "xsk_1_live"],
            ),
            ("a*a", &["aa", "aba"], &["a", "ab", ""]),
            ("a*b*c", &["abc", "axbxc", "abbcc", "acbc"], &["ac", "acb", "abcd", "cba", ""]),
            ("*a*b", &["ab", "xaxb", "bab"], &["ba", "aba", ""]),
            ("a*b*", &["ab", "axbx"], &["a", "ba", ""]),
            ("*ab*ab*", &["abab", "ab-ab", "aabaab"], &["ab", "aba", "bab"]),
            (r"a*\*", &["a*", "ab*"], &["a", "ab", "*"]),
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
    fn two_asterisks_in_a_row_are_no_pattern() {
        for text in ["**", "***", "**a", "a**", "*a**", "a**b", "a*b**c"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    /// A search that starts anew behind each near miss would take 10^12 steps here.
    #[wasm_bindgen_test(unsupported = test)]
    fn no_value_makes_a_pattern_slow() {
        let near_miss = format!("{}b", "a".repeat(1_000));
        let hostile = "a".repeat(1_000_000);
        let many = vec![near_miss.as_str(); 20].join("*");
        assert!(!pattern(&format!("*{many}*")).fits(hostile.as_bytes()));
        assert!(!pattern(&format!("a*{many}*b")).fits(format!("{hostile}b").as_bytes()));
        let stars = vec!["a"; 1_000].join("*");
        assert!(pattern(&format!("*{stars}*")).fits(hostile.as_bytes()));
        assert!(!pattern(&format!("*{stars}*c")).fits(hostile.as_bytes()));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_pattern_covers_another_if_it_fits_all_that_the_other_does() {
        for (one, other) in [
            ("*", "a"),
            ("*", "a*"),
            ("*", "a*b*"),
            ("a*", "ab*"),
            ("a*", "ab"),
            ("a*", "ab*c"),
            ("*a", "*ba"),
            ("*a*", "*bac*"),
            ("*a*", "ba*"),
            ("*a*", "*ab"),
            ("a*c", "abc"),
            ("a*c", "ab*bc"),
            ("a*b*c", "axbxc"),
            ("a*b*c", "a*bb*c"),
            ("*b*", "a*b*c"),
        ] {
            assert!(pattern(one).covers(&pattern(other)), "{one} {other}");
            assert!(!pattern(other).covers(&pattern(one)), "{other} {one}");
        }
        for (one, other) in [
            ("a*", "*a"),
            ("a*", "*a*"),
            ("*", ""),
            ("a", "b"),
            ("a*", "*"),
            ("a*b", "a*"),
            ("a*b", "*b"),
            ("a*ab", "a*b"),
            ("*ab*", "*a*b*"),
        ] {
            assert!(!pattern(one).covers(&pattern(other)), "{one} {other}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_pattern_before_a_dot_fits_what_the_pattern_does_with_a_suffix() {
        for (text, expected) in [
            ("*.php", Some("*.php.*")),
            ("a*b", Some("a*b.*")),
            ("v*", None),
            ("*", None),
            ("a", Some("a.*")),
        ] {
            assert_eq!(pattern(text).before(b'.'), expected.map(pattern), "{text}");
        }
    }

    /// Whether a value fits these texts with an asterisk between each two, tried in every way.
    fn fits_by_trial(texts: &[&[u8]], value: &[u8]) -> bool {
        let [first, rest @ ..] = texts else { return false };
        match rest {
            [] => value == *first,
            _ => value
                .strip_prefix(*first)
                .is_some_and(|value| (0..=value.len()).any(|skipped| fits_by_trial(rest, &value[skipped..]))),
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_pattern_of_any_text_fits_what_it_says(
            text in "[ab\\\\*é]{0,8}", value in prop::collection::vec(prop_oneof![4 => Just(b'a'), 4 => Just(b'b'), 1 => any::<u8>()], 0..12),
        ) {
            if let Some(pattern) = Pattern::parse(&text) {
                prop_assert_eq!(&Pattern::parse(&pattern.to_string()), &Some(pattern.clone()));
                let texts = pattern.texts();
                prop_assert_eq!(texts.concat(), pattern.text().as_bytes());
                let is_any = pattern.shape == Shape::Any && value.is_empty();
                prop_assert_eq!(pattern.fits(&value), fits_by_trial(&texts, &value) && !is_any);
            }
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn a_text_is_found_wherever_it_is(text in "[ab]{1,6}", value in "[ab]{0,30}") {
            let pattern = Pattern::parse(&format!("*{text}*")).unwrap();
            prop_assert_eq!(pattern.fits(value.as_bytes()), value.contains(&text));
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn what_fits_a_pattern_fits_each_that_covers_it(
            one in "[ab*]{0,5}", other in "[ab*]{0,6}", value in "[ab]{0,8}",
        ) {
            if let (Some(one), Some(other)) = (Pattern::parse(&one), Pattern::parse(&other)) {
                prop_assert!(one.covers(&one));
                let bytes = value.as_bytes();
                prop_assert!(!one.covers(&other) || !other.fits(bytes) || one.fits(bytes), "{} {} {}", one, other, value);
            }
        }
    }
}
