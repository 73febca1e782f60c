//! Windows whose times are kept more coarsely than anyone would guess, for want of room in a page.

use super::super::{Count, Policy};
use super::Doubt;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit};
use crate::table::Geometry;
use crate::time::MILLISECOND;
use std::num::NonZeroU32;

/// A slot longer than this share of its window is told.
const SHARE: u64 = 128;

pub(super) fn doubt_slots(policy: &Policy, path: &str, table: Geometry, doubts: &mut Vec<Doubt>) {
    for (i, limit) in policy.limits().iter().enumerate() {
        let Algorithm::SlidingWindow(slots) = limit.algorithm else { continue };
        if fine(limit, slots) {
            continue;
        }
        let units = match policy.count {
            Count::Accepted | Count::Later => policy.terms.largest_quota(i).unwrap_or(limit.quota),
            Count::All => NonZeroU32::MAX,
        };
        let better = match bytes_that_do(limit, units, table) {
            Some(bytes) => format!("table.page_bytes: {bytes} would do"),
            None => "no page is large enough for better".into(),
        };
        let early = slots.length() / MILLISECOND;
        doubts.push(Doubt::new(
            format!("{path}.limits[{i}]"),
            format!("the page is small for this quota: refusals may come {early} ms too early, more than 1/{SHARE} of the window; {better}"),
        ));
    }
}

fn fine(limit: &Limit, slots: Slots) -> bool {
    slots.length().saturating_mul(SHARE) <= limit.window
}

/// The least bytes of a page, in steps of 64, with which the slots are short enough.
fn bytes_that_do(limit: &Limit, units: NonZeroU32, table: Geometry) -> Option<u16> {
    (table.page_bytes..=u16::MAX).step_by(64).find(|page_bytes| {
        let table = Geometry { page_bytes: *page_bytes, ..table };
        fine(limit, Slots::that_fit(units, limit.window, table.room_for_one_state()))
    })
}
