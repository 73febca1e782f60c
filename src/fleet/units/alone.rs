//! Decisions of a worker alone, while the service does not answer: its share of each quota, counted on its own
//! clock.

use crate::limiter::concurrency::WorkerId;
use crate::limiter::{Counter, Limit, LimitId, Verdict};
use crate::time::{Micros, Now, SECOND};

/// What a worker has admitted of one caller without the service.
#[derive(Default)]
pub(super) struct Alone {
    /// By limit, whichever the caller's tier or the configuration is: as all of them name it.
    states: Vec<State>,
    /// When all of them have no effect any more.
    expires: Micros,
}

struct State {
    limit: LimitId,
    kind: u8,
    expires: Micros,
    /// As the algorithm writes it.
    content: Vec<u8>,
}

impl Alone {
    pub fn is_idle(&self, now: Now) -> bool {
        self.expires <= now.mono
    }

    /// Judges a request against this worker's share of each quota, and counts it if all admit it.
    pub fn decide(
        &mut self,
        limits: &[Limit],
        cost: u32,
        in_flight: u32,
        workers: u32,
        now: Now,
    ) -> Vec<Verdict> {
        let shares: Vec<Limit> =
            limits.iter().filter(|limit| !limit.is_penalty()).map(|limit| limit.share(workers)).collect();
        let mut states = std::mem::take(&mut self.states);
        let mut counters: Vec<Counter<'_>> =
            shares.iter().map(|limit| open(limit, content(&states, limit), in_flight, now)).collect();
        let verdicts: Vec<Verdict> = counters.iter().map(|counter| counter.judge(now, cost)).collect();
        if verdicts.iter().all(|verdict| verdict.admitted) {
            counters.iter_mut().for_each(|counter| counter.charge(now, cost));
        }
        let written: Vec<State> = shares
            .iter()
            .zip(&counters)
            .filter_map(|(limit, counter)| written(limit, counter, now))
            .collect();
        drop(counters);
        states.retain(|state| state.expires > now.mono && shares.iter().all(|limit| !state.is_of(limit)));
        states.extend(written);
        self.expires = states.iter().map(|state| state.expires).max().unwrap_or_default();
        self.states = states;
        verdicts
    }
}

impl State {
    fn is_of(&self, limit: &Limit) -> bool {
        self.limit == limit.id && self.kind == limit.algorithm.kind()
    }
}

fn content<'a>(states: &'a [State], limit: &Limit) -> &'a [u8] {
    states.iter().find(|state| state.is_of(limit)).map_or(&[], |state| &state.content)
}

/// `None`: there is nothing to remember. Units in flight are known anyway.
fn written(limit: &Limit, counter: &Counter<'_>, now: Now) -> Option<State> {
    let mut content = Vec::new();
    // A stock never expires.
    let longest = now.mono.saturating_add(367 * 86_400 * SECOND);
    let expires = counter.write(&mut content).expires.min(longest);
    let remembers = !limit.counts_in_flight() && !content.is_empty();
    remembers.then_some(State { limit: limit.id, kind: limit.algorithm.kind(), expires, content })
}

fn open<'a>(limit: &Limit, state: &'a [u8], in_flight: u32, now: Now) -> Counter<'a> {
    let counter = Counter::open(limit, state, now, WorkerId::default());
    let mut counter = counter.unwrap_or_else(|| Counter::empty(limit, now));
    counter.set_in_flight(in_flight);
    counter
}
