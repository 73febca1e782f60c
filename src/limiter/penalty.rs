//! `penalty`: for a while after the first excess a policy refuses this caller altogether (`block_for`, BI-6).
//!
//! It counts nothing, and no answer tells of it as of a limit: it is one more limit of its policy, so that its state
//! lies in the same record as theirs and starts with the same write. [`crate::table`] says when it starts and
//! what it does to the answers of the others.
//!
//! # Derivation
//! The state is the instant that the penalty ends, on the monotonic clock. A request passes iff that has come.
//! What is refused while it runs starts nothing: [`Penalty::charge`] moves an end only when it is over, so it is
//! never prolonged, and its length is the length since the first excess.
//!
//! # State
//! `end:varint` (µs). At most 10 bytes; within the first years of a machine's uptime 6 or 7. A penalty that is over
//! has none.

use super::fixed_window::MOST_AHEAD;
use super::{ALIKE, Algorithm, Limit, LimitId, Verdict, Wear};
use crate::time::Micros;
use crate::varint;
use std::num::NonZeroU32;

impl Limit {
    /// The penalty of a policy, as the last of its limits. No limit that has a name can have its id by that name.
    pub fn penalty(policy: &str, length: Micros) -> Limit {
        Limit {
            id: LimitId::new(policy, "#blocked"),
            quota: NonZeroU32::MIN,
            window: length,
            algorithm: Algorithm::Penalty,
        }
    }

    /// Whether this is no limit of its own but the penalty for an excess of others.
    pub fn is_penalty(&self) -> bool {
        self.algorithm == Algorithm::Penalty
    }
}

/// Until when a caller is refused.
pub struct Penalty {
    quota: NonZeroU32,
    length: Micros,
    /// On the monotonic clock, as is `opened`.
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
            // An end further away than a penalty's length, and than a faster worker can have started it, is that of a
            // longer one, or damage.
            let furthest = now.saturating_add(limit.window);
            end = if written > furthest.saturating_add(MOST_AHEAD) { furthest } else { written };
        }
        Some(Penalty { quota: limit.quota, length: limit.window, end, opened: now })
    }

    /// See [`super::Counter::penalty_end`].
    pub fn end(&self, now: Micros) -> Option<Micros> {
        let most = now.saturating_add(self.length);
        let alike = self.end > most && self.end - most < ALIKE;
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

    /// See [`super::Counter::charge`]: the penalty starts, if none runs.
    pub fn charge(&mut self, at: Micros) {
        if self.end <= at {
            self.end = at.saturating_add(self.length);
        }
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        let runs = self.end > self.opened;
        if runs {
            varint::write(out, self.end);
        }
        Wear::new(self.end, u64::from(runs) * u64::from(self.quota.get()), self.quota)
    }
}

#[cfg(test)]
mod tests;
