//! The combined log format of nginx and Apache, the common one, and what is configured behind it.
//!
//! A user name may have blanks and brackets in it, but no quotation mark that is not escaped. So the request
//! line is found first, and the time before it.

use super::line::{Instant, Line, Slot, Text, Unreadable};
use super::mapping::Mapping;
use super::time::Unit;
use super::words::{Word, Words, closing_quote};
use super::{Format, Parser};
use std::borrow::Cow;

pub const FORMAT: Format = Format::new(
    "combined",
    "nginx and Apache, combined or common; fields behind it are named by number, or by NAME if they are NAME=VALUE",
    |mapping| Combined::new(mapping).map(Parser::Combined),
);

/// The fields behind the combined format that are read.
pub struct Combined {
    more: Vec<(Place, Slot)>,
    instant: Instant,
    /// Whether the last fields are those of Traefik.
    of_traefik: bool,
}

/// Where a field is.
enum Place {
    /// The one with this number behind the combined format, from 1.
    Number(usize),
    /// The one that begins with this and an equals sign.
    Named(Vec<u8>),
}

impl Combined {
    fn new(mapping: &Mapping) -> Result<Combined, String> {
        let more = mapping.fields.iter().map(|(slot, field)| match field.parse() {
            Ok(0) => Err("fields behind the combined format are counted from 1".to_string()),
            Ok(number) => Ok((Place::Number(number), *slot)),
            Err(_) => Ok((Place::Named(field.clone().into_bytes()), *slot)),
        });
        Ok(Combined { more: more.collect::<Result<_, _>>()?, instant: Instant::End, of_traefik: false })
    }

    pub(super) fn traefik(mapping: &Mapping) -> Result<Combined, String> {
        let mut combined = Combined::new(mapping)?;
        combined.more.push((Place::Number(4), Slot::Duration(Unit::Millis)));
        Ok(Combined { instant: Instant::Start, of_traefik: true, ..combined })
    }

    /// Whether a field behind the combined format says this.
    pub fn reads(&self, slot: Slot) -> bool {
        self.more.iter().any(|(_, said)| *said == slot)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is none of this format, or no request.
    pub fn parse<'a>(&self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<(), Unreadable> {
        let quote = memchr::memchr(b'"', bytes).ok_or(Unreadable::Shape)?;
        let (before, after) = bytes.split_at(quote);
        let request = after.get(1..).unwrap_or_default();
        let end = closing_quote(request).ok_or(Unreadable::Shape)?;
        let bracket = memchr::memrchr(b'[', before).ok_or(Unreadable::Shape)?;
        let client_end =
            memchr::memchr(b' ', before).filter(|end| *end < bracket).ok_or(Unreadable::Shape)?;

        let slot = match self.instant {
            Instant::Start => Slot::Start,
            Instant::End => Slot::End,
        };
        let part = |range: std::ops::Range<usize>| Cow::Borrowed(before.get(range).unwrap_or_default());
        line.set(slot, part(bracket..before.len()))?;
        line.set_text(Text::Client, part(0..client_end));
        let rest = request.get(end + 1..).unwrap_or_default();
        let [status, more] = words(rest).ok_or(Unreadable::Shape)?;
        line.set(Slot::Status, Cow::Borrowed(status))?;
        line.set(Slot::Request, Cow::Borrowed(request.get(..end).unwrap_or_default()))?;
        self.parse_more(more, line)?;
        line.complete()
    }

    /// The bytes of the response, then referer and user agent between quotation marks, and what follows them.
    fn parse_more<'a>(&self, rest: &'a [u8], line: &mut Line<'a>) -> Result<(), Unreadable> {
        let mut words = Words::new(rest);
        let bytes = words.next().ok_or(Unreadable::Shape)?;
        line.set(Slot::BytesOut, bytes.text())?;
        if self.of_traefik && !is_traefiks(rest) {
            return Err(Unreadable::Shape);
        }
        let mut number: usize = 0;
        for (place, word) in words.enumerate() {
            match (place, word) {
                (0, Word::Quoted(_)) => line.set_text(Text::Referer, word.text()),
                (1, Word::Quoted(_)) => line.set_text(Text::UserAgent, word.text()),
                (_, _) => {
                    number += 1;
                    self.set_more(number, word, line)?;
                }
            }
        }
        Ok(())
    }

    fn set_more<'a>(&self, number: usize, word: Word<'a>, line: &mut Line<'a>) -> Result<(), Unreadable> {
        for (place, slot) in &self.more {
            match (place, word) {
                (Place::Number(wanted), _) if *wanted == number => line.set(*slot, word.text())?,
                (Place::Named(name), Word::Bare(text)) => {
                    let value = text.strip_prefix(name.as_slice()).and_then(|rest| rest.strip_prefix(b"="));
                    if let Some(value) = value {
                        let value = value.strip_prefix(b"\"").unwrap_or(value);
                        line.set(*slot, Cow::Borrowed(value.strip_suffix(b"\"").unwrap_or(value)))?;
                    }
                }
                (Place::Number(_) | Place::Named(_), _) => {}
            }
        }
        Ok(())
    }
}

/// The first word, and the rest.
fn words(text: &[u8]) -> Option<[&[u8]; 2]> {
    let text = text.trim_ascii_start();
    let end = memchr::memchr(b' ', text)?;
    let (first, rest) = text.split_at(end);
    Some([first, rest])
}

/// Whether a line ends with a server and a duration, as Traefik's do.
fn is_traefiks(rest: &[u8]) -> bool {
    let is_length = |text: &[u8]| {
        let digits = text.strip_suffix(b"ms").filter(|digits| !digits.is_empty());
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
    };
    let start = memchr::memrchr(b' ', rest.trim_ascii_end()).map_or(0, |blank| blank + 1);
    is_length(rest.trim_ascii_end().get(start..).unwrap_or_default())
}
