//! What was read of the logs, and what could not be.

use crate::replay::format::{Extra, Text, Unreadable};
use crate::replay::record::Record;
use std::collections::BTreeMap;
use tollgate::time::Micros;

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
    /// Counts a line that is no request.
    pub(super) fn note(&mut self, why: Unreadable, file: &str, line: u64) {
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
