//! Applies an entry to a record. Pure: the engine's clock is an argument.

mod forgive;
mod grant;
mod settle;
mod step_back;

use crate::record::{HolderState, Record, State};
use forgive::FreshStarts;
use tollgate::fleet::message::{Entry, EntryAnswer};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Counter, Limit};
use tollgate::time::{Micros, Now, SECOND};

/// Applies what a worker says to a record at `now`. Applying an entry again changes nothing and gives the same
/// grant, so a write whose outcome is unknown can be tried again.
pub fn apply(record: &mut Record, holder: u64, entry: &Entry, now: Micros) -> EntryAnswer {
    let now = steady(record.written, now);
    if now < record.written {
        step_back::follow(record, &entry.limits, now);
    }
    record.forget(now);
    let mut fresh = FreshStarts::of(record, &entry.limits);
    let forgives = !entry.forgive.is_empty();
    // What was granted in this microsecond was granted before.
    let is_new = forgives && !fresh.follows_all(&entry.limits, &entry.forgive, now);
    let now = if is_new { now.max(record.written.saturating_add(1)) } else { now };
    let mut one = take_holder(record, holder, now);
    let active = record.holders.iter().filter(|other| other.is_active(now)).count();
    let may_come_back = record.holders.iter().any(HolderState::owes_a_report);
    let states = std::mem::take(&mut record.states);
    let mut counters: Vec<Counter<'_>> =
        entry.limits.iter().map(|limit| open(limit, &states, holder, now)).collect();

    if forgives {
        fresh.forgive(&entry.limits, &mut counters, &entry.forgive, now);
    }
    let is_new = one.is_new(entry.number);
    settle::settle(&mut one, entry, &mut counters, &fresh, now);
    let answer = match is_new {
        true => grant::grant(&mut one, entry, &mut counters, active, now),
        false => grant::repeat(&one, entry, &counters, now),
    };

    // A block ends when it ends. Other rejections may be due to units that go back within seconds.
    let is_block = entry.limits.iter().any(Limit::is_penalty);
    let longest = if may_come_back && !is_block { SECOND } else { Micros::MAX };
    let answer = EntryAnswer { remember: answer.remember.min(longest), ..answer };

    record.states = written(&entry.limits, &counters, &states, fresh);
    record.holders.push(one);
    record.make_room();
    record.written = now;
    answer
}

/// The engine's clock, without small steps back: another engine may have taken over. A clock that was set back by
/// more is followed, or all counts would stand still until it has caught up.
fn steady(written: Micros, now: Micros) -> Micros {
    const MAX_STEP_BACK: Micros = 2 * SECOND;
    if written > now && written - now <= MAX_STEP_BACK { written } else { now }
}

/// Takes the worker's state out of the record.
fn take_holder(record: &mut Record, holder: u64, now: Micros) -> HolderState {
    let at = record.holders.iter().position(|one| one.holder == holder);
    let mut one = at.map_or_else(|| HolderState::new(holder, now), |at| record.holders.swap_remove(at));
    one.seen = now;
    one
}

/// Both clocks of a record are the engine's.
fn instant(now: Micros) -> Now {
    Now { mono: now, wall: now }
}

fn open<'a>(limit: &Limit, states: &'a [State], holder: u64, now: Micros) -> Counter<'a> {
    let state = states.iter().find(|state| state.limit == limit.id && state.kind == limit.algorithm.kind());
    let content = state.map_or(&[][..], |state| &state.content);
    let worker = WorkerId((holder ^ holder >> 32) as u32);
    Counter::open(limit, content, instant(now), worker).unwrap_or_else(|| Counter::empty(limit, instant(now)))
}

/// The most states of limits that an entry does not have. A policy has at most eight limits.
const MAX_OTHERS: usize = 24;

/// The states after the entry: those of its limits, and those of other limits, which another configuration may
/// have and which expire by themselves. If there are too many of them, those go that expire first.
fn written(limits: &[Limit], counters: &[Counter<'_>], before: &[State], fresh: FreshStarts) -> Vec<State> {
    let fresh = fresh.into_states();
    let is_written = |state: &State| fresh.iter().any(|start| start.limit == state.limit);
    let others = before.iter().filter(|state| limits.iter().all(|limit| limit.id != state.limit));
    let others = others.filter(|state| !is_written(state));
    let mut states: Vec<State> = others.cloned().collect();
    if states.len() > MAX_OTHERS {
        states.sort_by_key(|state| std::cmp::Reverse(state.expires));
        states.truncate(MAX_OTHERS);
    }
    for (limit, counter) in limits.iter().zip(counters) {
        let mut content = Vec::new();
        let expires = counter.write(&mut content).expires;
        if !content.is_empty() {
            states.push(State { limit: limit.id, kind: limit.algorithm.kind(), expires, content });
        }
    }
    states.extend(fresh);
    states
}

#[cfg(test)]
mod tests;
