//! A record as the engine keeps it: one line of text that people can read.
//!
//! ```text
//! v1 1764403200123456; 0f3a2b1c/1 1764403199500 +0x3 +12 /2^0ms until 1764403260123000;
//! @00c0ffee00c0ffee 17 seen 1764403200123456 15=3 1764403199000000..1764403201000000 16=done
//! ```
//! First the version and when it was written, then each limit (its id, its algorithm's tag, its state, and until
//! when it has an effect), then each worker: the number of its latest entry, when that came, and what its open
//! numbers stand for: units and the time of a grant, or `done`, or `awaited`. Instants are microseconds since 1970.

use super::{HolderState, Mark, Record, State};
use std::fmt::{self, Write as _};
use tollgate::limiter::LimitId;
use tollgate::limiter::text::{from_text, to_text};

const VERSION: &str = "v1";

/// A value that this version has not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign;

impl Record {
    /// The record as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION} {}", self.written);
        for state in &self.states {
            let State { limit, kind, expires, content } = state;
            if let Some(state) = to_text(*kind, content) {
                let _ = write!(text, "; {:08x}/{kind} {state} until {expires}", limit.0);
            }
        }
        for holder in &self.holders {
            let _ = write!(text, "; @{:016x} {} seen {}", holder.holder, holder.latest, holder.seen);
            for (number, mark) in &holder.marks {
                let _ = write!(text, " {number}={mark}");
            }
        }
        text
    }

    /// Reads a record.
    pub fn from_text(text: &str) -> Result<Record, Foreign> {
        parse(text).ok_or(Foreign)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Awaited => f.write_str("awaited"),
            Mark::Done => f.write_str("done"),
            Mark::Granted { since, end, units } => write!(f, "{units}@{since}..{end}"),
        }
    }
}

fn parse(text: &str) -> Option<Record> {
    let mut parts = text.split("; ");
    let written = parts.next()?.strip_prefix(VERSION)?.strip_prefix(' ')?.parse().ok()?;
    let mut record = Record { written, ..Record::default() };
    for part in parts {
        match part.strip_prefix('@') {
            Some(holder) => record.holders.push(parse_holder(holder)?),
            None => record.states.push(parse_state(part)?),
        }
    }
    Some(record)
}

fn parse_state(part: &str) -> Option<State> {
    let (name, rest) = part.split_once(' ')?;
    let (limit, kind) = name.split_once('/')?;
    let (state, expires) = rest.rsplit_once(" until ")?;
    let kind = kind.parse().ok()?;
    Some(State {
        limit: LimitId(u32::from_str_radix(limit, 16).ok()?),
        kind,
        expires: expires.parse().ok()?,
        content: from_text(kind, state)?,
    })
}

fn parse_holder(part: &str) -> Option<HolderState> {
    let mut words = part.split(' ');
    let holder = u64::from_str_radix(words.next()?, 16).ok()?;
    let latest = words.next()?.parse().ok()?;
    let seen = words.next().filter(|word| *word == "seen").and_then(|_| words.next())?.parse().ok()?;
    let mark = |word: &str| {
        let (number, mark) = word.split_once('=')?;
        Some((number.parse().ok()?, parse_mark(mark)?))
    };
    Some(HolderState { holder, latest, seen, marks: words.map(mark).collect::<Option<_>>()? })
}

fn parse_mark(text: &str) -> Option<Mark> {
    match text {
        "awaited" => Some(Mark::Awaited),
        "done" => Some(Mark::Done),
        granted => {
            let (units, span) = granted.split_once('@')?;
            let (since, end) = span.split_once("..")?;
            let (since, end) = (since.parse().ok()?, end.parse().ok()?);
            Some(Mark::Granted { since, end, units: units.parse().ok()? })
        }
    }
}
