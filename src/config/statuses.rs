//! Reads sets of response statuses.

use super::{Number, Reader, Type, forms};
use crate::http::{GRPC, GRPC_STATUSES, StatusSet};
use std::ops::RangeInclusive;

/// A response status.
pub const STATUS: Number<u16> = Number::new(100, 599, "");

/// The classes of statuses, each with its first one.
pub const CLASSES: [(&str, u16); 5] = [("1xx", 100), ("2xx", 200), ("3xx", 300), ("4xx", 400), ("5xx", 500)];

/// Reads a list such as `[401, 5xx]`.
pub fn read(reader: &Reader<'_>) -> Option<StatusSet> {
    let entries: Vec<_> = reader.non_empty_list(forms::STATUSES.allowed)?.iter().map(range).collect();
    Some(StatusSet::of(entries.into_iter().collect::<Option<_>>()?))
}

fn range(reader: &Reader<'_>) -> Option<RangeInclusive<u16>> {
    if reader.is_text() {
        return match reader.text(forms::STATUSES.allowed)?.strip_prefix("grpc:") {
            Some(status) => grpc(reader, status).map(|status| GRPC + status..=GRPC + status),
            None => reader.word(&CLASSES).map(|first| first..=first + 99),
        };
    }
    let status = STATUS.read(reader)?;
    Some(status..=status)
}

/// A gRPC status: its number or its name.
fn grpc(reader: &Reader<'_>, status: &str) -> Option<u16> {
    let mut numbers = (0..).zip(&GRPC_STATUSES).map(|(number, _)| number);
    let number = status.parse().ok().filter(|_| status.len() <= 2);
    match number.filter(|number| numbers.any(|known| known == *number)) {
        Some(number) => Some(number),
        None => reader.word(&GRPC_STATUSES),
    }
}
