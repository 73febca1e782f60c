//! Bodies that hold their JSON in lines: a document in each line, or in the data of each server-sent event.

use super::format::BodyFormat;
use super::json::{JsonReader, first_of};
use super::pointers::{Pointers, Values};

/// Lines of which a part has been read. They end with a line feed, a carriage return or both.
#[derive(Debug)]
pub struct Lines {
    events: bool,
    line: Line,
    /// Whether the last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    /// So many bytes of [`DATA`] have been read, and nothing else.
    Name(usize),
    /// After [`DATA`]: a space here is not part of the data.
    Space,
    /// In a document.
    Data,
    /// In a line without one.
    Other,
}

/// The name of the field of an event that holds a document.
const DATA: &[u8] = b"data:";

impl Lines {
    /// `None`: such a body has no lines.
    pub fn of(format: BodyFormat) -> Option<Lines> {
        let events = match format {
            BodyFormat::Json => return None,
            BodyFormat::Lines => false,
            BodyFormat::Events => true,
        };
        Some(Lines { events, line: Lines::start(events), after_return: false })
    }

    fn start(events: bool) -> Line {
        if events { Line::Name(0) } else { Line::Data }
    }

    /// Reads on.
    pub fn read(
        &mut self,
        mut bytes: &[u8],
        json: &mut JsonReader,
        pointers: &Pointers,
        values: &mut Values,
    ) {
        while let Some((byte, rest)) = bytes.split_first() {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            bytes = match (self.line, byte) {
                (_, b'\n') if after_return => rest,
                (line, b'\n' | b'\r') => {
                    self.end(line, json, pointers, values);
                    rest
                }
                (Line::Name(matched), byte) => {
                    self.line = match DATA.get(matched) {
                        Some(expected) if expected == byte && matched + 1 == DATA.len() => Line::Space,
                        Some(expected) if expected == byte => Line::Name(matched + 1),
                        Some(_) | None => Line::Other,
                    };
                    rest
                }
                (Line::Space, b' ') => {
                    self.line = Line::Data;
                    rest
                }
                (Line::Space | Line::Data, _) => {
                    self.line = Line::Data;
                    let (data, rest) =
                        bytes.split_at_checked(first_of(bytes, b'\n', b'\r')).unwrap_or_default();
                    json.read(data, pointers, values);
                    rest
                }
                (Line::Other, _) => bytes.get(first_of(bytes, b'\n', b'\r')..).unwrap_or_default(),
            };
        }
    }

    /// A line ends. An event ends with an empty line, and its data may be several lines.
    fn end(&mut self, line: Line, json: &mut JsonReader, pointers: &Pointers, values: &mut Values) {
        self.line = Lines::start(self.events);
        match line {
            Line::Name(0) => json.reset(),
            Line::Name(_) | Line::Other => {}
            Line::Space | Line::Data => {
                json.read(b"\n", pointers, values);
                if !self.events {
                    json.reset();
                }
            }
        }
    }
}
