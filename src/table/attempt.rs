//! One attempt at a transaction: a record is read, what this worker owes it is posted to it, the request is
//! judged, and the page that would be written is prepared. Nothing is written here.

use super::lease::Lease;
use super::page::{self, NewRecord, OVERFLOW, Page, RESERVE, States};
use super::store::{Cas, Read, Store};
use super::{Charge, Count, Table, Verdicts, admitted, penalty};
use crate::limiter::{Algorithm, Coarseness, Counter, Limit};
use crate::time::{Micros, Now};

/// Room for a limit's first state in a record.
const NEW_STATE: usize = 32;

/// One judged read of a record, and what to write if it is to count.
pub(super) struct Attempt {
    pub verdicts: Verdicts,
    /// The answers if the request is not counted here, or is refused, where these are others.
    standing: Option<Verdicts>,
    /// Whether the request is counted by this attempt's write.
    pub counts: bool,
    /// When the penalty ends that this attempt's write starts, if it starts one.
    pub penalty: Option<Micros>,
    pub plan: Plan,
}

impl Attempt {
    /// The answers if the request is not counted here, since it was refused elsewhere.
    pub fn standing(self) -> Verdicts {
        self.standing.unwrap_or(self.verdicts)
    }

    /// The answers, once this attempt is written.
    pub fn answers(self, now: Now) -> Verdicts {
        let penalty = self.penalty;
        if admitted(&self.verdicts) { self.verdicts } else { punished(self.standing(), penalty, now) }
    }

    /// The answers if the request is refused here, and this attempt written.
    pub fn refusal(&self, now: Now) -> Verdicts {
        punished(self.standing.as_ref().unwrap_or(&self.verdicts).clone(), self.penalty, now)
    }
}

fn punished(mut verdicts: Verdicts, penalty: Option<Micros>, now: Now) -> Verdicts {
    if let Some(end) = penalty {
        penalty::refuse_until(end, &mut verdicts, now.mono);
    }
    verdicts
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
    /// Attempts a charge. `others`: other charges of the request may yet refuse it. `None`: the host would not read.
    pub(super) fn attempt<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        others: bool,
        now: Now,
    ) -> Option<Attempt> {
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
        let mut attempt = self.attempt_in(&page, fingerprint, charge, others, now);
        let crowded_out = matches!(attempt.plan, Plan::NoRoom) && page.find(fingerprint, now.mono).is_none();
        if crowded_out {
            attempt = self.attempt_in(&page, OVERFLOW, charge, others, now);
        }
        if let Plan::Rewrite(write) = &mut attempt.plan {
            (write.version, write.overflowed) = (version, crowded_out);
        }
        Some(attempt)
    }

    /// An attempt in the record of `owner`: the identity's own, or the page's overflow record.
    fn attempt_in(
        &mut self,
        page: &Page<'_>,
        owner: u64,
        charge: &Charge<'_>,
        others: bool,
        now: Now,
    ) -> Attempt {
        let states = page.find(owner, now.mono).map_or(&[][..], |record| record.states);
        let own = owner != OVERFLOW;
        let open = |limit| match own || may_be_shared(limit) {
            true => self.open(limit, states, now),
            false => Counter::empty(limit, now),
        };
        let mut counters: Vec<Counter<'_>> = charge.limits.iter().map(open).collect();
        // Leases first: they put units to the times that refunds look for them at.
        let posts = self.leases.post(charge, &mut counters)
            | self.fallback.post(charge, &mut counters)
            | self.holdings.tell(charge, &mut counters, now);
        let judge = |counters: &[Counter<'_>], cost: &dyn Fn(usize) -> u32| {
            penalty::judge(charge.limits, counters, cost, now)
        };
        let verdicts = judge(&counters, &|_| charge.cost);
        let admits = |i: usize| verdicts.get(i).is_some_and(|verdict| verdict.admitted);
        let cost_if_refused = |i| if admits(i) { 0 } else { charge.cost };
        let admitted = admitted(&verdicts);
        // Where none admits, or at no cost, it is what was judged already.
        let differs = charge.cost > 0 && verdicts.iter().any(|verdict| verdict.admitted);
        let asked = differs && (others || !admitted);
        let mut standing = asked.then(|| judge(&counters, &cost_if_refused));
        let counts = charge.cost > 0
            && match charge.count {
                Count::Accepted => admitted,
                Count::All => true,
                Count::Later => false,
            };
        let mut lease = None;
        if counts {
            let counted = charge.limits.iter().zip(&mut counters).filter(|(limit, _)| !limit.is_penalty());
            counted.for_each(|(_, counter)| counter.charge(now, charge.cost));
            if !admitted {
                // It counts although it is refused, and so prolongs its own wait.
                standing = Some(judge(&counters, &cost_if_refused));
            }
            // A lease in the overflow record would be one worker's at the price of all who share it.
            lease = if own { self.leases.take(charge, &verdicts, &mut counters, now) } else { None };
        }
        let penalty = if own { penalty::start(charge.limits, &mut counters, &verdicts, now) } else { None };
        let news = counts || posts || penalty.is_some() || counters.iter().any(Counter::restamped);
        let plan = if news {
            self.rewrite(page, owner, states, charge.limits, &mut counters, now.mono)
                .map_or(Plan::NoRoom, |write| Plan::Rewrite(Rewrite { lease, ..write }))
        } else {
            Plan::Nothing
        };
        Attempt { verdicts, standing, counts, penalty, plan }
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
        let whole = self.geometry.longest_page();
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
        let evicted = evicted?;
        page::fill(&mut bytes, whole);
        Some(Rewrite { bytes, version: None, evicted, overflowed: false, lease: None })
    }
}

/// Whether a limit's state may be in the record that all share who were crowded out of a page. What is in flight a worker
/// says anew with each write, of one caller: there each worker holds a caller to the quota by itself. And a penalty
/// is for what one caller did.
fn may_be_shared(limit: &Limit) -> bool {
    limit.algorithm != Algorithm::Concurrency && limit.algorithm != Algorithm::Penalty
}

/// The record of `owner`: the counters' states, and those of other limits as they were.
fn build(owner: u64, states: &[u8], limits: &[Limit], counters: &[Counter<'_>], now: Micros) -> NewRecord {
    // A request adds a few bytes to each.
    let room = states.len() + limits.len() * NEW_STATE;
    let mut record = NewRecord::with_room(owner, room);
    let touched = |state: &page::State<'_>| limits.iter().any(|limit| limit.id == state.limit);
    for state in States(states).flatten().filter(|state| state.lives(now) && !touched(state)) {
        record.keep(&state);
    }
    let mut content = Vec::with_capacity(room);
    for (limit, counter) in limits.iter().zip(counters) {
        if owner == OVERFLOW && !may_be_shared(limit) {
            continue;
        }
        content.clear();
        let wear = counter.write(&mut content);
        record.add(limit.id, limit.algorithm.kind(), wear, &content);
    }
    record
}
