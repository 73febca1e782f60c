//! What a worker asks for: units to admit requests with.

use super::instant;
use crate::record::{HolderState, Mark};
use tollgate::fleet::DRIFT;
use tollgate::fleet::message::{Ask, Entry, EntryAnswer};
use tollgate::limiter::{Counter, Limit, Verdict};
use tollgate::table::{admitted, penalty};
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// The longest grant.
pub const MAX_TERM: Micros = 30 * SECOND;

impl HolderState {
    /// Whether the worker has units in hand.
    pub fn is_active(&self, now: Micros) -> bool {
        let live = |mark: &Mark| matches!(mark, Mark::Granted { end, .. } if *end > now);
        self.marks.iter().any(|(_, mark)| live(mark))
    }

    /// Whether it has units that may still go back.
    pub fn owes_a_report(&self) -> bool {
        self.marks.iter().any(|(_, mark)| matches!(mark, Mark::Granted { .. }))
    }
}

/// Answers an entry that has been applied before, or comes too late. Nothing is counted again.
pub fn repeat(one: &HolderState, entry: &Entry, counters: &[Counter<'_>], now: Micros) -> EntryAnswer {
    match one.mark(entry.number) {
        Some(Mark::Granted { end, units, .. }) => granted(entry, counters, end, units, now),
        None if entry.number == one.latest => {
            let ask = entry.ask.unwrap_or_default();
            judged(entry, counters, judge(&entry.limits, counters, ask.at_least, now), now)
        }
        Some(Mark::Awaited | Mark::Done) | None => EntryAnswer::default(),
    }
}

/// Judges an entry's ask and counts what it grants. `active` is the number of other workers with units in hand.
pub fn grant(
    one: &mut HolderState,
    entry: &Entry,
    counters: &mut [Counter<'_>],
    active: usize,
    now: Micros,
) -> EntryAnswer {
    if one.mark(entry.number).is_some() {
        // It was awaited, and now it has come.
        one.set_mark(entry.number, Mark::Done);
    }
    let ask = entry.ask.unwrap_or_default();
    let verdicts = judge(&entry.limits, counters, ask.at_least, now);
    if !admitted(&verdicts) {
        return reject(entry, counters, verdicts, now);
    }
    let (waiting, ahead) = match ask.only_judge {
        true => (0, 0),
        false => units(entry, ask, &verdicts, active),
    };
    let units = waiting.saturating_add(ahead);
    let term = term(entry, &verdicts, if ahead > 0 { ask.term } else { ask.wait }, now);
    if units == 0 || term == 0 {
        return answer(judge(&entry.limits, counters, 0, now), 0, now, now);
    }
    let end = now.saturating_add(term);
    for (limit, counter) in entry.limits.iter().zip(counters.iter_mut()) {
        if !limit.is_penalty() {
            counter.reserve(instant(if limit.algorithm.counts_by_time() { end } else { now }), units);
        }
    }
    one.set_mark(entry.number, Mark::Granted { since: now, end, units });
    granted(entry, counters, end, units, now)
}

fn granted(entry: &Entry, counters: &[Counter<'_>], end: Micros, units: u32, now: Micros) -> EntryAnswer {
    answer(judge(&entry.limits, counters, 0, now), units, end, now)
}

fn judge(limits: &[Limit], counters: &[Counter<'_>], cost: u32, now: Micros) -> Vec<Verdict> {
    penalty::judge(limits, counters, &|_| cost, instant(now))
}

/// Rejects the request that waits first. If it counts all the same, its worker says so when it has decided it.
fn reject(
    entry: &Entry,
    counters: &mut [Counter<'_>],
    mut verdicts: Vec<Verdict>,
    now: Micros,
) -> EntryAnswer {
    if let Some(end) = penalty::start(&entry.limits, counters, &verdicts, instant(now)) {
        penalty::reject_until(end, &mut verdicts, now);
    }
    judged(entry, counters, verdicts, now)
}

/// The answer that grants nothing. If it is a rejection, it says how long to remember it.
fn judged(entry: &Entry, counters: &[Counter<'_>], verdicts: Vec<Verdict>, now: Micros) -> EntryAnswer {
    let remember = if admitted(&verdicts) { 0 } else { remember(entry, counters, &verdicts, now) };
    EntryAnswer { remember, ..answer(verdicts, 0, now, now) }
}

fn remember(entry: &Entry, counters: &[Counter<'_>], verdicts: &[Verdict], now: Micros) -> Micros {
    let wait = verdicts.iter().map(|verdict| verdict.retry_after).max().unwrap_or_default();
    if counters.iter().any(|counter| counter.penalty_end(instant(now)).is_some()) {
        return wait;
    }
    let limits = entry.limits.iter().filter(|limit| !limit.is_penalty()).zip(verdicts);
    let rejecting = || limits.clone().filter(|(_, verdict)| !verdict.admitted).map(|(limit, _)| limit);
    let Some(Limit { window, quota, .. }) = rejecting().min_by_key(|limit| limit.window) else { return 0 };
    // In less time than that, even a caller at its limit has no units that come back to it.
    let few_units = FEW * window / u64::from(quota.get());
    let long = wait.min(window / 64).max((window / 256).min(few_units).clamp(20 * MILLISECOND, SECOND));
    // What comes back in the meantime is not lost, unless it has to be used at once.
    if rejecting().all(|limit| limit.algorithm.saves_up()) { long } else { long.min(wait) }
}

/// A rejection is remembered for at least as long as so many units take to come back.
const FEW: u64 = 8;

/// The instants of verdicts become lengths from now.
fn answer(mut verdicts: Vec<Verdict>, granted: u32, end: Micros, now: Micros) -> EntryAnswer {
    let left = end.saturating_sub(now);
    // The worker's clock may run slower than the engine's.
    let term = left - left.div_ceil(DRIFT);
    for verdict in &mut verdicts {
        verdict.next_slot = verdict.next_slot.saturating_sub(now);
        verdict.full_reset = verdict.full_reset.saturating_sub(now);
    }
    EntryAnswer { applied: true, verdicts, granted, term, remember: 0, at: now, end }
}

/// How long the grant may be used. Units of an aligned window end with it.
fn term(entry: &Entry, verdicts: &[Verdict], asked: Micros, now: Micros) -> Micros {
    let aligned = entry.limits.iter().zip(verdicts).filter(|(limit, _)| limit.algorithm.is_aligned());
    let edges = aligned.map(|(_, verdict)| verdict.full_reset.saturating_sub(now).saturating_sub(1));
    edges.fold(asked.min(MAX_TERM), Micros::min)
}

/// How many units are granted: those that are waited for, as far as the limits admit them, and some ahead. The
/// verdicts are those on the request that waits first.
fn units(entry: &Entry, ask: Ask, verdicts: &[Verdict], active: usize) -> (u32, u32) {
    let free = verdicts.iter().map(|verdict| verdict.remaining).min().unwrap_or_default();
    let others = u64::from(ask.at_most.saturating_sub(ask.at_least)).min(free);
    let may_go_ahead = entry.limits.iter().all(|limit| limit.algorithm.counts_by_time());
    // The last units are for whoever asks first: in hand, they would serve one worker only.
    let last = verdicts.iter().map(|verdict| u64::from(verdict.quota) / LAST).max().unwrap_or_default();
    let share = (free - others).saturating_sub(last) / (SHARE * (active as u64 + 1));
    let ahead = if may_go_ahead { u64::from(ask.ahead).min(share) } else { 0 };
    let number = |units| u32::try_from(units).unwrap_or(u32::MAX);
    (ask.at_least.saturating_add(number(others)), number(ahead))
}

/// A worker gets at most 1 / `SHARE` of what is left ahead, divided by the number of workers.
const SHARE: u64 = 8;

/// The last 1 / `LAST` of a quota is not granted ahead.
const LAST: u64 = 64;
