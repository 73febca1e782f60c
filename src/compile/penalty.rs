//! Compiles a policy's penalty: how long its caller is rejected after a rejection, and when its counts begin at
//! zero.

use super::limits::TieredLimit;
use crate::config::{Fields, Reader, all};
use crate::language::{forms, policy};
use crate::limiter::{Growth, Limit};
use crate::time::Micros;

/// The penalty of a policy with this name: `Some(None)` if it has none, `None` if it is invalid.
#[inline(never)]
pub(super) fn penalty(fields: &Fields<'_>, name: &str) -> Option<Option<Limit>> {
    let lengths = fields.get_optional_with(&policy::BLOCK_FOR, lengths);
    let restarts = fields.get(&policy::AFTER_BLOCK);
    let resets = fields.present(&policy::RESET_ON).is_some();
    let (lengths, restarts) = (lengths?.unwrap_or_default(), restarts?);
    Some(Limit::penalty_of(name, &lengths, restarts, resets))
}

/// A restart without a count that begins at zero would silently have no effect. Those of `concurrency` and
/// `stock` count what exists.
pub(super) fn check_restarts(fields: &Fields<'_>, limits: &[TieredLimit]) {
    if limits.iter().any(|limit| limit.limit.has_window()) {
        return;
    }
    let error = |at: &Reader<'_>, what: &str| {
        at.error_found::<()>(
            &[what, " without a limit that has a window"].concat(),
            "only with a limit of another algorithm than concurrency and stock, which count what exists",
        );
    };
    if let Some(at) = fields.present(&policy::RESET_ON) {
        error(at, policy::RESET_ON.name);
    }
    if let Some(at) = fields.present(&policy::AFTER_BLOCK).filter(|at| at.is_word("restart")) {
        error(at, "after_block: restart");
    }
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
