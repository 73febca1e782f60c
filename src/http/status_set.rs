//! Sets of response statuses.

#[cfg(feature = "cli")]
mod words;

use crate::config::Reader;
use std::ops::RangeInclusive;

/// Some HTTP statuses.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusSet {
    ranges: Vec<RangeInclusive<u16>>,
    /// All but these, and no response at all.
    inverted: bool,
}

const ALLOWED: &str = "a list of statuses such as 401, or classes of them such as 5xx";

impl StatusSet {
    /// Whether a response's status is in it; `None` is a request that got no response.
    pub fn contains(&self, status: Option<u16>) -> bool {
        let named = status.is_some_and(|status| self.ranges.iter().any(|range| range.contains(&status)));
        named != self.inverted
    }

    /// 2xx.
    pub(super) fn successes() -> StatusSet {
        StatusSet { ranges: vec![200..=299], inverted: false }
    }

    /// All other statuses, and no response at all.
    pub(super) fn inverted(self) -> StatusSet {
        StatusSet { inverted: !self.inverted, ..self }
    }

    /// Reads a list such as `[401, 5xx]`.
    pub(super) fn read(reader: &Reader<'_>) -> Option<StatusSet> {
        let entries: Vec<_> = reader.list_of_some(ALLOWED)?.iter().map(range).collect();
        Some(StatusSet { ranges: entries.into_iter().collect::<Option<_>>()?, inverted: false })
    }
}

fn range(reader: &Reader<'_>) -> Option<RangeInclusive<u16>> {
    const WORDS: [(&str, u16); 5] = [("1xx", 100), ("2xx", 200), ("3xx", 300), ("4xx", 400), ("5xx", 500)];
    if reader.is_text() {
        return reader.word(&WORDS).map(|first| first..=first + 99);
    }
    let status = u16::try_from(reader.whole_number(100..=599)?).ok()?;
    Some(status..=status)
}
