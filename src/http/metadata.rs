//! What earlier filters have left in the request's dynamic metadata, such as the claims of a verified token.
//!
//! Envoy writes one value without saying of which kind it is: a text as its bytes, a number as the eight
//! bytes of a double, a flag as one byte, an object or a list as pairs of such bytes, the fields of an object
//! in another order each time. So a text of eight bytes, which a client may have chosen, could pass for a
//! number. All metadata at once has every value's kind, because Envoy writes it as a protobuf message:
//!
//! ```text
//! Metadata  { map<string, Struct> filter_metadata = 1; … }
//! Struct    { map<string, Value> fields = 1; }
//! Value     { oneof kind { null 1, number 2, string 3, bool 4, struct 5, list 6 } }
//! ListValue { repeated Value values = 1; }
//! ```
//!
//! A value whose bytes can only be a text, which nearly every text's are, costs one host call. For all others
//! a second call asks for all metadata, and the value is looked up there, without an allocation for anything
//! that is not on the way to it.

use super::Elements;
use super::decimal::decimal;
use crate::wire::{WireContent, WireField, WireFields};

/// Where a value of dynamic metadata is: the name of the filter that wrote it, then the keys inside.
///
/// It is stored as Envoy's `get_property` takes it, because the path is needed for each request: keeping only
/// the segments here would make the host's side build the path, or look it up, each time.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataPath {
    property: Vec<u8>,
    /// Whether it is metadata of Envoy's route, which its operator has written.
    of_route: bool,
}

/// What the path of a request's metadata begins with.
const OF_REQUEST: &[u8] = b"metadata";

/// The same for the metadata of Envoy's route.
const OF_ROUTE: &[u8] = b"xds\0route_metadata";

impl MetadataPath {
    /// The path with these segments.
    pub fn new<'a>(segments: impl IntoIterator<Item = &'a str>) -> MetadataPath {
        MetadataPath::under(false, segments)
    }

    /// The same in the metadata of Envoy's route.
    pub fn of_route<'a>(segments: impl IntoIterator<Item = &'a str>) -> MetadataPath {
        MetadataPath::under(true, segments)
    }

    fn under<'a>(of_route: bool, segments: impl IntoIterator<Item = &'a str>) -> MetadataPath {
        let mut property = if of_route { OF_ROUTE } else { OF_REQUEST }.to_vec();
        property.extend_from_slice(b"\0filter_metadata");
        for segment in segments {
            property.push(0);
            property.extend_from_slice(segment.as_bytes());
        }
        MetadataPath { property, of_route }
    }

    /// The segments: the filter's name, then the keys.
    pub fn segments(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        self.bytes().map(String::from_utf8_lossy)
    }

    fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.property.split(|byte| *byte == 0).skip(if self.of_route { 3 } else { 2 })
    }

    /// The path as Envoy's `get_property` takes it: its segments, separated by zero bytes.
    pub fn property(&self) -> &[u8] {
        &self.property
    }

    /// The path of all metadata that the value is in.
    pub fn whole(&self) -> &'static [u8] {
        if self.of_route { OF_ROUTE } else { OF_REQUEST }
    }
}

impl std::fmt::Display for MetadataPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments().collect::<Vec<_>>().join("/"))
    }
}

/// A value of dynamic metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataValue {
    /// A text, as bytes: a filter may copy it from a header.
    Text(Vec<u8>),
    /// A number. Whole ones are exact up to 2^53.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A list.
    List(Elements),
    /// An object with fields, or one without.
    Object {
        /// Whether it has no fields.
        is_empty: bool,
    },
}

impl MetadataValue {
    /// The value, if these bytes, as Envoy writes one value, can only be a text.
    pub fn certain_text(bytes: Vec<u8>) -> Result<MetadataValue, Vec<u8>> {
        match bytes.as_slice() {
            [0 | 1] | [_, _, _, _, _, _, _, _] => Err(bytes),
            pairs if is_pairs(pairs) => Err(bytes),
            _ => Ok(MetadataValue::Text(bytes)),
        }
    }

    /// The value that bytes stand for if nobody says of which kind it is.
    pub fn guess(bytes: Vec<u8>) -> MetadataValue {
        match bytes.as_slice() {
            [0] => MetadataValue::Flag(false),
            [1] => MetadataValue::Flag(true),
            pairs if is_pairs(pairs) => MetadataValue::Object { is_empty: pairs == [0; 4] },
            _ => MetadataValue::Text(bytes),
        }
    }

    /// The value at `path`, in all of a request's metadata. `None`: there is none, or it is `null`.
    pub fn find(metadata: &[u8], path: &MetadataPath) -> Option<MetadataValue> {
        let mut segments = path.bytes();
        let mut value = entry(entry(metadata, segments.next()?)?, segments.next()?)?;
        for segment in segments {
            value = match content(value)? {
                WireField { number: STRUCT, content: WireContent::Bytes(fields) } => entry(fields, segment)?,
                WireField { number: LIST, content: WireContent::Bytes(list) } => {
                    let place: u16 = std::str::from_utf8(segment).ok()?.parse().ok()?;
                    nth_value(list, place)?
                }
                _ => return None,
            };
        }
        MetadataValue::decoded(value)
    }

    fn decoded(value: &[u8]) -> Option<MetadataValue> {
        let WireField { number, content } = content(value)?;
        match (number, content) {
            (NUMBER, WireContent::Double(number)) => Some(MetadataValue::Number(number)),
            (TEXT, WireContent::Bytes(text)) => Some(MetadataValue::Text(text.to_vec())),
            (FLAG, WireContent::Varint(flag)) => Some(MetadataValue::Flag(flag != 0)),
            (STRUCT, WireContent::Bytes(fields)) => {
                Some(MetadataValue::Object { is_empty: fields.is_empty() })
            }
            (LIST, WireContent::Bytes(list)) => Some(MetadataValue::List(elements(list))),
            _ => None,
        }
    }

    /// Whether it makes a credential valid: any value but `false`, an empty text, an empty list and an empty
    /// object.
    pub fn is_affirmative(&self) -> bool {
        match self {
            MetadataValue::Text(text) => !text.is_empty(),
            MetadataValue::Number(_) => true,
            MetadataValue::Flag(flag) => *flag,
            MetadataValue::List(list) => !list.is_empty(),
            MetadataValue::Object { is_empty } => !is_empty,
        }
    }

    /// The text that a flag stands for.
    pub fn word(flag: bool) -> &'static str {
        if flag { "true" } else { "false" }
    }
}

const NUMBER: u64 = 2;
const TEXT: u64 = 3;
const FLAG: u64 = 4;
const STRUCT: u64 = 5;
const LIST: u64 = 6;

/// Whether bytes could be an object or a list as Envoy writes it: the number of pairs, the lengths of both
/// parts of each, then the parts.
fn is_pairs(bytes: &[u8]) -> bool {
    let Some((count, rest)) = bytes.split_first_chunk::<4>() else { return false };
    u64::from(u32::from_le_bytes(*count)) * 8 <= rest.len() as u64
}

/// The value of a map's entry, in a message whose field 1 is the map.
#[inline(never)]
fn entry<'a>(message: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = WireFields(message);
    while let Some(entry) = next_value(&mut rest) {
        let (mut own, mut value) = (&[][..], &[][..]);
        for field in WireFields(entry).flatten() {
            match field {
                WireField { number: 1, content: WireContent::Bytes(bytes) } => own = bytes,
                WireField { number: 2, content: WireContent::Bytes(bytes) } => value = bytes,
                _ => {}
            }
        }
        if own == name {
            return Some(value);
        }
    }
    None
}

/// What the next of a message's fields 1 holds.
#[inline(never)]
fn next_value<'a>(fields: &mut WireFields<'a>) -> Option<&'a [u8]> {
    loop {
        if let WireField { number: 1, content: WireContent::Bytes(bytes) } = fields.next()?? {
            return Some(bytes);
        }
    }
}

/// The element of a list at this place.
fn nth_value(list: &[u8], place: u16) -> Option<&[u8]> {
    let mut rest = WireFields(list);
    for _ in 0..place {
        next_value(&mut rest)?;
    }
    next_value(&mut rest)
}

/// What a `Value` holds: of several fields, which no encoder writes, the last.
#[inline(never)]
fn content(value: &[u8]) -> Option<WireField<'_>> {
    let mut last = None;
    for field in WireFields(value) {
        last = field;
    }
    last
}

fn elements(list: &[u8]) -> Elements {
    let (mut elements, mut rest) = (Elements::default(), WireFields(list));
    while let Some(value) = next_value(&mut rest) {
        let Some(WireField { number, content }) = content(value) else { continue };
        match (number, content) {
            (NUMBER, WireContent::Double(number)) => match decimal(number) {
                Some(digits) => elements.push(digits.as_bytes()),
                None => elements.push_without_text(),
            },
            (TEXT, WireContent::Bytes(text)) => elements.push(text),
            (FLAG, WireContent::Varint(flag)) => elements.push(MetadataValue::word(flag != 0).as_bytes()),
            (STRUCT | LIST, _) => elements.push_without_text(),
            // null is absent
            _ => {}
        }
    }
    elements
}

#[cfg(test)]
mod tests;
