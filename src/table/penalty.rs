//! A policy's penalty (`block_for`, BI-6) in a transaction. It is one more limit of the charge, with a state in the same
//! record, and has no answer of its own: while it runs the limits reject in its stead, so that whatever is said of them
//! (what is left, when it comes back, how long to wait) is true of the policy.
//!
//! It starts when a limit of its own policy rejects. In the record that all share who were crowded out it does not:
//! nobody is to be punished for what others did.

use super::{Charge, Verdicts, admitted};
use crate::limiter::{Counter, Limit, Verdict};
use crate::time::{Micros, Now};

impl Charge<'_> {
    /// The limits that answer: all but a penalty.
    pub(super) fn answering(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(|limit| !limit.is_penalty())
    }
}

/// The answers of the opened counters of these limits, one for each that answers, to requests of such costs, by
/// their place.
// One copy: it is called thrice in one function.
#[inline(never)]
pub(super) fn judge(
    limits: &[Limit],
    counters: &[Counter<'_>],
    cost: &dyn Fn(usize) -> u32,
    now: Now,
) -> Verdicts {
    let end = end(counters, now);
    let mut verdicts = Verdicts::with_capacity(limits.len());
    for (i, (limit, counter)) in limits.iter().zip(counters).enumerate() {
        if limit.is_penalty() {
            continue;
        }
        let mut verdict = counter.judge(now, cost(i));
        if verdict.admitted && end.is_some() {
            // What a limit would admit it does not spend while its policy is blocked.
            verdict = counter.judge(now, 0);
        }
        verdicts.push(verdict);
    }
    if let Some(end) = end {
        reject_until(end, &mut verdicts, now.mono);
    }
    verdicts
}

fn end(counters: &[Counter<'_>], now: Now) -> Option<Micros> {
    counters.iter().find_map(|counter| counter.penalty_end(now))
}

/// Starts the penalty of a charge that its limits have rejected, if it has one and none runs. Answers its end.
pub(super) fn start(
    limits: &[Limit],
    counters: &mut [Counter<'_>],
    verdicts: &[Verdict],
    now: Now,
) -> Option<Micros> {
    if admitted(verdicts) || end(counters, now).is_some() {
        return None;
    }
    let (_, penalty) = limits.iter().zip(counters).find(|(limit, _)| limit.is_penalty())?;
    penalty.charge(now, 1);
    penalty.penalty_end(now)
}

/// Makes answers those of a policy whose penalty runs until `end`. Limits that reject by themselves go on to be the ones
/// that do; if there are none, all of them are.
// One copy, too.
#[inline(never)]
pub(super) fn reject_until(end: Micros, verdicts: &mut [Verdict], now: Micros) {
    let all = admitted(verdicts);
    for verdict in verdicts {
        verdict.remaining = 0;
        verdict.next_slot = verdict.next_slot.max(end);
        verdict.full_reset = verdict.full_reset.max(end);
        if all || !verdict.admitted {
            verdict.admitted = false;
            verdict.retry_after = verdict.retry_after.max(end.saturating_sub(now));
        }
    }
}

#[cfg(test)]
mod tests;
