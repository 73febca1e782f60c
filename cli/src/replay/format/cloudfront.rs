//! AWS CloudFront: words between tabs, which a heading names. Times are in whole seconds, those of the end.

use super::line::{Line, Slot, Text, Unreadable};
use super::mapping::Mapping;
use super::time::Unit;
use super::{Entry, Format, Parser};
use std::borrow::Cow;

pub const FORMAT: Format = Format::new(
    "cloudfront",
    "AWS CloudFront, standard logs; fields are named as in its heading",
    |mapping| Ok(Parser::CloudFront(CloudFront::new(mapping))),
);

/// The fields in the order of the last heading.
pub struct CloudFront {
    mapping: Mapping,
    columns: Vec<Vec<Slot>>,
}

const FIELDS: &[(Slot, &str)] = &[
    (Slot::BytesOut, "sc-bytes"),
    (Slot::Text(Text::Client), "c-ip"),
    (Slot::Text(Text::Method), "cs-method"),
    (Slot::Text(Text::Path), "cs-uri-stem"),
    (Slot::Status, "sc-status"),
    (Slot::Text(Text::Referer), "cs(Referer)"),
    (Slot::Text(Text::UserAgent), "cs(User-Agent)"),
    (Slot::Query, "cs-uri-query"),
    // The host that the client has named; cs(Host) is the distribution.
    (Slot::Text(Text::Host), "x-host-header"),
    (Slot::BytesIn, "cs-bytes"),
    (Slot::Duration(Unit::Seconds), "time-taken"),
    (Slot::Text(Text::Forwarded), "x-forwarded-for"),
];

/// The columns of a log whose heading is missing.
const USUAL: &[u8] = b"date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken \
x-forwarded-for";

impl CloudFront {
    fn new(mapping: &Mapping) -> CloudFront {
        let mut new = CloudFront { mapping: mapping.clone(), columns: Vec::new() };
        new.set_heading(USUAL);
        new
    }

    fn set_heading(&mut self, names: &[u8]) {
        let slots = |name: &[u8]| {
            let of_format =
                FIELDS.iter().filter(|(_, field)| field.as_bytes() == name).map(|(slot, _)| *slot);
            let mapped = self.mapping.fields.iter().filter(|(_, field)| field.as_bytes() == name);
            of_format.chain(mapped.map(|(slot, _)| *slot)).collect()
        };
        let names = names.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty());
        // The first two are the time.
        self.columns = names.skip(2).take(64).map(slots).collect();
    }

    /// Whether a column says this.
    pub fn reads(&self, slot: Slot) -> bool {
        self.columns.iter().any(|said| said.contains(&slot))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is none of this format, or no request.
    pub fn parse<'a>(&mut self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<Entry, Unreadable> {
        if let Some(comment) = bytes.strip_prefix(b"#") {
            if let Some(names) = comment.strip_prefix(b"Fields:") {
                self.set_heading(names);
            }
            return Ok(Entry::Nothing);
        }
        let date_end = memchr::memchr(b'\t', bytes).ok_or(Unreadable::Shape)?;
        let rest = bytes.get(date_end + 1..).unwrap_or_default();
        let time_end = memchr::memchr(b'\t', rest).ok_or(Unreadable::Shape)?;
        line.set(Slot::End, Cow::Borrowed(bytes.get(..date_end + 1 + time_end).unwrap_or_default()))?;
        let words = rest.get(time_end + 1..).unwrap_or_default().split(|byte| *byte == b'\t');
        for (word, slots) in words.zip(&self.columns) {
            for slot in slots {
                let value = match slot {
                    Slot::Text(Text::UserAgent | Text::Referer) => decoded(word),
                    Slot::Start | Slot::End | Slot::Duration(_) | Slot::Status | Slot::BytesIn => {
                        Cow::Borrowed(word)
                    }
                    Slot::BytesOut
                    | Slot::Request
                    | Slot::Query
                    | Slot::Decision
                    | Slot::Text(_)
                    | Slot::Header(_) => Cow::Borrowed(word),
                };
                line.set(*slot, value)?;
            }
        }
        line.complete().map(|()| Entry::Request)
    }
}

/// Headers come with their blanks as `%20`, and with a `%` of their own as `%25`.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, escaped) {
            (b'%', Some(escaped)) => (out.push(escaped), rest = after.get(2..).unwrap_or_default()).0,
            (byte, _) => (out.push(*byte), rest = after).0,
        }
    }
    Cow::Owned(out)
}
