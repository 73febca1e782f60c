//! Compiles the times at which a policy applies.

use super::limits::time_zone;
use crate::config::{Reader, all};
use crate::language::{policy, span};
use crate::rules::{Schedule, Span};
use crate::time::Zone;

/// Reads the list `schedule`.
#[inline(never)]
pub(super) fn read(list: &Reader<'_>) -> Option<Box<Schedule>> {
    let entries = list.non_empty_list(policy::SCHEDULE.kind.allowed)?;
    let spans = all(entries.iter().map(read_span))?;
    Some(Box::new(Schedule::new(spans)))
}

#[inline(never)]
fn read_span(entry: &Reader<'_>) -> Option<Span> {
    const ALL_DAYS: u8 = 0b111_1111;
    let fields = entry.fields(&span::OBJECT)?;
    let days = fields.get_optional_with(&span::DAYS, days);
    let (from, to) = (fields.get(&span::FROM), fields.get(&span::TO));
    let zone = fields.get_optional_with(&span::TIME_ZONE, time_zone);
    Some(Span { days: days?.unwrap_or(ALL_DAYS), from: from?, to: to?, zone: zone?.unwrap_or(Zone::UTC) })
}

/// The days, as bits.
fn days(list: &Reader<'_>) -> Option<u8> {
    let (mut days, mut valid) = (0, Some(()));
    for entry in list.non_empty_list(span::DAYS.kind.allowed)? {
        match entry.read(span::WEEKDAYS).map(|day| 1 << day) {
            Some(day) if days & day != 0 => {
                valid = entry.error_found("a day that is already listed", "each day once");
            }
            Some(day) => days |= day,
            None => valid = None,
        }
    }
    valid.map(|()| days)
}
