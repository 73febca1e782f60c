//! `penalty`: after its first excess, a policy rejects all requests of a caller for a while (`block_for`,
//! BI-6).
//!
//! A penalty counts nothing and has no verdict. It is stored like one more limit of its policy, so that its
//! state is in the same record and starts with the same write. [`crate::table`] says when it starts and how
//! it changes the verdicts of the policy's limits.
//!
//! # Derivation
//! The state is the instant at which the penalty ends, on the monotonic clock. Requests pass from then on. A
//! request that is rejected during a penalty does not prolong it: [`Penalty::charge`] only sets an end if the
//! last one has passed.
//!
//! # State
//! `end:varint` (µs). At most 10 bytes; 6 or 7 in the first years of a machine's uptime. A penalty that has
//! ended has no state.

use super::{Algorithm, CLOCK_JITTER, EvictionInfo, Limit, LimitId, MAX_CLOCK_SKEW, Verdict};
use crate::time::Micros;
use crate::varint;
use std::num::NonZeroU32;

impl Limit {
    /// The penalty of a policy, which follows its limits. Limits can't be named `#blocked`, so its id is not
    /// a limit's.
    pub fn penalty(policy: &str, length: Micros) -> Limit {
        Limit {
            id: LimitId::new(policy, "#blocked"),
            quota: NonZeroU32::MIN,
            window: length,
            algorithm: Algorithm::Penalty,
        }
    }

    /// Whether this is a policy's penalty.
    pub fn is_penalty(&self) -> bool {
        self.algorithm == Algorithm::Penalty
    }
}

/// The end of a caller's penalty.
pub struct Penalty {
    quota: NonZeroU32,
    length: Micros,
    /// On the monotonic clock.
    end: Micros,
    opened: Micros,
}

impl Penalty {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, state: &[u8], now: Micros) -> Option<Penalty> {
        let mut end = 0;
        if !state.is_empty() {
            let (written, rest) = varint::read(state)?;
            rest.is_empty().then_some(())?;
            // An end further away than a penalty's length, even for a worker whose clock is ahead, is damaged
            // or from before the penalty was made shorter.
            let furthest = now.saturating_add(limit.window);
            end = if written > furthest.saturating_add(MAX_CLOCK_SKEW) { furthest } else { written };
        }
        Some(Penalty { quota: limit.quota, length: limit.window, end, opened: now })
    }

    /// See [`super::Counter::penalty_end`].
    pub fn end(&self, now: Micros) -> Option<Micros> {
        let most = now.saturating_add(self.length);
        let alike = self.end > most && self.end - most < CLOCK_JITTER;
        (self.end > now).then_some(if alike { most } else { self.end })
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let wait = self.end.saturating_sub(now);
        let admitted = wait == 0 || cost == 0;
        Verdict {
            admitted,
            quota: self.quota,
            remaining: if wait == 0 { u64::from(self.quota.get()) } else { 0 },
            next_slot: self.end.max(now),
            full_reset: self.end.max(now),
            retry_after: if admitted { 0 } else { wait },
        }
    }

    /// See [`super::Counter::charge`]. Starts the penalty, if none is running.
    pub fn charge(&mut self, at: Micros) {
        if self.end <= at {
            self.end = at.saturating_add(self.length);
        }
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        let runs = self.end > self.opened;
        if runs {
            varint::write(out, self.end);
        }
        EvictionInfo::new(self.end, u64::from(runs) * u64::from(self.quota.get()), self.quota)
    }
}

#[cfg(test)]
mod tests;
