//! The engine's clock was set back by more than it may drift: a record's instants are moved with it, so that
//! nothing counts for longer than its window, and nothing for less.

use super::{forgive, instant};
use crate::record::{Mark, Record, State};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Counter, Limit};
use tollgate::time::Micros;

/// Moves a record to a clock that says `now` where it said at least `record.written` before.
pub fn follow(record: &mut Record, limits: &[Limit], now: Micros) {
    let (before, grants) = (record.written, running(record));
    for limit in limits {
        let kind = limit.algorithm.kind();
        let state = record.states.iter_mut().find(|state| state.limit == limit.id && state.kind == kind);
        if let Some(state) = state {
            move_state(state, limit, &grants, before, now);
        }
    }
    forgive::step_back(&mut record.states, limits, before - now);
    let moved = |at: Micros| at.saturating_sub(before - now);
    for one in &mut record.holders {
        one.seen = moved(one.seen);
        for (_, mark) in &mut one.marks {
            if let Mark::Granted { since, end, .. } = mark {
                (*since, *end) = (moved(*since), moved(*end));
            }
        }
    }
    record.written = now;
}

/// Ends and units of grants that were still running.
fn running(record: &Record) -> Vec<(Micros, u32)> {
    let marks = record.holders.iter().flat_map(|one| &one.marks);
    let running = marks.filter_map(|(_, mark)| match mark {
        Mark::Granted { end, units, .. } if *end > record.written => Some((*end, *units)),
        Mark::Granted { .. } | Mark::Awaited | Mark::Done => None,
    });
    running.collect()
}

fn move_state(state: &mut State, limit: &Limit, grants: &[(Micros, u32)], before: Micros, now: Micros) {
    let old = std::mem::take(&mut state.content);
    let open = |content, at| Counter::open(limit, content, instant(at), WorkerId::default());
    let written = |counter: &Counter<'_>| {
        let mut content = Vec::new();
        let expires = counter.write(&mut content).expires;
        (content, expires)
    };
    if !limit.algorithm.counts_by_time() {
        // It finds out itself.
        state.content = old;
    } else if limit.algorithm.is_aligned() {
        // Its units count in the window that it is now.
        let Some(counter) = open(&old, before) else { return };
        let left = counter.judge(instant(before), 0).remaining;
        let used = u64::from(limit.quota.get()).saturating_sub(left);
        let mut counter = Counter::empty(limit, instant(now));
        counter.charge(instant(now), u32::try_from(used).unwrap_or(u32::MAX));
        (state.content, state.expires) = written(&counter);
    } else {
        // A log moves so that its newest unit counts now. So none may count later while it moves.
        let Some(mut counter) = open(&old, before) else { return };
        for (end, units) in grants {
            counter.settle(instant(*end), *units, &[(instant(before), *units)]);
        }
        let (content, _) = written(&counter);
        let Some(mut counter) = open(&content, now) else { return };
        for (end, units) in grants {
            let end = end.saturating_sub(before - now);
            counter.settle(instant(now), *units, &[(instant(end), *units)]);
        }
        (state.content, state.expires) = written(&counter);
    }
}
