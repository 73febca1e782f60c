//! Sets of response statuses.

use std::ops::RangeInclusive;

/// Some HTTP statuses.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusSet {
    ranges: Vec<RangeInclusive<u16>>,
    /// All but these, and no response at all.
    inverted: bool,
}

impl StatusSet {
    /// The statuses in any of these ranges.
    pub fn of(ranges: Vec<RangeInclusive<u16>>) -> StatusSet {
        StatusSet { ranges, inverted: false }
    }

    /// The ranges that were named, and whether the set is all but these.
    pub fn ranges(&self) -> (&[RangeInclusive<u16>], bool) {
        (&self.ranges, self.inverted)
    }

    /// Whether a response's status is in it; `None` is a request that got no response.
    pub fn contains(&self, status: Option<u16>) -> bool {
        let named = status.is_some_and(|status| self.ranges.iter().any(|range| range.contains(&status)));
        named != self.inverted
    }

    /// 2xx.
    pub fn successes() -> StatusSet {
        StatusSet { ranges: vec![200..=299], inverted: false }
    }

    /// All other statuses, and no response at all.
    pub fn inverted(self) -> StatusSet {
        StatusSet { inverted: !self.inverted, ..self }
    }
}
