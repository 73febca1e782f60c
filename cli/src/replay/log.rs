//! The logs of a replay: one or more files, in any order, whose requests are handed out as if they were one
//! file.
//!
//! Each file is opened twice: once to find its format and its first time, and again when its time has come. So
//! a thousand files of five minutes are not open at once.

mod read;
mod sample;
mod source;

pub use read::Read;

use super::format::{Format, Mapping, Parser};
use super::lines::Lines;
use super::record::Record;
use sample::Sample;
use source::{Source, shown};
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use tollgate::time::Micros;

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
                Some(source) => {
                    log.has_pseudonyms |= source.has_pseudonyms;
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
        let source = Source::of(name, None, mapping, sample, Some(lines))?;
        let mut log = Log { has_pseudonyms: source.has_pseudonyms, ..Log::without_sources(Rc::default()) };
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
        match source.begin(&self.bytes) {
            Ok(()) => self.advance(index),
            Err(error) => self.read.broken.push((source.name.clone(), error.to_string())),
        }
    }

    /// Reads the next request of a file.
    fn advance(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index) else { return };
        if source.next(&mut self.read) {
            self.begun.push(Reverse((source.head.end, index)));
        } else {
            source.end();
        }
    }
}
