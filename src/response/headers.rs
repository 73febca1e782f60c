//! Limit headers: which limit they describe, and what *reset* means.

use super::{Header, retry_after};
use crate::decision::Decision;
use crate::limiter::Verdict;
use crate::time::{SECOND, seconds_up};

/// The headers of the `x-ratelimit` preset: `-limit`, `-remaining`, `-reset`.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRules {
    /// The index of the policy they describe.
    pub policy: usize,
    /// The index of the limit in that policy.
    pub limit: usize,
    /// What `x-ratelimit-reset` says.
    pub reset: Reset,
    /// What becomes of such headers from the upstream.
    pub upstream: Upstream,
}

/// What `x-ratelimit-reset` says, in seconds since the UNIX epoch, rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reset {
    /// When the next unit comes back (FA-10).
    NextSlot,
    /// When all units are back (PA-3).
    FullReset,
}

/// What becomes of limit headers that the upstream has sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Upstream {
    /// The filter's take their place.
    Replace,
    /// They stay, and the filter's are left out.
    Keep,
}

impl HeaderRules {
    /// The headers for one decision; none if the described policy does not apply.
    pub(super) fn say(&self, decision: &Decision) -> Vec<Header> {
        let Some(verdict) = decision.verdict(self.policy, self.limit) else { return Vec::new() };
        vec![
            ("x-ratelimit-limit", verdict.quota.to_string()),
            ("x-ratelimit-remaining", verdict.remaining.to_string()),
            ("x-ratelimit-reset", self.reset_at(verdict, decision).to_string()),
        ]
    }

    /// On a refusal, whichever limit's, never before the wait that is told is over (PA-4): some clients read
    /// only this one.
    fn reset_at(&self, verdict: &Verdict, decision: &Decision) -> u64 {
        let instant = match self.reset {
            Reset::NextSlot => verdict.next_slot,
            Reset::FullReset => verdict.full_reset,
        };
        let reset = seconds_up(decision.now.wall_at(instant));
        if !decision.refused() {
            return reset;
        }
        let wait = retry_after(decision.retry_after()).saturating_mul(SECOND);
        reset.max(seconds_up(decision.now.wall.saturating_add(wait)))
    }
}
