//! A policy's penalty (`block_for`, BI-6). It is stored like one more limit of the charge and has no verdict
//! of its own: while it runs, the verdicts of the policy's limits are rejections. So what they say (what is
//! left, when it comes back, how long to wait) holds for the policy.
//!
//! A penalty starts when a limit of its policy rejects a request, but not in the overflow record: no caller
//! is penalized for the requests of others.
//!
//! The same state says when the counts of the policy last began at zero (`reset_on`, `after_block: restart`):
//! those of all limits but the ones that count what exists. While a block with `after_block: restart` runs,
//! nothing is counted.

use super::charge::{Correction, Holds, Verdicts, admitted};
use crate::limiter::{Counter, Limit, MAX_RESPONSE_TIME, Verdict};
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
    let (_, penalty) = limits.iter().zip(counters.iter_mut()).find(|(limit, _)| limit.is_penalty())?;
    penalty.charge(now, 1);
    let end = penalty.penalty_end(now)?;
    if ends_in_restart(limits) {
        restart(limits, counters, now);
    }
    Some(end)
}

/// The index of the penalty of a policy whose counts may begin at zero.
fn restarting(limits: &[Limit]) -> Option<usize> {
    let last = limits.len().checked_sub(1)?;
    limits.get(last).filter(|limit| limit.algorithm.may_restart()).map(|_| last)
}

fn ends_in_restart(limits: &[Limit]) -> bool {
    limits.last().is_some_and(|limit| limit.algorithm.restarts_after_block())
}

/// Lets the counts of a policy begin at zero. Units in flight and in stock still exist.
#[inline(never)] // rarely called
pub fn restart(limits: &[Limit], counters: &mut [Counter<'_>], now: Now) {
    clear(limits, counters, now);
    if let Some(penalty) = restarting(limits).and_then(|at| counters.get_mut(at)) {
        penalty.restart(now);
    }
}

fn clear(limits: &[Limit], counters: &mut [Counter<'_>], now: Now) {
    for (limit, counter) in limits.iter().zip(counters).filter(|(limit, _)| limit.has_window()) {
        *counter = Counter::empty(limit, now);
    }
}

/// Keeps the counts at zero, if a block runs after which they begin there. Returns whether it does.
pub fn keep_at_zero(limits: &[Limit], counters: &mut [Counter<'_>], now: Now) -> bool {
    let keeps = ends_in_restart(limits) && end(counters, now).is_some();
    if keeps {
        clear(limits, counters, now);
    }
    keeps
}

/// The mark of a policy whose counts may begin at zero. `None`: they never do.
pub fn mark(limits: &[Limit], counters: &[Counter<'_>]) -> Option<Micros> {
    restarting(limits).and_then(|at| counters.get(at)).map(Counter::mark)
}

/// Notes the mark that a charge finds, if the policy's counts may begin at zero.
pub fn remember_mark(limits: &[Limit], counters: &[Counter<'_>], holds: &mut Holds) {
    let [.., last, _] = holds;
    *last = restarting(limits).and_then(|at| counters.get(at)).map_or(*last, Counter::hold);
}

/// Whether the units that a correction gives back were counted before the counts last began at zero, or so
/// long ago that nobody knows.
pub fn is_void(limits: &[Limit], counters: &[Counter<'_>], correction: &Correction, now: Now) -> bool {
    let (Some(mark), Some((at, _))) = (mark(limits, counters), correction.back) else { return false };
    let [.., remembered, _] = correction.holds;
    let is_over = |since: Micros, now: Micros| since.saturating_add(MAX_RESPONSE_TIME) <= now;
    // A charge does not remember a mark that is so old that all charges from before it are.
    let counted_since = mark == remembered || remembered == 0 && is_over(mark, at.mono);
    !counted_since || is_over(at.mono, now.mono)
}

/// Caps the waits in verdicts at the end of a block after which the counts begin at zero.
#[inline(never)] // rarely called
pub fn forget_waits(limits: &[Limit], verdicts: &mut [Verdict], end: Micros, now: Micros) {
    if !ends_in_restart(limits) {
        return;
    }
    for (_, verdict) in limits.iter().zip(verdicts).filter(|(limit, _)| limit.has_window()) {
        verdict.next_slot = verdict.next_slot.min(end);
        verdict.full_reset = verdict.full_reset.min(end);
        verdict.retry_after = verdict.retry_after.min(end.saturating_sub(now));
    }
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
