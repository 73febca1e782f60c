//! Sets of response statuses.

use super::grpc::{GRPC, GRPC_STATUSES};
use super::request::Response;
use std::fmt;
use std::ops::RangeInclusive;

/// A set of HTTP statuses, and of gRPC statuses from [`GRPC`] on, which may also contain "no response".
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

    /// Whether it names gRPC statuses, so that these decide about gRPC responses.
    pub fn names_grpc(&self) -> bool {
        self.ranges.iter().any(|range| *range.start() >= GRPC)
    }

    /// Whether the set contains the status of a response: the one of gRPC, if it names such and the response
    /// has one.
    pub fn holds(&self, response: &impl Response) -> bool {
        let grpc = response.grpc_status().filter(|_| self.names_grpc());
        self.contains(Some(grpc.map_or_else(|| response.status(), |status| status.saturating_add(GRPC))))
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
            (first, _) if *first >= GRPC => {
                let name = GRPC_STATUSES.get(usize::from(*first - GRPC));
                name.map_or_else(String::new, |(name, _)| (*name).to_string())
            }
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
