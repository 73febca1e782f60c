//! A policy's penalty (`block_for`, BI-6). It is stored like one more limit of the charge and has no verdict
//! of its own: while it runs, the verdicts of the policy's limits are rejections. So what they say (what is
//! left, when it comes back, how long to wait) holds for the policy.
//!
//! A penalty starts when a limit of its policy rejects a request, but not in the overflow record: no caller
//! is penalized for the requests of others.

use super::charge::{Verdicts, admitted};
use crate::limiter::{Counter, Limit, Verdict};
use crate::time::{Micros, Now};

/// The verdicts of these limits' opened counters, without the penalty. `cost` is the cost by the limit's
/// index.
#[inline(never)] // inlined, this and the other one add 382 bytes to the module
pub fn judge(limits: &[Limit], counters: &[Counter<'_>], cost: &dyn Fn(usize) -> u32, now: Now) -> Verdicts {
    let end = end(counters, now);
    let mut verdicts = Verdicts::with_capacity(limits.len());
    for (i, (limit, counter)) in limits.iter().zip(counters).enumerate() {
        if limit.is_penalty() {
            continue;
        }
        let mut verdict = counter.judge(now, cost(i));
        if verdict.admitted && end.is_some() {
            // The policy is blocked, so nothing is spent.
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

/// Starts the penalty of a charge with these verdicts, if they reject it and none is running. Returns its
/// end.
pub fn start(
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

/// Changes verdicts to those of a policy that is blocked until `end`. If some are rejections already, only
/// these get the longer wait; else all become rejections.
#[inline(never)] // inlined, this and the other one add 382 bytes to the module
pub fn reject_until(end: Micros, verdicts: &mut [Verdict], now: Micros) {
    let all = admitted(verdicts);
    for verdict in verdicts {
        // What is left now is available when the block ends.
        let left = verdict.remaining;
        verdict.next_slot = if left > 0 { end } else { verdict.next_slot.max(end) };
        let whole = left >= u64::from(verdict.quota);
        verdict.full_reset = if whole { end } else { verdict.full_reset.max(end) };
        verdict.remaining = 0;
        if all || !verdict.admitted {
            verdict.admitted = false;
            verdict.retry_after = verdict.retry_after.max(end.saturating_sub(now));
        }
    }
}

#[cfg(test)]
mod tests;
