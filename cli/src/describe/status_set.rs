//! Statuses in words.

use super::StatusSet;
use std::fmt;

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &std::ops::RangeInclusive<u16>| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, _) => format!("{}xx", first / 100),
        };
        let statuses = self.ranges.iter().map(range).collect::<Vec<_>>().join(" or ");
        match self.inverted {
            true => write!(f, "anything but {statuses}, or not at all"),
            false => f.write_str(&statuses),
        }
    }
}
