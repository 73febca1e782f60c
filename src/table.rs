//! Where counts live: a fixed number of pages in the host's shared data, and the transaction, the only
//! place where a count changes.
//!
//! `charges → read pages → judge → write back by compare-and-swap → verdicts`
//!
//! One record per identity holds the states of all its limits, so a policy costs one read and one
//! write. Tries are bounded: when they are spent the worker's own [`Fallback`] answers, and what it admits
//! is a debt that the next write of that record posts. A lease of units (to come) has its place beside it.

mod fallback;
mod page;
mod store;

pub use store::{Cas, PageId, Read, Store, Write};

#[cfg(test)]
pub use store::memory;

use crate::key::{Identity, Seed};
use crate::limiter::{Coarseness, Counter, Limit, Verdict};
use crate::time::Micros;
use fallback::Fallback;
use page::{NewRecord, OVERFLOW, Page, RESERVE, States};
use std::num::NonZeroU32;

/// Writes of one record that may meet a conflict before the fallback answers.
const TRIES: u32 = 8;

/// The table's size: its ceiling is `pages × page_bytes`, and the host's own share per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Pages.
    pub pages: NonZeroU32,
    /// The most bytes of one page.
    pub page_bytes: u16,
}

impl Geometry {
    /// The most bytes one limit's state may take and still be sure to fit a page of its own.
    pub fn room_for_one_state(&self) -> usize {
        const HEADERS: usize = 32;
        usize::from(self.page_bytes).saturating_sub(RESERVE + HEADERS)
    }

    /// The most limits that one record can hold: so many states fit a page of their own, coarsened if need be.
    pub fn most_limits(&self) -> usize {
        const STATE: usize = 36;
        self.room_for_one_state() / STATE
    }
}

/// What one policy asks of one identity's record.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Whose record.
    pub identity: Identity,
    /// The limits that must all admit it.
    pub limits: &'a [Limit],
    /// Units.
    pub cost: u32,
}

/// The answers of one charge's limits, in their order.
pub type Verdicts = Vec<Verdict>;

/// Whether all of them admit.
pub fn admitted(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.admitted)
}

/// How several charges of one request depend on each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Charging {
    /// A refusal anywhere spends nothing anywhere.
    #[default]
    AllOrNothing,
    /// In order: a refusal has spent what came before it, and nothing after it.
    Sequential,
}

/// Counts of what happened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Records dropped, before they expired, to make room.
    pub evictions: u64,
    /// Requests counted in a page's overflow record.
    pub overflow: u64,
    /// Pages or states that were not what this module writes, and read as empty.
    pub damaged: u64,
    /// Writes that met a conflict.
    pub cas_misses: u64,
    /// Decisions by a worker's fallback.
    pub degraded: u64,
}

/// The table as one worker sees it.
pub struct Table {
    seed: Seed,
    geometry: Geometry,
    fallback: Fallback,
    tally: Tally,
}

/// One judged read of a record, and what to write if it is to count.
struct Attempt {
    verdicts: Verdicts,
    /// The answers if the request is not counted here, since it was refused elsewhere.
    standing: Verdicts,
    /// What to write; none if nothing changes, or there is no room.
    write: Option<Rewrite>,
    /// There is something to write and no room.
    crowded: bool,
}

struct Rewrite {
    bytes: Vec<u8>,
    version: Option<Cas>,
    evicted: u32,
    overflowed: bool,
}

impl Table {
    /// A table with these pages. All workers must have the same seed and geometry.
    pub fn new(seed: Seed, geometry: Geometry) -> Table {
        Table { seed, geometry, fallback: Fallback::default(), tally: Tally::default() }
    }

    /// The secret that identities are hashed with.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// What happened since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Judges all charges of one request and counts it as `charging` says. Answers one list of verdicts per
    /// charge, in order.
    pub fn transact<S: Store>(
        &mut self,
        store: &S,
        charges: &[Charge<'_>],
        charging: Charging,
        now: Micros,
    ) -> Vec<Verdicts> {
        match charging {
            Charging::Sequential => self.charge_in_order(store, charges, now),
            Charging::AllOrNothing => self.charge_all(store, charges, now),
        }
    }

    fn charge_in_order<S: Store>(&mut self, store: &S, charges: &[Charge<'_>], now: Micros) -> Vec<Verdicts> {
        let mut refused = false;
        let answer = |charge: &Charge<'_>| {
            // What comes after a refusal is only looked at, for the longest wait to be known.
            let verdicts =
                if refused { self.look(store, charge, now) } else { self.charge(store, charge, None, now) };
            refused |= !admitted(&verdicts);
            verdicts
        };
        charges.iter().map(answer).collect()
    }

    fn charge_all<S: Store>(&mut self, store: &S, charges: &[Charge<'_>], now: Micros) -> Vec<Verdicts> {
        let mut attempts: Vec<_> = charges.iter().map(|charge| self.attempt(store, charge, now)).collect();
        if attempts.iter().flatten().any(|attempt| !admitted(&attempt.verdicts)) {
            let standing = |(charge, attempt): (&Charge<'_>, Option<Attempt>)| {
                attempt.map_or_else(|| unknown(charge), |attempt| attempt.standing)
            };
            return charges.iter().zip(attempts).map(standing).collect();
        }
        let mut answers: Vec<Verdicts> = Vec::with_capacity(charges.len());
        for (i, (charge, attempt)) in charges.iter().zip(&mut attempts).enumerate() {
            // What this request has just written to the same page makes the attempt stale.
            let page = self.page_of(charge.identity);
            let stale = charges.iter().take(i).any(|earlier| self.page_of(earlier.identity) == page);
            let verdicts = self.charge(store, charge, attempt.take_if(|_| !stale), now);
            let refused = !admitted(&verdicts);
            answers.push(verdicts);
            if refused {
                // Someone else was faster between the judgement and this write.
                return self.undo(store, charges, answers, now);
            }
        }
        answers
    }

    /// Gives back what the charges before the last answer have spent, and answers how things stand then.
    fn undo<S: Store>(
        &mut self,
        store: &S,
        charges: &[Charge<'_>],
        answers: Vec<Verdicts>,
        now: Micros,
    ) -> Vec<Verdicts> {
        let spent = answers.len() - 1;
        for charge in charges.iter().take(spent) {
            self.fallback.owe_back(charge, now);
            self.settle_one(store, charge.identity, now);
        }
        let mut refusal = answers.into_iter().last();
        let answer = |(i, charge)| match refusal.take_if(|_| i == spent) {
            Some(verdicts) => verdicts,
            None => self.look(store, charge, now),
        };
        charges.iter().enumerate().map(answer).collect()
    }

    /// How a charge would be answered, without counting it.
    fn look<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Micros) -> Verdicts {
        self.attempt(store, charge, now).map_or_else(|| unknown(charge), |attempt| attempt.standing)
    }

    /// Counts one charge, if all its limits admit it. `first` is an attempt already made.
    fn charge<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        first: Option<Attempt>,
        now: Micros,
    ) -> Verdicts {
        let mut next = first;
        let mut seen = None;
        for _ in 0..TRIES {
            let Some(attempt) = next.take().or_else(|| self.attempt(store, charge, now)) else { break };
            let written = self.commit(store, charge, attempt.write.as_ref());
            if !admitted(&attempt.verdicts) {
                // A refusal needs no write: it stands as it was read.
                return attempt.standing;
            }
            if written {
                return attempt.verdicts;
            }
            seen = Some(attempt.verdicts);
            if attempt.crowded {
                // Another try would find as little room.
                break;
            }
        }
        self.tally.degraded += 1;
        self.fallback.charge(charge, seen, now)
    }

    /// Writes what an attempt has prepared. `false`: it met a conflict, or there is nothing to write.
    fn commit<S: Store>(&mut self, store: &S, charge: &Charge<'_>, write: Option<&Rewrite>) -> bool {
        let Some(write) = write else { return false };
        match store.write(self.page_of(charge.identity), &write.bytes, write.version) {
            Write::Stored => {
                self.fallback.posted(charge);
                self.tally.evictions += u64::from(write.evicted);
                self.tally.overflow += u64::from(write.overflowed);
                true
            }
            Write::Conflict => {
                self.tally.cas_misses += 1;
                false
            }
            Write::Unavailable => false,
        }
    }

    fn page_of(&self, identity: Identity) -> PageId {
        // A remainder is below the page count, which is a u32.
        (identity.page % u64::from(self.geometry.pages.get())) as PageId
    }

    /// Posts all debts. Call it now and then: a caller who never comes back leaves his unposted.
    pub fn settle<S: Store>(&mut self, store: &S, now: Micros) {
        for identity in self.fallback.owing() {
            self.settle_one(store, identity, now);
        }
        self.fallback.forget_the_idle(now);
    }

    fn settle_one<S: Store>(&mut self, store: &S, identity: Identity, now: Micros) {
        let limits = self.fallback.limits_of(identity);
        let nothing = Charge { identity, limits: &limits, cost: 0 };
        for _ in 0..TRIES {
            let Some(attempt) = self.attempt(store, &nothing, now) else { return };
            if self.commit(store, &nothing, attempt.write.as_ref()) {
                return;
            }
        }
    }

    /// Reads a record, posts this worker's debts to it, judges, and prepares the write. `None`: the host
    /// would not read.
    fn attempt<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Micros) -> Option<Attempt> {
        let (bytes, version) = match store.read(self.page_of(charge.identity)) {
            Read::Absent => (Vec::new(), None),
            Read::Present(bytes, version) => (bytes, Some(version)),
            Read::Unavailable => return None,
        };
        let page = Page::open(&bytes).unwrap_or_else(|page::Damaged| {
            self.tally.damaged += 1;
            Page::default()
        });
        let fingerprint = charge.identity.fingerprint.min(OVERFLOW - 1);
        let mut attempt = self.attempt_in(&page, fingerprint, charge, now);
        let crowded_out = attempt.crowded && page.find(fingerprint, now).is_none();
        if crowded_out {
            attempt = self.attempt_in(&page, OVERFLOW, charge, now);
        }
        if let Some(write) = &mut attempt.write {
            (write.version, write.overflowed) = (version, crowded_out);
        }
        Some(attempt)
    }

    /// An attempt in the record of `owner`: the identity's own, or the page's overflow record.
    fn attempt_in(&mut self, page: &Page<'_>, owner: u64, charge: &Charge<'_>, now: Micros) -> Attempt {
        let states = page.find(owner, now).map_or(&[][..], |record| record.states);
        let mut counters: Vec<Counter<'_>> =
            charge.limits.iter().map(|limit| self.open(limit, states, now)).collect();
        let posts = self.fallback.post(charge, &mut counters);
        let verdicts: Verdicts = counters.iter().map(|counter| counter.judge(now, charge.cost)).collect();
        let stands = |(counter, verdict): (&Counter<'_>, &Verdict)| {
            if verdict.admitted { counter.judge(now, 0) } else { *verdict }
        };
        let standing = counters.iter().zip(&verdicts).map(stands).collect();
        let counts = charge.cost > 0 && admitted(&verdicts);
        if counts {
            counters.iter_mut().for_each(|counter| counter.charge(now, charge.cost));
        }
        let changed = counts || posts || counters.iter().any(Counter::restamped);
        let write =
            if changed { self.rewrite(page, owner, states, charge.limits, &mut counters, now) } else { None };
        Attempt { verdicts, standing, crowded: changed && write.is_none(), write }
    }

    fn open<'a>(&mut self, limit: &Limit, states: &'a [u8], now: Micros) -> Counter<'a> {
        let mut content = Some(&[][..]);
        for state in States(states) {
            match state {
                Ok(state) if state.limit == limit.id && state.kind == limit.algorithm.kind() => {
                    content = Some(state.content);
                }
                Ok(_) => {}
                Err(page::Damaged) => content = None,
            }
        }
        content.and_then(|content| Counter::open(limit, content, now)).unwrap_or_else(|| {
            self.tally.damaged += 1;
            Counter::empty(limit)
        })
    }

    /// The page with these counters in the record of `owner`. `None`: there is no room.
    ///
    /// A newcomer makes room by dropping those who have used little. A record that grows first gives up
    /// some precision, then drops others, then gives up any precision, then uses the reserve.
    fn rewrite(
        &self,
        page: &Page<'_>,
        owner: u64,
        states: &[u8],
        limits: &[Limit],
        counters: &mut [Counter<'_>],
        now: Micros,
    ) -> Option<Rewrite> {
        let whole = usize::from(self.geometry.page_bytes);
        let room = if owner == OVERFLOW { whole } else { whole.saturating_sub(RESERVE) };
        let newcomer = states.is_empty() && owner != OVERFLOW;
        let mut record = build(owner, states, limits, counters, now);
        let mut bytes = Vec::with_capacity(whole);
        let coarsen = |counters: &mut [Counter<'_>], record: &mut NewRecord, so_far| {
            while page.excess(record, room, now) > 0 {
                // All of them, not only until the first that can.
                let coarser = counters.iter_mut().fold(false, |any, counter| counter.coarsen(so_far) | any);
                if !coarser {
                    break;
                }
                *record = build(owner, states, limits, counters, now);
            }
        };
        if !newcomer {
            coarsen(counters, &mut record, Coarseness::Slight);
        }
        let mut evicted = page.with(&record, room, now, &mut bytes);
        if evicted.is_none() && !newcomer {
            coarsen(counters, &mut record, Coarseness::Any);
            evicted = page.with(&record, whole, now, &mut bytes);
        }
        evicted.map(|evicted| Rewrite { bytes, version: None, evicted, overflowed: false })
    }
}

/// The record of `owner`: the counters' states, and those of other limits as they were.
fn build(owner: u64, states: &[u8], limits: &[Limit], counters: &[Counter<'_>], now: Micros) -> NewRecord {
    let mut record = NewRecord::new(owner);
    let touched = |state: &page::State<'_>| limits.iter().any(|limit| limit.id == state.limit);
    for state in States(states).flatten().filter(|state| state.lives(now) && !touched(state)) {
        record.keep(&state);
    }
    let mut content = Vec::new();
    for (limit, counter) in limits.iter().zip(counters) {
        content.clear();
        let wear = counter.write(&mut content);
        record.add(limit.id, limit.algorithm.kind(), wear, &content);
    }
    record
}

/// What is said of a record that the host would not read.
fn unknown(charge: &Charge<'_>) -> Verdicts {
    charge.limits.iter().map(|limit| Counter::empty(limit).judge(0, 0)).collect()
}

#[cfg(test)]
mod tests;
