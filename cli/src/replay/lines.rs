//! The lines of a log: a file or standard input, plain or compressed, read piece by piece. No more than one
//! line is kept, and a line that is too long is passed over without being kept.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

/// The maximum length of a line that is read, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// How much is read at once.
const PIECE: usize = 1 << 17;

/// The lines of one log.
pub struct Lines {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    /// What of the buffer has been read and not handed out.
    start: usize,
    end: usize,
    number: u64,
    at_end: bool,
    /// Why no more can be read.
    broken: Option<String>,
}

/// What comes next.
pub enum Next<'a> {
    /// A line, with its number from 1.
    Line(u64, &'a [u8]),
    /// A line that is longer than [`MAX_LINE`].
    TooLong(u64),
    /// The rest cannot be read, for this reason. The number is that of the first line that is missing.
    Broken(u64, String),
    /// There is no more.
    End,
}

/// What came, to be handed out later.
pub enum Kept {
    /// As [`Next::Line`].
    Line(u64, Vec<u8>),
    /// As [`Next::TooLong`].
    TooLong(u64),
    /// As [`Next::Broken`].
    Broken(u64, String),
}

impl Kept {
    /// The line, if it is one.
    pub fn line(&self) -> Option<&[u8]> {
        match self {
            Kept::Line(_, line) => Some(line),
            Kept::TooLong(_) | Kept::Broken(..) => None,
        }
    }

    /// The same, to be read.
    pub fn next(&self) -> Next<'_> {
        match self {
            Kept::Line(number, line) => Next::Line(*number, line),
            Kept::TooLong(number) => Next::TooLong(*number),
            Kept::Broken(number, why) => Next::Broken(*number, why.clone()),
        }
    }
}

impl Lines {
    /// Opens a log; `-` is standard input. `read` counts the bytes that were read, before they are decompressed.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn open(path: &str, read: Rc<Cell<u64>>) -> io::Result<Lines> {
        let raw: Box<dyn Read> = match path {
            "-" => Box::new(io::stdin()),
            _ => Box::new(File::open(path)?),
        };
        let counted = Box::new(Counted { inner: raw, read });
        #[cfg(feature = "commands")]
        return Lines::of(counted);
        #[cfg(not(feature = "commands"))]
        return Ok(Lines::plain(counted));
    }

    /// The lines of these bytes, which may be compressed.
    ///
    /// # Errors
    /// They cannot be read.
    #[cfg(feature = "commands")]
    pub fn of(raw: Box<dyn Read>) -> io::Result<Lines> {
        Ok(Lines::plain(super::unpack::unpacked(raw)?))
    }

    /// The lines of these bytes as they are.
    pub fn plain(reader: Box<dyn Read>) -> Lines {
        Lines { reader, buffer: Vec::new(), start: 0, end: 0, number: 0, at_end: false, broken: None }
    }

    /// The next line, without its end.
    pub fn read_line(&mut self) -> Next<'_> {
        let mut searched = self.start;
        let mut is_long = false;
        loop {
            let unread = self.buffer.get(searched..self.end).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unread) {
                let (from, to) = (self.start, searched + at);
                self.start = to + 1;
                self.number += 1;
                return match is_long {
                    true => Next::TooLong(self.number),
                    false => Next::Line(self.number, self.buffer.get(from..to).unwrap_or_default()),
                };
            }
            if self.at_end {
                return self.last(is_long);
            }
            if self.end - self.start > MAX_LINE {
                is_long = true;
                self.start = self.end;
            }
            let kept = self.end - self.start;
            self.fill();
            searched = self.start + kept;
        }
    }

    /// The last line, which has no end.
    fn last(&mut self, is_long: bool) -> Next<'_> {
        let from = std::mem::replace(&mut self.start, self.end);
        if from == self.end && !is_long {
            return match self.broken.take() {
                Some(why) => Next::Broken(self.number + 1, why),
                None => Next::End,
            };
        }
        self.number += 1;
        match is_long {
            true => Next::TooLong(self.number),
            false => Next::Line(self.number, self.buffer.get(from..self.end).unwrap_or_default()),
        }
    }

    /// Reads a piece more. What was handed out makes room for it.
    fn fill(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.end, self.start) = (self.end - self.start, 0);
        self.buffer.resize(self.end + PIECE, 0);
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => (self.at_end, self.broken) = (true, Some(error.to_string())),
            }
            return;
        }
    }
}

/// Bytes, counted as they are read.
struct Counted {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get().saturating_add(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression as Level, write::GzEncoder};
    use std::io::{Cursor, Write};

    fn all(bytes: Vec<u8>) -> Vec<String> {
        let mut lines = Lines::of(Box::new(Cursor::new(bytes))).unwrap();
        let mut all = Vec::new();
        loop {
            all.push(match lines.read_line() {
                Next::Line(number, line) if line.len() < 50 => {
                    format!("{number} {}", String::from_utf8_lossy(line))
                }
                Next::Line(number, line) => format!("{number} of {}", line.len()),
                Next::TooLong(number) => format!("{number} too long"),
                Next::Broken(number, _) => format!("{number} broken"),
                Next::End => return all,
            });
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lines_come_with_their_numbers() {
        assert_eq!(all(b"a\n\nb\r\nc".to_vec()), ["1 a", "2 ", "3 b\r", "4 c"]);
        assert!(all(Vec::new()).is_empty());
        assert_eq!(all(b"\n".to_vec()), ["1 "]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_not_kept() {
        let mut bytes = b"a\n".to_vec();
        bytes.extend(vec![b'x'; 10 << 20]);
        bytes.extend(b"\nb\n");
        bytes.extend(vec![b'y'; 3 << 20]);
        let mut lines = Lines::of(Box::new(Cursor::new(bytes))).unwrap();
        let mut seen = Vec::new();
        loop {
            seen.push(match lines.read_line() {
                Next::Line(number, _) => (number, true),
                Next::TooLong(number) => (number, false),
                Next::Broken(..) => panic!(),
                Next::End => break,
            });
        }
        assert_eq!(seen, [(1, true), (2, false), (3, true), (4, false)]);
        assert!(lines.buffer.capacity() <= 3 * MAX_LINE, "{}", lines.buffer.capacity());
    }

    #[test]
    fn gzip_is_unpacked_member_by_member() {
        let text = (0..50_000).map(|number| format!("line {number}\n")).collect::<String>();
        let bytes = [gzip(text.as_bytes()), gzip(b"last")].concat();
        let lines = all(bytes);
        assert_eq!(
            (lines.len(), lines[49_999].as_str(), lines[50_000].as_str()),
            (50_001, "50000 line 49999", "50001 last")
        );
    }

    #[test]
    fn broken_gzip_gives_what_came_before_and_says_where_it_ends() {
        let text = (0..50_000).map(|number| format!("line {number}\n")).collect::<String>();
        let mut bytes = gzip(text.as_bytes());
        bytes.truncate(bytes.len() / 2);
        let lines = all(bytes);
        assert!(lines.len() > 1_000, "{}", lines.len());
        assert!(lines.last().unwrap().ends_with("broken"), "{:?}", lines.last());
        let lines = all([gzip(b"a\nb\n"), b"garbage".to_vec()].concat());
        assert_eq!(lines[..2], ["1 a", "2 b"]);
    }

    /// `printf 'a\nb\n' | zstd`, twice, with a skippable frame between them.
    #[test]
    fn zstd_is_unpacked_frame_by_frame() {
        let frame = b"\x28\xb5\x2f\xfd\x04\x58\x21\x00\x00a\nb\n\x25\x50\xb3\x23".to_vec();
        let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc";
        let bytes = [frame.as_slice(), skippable, frame.as_slice()].concat();
        assert_eq!(all(bytes), ["1 a", "2 b", "3 a", "4 b"]);
        let mut damaged = frame.clone();
        damaged[6] = 0xFF;
        assert!(all(damaged).last().unwrap().ends_with("broken"));
    }
}
