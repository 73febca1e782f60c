//! Compiles a policy's penalty: how long its caller is rejected after a rejection.

use crate::config::{Fields, Reader, all};
use crate::language::{forms, policy};
use crate::limiter::Limit;
use crate::limiter::penalty::{Growth, Penalty};
use crate::time::Micros;

/// The penalty of a policy with this name: `Some(None)` if it has none, `None` if it is invalid.
#[inline(never)]
pub(super) fn penalty(fields: &Fields<'_>, name: &str) -> Option<Option<Limit>> {
    let lengths = fields.get_optional_with(&policy::BLOCK_FOR, lengths)?;
    let Some(lengths) = lengths else { return Some(None) };
    let (first, further) = lengths.split_first()?;
    let growth = Growth::new(further.iter().copied());
    Some(Some(Limit::penalty(name, *first, Penalty { growth })))
}

/// The lengths of the first block and of those that follow it in a row.
fn lengths(reader: &Reader<'_>) -> Option<Vec<Micros>> {
    if !reader.is_list() {
        return Some(vec![reader.read(&forms::DURATION)?]);
    }
    let allowed = policy::BLOCK_FOR.kind.allowed;
    let entries = reader.non_empty_list(allowed)?;
    if entries.len() > Growth::MAX + 1 {
        return reader.error_found(&[&entries.len().to_string(), " durations"].concat(), allowed);
    }
    let lengths: Vec<_> = entries.iter().map(|entry| entry.read(&forms::DURATION)).collect();
    for ((entry, length), before) in entries.iter().zip(&lengths).skip(1).zip(&lengths) {
        if let (Some(length), Some(before)) = (length, before)
            && length <= before
        {
            entry.error_found::<()>("a duration that is not longer than the one before it", INCREASING);
        }
    }
    all(lengths)
}

const INCREASING: &str = "durations that increase, such as [2m, 10m, 1h]";
