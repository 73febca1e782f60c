//! Numbers that stand in a response's body, such as the tokens that a language model has used. They are read
//! in passing, piece by piece: nothing of the body is kept.
//!
//! [`Pointers`] says which numbers, [`BodyFormat`] what kind of body it is, and a [`BodyReader`] reads one
//! body. Nothing in here knows limits.

mod format;
mod json;
mod lines;
mod number;
mod pointers;

pub use format::{BodyFormat, Unreadable};
pub use number::BILLION;
pub use pointers::{MAX_SEGMENTS, Pointer, Pointers, Values};

use json::JsonReader;
use lines::Lines;

/// Reads one body, whose bytes may come in any pieces. It needs memory for the values and for as many places
/// as a pointer has segments, whatever the body is.
#[derive(Debug)]
pub struct BodyReader {
    /// What is left of a byte order mark that the body may begin with.
    mark: &'static [u8],
    lines: Option<Lines>,
    json: JsonReader,
    values: Values,
}

/// A byte order mark is no part of a document.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl BodyReader {
    /// A reader of the values of these pointers.
    pub fn new(format: BodyFormat, pointers: &Pointers) -> BodyReader {
        let (lines, json, values) = (Lines::of(format), JsonReader::default(), pointers.no_values());
        BodyReader { mark: BYTE_ORDER_MARK, lines, json, values }
    }

    /// Reads on. `pointers` are those of [`BodyReader::new`].
    pub fn read(&mut self, mut bytes: &[u8], pointers: &Pointers) {
        let BodyReader { mark, lines, json, values } = self;
        while let (Some((expected, more)), Some((byte, rest))) = (mark.split_first(), bytes.split_first()) {
            if expected != byte {
                *mark = &[];
                break;
            }
            (*mark, bytes) = (more, rest);
        }
        match lines {
            Some(lines) => lines.read(bytes, json, pointers, values),
            None => json.read(bytes, pointers, values),
        }
    }

    /// What has been read so far.
    pub fn values(&self) -> &Values {
        &self.values
    }
}

#[cfg(test)]
mod tests;
