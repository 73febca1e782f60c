//! One log: a file, or standard input.

use super::read::Read;
use super::sample::Sample;
use crate::replay::format::{Entry, FORMATS, Format, Line, Mapping, Parser, Text, Unreadable, detect};
use crate::replay::lines::{Kept, Lines, Next};
use crate::replay::record::Record;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use tollgate::time::{Micros, SECOND};

/// A line whose time is this much later than the one before is believed only if the next one agrees.
const MAX_STEP: Micros = 86_400 * SECOND;

/// One file, or standard input.
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// Its format.
    pub format: &'static Format,
    /// The parser of its lines.
    pub parser: Parser,
    /// The time of its first request.
    pub first: Micros,
    /// Whether a line of its beginning has the caller's pseudonym.
    pub has_pseudonyms: bool,
    lines: Option<Lines>,
    /// The beginning of standard input, by which the format was found.
    sample: VecDeque<Kept>,
    /// The next request.
    pub head: Record,
    /// The one after that, if it had to be looked at.
    held: Option<Record>,
    last: Option<Micros>,
}

/// What a log is called in messages.
pub fn shown(path: &str) -> &str {
    if path == "-" { "stdin" } else { path }
}

impl Source {
    /// Opens a log. `None`: it is empty, as one is that was just rotated.
    pub fn open(
        path: &str,
        format: Option<&'static Format>,
        mapping: &Mapping,
        bytes: &Rc<Cell<u64>>,
    ) -> Result<Option<Source>, String> {
        let is_stdin = path == "-";
        let name = shown(path);
        let mut lines =
            Lines::open(path, Rc::clone(bytes)).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let sample = Sample::read(&mut lines).map_err(|why| format!("{name} cannot be read: {why}"))?;
        if sample.is_empty {
            return Ok(None);
        }
        Source::of(name, format, mapping, sample, is_stdin.then_some(lines)).map(Some)
    }

    /// A source with these first lines. `rest`: the lines behind them, if it cannot be opened again.
    pub fn of(
        name: &str,
        format: Option<&'static Format>,
        mapping: &Mapping,
        sample: Sample,
        rest: Option<Lines>,
    ) -> Result<Source, String> {
        let texts = sample.lines();
        let format = format.or_else(|| detect(&texts, mapping)).ok_or_else(|| {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            format!(
                "the first {} lines of {name} are of no known format; name one with --format ({})",
                texts.len(),
                known.join(", ")
            )
        })?;
        let mut parser = format.parser(mapping)?;
        let (mut first, mut has_pseudonyms) = (None, false);
        for bytes in &texts {
            let mut line = Line::default();
            if parser.parse(bytes, &mut line) == Ok(Entry::Request) {
                first = first.or(line.time);
                has_pseudonyms |= line.text(Text::Caller).is_some();
            }
        }
        Ok(Source {
            name: name.into(),
            format,
            parser: format.parser(mapping)?,
            // Nobody knows when the requests of the rest came.
            first: if rest.is_some() { 0 } else { first.unwrap_or(0) },
            has_pseudonyms,
            sample: if rest.is_some() { sample.kept } else { VecDeque::new() },
            lines: rest,
            head: Record::default(),
            held: None,
            last: None,
        })
    }

    /// Opens it again, if it is not open.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn begin(&mut self, bytes: &Rc<Cell<u64>>) -> io::Result<()> {
        if self.lines.is_none() {
            self.lines = Some(Lines::open(&self.name, Rc::clone(bytes))?);
        }
        Ok(())
    }

    /// Closes it.
    pub fn end(&mut self) {
        self.lines = None;
    }

    /// Fills `head` with the next request. Returns whether there is one.
    pub fn next(&mut self, read: &mut Read) -> bool {
        if let Some(held) = self.held.take() {
            self.head = held;
            self.last = Some(self.head.end);
            return true;
        }
        let mut head = std::mem::take(&mut self.head);
        let Some(number) = self.read(&mut head, read) else { return false };
        let is_step = self.last.is_none_or(|last| head.end.saturating_sub(last) > MAX_STEP);
        if is_step {
            let mut second = Record::default();
            let agrees = match self.read(&mut second, read) {
                Some(_) => {
                    let agrees = head.end.saturating_sub(second.end) <= MAX_STEP;
                    if agrees {
                        self.held = Some(second);
                    } else {
                        head = second;
                    }
                    agrees
                }
                None if self.last.is_some() => {
                    read.note(Unreadable::Stray, &self.name, number);
                    return false;
                }
                None => true,
            };
            if !agrees {
                read.note(Unreadable::Stray, &self.name, number);
            }
        }
        self.last = Some(head.end);
        self.head = head;
        true
    }

    /// Reads lines up to the next request. Returns the number of its line. `None`: there is no more.
    fn read(&mut self, record: &mut Record, read: &mut Read) -> Option<u64> {
        loop {
            let kept = self.sample.pop_front();
            let next = match &kept {
                Some(kept) => kept.next(),
                None => self.lines.as_mut()?.read_line(),
            };
            match next {
                Next::Line(number, line) => {
                    if take(&mut self.parser, line, record, read, (&self.name, number)) {
                        return Some(number);
                    }
                }
                Next::TooLong(number) => {
                    read.lines += 1;
                    read.note(Unreadable::TooLong, &self.name, number);
                }
                Next::Broken(number, why) => {
                    read.broken.push((format!("{}:{number}", self.name), why));
                    return None;
                }
                Next::End => return None,
            }
        }
    }
}

/// Reads a line into a record. Returns whether it is a request.
fn take(parser: &mut Parser, bytes: &[u8], record: &mut Record, read: &mut Read, at: (&str, u64)) -> bool {
    let mut line = Line::default();
    match parser.parse(bytes, &mut line) {
        Ok(Entry::Request) => {
            read.lines += 1;
            record.fill(&line);
            true
        }
        Ok(Entry::Nothing) => false,
        Err(why) => {
            read.lines += 1;
            read.note(why, at.0, at.1);
            false
        }
    }
}
