//! The message of a rejection: one text, or one for each of several languages.

use super::template::{Template, Variable};

/// What a caller is told in words, in one language or in several.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Language tags as they were written, each with its text; the first is for callers who ask for none of them.
    /// A single text needs no tag.
    texts: Vec<(String, Template)>,
}

impl Message {
    /// One text for all.
    pub fn one(text: Template) -> Message {
        Message { texts: vec![(String::new(), text)] }
    }

    /// By language. The order of the others does not depend on that of the `texts`.
    pub fn by_language(texts: Vec<(String, Template)>, default: &str) -> Message {
        let mut message = Message { texts: Vec::with_capacity(texts.len()) };
        for (tag, text) in texts {
            let place = if tag == default {
                0
            } else {
                let before = |(other, _): &&(String, Template)| other == default || *other < tag;
                message.texts.iter().filter(before).count()
            };
            message.texts.insert(place, (tag, text));
        }
        message
    }

    /// Whether any of its texts has this variable.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.texts.iter().any(|(_, text)| text.mentions(variable))
    }

    /// The text for a caller, and its language if there are several. Asks for the caller's `accept-language` only
    /// then.
    pub fn choose(&self, accept_language: impl FnOnce() -> Option<Vec<u8>>) -> Option<(&str, &Template)> {
        let place = if self.texts.len() > 1 {
            let tags = Tags(&self.texts);
            accept_language().and_then(|accepted| tags.choose(&accepted)).unwrap_or_default()
        } else {
            0
        };
        self.texts.get(place).map(|(tag, text)| (tag.as_str(), text))
    }
}

/// The languages that there are.
struct Tags<'a>(&'a [(String, Template)]);

impl Tags<'_> {
    /// The language that an `accept-language` header (RFC 9110, 12.5.4) asks for most: by its weight, then in its
    /// order, found by lookup (RFC 4647, 3.4). `None`: none of them.
    fn choose(&self, header: &[u8]) -> Option<usize> {
        /// No honest list is longer.
        const LONGEST: usize = 512;
        let header = header.get(..LONGEST).unwrap_or(header);
        let (mut best, mut any) = (None, 0);
        for (range, weight) in ranges(header) {
            if range == b"*" {
                any = weight.max(any);
            } else if best.is_none_or(|(_, best)| weight > best) && weight > 0 {
                best = self.lookup(range).map(|place| (place, weight)).or(best);
            }
        }
        // The asterisk is for languages that nothing else in the list is about.
        let others = || {
            (0..self.0.len())
                .find(|place| !ranges(header).any(|(range, _)| self.lookup(range) == Some(*place)))
        };
        match best {
            Some((_, weight)) if any > weight => others().or(best.map(|(place, _)| place)),
            None if any > 0 => others(),
            best => best.map(|(place, _)| place),
        }
    }

    /// The language that a range names, or else one that is broader: `es-MX` finds `es`.
    fn lookup(&self, range: &[u8]) -> Option<usize> {
        let mut range = range;
        loop {
            let named = |(tag, _): &(String, Template)| tag.as_bytes().eq_ignore_ascii_case(range);
            if let Some(place) = self.0.iter().position(named) {
                return Some(place);
            }
            let hyphen = range.iter().rposition(|byte| *byte == b'-')?;
            range = range.get(..hyphen)?;
            // A single character only introduces what was behind it.
            if let [rest @ .., b'-', _] = range {
                range = rest;
            }
        }
    }
}

/// The ranges of a list with their weights, in thousandths. What is no range is none.
fn ranges(header: &[u8]) -> impl Iterator<Item = (&[u8], u16)> {
    header.split(|byte| *byte == b',').filter_map(|entry| {
        let mut parts = entry.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let weight = parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")));
        Some((range, weight.map_or(Some(1_000), thousandths)?))
    })
}

/// `0.75` as 750. `None`: no weight.
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = text.split_first()?;
    let fraction = match fraction {
        [] => fraction,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut weight = u16::from(char::from(*whole).to_digit(2)? == 1) * 1_000;
    for (place, digit) in [100, 10, 1].into_iter().zip(fraction) {
        weight += place * u16::try_from(char::from(*digit).to_digit(10)?).ok()?;
    }
    (weight <= 1_000).then_some(weight)
}

#[cfg(test)]
mod tests;
