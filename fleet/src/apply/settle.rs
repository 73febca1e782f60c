//! What a worker says about the past: grants that it has used, grants that got lost, and corrections.

use super::forgive::FreshStarts;
use super::grant::MAX_TERM;
use super::instant;
use crate::record::{HolderState, Mark};
use tollgate::fleet::message::{Correction, Entry, Report};
use tollgate::fleet::past;
use tollgate::limiter::{Counter, Limit};
use tollgate::time::{Micros, Now};

/// Settles everything that an entry says about earlier ones, and notes its own number. What it says about counts
/// that have been forgiven since (`fresh`) changes nothing.
pub fn settle(
    one: &mut HolderState,
    entry: &Entry,
    counters: &mut [Counter<'_>],
    fresh: &FreshStarts,
    now: Micros,
) {
    let latest = one.latest;
    if entry.number > latest {
        note_open(one, entry, latest);
        one.latest = entry.number;
        for counter in counters.iter_mut() {
            counter.set_in_flight(entry.in_flight);
        }
    }
    for report in &entry.reports {
        settle_report(one, report, latest, (&entry.limits, counters, fresh), now);
    }
    for correction in &entry.corrections {
        apply_correction(one, correction, latest, (&entry.limits, counters, fresh), now);
    }
    if entry.number > latest {
        reclaim(one, entry, counters, fresh);
    }
}

/// The most numbers of an entry that are awaited. A worker has fewer grants of one caller.
const MAX_OPEN: usize = 64;

/// Other entries may be on their way, later than this one.
fn note_open(one: &mut HolderState, entry: &Entry, latest: u64) {
    let awaited = entry.open.iter().filter(|number| (latest + 1..entry.number).contains(number));
    for number in awaited.take(MAX_OPEN) {
        if one.mark(*number).is_none() {
            one.set_mark(*number, Mark::Awaited);
        }
    }
}

/// An entry's limits, their counters, and their fresh starts.
type Opened<'e, 's> = (&'e [Limit], &'e mut [Counter<'s>], &'e FreshStarts);

/// A grant's units were counted at its end. They move to the instants at which they were used, and the others
/// go back.
fn settle_report(
    one: &mut HolderState,
    report: &Report,
    latest: u64,
    (limits, counters, fresh): Opened<'_, '_>,
    now: Micros,
) {
    let granted = match one.mark(report.grant) {
        Some(Mark::Granted { since, end, units }) => Granted { since, end, units },
        Some(Mark::Done) => return,
        None if report.grant <= latest => return,
        // The engine has forgotten the grant, but its units were used.
        Some(Mark::Awaited) | None => {
            let end = past(report.ended, now).saturating_add(report.ends_in.min(MAX_TERM));
            Granted { since: now, end, units: 0 }
        }
    };
    let used = |(before, units): &(Micros, u32)| (instant(granted.end.saturating_sub(*before)), *units);
    granted.settle((limits, counters, fresh), &report.used.iter().map(used).collect::<Vec<_>>());
    one.set_mark(report.grant, Mark::Done);
}

/// Units that were granted.
struct Granted {
    since: Micros,
    end: Micros,
    units: u32,
}

impl Granted {
    /// Moves the `used` units to their instants and gives the others back.
    fn settle(&self, (limits, counters, fresh): Opened<'_, '_>, used: &[(Now, u32)]) {
        let sum = used.iter().fold(0u32, |sum, (_, units)| sum.saturating_add(*units));
        let all = limits.iter().zip(counters).enumerate();
        for (i, (limit, counter)) in all.filter(|(_, (limit, _))| limit.is_correctable()) {
            if fresh.is_stale(i, self.since) {
                let later = used.iter().filter(|(at, _)| fresh.counts_use(i, at.mono));
                counter.settle(instant(self.end), 0, &later.copied().collect::<Vec<_>>());
                continue;
            }
            if limit.algorithm.counts_by_time() {
                counter.settle(instant(self.end), self.units, used);
                continue;
            }
            let unused = self.units.saturating_sub(sum);
            counter.settle_reserved(unused);
            counter.refund(instant(self.since), unused);
            counter.charge(instant(self.end), sum.saturating_sub(self.units));
        }
    }
}

fn apply_correction(
    one: &mut HolderState,
    correction: &Correction,
    latest: u64,
    (limits, counters, fresh): Opened<'_, '_>,
    now: Micros,
) {
    match one.mark(correction.number) {
        Some(Mark::Done | Mark::Granted { .. }) => return,
        None if correction.number <= latest => return,
        Some(Mark::Awaited) | None => one.set_mark(correction.number, Mark::Done),
    }
    let all = limits.iter().zip(counters).enumerate();
    for (i, (_, counter)) in all.filter(|(_, (limit, _))| limit.is_correctable()) {
        counter.settle_reserved(correction.settled);
        if correction.stock.is_some_and(|(age, units)| counter.report(units, instant(past(age, now)))) {
            continue;
        }
        if let Some((counted, units)) = correction.back.filter(|(at, _)| !fresh.is_stale(i, *at)) {
            counter.refund(instant(counted), units);
        }
        let more = correction.more.map(|(age, units)| (past(age, now), units));
        if let Some((at, units)) = more.filter(|(at, _)| fresh.counts_debt(i, *at)) {
            counter.charge(instant(at), units);
        }
        if let Some((age, units)) = correction.returned {
            counter.give_back_newest(instant(past(age, now)), units);
        }
    }
}

/// The answers to these never came, so nothing of their grants was used.
fn reclaim(one: &mut HolderState, entry: &Entry, counters: &mut [Counter<'_>], fresh: &FreshStarts) {
    for number in &entry.lost {
        if let Some(Mark::Granted { since, end, units }) = one.mark(*number) {
            Granted { since, end, units }.settle((&entry.limits, counters, fresh), &[]);
        }
    }
    one.marks.retain(|(number, mark)| match mark {
        Mark::Granted { .. } => !entry.lost.contains(number),
        Mark::Awaited | Mark::Done => is_named(entry, *number),
    });
}

/// Whether a later copy of this entry, or an earlier entry, may still say something about a number.
fn is_named(entry: &Entry, number: u64) -> bool {
    number == entry.number
        || entry.open.contains(&number)
        || entry.reports.iter().any(|report| report.grant == number)
        || entry.corrections.iter().any(|correction| correction.number == number)
}
