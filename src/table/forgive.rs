//! Which callers' counts an operator forgives, as far as this worker knows, and what their records remember of it
//! ([`crate::limiter::FreshStart`]).
//!
//! A worker knows the entries for callers that have come to it; the record remembers which of them it has followed. So
//! the first worker to which the caller comes lets its counts begin at zero, and all others find that done.
//! What they still hold of the caller from before, such as a lease, changes nothing any more: see
//! [`FreshStarts::is_stale`].

use super::page::States;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::limiter::{Counter, Forgiven, FreshStart, Limit, LimitId, can_be_forgiven};
use crate::time::{MILLISECOND, Micros, Now};
use std::sync::Arc;

/// The maximum number of records of which a worker knows that they are forgiven. A caller may have many, by the
/// other keys of a policy. Beyond that, the worker forgets all, and learns them anew.
const MAX_KNOWN: usize = 8_192;

/// The entries for callers that have come to this worker.
#[derive(Default)]
pub(super) struct ForgivenCallers {
    /// Whether records may have fresh starts, since this VM has had a configuration by which callers can be forgiven.
    is_possible: bool,
    /// By the identity of the record.
    known: IdentityMap<Arc<[Forgiven]>>,
}

impl ForgivenCallers {
    /// Takes over a new configuration, by which callers can be forgiven, or not.
    pub fn begin(&mut self, is_possible: bool) {
        self.is_possible |= is_possible;
        self.known = IdentityMap::default();
    }

    /// Notes the entries for a record. Returns whether they were not known.
    pub fn note(&mut self, identity: Identity, entries: &Arc<[Forgiven]>) -> bool {
        self.is_possible = true;
        let identity = identity.known(false);
        if self.known.get(identity).is_some_and(|known| known == entries) {
            return false;
        }
        if self.known.len() >= MAX_KNOWN {
            self.known = IdentityMap::default();
        }
        if let Some(known) = self.known.open(identity, usize::MAX) {
            *known = entries.clone();
        }
        true
    }

    /// The entries for a record.
    pub fn of(&self, identity: Identity) -> Option<&Arc<[Forgiven]>> {
        self.known.get(identity.known(false))
    }

    /// Whether an entry for a record waits for its instant, so that no units are taken ahead.
    pub fn awaits(&self, identity: Identity, wall: Micros) -> bool {
        self.of(identity).is_some_and(|entries| entries.iter().any(|entry| wall < entry.before))
    }

    /// The fresh starts of a record's limits. `None`: no record has any.
    pub fn read(
        &self,
        identity: Identity,
        limits: &[Limit],
        states: &[u8],
        clock: Micros,
    ) -> Option<FreshStarts> {
        self.is_possible.then(|| FreshStarts::read(self.of(identity), limits, states, clock))
    }
}

/// The fresh starts of the limits of one charge, in its record.
#[derive(Default)]
pub(super) struct FreshStarts {
    entries: Option<Arc<[Forgiven]>>,
    /// By the limit's index. Empty: no limit has one, nor is to get one.
    starts: Vec<Start>,
    /// Whether counts have been forgiven.
    pub forgives: bool,
}

/// The last fresh start of one limit.
#[derive(Clone, Default)]
struct Start {
    mark: FreshStart,
    /// Whether the record counts anything for it.
    counts: bool,
    /// When it expires, if it is to be written, on the monotonic clock.
    expires: Option<Micros>,
}

/// For a state of the record, what was counted a little later may have been counted before: workers read the clock
/// before they compete for the page.
const JITTER: Micros = MILLISECOND;

impl FreshStarts {
    fn read(
        entries: Option<&Arc<[Forgiven]>>,
        limits: &[Limit],
        states: &[u8],
        clock: Micros,
    ) -> FreshStarts {
        let living = || States(states).flatten().filter(|state| state.lives(clock));
        let mut found: Vec<(LimitId, FreshStart)> = Vec::new();
        found.extend(
            living()
                .filter(|state| state.kind == FreshStart::KIND)
                .filter_map(|state| FreshStart::read(state.content).map(|start| (state.limit, start))),
        );
        if found.is_empty() && entries.is_none() {
            return FreshStarts::default();
        }
        let start = |limit: &Limit| {
            let id = FreshStart::id_of(limit.id);
            let mark =
                found.iter().find(|(own, _)| *own == id).map_or(FreshStart::default(), |(_, mark)| *mark);
            let kind = limit.algorithm.kind();
            let counts = living().any(|state| state.limit == limit.id && state.kind == kind);
            Start { mark, counts, expires: None }
        };
        FreshStarts { entries: entries.cloned(), starts: limits.iter().map(start).collect(), forgives: false }
    }

    /// Since when the counts of a limit, by its index, are new. 0: as long as anybody may remember.
    pub fn since(&self, limit: usize) -> Micros {
        self.starts.get(limit).map_or(0, |start| start.mark.since)
    }

    /// The last of all limits' fresh starts, which is remembered by whoever takes units.
    pub fn last(&self) -> Micros {
        self.starts.iter().map(|start| start.mark.since).max().unwrap_or_default()
    }

    /// Whether units of a limit, by its index, that were taken when `last` was the [last](Self::last) fresh start
    /// have been forgiven since.
    pub fn is_stale(&self, limit: usize, last: Micros) -> bool {
        self.since(limit) > last
    }

    /// Whether units that were used at `at` without the record were used since the counts are new.
    pub fn is_new(&self, limit: usize, at: Micros, skew: Micros) -> bool {
        at.saturating_add(skew.max(JITTER)) >= self.since(limit)
    }

    /// Lets the counts begin at zero that the entries forgive, unless the record has followed these entries
    /// before. `posted`: this worker has just posted what it owed from before.
    pub fn forgive(&mut self, limits: &[Limit], counters: &mut [Counter<'_>], posted: bool, now: Now) {
        let Some(entries) = self.entries.take() else { return };
        let next = now.mono.max(self.last().saturating_add(1));
        let all = limits.iter().zip(counters).zip(&mut self.starts);
        for ((limit, counter), start) in all.filter(|((limit, _), _)| can_be_forgiven(limit)) {
            let of_limit =
                entries.iter().filter(|entry| entry.limit == limit.id && entry.is_in_effect(now.wall));
            let Some(entry) = of_limit.max_by_key(|entry| entry.before) else { continue };
            if start.mark.before < entry.before {
                self.forgives |= start.counts || posted;
                start.mark = FreshStart { before: entry.before, since: next };
                match limit.is_penalty() {
                    true => counter.end_block(),
                    false => *counter = Counter::empty(limit, now),
                }
            }
            start.expires = Some(start.mark.expires(entry.until, now));
        }
    }

    /// The states to be written: the limit's id, when it expires, and its bytes.
    pub fn to_write<'s>(
        &'s self,
        limits: &'s [Limit],
    ) -> impl Iterator<Item = (LimitId, Micros, FreshStart)> + 's {
        let own = limits.iter().zip(&self.starts);
        own.filter_map(|(limit, start)| Some((FreshStart::id_of(limit.id), start.expires?, start.mark)))
    }
}
