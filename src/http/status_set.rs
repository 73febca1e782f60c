//! Sets of response statuses.

use std::fmt;
use std::ops::RangeInclusive;

/// A set of HTTP statuses, which may also contain "no response".
#[derive(Clone, Debug, PartialEq)]
pub struct StatusSet {
    ranges: Vec<RangeInclusive<u16>>,
    /// The set is every status outside the ranges, and "no response".
    inverted: bool,
}

impl StatusSet {
    /// The statuses in these ranges.
    pub fn of(ranges: Vec<RangeInclusive<u16>>) -> StatusSet {
        StatusSet { ranges, inverted: false }
    }

    /// The ranges, and whether the set is everything outside them.
    pub fn ranges(&self) -> (&[RangeInclusive<u16>], bool) {
        (&self.ranges, self.inverted)
    }

    /// Whether the set contains a status. `None` stands for "no response".
    pub fn contains(&self, status: Option<u16>) -> bool {
        let named = status.is_some_and(|status| self.ranges.iter().any(|range| range.contains(&status)));
        named != self.inverted
    }

    /// 2xx.
    pub fn successes() -> StatusSet {
        StatusSet { ranges: vec![200..=299], inverted: false }
    }

    /// Everything that is not in this set: all other statuses, and "no response".
    pub fn inverted(self) -> StatusSet {
        StatusSet { inverted: !self.inverted, ..self }
    }
}

/// The statuses in words, such as `401 or 5xx`.
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, _) => format!("{}xx", first / 100),
        };
        let statuses = self.ranges.iter().map(range).collect::<Vec<_>>().join(" or ");
        match self.inverted {
            true => write!(f, "anything but {statuses}, or missing"),
            false => f.write_str(&statuses),
        }
    }
}
