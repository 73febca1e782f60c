//! The logs of a replay: one or more files, in any order, whose requests are handed out as if they were one
//! file.
//!
//! Each file is opened twice: once to find its format and its first time, and again when its time has come. So
//! a thousand files of five minutes are not open at once.

use super::format::{Entry, Extra, FORMATS, Format, Line, Mapping, Parser, Text, Unreadable, detect};
use super::lines::{Lines, Next};
use super::record::Record;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::rc::Rc;
use tollgate::time::{Micros, SECOND};

/// The lines that a format is found by.
const SAMPLE_LINES: usize = 200;
const SAMPLE_BYTES: usize = 1 << 21;

/// A line whose time is this much later than the one before is believed only if the next one agrees.
const MAX_STEP: Micros = 86_400 * SECOND;

/// What was read, and what could not be.
#[derive(Debug, Default)]
pub struct Read {
    /// The number of lines, without comments and empty ones.
    pub lines: u64,
    /// The number of requests.
    pub requests: u64,
    /// The number of lines that are no request, and where the first of them is, by reason.
    pub unreadable: BTreeMap<Unreadable, (u64, String)>,
    /// Where a file cannot be read any further, and why.
    pub broken: Vec<(String, String)>,
    /// Files without a line.
    pub empty: Vec<String>,
    /// Fields that were asked for, and that no request has had yet.
    pub unseen: Vec<Extra>,
    /// Requests whose times are in whole seconds.
    pub whole_seconds: u64,
    /// Requests without a duration.
    pub without_duration: u64,
    /// Requests that the log's own limits rejected.
    pub refused: u64,
    /// Requests with a status of 429, where the log does not say who sent it.
    pub too_many_requests: u64,
    /// When the first request came.
    pub from: Option<Micros>,
    /// When the last one came.
    pub to: Option<Micros>,
}

impl Read {
    fn note(&mut self, why: Unreadable, file: &str, line: u64) {
        let (count, _) = self.unreadable.entry(why).or_insert_with(|| (0, format!("{file}:{line}")));
        *count += 1;
    }

    /// The number of lines that are no request.
    pub fn unreadable_lines(&self) -> u64 {
        self.unreadable.values().map(|(count, _)| count).sum()
    }

    /// Counts a request.
    pub fn count(&mut self, record: &Record) {
        const TOO_MANY_REQUESTS: u16 = 429;
        self.requests += 1;
        self.whole_seconds += u64::from(record.whole_seconds);
        self.without_duration += u64::from(!record.has_duration);
        self.refused += u64::from(record.refused == Some(true));
        self.too_many_requests += u64::from(record.status == TOO_MANY_REQUESTS && record.refused.is_none());
        self.unseen.retain(|extra| record.text(Text::Extra(*extra)).is_none());
        self.from = Some(self.from.map_or(record.start, |from| from.min(record.start)));
        self.to = Some(self.to.map_or(record.start, |to| to.max(record.start)));
    }
}

/// One file, or standard input.
struct Source {
    name: String,
    format: &'static Format,
    parser: Parser,
    /// The time of its first request.
    first: Micros,
    lines: Option<Lines>,
    /// Lines of standard input that the format was found by.
    sample: VecDeque<(u64, Vec<u8>)>,
    /// The next request.
    head: Record,
    /// The one after that, if it had to be looked at.
    held: Option<Record>,
    last: Option<Micros>,
}

/// The requests of all files.
pub struct Log {
    sources: Vec<Source>,
    /// Files that have begun, by the time of the next request.
    begun: BinaryHeap<Reverse<(Micros, usize)>>,
    /// Files that have not, the first one last.
    waiting: Vec<usize>,
    /// The bytes that were read.
    pub bytes: Rc<Cell<u64>>,
    /// What was read.
    pub read: Read,
    /// Whether a line of the sample has the caller's pseudonym.
    pub has_pseudonyms: bool,
}

impl Log {
    /// Opens logs. `format`: of all of them; otherwise each is recognised by its first lines.
    ///
    /// # Errors
    /// One cannot be read, or has no line of any format.
    pub fn open(paths: &[String], format: Option<&'static Format>, mapping: &Mapping) -> Result<Log, String> {
        let bytes = Rc::new(Cell::new(0));
        let mut log = Log::without_sources(Rc::clone(&bytes));
        for path in paths {
            match Source::open(path, format, mapping, &bytes)? {
                Some((source, has_pseudonyms)) => {
                    log.has_pseudonyms |= has_pseudonyms;
                    log.sources.push(source);
                }
                None => log.read.empty.push(shown(path).into()),
            }
        }
        bytes.set(0);
        log.waiting = (0..log.sources.len()).collect();
        log.waiting.sort_by_key(|index| Reverse(log.sources.get(*index).map(|source| source.first)));
        Ok(log)
    }

    /// The log in these lines.
    ///
    /// # Errors
    /// No line is of any format.
    pub fn of(name: &str, mut lines: Lines, mapping: &Mapping) -> Result<Log, String> {
        let sample = Sample::read(&mut lines).map_err(|why| format!("{name} cannot be read: {why}"))?;
        let (source, has_pseudonyms) = Source::of(name, None, mapping, (sample.lines, Some(lines)))?;
        let mut log = Log { has_pseudonyms, ..Log::without_sources(Rc::default()) };
        log.sources.push(source);
        log.waiting.push(0);
        Ok(log)
    }

    fn without_sources(bytes: Rc<Cell<u64>>) -> Log {
        Log {
            sources: Vec::new(),
            begun: BinaryHeap::new(),
            waiting: Vec::new(),
            bytes,
            read: Read::default(),
            has_pseudonyms: false,
        }
    }

    /// The format of each file, by its name.
    pub fn formats(&self) -> impl Iterator<Item = (&str, &'static Format)> {
        self.sources.iter().map(|source| (source.name.as_str(), source.format))
    }

    /// The parser of each file.
    pub fn parsers(&self) -> impl Iterator<Item = &Parser> {
        self.sources.iter().map(|source| &source.parser)
    }

    /// Fills in the next request, by the time of its line. Returns whether there is one.
    pub fn next(&mut self, record: &mut Record) -> bool {
        loop {
            let next = self.begun.peek().map(|Reverse((time, _))| *time);
            // A file begins before any request that may come after its first.
            let waits = self.waiting.last().and_then(|index| self.sources.get(*index));
            let begins = waits.is_some_and(|source| next.is_none_or(|next| source.first <= next));
            if !begins {
                break;
            }
            if let Some(index) = self.waiting.pop() {
                self.begin(index);
            }
        }
        let Some(Reverse((_, index))) = self.begun.pop() else { return false };
        let Some(source) = self.sources.get_mut(index) else { return false };
        std::mem::swap(record, &mut source.head);
        self.advance(index);
        self.read.count(record);
        true
    }

    fn begin(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index) else { return };
        if source.lines.is_none() {
            match Lines::open(&source.name, Rc::clone(&self.bytes)) {
                Ok(lines) => source.lines = Some(lines),
                Err(error) => {
                    self.read.broken.push((source.name.clone(), error.to_string()));
                    return;
                }
            }
        }
        self.advance(index);
    }

    /// Reads the next request of a file.
    fn advance(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index) else { return };
        if source.next(&mut self.read) {
            self.begun.push(Reverse((source.head.end, index)));
        } else {
            source.lines = None;
        }
    }
}

/// What a log is called in messages.
fn shown(path: &str) -> &str {
    if path == "-" { "stdin" } else { path }
}

impl Source {
    /// Opens a log. `None`: it is empty, as one is that was just rotated.
    fn open(
        path: &str,
        format: Option<&'static Format>,
        mapping: &Mapping,
        bytes: &Rc<Cell<u64>>,
    ) -> Result<Option<(Source, bool)>, String> {
        let is_stdin = path == "-";
        let name = shown(path);
        let mut lines =
            Lines::open(path, Rc::clone(bytes)).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let sample = Sample::read(&mut lines).map_err(|why| format!("{name} cannot be read: {why}"))?;
        if sample.lines.is_empty() && sample.is_whole {
            return Ok(None);
        }
        Source::of(name, format, mapping, (sample.lines, is_stdin.then_some(lines))).map(Some)
    }

    /// A source with these first lines. `rest`: the lines behind them, if it cannot be opened again.
    fn of(
        name: &str,
        format: Option<&'static Format>,
        mapping: &Mapping,
        (sample, rest): (VecDeque<(u64, Vec<u8>)>, Option<Lines>),
    ) -> Result<(Source, bool), String> {
        let texts: Vec<&[u8]> = sample.iter().map(|(_, line)| line.as_slice()).collect();
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
        let source = Source {
            name: name.into(),
            format,
            parser: format.parser(mapping)?,
            // Nobody knows when the requests of the rest came.
            first: if rest.is_some() { 0 } else { first.unwrap_or(0) },
            sample: if rest.is_some() { sample } else { VecDeque::new() },
            lines: rest,
            head: Record::default(),
            held: None,
            last: None,
        };
        Ok((source, has_pseudonyms))
    }

    /// Fills `head` with the next request. Returns whether there is one.
    fn next(&mut self, read: &mut Read) -> bool {
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
            if let Some((number, line)) = self.sample.pop_front() {
                if take(&mut self.parser, &line, record, read, (&self.name, number)) {
                    return Some(number);
                }
                continue;
            }
            match self.lines.as_mut()?.read_line() {
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

/// The first lines of a log.
#[derive(Default)]
struct Sample {
    /// The lines, each with its number.
    lines: VecDeque<(u64, Vec<u8>)>,
    /// Whether the log has no other.
    is_whole: bool,
}

impl Sample {
    /// Reads them.
    ///
    /// # Errors
    /// Why not even the first line can be read.
    fn read(lines: &mut Lines) -> Result<Sample, String> {
        let (mut sample, mut bytes) = (Sample::default(), 0);
        let mut has_others = false;
        while sample.lines.len() < SAMPLE_LINES && bytes < SAMPLE_BYTES {
            match lines.read_line() {
                Next::Line(number, line) => {
                    bytes += line.len();
                    sample.lines.push_back((number, line.to_vec()));
                }
                Next::TooLong(_) => {
                    has_others = true;
                    bytes += 1 << 16;
                }
                Next::Broken(_, why) if sample.lines.is_empty() && !has_others => return Err(why),
                Next::Broken(..) => break,
                Next::End => {
                    sample.is_whole = !has_others;
                    break;
                }
            }
        }
        Ok(sample)
    }
}
