//! What a limit answers to a request.

use crate::time::Micros;
use std::num::NonZeroU32;

/// One limit's verdict on one request. Instants are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Whether this limit admits the request.
    pub admitted: bool,
    /// The limit's quota. 0: the caller's plan excludes it, see [`Verdict::EXCLUDED`].
    pub quota: u32,
    /// Units left after this request.
    pub remaining: u64,
    /// When the next unit comes back.
    pub next_slot: Micros,
    /// When all units are back, if nothing else is admitted.
    pub full_reset: Micros,
    /// How long until the same request would be admitted, if nothing else is. 0 if it is admitted, unless
    /// another limit rejects it and it counts all the same.
    pub retry_after: Micros,
}

impl Verdict {
    /// The verdict of a limit whose quota is 0 for the caller. No wait is known, and no instant.
    pub const EXCLUDED: Verdict =
        Verdict { admitted: false, quota: 0, remaining: 0, next_slot: 0, full_reset: 0, retry_after: 0 };

    /// Whether it rejects because the limit's quota is 0 for the caller.
    pub fn is_excluded(&self) -> bool {
        self.quota == 0
    }

    /// Caps all times at `max_reset` from `now`.
    pub(super) fn cap(&mut self, max_reset: Micros, now: Micros) {
        let latest = now.saturating_add(max_reset);
        self.next_slot = self.next_slot.min(latest);
        self.full_reset = self.full_reset.min(latest);
        self.retry_after = self.retry_after.min(max_reset);
    }

    /// Takes over what is left and when it comes back from a later verdict of the same limit.
    pub fn update(&mut self, later: &Verdict) {
        (self.remaining, self.next_slot, self.full_reset) =
            (later.remaining, later.next_slot, later.full_reset);
    }

    /// Corrects `remaining` of a request that was admitted at a cost of `judged` units and counted at
    /// `counted`.
    pub fn recount(&mut self, judged: u32, counted: u32) {
        let free = self.remaining.saturating_add(u64::from(judged)).min(u64::from(self.quota));
        self.remaining = free.saturating_sub(u64::from(counted));
    }

    /// Whether at most a tenth of the quota is left (FA-26).
    pub fn near_limit(&self) -> bool {
        self.leaves_at_most_one_in(10)
    }

    /// Whether at most one in so many units of the quota is left. No quota has a part of 0 units.
    #[inline]
    pub fn leaves_at_most_one_in(&self, parts: u32) -> bool {
        self.remaining <= u64::from(self.quota.checked_div(parts).unwrap_or_default())
    }
}

/// The verdict of algorithms whose units all come back at the same instant.
pub(super) fn all_at(edge: Micros, quota: NonZeroU32, used: u64, now: Micros, cost: u32) -> Verdict {
    let free = u64::from(quota.get()).saturating_sub(used);
    let admitted = u64::from(cost) <= free;
    Verdict {
        admitted,
        quota: quota.get(),
        remaining: if admitted { free - u64::from(cost) } else { free },
        next_slot: edge,
        full_reset: edge,
        retry_after: if admitted { 0 } else { edge.saturating_sub(now).max(1) },
    }
}
