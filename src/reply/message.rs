//! The message of a rejection, in one language or in several.

use super::template::Template;
use super::variable::Variable;

/// A message: one text, or one for each language.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Language tags and texts. The first is the default, for callers who accept none of the languages. The
    /// tag of a single text may be empty.
    texts: Vec<(String, Template)>,
}

impl Message {
    /// The same text for all callers.
    pub fn one(text: Template) -> Message {
        Message { texts: vec![(String::new(), text)] }
    }

    /// One text for each language tag. After the default, the texts are sorted, so that their order in the
    /// configuration does not matter.
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

    /// Whether any of the texts uses this variable.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.texts.iter().any(|(_, text)| text.mentions(variable))
    }

    /// The tag and the text for a caller. `accept_language` is called only if there are several languages.
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

/// The languages to choose from.
struct Tags<'a>(&'a [(String, Template)]);

impl Tags<'_> {
    /// The language, by index, that an `accept-language` header (RFC 9110, 12.5.4) prefers: the one with the
    /// highest weight, then the first in the list, by lookup (RFC 4647, 3.4). `None`: it accepts none of
    /// them.
    fn choose(&self, header: &[u8]) -> Option<usize> {
        /// No real list is longer.
        const MAX_LEN: usize = 512;
        let header = header.get(..MAX_LEN).unwrap_or(header);
        let (mut best, mut any) = (None, 0);
        for (range, weight) in ranges(header) {
            if range == b"*" {
                any = weight.max(any);
            } else if best.is_none_or(|(_, best)| weight > best) && weight > 0 {
                best = self.lookup(range).map(|place| (place, weight)).or(best);
            }
        }
        // `*` stands for the languages that no other range in the list matches.
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

    /// The language, by index, that matches a range, or a prefix of it: `es-MX` finds `es`.
    fn lookup(&self, range: &[u8]) -> Option<usize> {
        let mut range = range;
        loop {
            let named = |(tag, _): &(String, Template)| tag.as_bytes().eq_ignore_ascii_case(range);
            if let Some(place) = self.0.iter().position(named) {
                return Some(place);
            }
            let hyphen = range.iter().rposition(|byte| *byte == b'-')?;
            range = range.get(..hyphen)?;
            // A single-character subtag only introduces the subtag after it, so both go.
            if let [rest @ .., b'-', _] = range {
                range = rest;
            }
        }
    }
}

/// The ranges of an `accept-language` list with their weights, in thousandths. Invalid entries are skipped.
fn ranges(header: &[u8]) -> impl Iterator<Item = (&[u8], u16)> {
    header.split(|byte| *byte == b',').filter_map(|entry| {
        let mut parts = entry.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let weight = parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")));
        Some((range, weight.map_or(Some(1_000), thousandths)?))
    })
}

/// Parses a weight: `0.75` is 750. `None`: it is not one.
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
