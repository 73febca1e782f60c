//! Reads sets of response statuses.

use super::Reader;
use crate::http::StatusSet;
use std::ops::RangeInclusive;

const ALLOWED: &str = "a list of statuses such as 401 or classes such as 5xx";

/// Reads a list such as `[401, 5xx]`.
pub fn read(reader: &Reader<'_>) -> Option<StatusSet> {
    let entries: Vec<_> = reader.non_empty_list(ALLOWED)?.iter().map(range).collect();
    Some(StatusSet::of(entries.into_iter().collect::<Option<_>>()?))
}

fn range(reader: &Reader<'_>) -> Option<RangeInclusive<u16>> {
    const WORDS: [(&str, u16); 5] = [("1xx", 100), ("2xx", 200), ("3xx", 300), ("4xx", 400), ("5xx", 500)];
    if reader.is_text() {
        return reader.word(&WORDS).map(|first| first..=first + 99);
    }
    let status = u16::try_from(reader.whole_number(100..=599)?).ok()?;
    Some(status..=status)
}
