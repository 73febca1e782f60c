//! One attempt at a transaction: a record is read, what this worker owes it is posted to it, the request is
//! judged, and the page that would be written is prepared. Nothing is written here.

use super::lease::Lease;
use super::page::{self, NewRecord, OVERFLOW, Page, RESERVE, States};
use super::store::{Cas, Read, Store};
use super::{Charge, Count, Table, Verdicts, admitted};
use crate::limiter::{Algorithm, Coarseness, Counter, Limit};
use crate::time::{Micros, Now};

/// One judged read of a record, and what to write if it is to count.
pub(super) struct Attempt {
    pub verdicts: Verdicts,
    /// The answers if the request is not counted here, since it was refused elsewhere.
    pub standing: Verdicts,
    /// Whether the request is counted by this attempt's write.
    pub counts: bool,
    pub plan: Plan,
}

/// What to write.
pub(super) enum Plan {
    /// Nothing changes.
    Nothing,
    /// The record changes, and its page has no room for it.
    NoRoom,
    /// This.
    Rewrite(Rewrite),
}

pub(super) struct Rewrite {
    pub bytes: Vec<u8>,
    pub version: Option<Cas>,
    pub evicted: u32,
    pub overflowed: bool,
    /// Units that the write takes beyond the request's own.
    pub lease: Option<Lease>,
}

impl Table {
    /// Attempts a charge. `None`: the host would not read.
    pub(super) fn attempt<S: Store>(&mut self, store: &S, charge: &Charge<'_>, now: Now) -> Option<Attempt> {
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
        let crowded_out = matches!(attempt.plan, Plan::NoRoom) && page.find(fingerprint, now.mono).is_none();
        if crowded_out {
            attempt = self.attempt_in(&page, OVERFLOW, charge, now);
        }
        if let Plan::Rewrite(write) = &mut attempt.plan {
            (write.version, write.overflowed) = (version, crowded_out);
        }
        Some(attempt)
    }

    /// An attempt in the record of `owner`: the identity's own, or the page's overflow record. In the latter
    /// what is in flight is not shared: each worker holds a caller who was crowded out to the quota by itself.
    fn attempt_in(&mut self, page: &Page<'_>, owner: u64, charge: &Charge<'_>, now: Now) -> Attempt {
        let states = page.find(owner, now.mono).map_or(&[][..], |record| record.states);
        let shares = |limit: &Limit| owner != OVERFLOW || limit.algorithm != Algorithm::Concurrency;
        let open =
            |limit| if shares(limit) { self.open(limit, states, now) } else { Counter::empty(limit, now) };
        let mut counters: Vec<Counter<'_>> = charge.limits.iter().map(open).collect();
        // Leases first: they put units to the times that refunds look for them at.
        let posts = self.leases.post(charge, &mut counters)
            | self.fallback.post(charge, &mut counters)
            | self.holdings.tell(charge, &mut counters, now);
        let verdicts: Verdicts = counters.iter().map(|counter| counter.judge(now, charge.cost)).collect();
        let standing = counters
            .iter()
            .zip(&verdicts)
            .map(|(counter, verdict)| if verdict.admitted { counter.judge(now, 0) } else { *verdict });
        let mut standing: Verdicts = standing.collect();
        let counts = charge.cost > 0
            && match charge.count {
                Count::Accepted => admitted(&verdicts),
                Count::All => true,
                Count::Later => false,
            };
        let mut lease = None;
        if counts {
            counters.iter_mut().for_each(|counter| counter.charge(now, charge.cost));
            if !admitted(&verdicts) {
                // It counts although it is refused, and so prolongs its own wait.
                let after = counters.iter().zip(&verdicts);
                standing = after
                    .map(|(counter, verdict)| {
                        counter.judge(now, if verdict.admitted { 0 } else { charge.cost })
                    })
                    .collect();
            }
            // A lease in the overflow record would be one worker's at the price of all who share it.
            lease = if owner == OVERFLOW { None } else { self.leases.take(charge, &mut counters, now) };
        }
        let plan = if counts || posts || counters.iter().any(Counter::restamped) {
            self.rewrite(page, owner, states, charge.limits, &mut counters, now.mono)
                .map_or(Plan::NoRoom, |write| Plan::Rewrite(Rewrite { lease, ..write }))
        } else {
            Plan::Nothing
        };
        Attempt { verdicts, standing, counts, plan }
    }

    fn open<'a>(&mut self, limit: &Limit, states: &'a [u8], now: Now) -> Counter<'a> {
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
        content.and_then(|content| Counter::open(limit, content, now, self.holder)).unwrap_or_else(|| {
            self.tally.damaged += 1;
            Counter::empty(limit, now)
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
        evicted.map(|evicted| Rewrite { bytes, version: None, evicted, overflowed: false, lease: None })
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
        // What a worker has in flight it says anew with each write: of one caller, not of all who overflow.
        if owner == OVERFLOW && limit.algorithm == Algorithm::Concurrency {
            continue;
        }
        content.clear();
        let wear = counter.write(&mut content);
        record.add(limit.id, limit.algorithm.kind(), wear, &content);
    }
    record
}
