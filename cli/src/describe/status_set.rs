//! Statuses in words.

use std::ops::RangeInclusive;
use tollgate::http::StatusSet;

/// A set of statuses, such as `401 or 5xx`.
pub(crate) fn statuses(set: &StatusSet) -> String {
    let range = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, _) => format!("{}xx", first / 100),
    };
    let (ranges, inverted) = set.ranges();
    let statuses = ranges.iter().map(range).collect::<Vec<_>>().join(" or ");
    if inverted { format!("anything but {statuses}, or missing") } else { statuses }
}
