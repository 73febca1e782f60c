//! Sliding windows whose slots are long because the page is small.

use super::{Warning, warn_by_group};
use std::num::NonZeroU32;
use tollgate::limiter::Limit;
use tollgate::limiter::sliding_window::Slots;
use tollgate::rules::{LimitSet, Policy};
use tollgate::table::Count;
use tollgate::table::TableSize;
use tollgate::time::MILLISECOND;

/// A slot of more than a 100th of its window is reported. A page of the default size has room for more than
/// 107 slots of any quota, and slots are powers of two: so it is never too small.
const SLOTS_PER_WINDOW: u64 = 100;

/// `groups` are the groups of callers by name.
pub(super) fn warn_slots(
    policy: &Policy,
    groups: &[(&str, &LimitSet)],
    path: &str,
    table: TableSize,
    warnings: &mut Vec<Warning>,
) {
    for i in 0..policy.limit_names.len() {
        let message = |limits: &LimitSet| coarse(policy, limits.limit(i)?, table);
        warn_by_group(&format!("{path}.limits[{i}]"), groups, message, warnings);
    }
}

fn coarse(policy: &Policy, limit: &Limit, table: TableSize) -> Option<String> {
    let slots = Slots::with_shift(limit.algorithm.parameters().slot_shift?)?;
    if fine(limit, slots) {
        return None;
    }
    let units = match policy.count {
        Count::Accepted | Count::Rejected | Count::Never => limit.quota,
        Count::All => NonZeroU32::MAX,
    };
    let better = match sufficient_page_bytes(limit, units, table) {
        Some(bytes) => format!("table.page_bytes: {bytes} is enough"),
        None => "no page is large enough to avoid this".into(),
    };
    let early = slots.length() / MILLISECOND;
    Some(format!(
        "the page is too small for this quota: callers may be rejected up to {early} ms longer than necessary, more than 1/{SLOTS_PER_WINDOW} of the window; {better}"
    ))
}

fn fine(limit: &Limit, slots: Slots) -> bool {
    slots.length().saturating_mul(SLOTS_PER_WINDOW) <= limit.window
}

/// The smallest page, in steps of 64 bytes, with which the slots are short enough.
fn sufficient_page_bytes(limit: &Limit, units: NonZeroU32, table: TableSize) -> Option<u16> {
    (table.page_bytes..=u16::MAX).step_by(64).find(|page_bytes| {
        let table = TableSize { page_bytes: *page_bytes, ..table };
        fine(limit, Slots::that_fit(units, limit.window, table.max_state_bytes()))
    })
}
