//! Windows whose times are kept more coarsely than anyone would guess, for want of room in a page.

use super::{Warning, tell_by_caller};
use std::num::NonZeroU32;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit};
use tollgate::rules::{LimitSet, Policy};
use tollgate::table::Count;
use tollgate::table::TableSize;
use tollgate::time::MILLISECOND;

/// A slot longer than this share of its window is told.
const SHARE: u64 = 128;

/// `kinds` are all kinds of callers by their names.
pub(super) fn warn_slots(
    policy: &Policy,
    kinds: &[(&str, &LimitSet)],
    path: &str,
    table: TableSize,
    warnings: &mut Vec<Warning>,
) {
    for i in 0..policy.limit_names.len() {
        let says = |terms: &LimitSet| coarse(policy, terms.limits().get(i)?, table);
        tell_by_caller(&format!("{path}.limits[{i}]"), kinds, says, warnings);
    }
}

fn coarse(policy: &Policy, limit: &Limit, table: TableSize) -> Option<String> {
    let Algorithm::SlidingWindow(slots) = limit.algorithm else { return None };
    if fine(limit, slots) {
        return None;
    }
    let units = match policy.count {
        Count::Accepted | Count::Never => limit.quota,
        Count::All => NonZeroU32::MAX,
    };
    let better = match bytes_that_do(limit, units, table) {
        Some(bytes) => format!("table.page_bytes: {bytes} would do"),
        None => "no page is large enough for better".into(),
    };
    let early = slots.length() / MILLISECOND;
    Some(format!(
        "the page is small for this quota: rejections may come {early} ms too early, more than 1/{SHARE} of the window; {better}"
    ))
}

fn fine(limit: &Limit, slots: Slots) -> bool {
    slots.length().saturating_mul(SHARE) <= limit.window
}

/// The least bytes of a page, in steps of 64, with which the slots are short enough.
fn bytes_that_do(limit: &Limit, units: NonZeroU32, table: TableSize) -> Option<u16> {
    (table.page_bytes..=u16::MAX).step_by(64).find(|page_bytes| {
        let table = TableSize { page_bytes: *page_bytes, ..table };
        fine(limit, Slots::that_fit(units, limit.window, table.max_state_bytes()))
    })
}
