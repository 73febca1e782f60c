//! Counts that an operator forgives. They begin at zero once for each entry of a configuration, whichever worker brings
//! it first; the record remembers which it has followed ([`FreshStart`]).

use super::instant;
use crate::record::{Record, State};
use tollgate::limiter::{Counter, Forgiven, FreshStart, Limit, can_be_forgiven};
use tollgate::time::{Micros, SECOND};

/// The fresh starts of an entry's limits.
#[derive(Default)]
pub struct FreshStarts {
    /// By the limit's index; without one, zeros. Empty: no limit has one.
    starts: Vec<FreshStart>,
    /// Those to be written.
    new: Vec<State>,
}

/// A worker's clock may be behind the engine's, or the operator's, by so much.
const SKEW: Micros = 2 * SECOND;

impl FreshStarts {
    /// Those that a record has.
    pub fn of(record: &Record, limits: &[Limit]) -> FreshStarts {
        if record.states.iter().all(|state| state.kind != FreshStart::KIND) {
            return FreshStarts::default();
        }
        let start = |limit: &Limit| {
            FreshStart::read(record.state(FreshStart::id_of(limit.id), FreshStart::KIND)).unwrap_or_default()
        };
        FreshStarts { starts: limits.iter().map(start).collect(), new: Vec::new() }
    }

    /// Whether an entry brings anything that the record has not followed.
    pub fn follows_all(&self, limits: &[Limit], forgiven: &[Forgiven], now: Micros) -> bool {
        limits
            .iter()
            .enumerate()
            .all(|(i, limit)| latest(limit, forgiven, now).is_none_or(|one| one.before <= self.get(i).before))
    }

    /// Lets the counts begin at zero that an entry forgives, unless the record has followed it before. `now` is later than
    /// all that the record has granted.
    pub fn forgive(
        &mut self,
        limits: &[Limit],
        counters: &mut [Counter<'_>],
        forgiven: &[Forgiven],
        now: Micros,
    ) {
        for (i, (limit, counter)) in limits.iter().zip(counters).enumerate() {
            let Some(one) = latest(limit, forgiven, now) else { continue };
            let mut start = self.get(i);
            if start.before < one.before {
                start = FreshStart { before: one.before, since: now };
                match limit.is_penalty() {
                    true => counter.end_block(),
                    false => *counter = Counter::empty(limit, instant(now)),
                }
                self.starts.resize(limits.len(), FreshStart::default());
                self.starts.get_mut(i).into_iter().for_each(|own| *own = start);
            }
            let mut content = Vec::new();
            start.write(&mut content);
            let expires = start.expires(one.until, instant(now));
            self.new.push(State {
                limit: FreshStart::id_of(limit.id),
                kind: FreshStart::KIND,
                expires,
                content,
            });
        }
    }

    fn get(&self, limit: usize) -> FreshStart {
        self.starts.get(limit).copied().unwrap_or_default()
    }

    /// Whether what a limit, by its index, has counted at `at`, or granted then, has been forgiven since.
    pub fn is_stale(&self, limit: usize, at: Micros) -> bool {
        at < self.get(limit).since
    }

    /// Whether units of a stale grant that were used at `at` were used after the entry's instant.
    pub fn counts_use(&self, limit: usize, at: Micros) -> bool {
        at >= self.get(limit).before
    }

    /// Whether units that a worker has admitted alone at `at` count.
    pub fn counts_debt(&self, limit: usize, at: Micros) -> bool {
        at.saturating_add(SKEW) >= self.get(limit).before
    }

    /// The states to be written.
    pub fn into_states(self) -> Vec<State> {
        self.new
    }
}

/// The latest entry for a limit that is in effect.
fn latest<'f>(limit: &Limit, forgiven: &'f [Forgiven], now: Micros) -> Option<&'f Forgiven> {
    let own = forgiven.iter().filter(|one| one.limit == limit.id && one.is_in_effect(now));
    own.max_by_key(|one| one.before).filter(|_| can_be_forgiven(limit))
}

/// Moves a record's fresh starts to a clock that was set back by `step`.
pub fn step_back(states: &mut [State], limits: &[Limit], step: Micros) {
    for state in states.iter_mut().filter(|state| state.kind == FreshStart::KIND) {
        let is_start = limits.iter().any(|limit| FreshStart::id_of(limit.id) == state.limit);
        if let Some(start) = FreshStart::read(&state.content).filter(|_| is_start) {
            state.content.clear();
            FreshStart { since: start.since.saturating_sub(step), ..start }.write(&mut state.content);
        }
    }
}
