//! Sets of response statuses.

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
