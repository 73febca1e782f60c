//! One attempt at a transaction: a record is read, what this worker owes it is posted to it, the request is
//! judged, and the page that would be written is prepared. Nothing is written here.

use super::in_flight::is_held;
use super::lease::Lease;
use super::page::{self, NewRecord, OVERFLOW, Page, RESERVE, Room, States};
use super::store::{Cas, Read, Store};
use super::{Charge, Correction, Count, Outcome, Table, Verdicts, admitted, penalty};
use crate::key::{Identity, same_identity};
use crate::limiter::concurrency::UnitsInFlight;
use crate::limiter::{Algorithm, Coarseness, Counter, Limit};
use crate::time::{Micros, Now, SECOND};

/// Room for a limit's first state in a record.
const NEW_STATE: usize = 32;

/// A limit with a longer window is not enforced on the newcomers of a full page: what one of them has used would be gone
/// for all of them for so long.
const LONGEST_SHARED: Micros = 3_600 * SECOND;

/// One judged read of a record, and what to write if it is to count.
pub(super) struct Attempt {
    pub verdicts: Verdicts,
    /// The answers if the request is not counted here, or is rejected, where these are others.
    standing: Option<Verdicts>,
    /// Whether the request is counted by this attempt's write.
    pub counts: bool,
    /// When the penalty ends that this attempt's write starts, if it starts one.
    pub penalty: Option<Micros>,
    /// See [`Outcome::overflowed`].
    pub overflowed: bool,
    pub plan: Plan,
}

impl Attempt {
    /// The answers if the request is not counted here, since it was rejected elsewhere.
    pub fn standing(self) -> Verdicts {
        self.standing.unwrap_or(self.verdicts)
    }

    /// What becomes of the charge if it is not counted here.
    pub fn uncounted(self) -> Outcome {
        Outcome { overflowed: self.overflowed, ..Outcome::uncounted(self.standing()) }
    }

    /// See [`Outcome::unproven`].
    pub fn is_unproven(&self) -> bool {
        match &self.plan {
            Plan::Rewrite(write) => self.counts && write.unproven,
            Plan::Nothing | Plan::Settled | Plan::NoRoom => false,
        }
    }

    /// The answers, once this attempt is written.
    pub fn answers(self, now: Now) -> Verdicts {
        let penalty = self.penalty;
        if admitted(&self.verdicts) { self.verdicts } else { punished(self.standing(), penalty, now) }
    }

    /// The answers if the request is rejected here, and this attempt written.
    pub fn rejection(&self, now: Now) -> Verdicts {
        punished(self.standing.as_ref().unwrap_or(&self.verdicts).clone(), self.penalty, now)
    }
}

fn punished(mut verdicts: Verdicts, penalty: Option<Micros>, now: Now) -> Verdicts {
    if let Some(end) = penalty {
        penalty::reject_until(end, &mut verdicts, now.mono);
    }
    verdicts
}

/// What to write.
pub(super) enum Plan {
    /// Nothing changes.
    Nothing,
    /// Nothing is left to change: what this worker owes is of a record that is gone.
    Settled,
    /// The record changes, and its page has no room for it.
    NoRoom,
    /// This.
    Rewrite(Rewrite),
}

pub(super) struct Rewrite {
    pub bytes: Vec<u8>,
    pub version: Option<Cas>,
    pub evicted: u32,
    /// Whether the record has used half of a quota and is not proven.
    pub unproven: bool,
    /// Units that the write takes beyond the request's own.
    pub lease: Option<Lease>,
}

impl Table {
    /// Attempts a charge. `others`: other charges of the request may yet reject it. `None`: the host would not read.
    pub(super) fn attempt<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        others: bool,
        now: Now,
    ) -> Option<Attempt> {
        self.attempt_with(store, charge, &Correction::default(), others, now)
    }

    /// Attempts a charge, and corrects the record along with it.
    #[inline(never)]
    pub(super) fn attempt_with<S: Store>(
        &mut self,
        store: &S,
        charge: &Charge<'_>,
        correction: &Correction,
        others: bool,
        now: Now,
    ) -> Option<Attempt> {
        let (bytes, version) = match store.read(self.page_of(charge.identity)) {
            Read::Absent => (Vec::new(), None),
            Read::Present(bytes, version) => (bytes, Some(version)),
            Read::Unavailable => return None,
        };
        let page = Page::open(&bytes).unwrap_or_else(|page::Damaged| {
            self.stats.damaged += 1;
            Page::default()
        });
        let own = own_fingerprint(charge.identity);
        let mut attempt = None;
        if !correction.overflowed {
            attempt = Some(self.attempt_in(&page, own, charge, correction, others, now));
            attempt = attempt.filter(|attempt| !self.is_crowded_out(&page, attempt, charge, now));
        }
        let mut attempt =
            attempt.unwrap_or_else(|| self.attempt_in(&page, OVERFLOW, charge, correction, others, now));
        if let Plan::Rewrite(write) = &mut attempt.plan {
            write.version = version;
        }
        Some(attempt)
    }

    /// Whether a charge has no record of its own, and its page no room for one: then it is judged where it is counted, in
    /// the record that all share who were crowded out.
    fn is_crowded_out(&self, page: &Page<'_>, attempt: &Attempt, charge: &Charge<'_>, now: Now) -> bool {
        let own = own_fingerprint(charge.identity);
        let is_newcomer = || page.find(own, self.page_clock(now)).is_none();
        match attempt.plan {
            Plan::NoRoom => is_newcomer(),
            // What is only looked at: had anything been counted, where would it be?
            Plan::Nothing => {
                charge.cost > 0
                    && page.find(OVERFLOW, self.page_clock(now)).is_some()
                    && is_newcomer()
                    && !self.has_room_for(page, own, charge.limits, now)
            }
            Plan::Settled | Plan::Rewrite(_) => false,
        }
    }

    /// Whether a newcomer would find room for its first units.
    fn has_room_for(&self, page: &Page<'_>, owner: u64, limits: &[Limit], now: Now) -> bool {
        let mut counters: Vec<Counter<'_>> = limits.iter().map(|limit| Counter::empty(limit, now)).collect();
        counters.iter_mut().for_each(|counter| counter.charge(now, 1));
        !matches!(self.rewrite(page, owner, &[], limits, &mut counters, now), Plan::NoRoom)
    }

    /// An attempt in the record of `owner`: the identity's own, or the page's overflow record.
    fn attempt_in(
        &mut self,
        page: &Page<'_>,
        owner: u64,
        charge: &Charge<'_>,
        correction: &Correction,
        others: bool,
        now: Now,
    ) -> Attempt {
        let record = page.find(owner, self.page_clock(now));
        let states = record.map_or(&[][..], |record| record.states);
        let own = owner != OVERFLOW;
        let open = |limit| match own || may_be_shared(limit) {
            true => self.open(limit, states, now),
            false => Counter::empty(limit, now),
        };
        let mut counters: Vec<Counter<'_>> = charge.limits.iter().map(open).collect();
        // Leases first: they put units to the times that refunds look for them at.
        let posts = self.leases.post(charge, &mut counters, own)
            | self.fallback.post(charge, &mut counters, own)
            | self.holdings.tell(charge, &mut counters, now)
            | correct(charge.limits, &mut counters, correction, own);
        let judge = |counters: &[Counter<'_>], cost: &dyn Fn(usize) -> u32| {
            penalty::judge(charge.limits, counters, cost, now)
        };
        let verdicts = judge(&counters, &|_| charge.cost);
        let admits = |i: usize| verdicts.get(i).is_some_and(|verdict| verdict.admitted);
        let cost_if_rejected = |i| if admits(i) { 0 } else { charge.cost };
        let admitted = admitted(&verdicts);
        // Where none admits, or at no cost, it is what was judged already.
        let differs = charge.cost > 0 && verdicts.iter().any(|verdict| verdict.admitted);
        let asked = differs && (others || !admitted);
        let mut standing = asked.then(|| judge(&counters, &cost_if_rejected));
        let counts = charge.cost > 0
            && match charge.count {
                Count::Accepted => admitted,
                Count::All => true,
                Count::Never => false,
            };
        let mut lease = None;
        if counts {
            let counted = charge.limits.iter().zip(&mut counters).filter(|(limit, _)| !limit.is_penalty());
            counted.for_each(|(_, counter)| counter.reserve(now, charge.cost));
            if !admitted {
                // It counts although it is rejected, and so prolongs its own wait.
                standing = Some(judge(&counters, &cost_if_rejected));
            }
            // A lease in the overflow record would be one worker's at the price of all who share it.
            lease = if own { self.leases.take(charge, &verdicts, &mut counters, now) } else { None };
        }
        let penalty = if own { penalty::start(charge.limits, &mut counters, &verdicts, now) } else { None };
        // Whoever has been proven stays so for as long as the record lives.
        let was_proven = record.is_some_and(|record| record.is_proven());
        let proves = own && correction.proves && record.is_some() && !was_proven;
        let proven = was_proven || proves || charge.identity.is_proven();
        let owner =
            if own { Identity { page: 0, fingerprint: owner }.known(proven).fingerprint } else { owner };
        let news = counts || posts || proves || penalty.is_some() || counters.iter().any(Counter::restamped);
        let mut plan = Plan::Nothing;
        if news {
            plan = self.rewrite(page, owner, states, charge.limits, &mut counters, now);
        }
        if let Plan::Rewrite(write) = &mut plan {
            write.lease = lease;
        }
        Attempt { verdicts, standing, counts, penalty, overflowed: !own, plan }
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
        let open = |content| match limit.algorithm {
            Algorithm::Concurrency => {
                let holders =
                    UnitsInFlight::open_after(limit, self.holder, content, now.mono, self.stall(now));
                holders.map(Counter::Concurrency)
            }
            Algorithm::SlidingWindow(_)
            | Algorithm::SlidingCounter
            | Algorithm::FixedWindow
            | Algorithm::Calendar(_)
            | Algorithm::TokenBucket { .. }
            | Algorithm::Stock { .. }
            | Algorithm::Penalty => Counter::open(limit, content, now, self.holder),
        };
        content.and_then(open).unwrap_or_else(|| {
            self.stats.damaged += 1;
            Counter::empty(limit, now)
        })
    }

    /// The page with these counters in the record of `owner`.
    ///
    /// A record that grows gives up some precision before others make room, then any, and then uses the reserve.
    fn rewrite(
        &self,
        page: &Page<'_>,
        owner: u64,
        states: &[u8],
        limits: &[Limit],
        counters: &mut [Counter<'_>],
        now: Now,
    ) -> Plan {
        let now = self.page_clock(now);
        let whole = self.size.longest_page();
        let room = if owner == OVERFLOW { whole } else { whole.saturating_sub(RESERVE) };
        let newcomer = states.is_empty() && owner != OVERFLOW;
        let mut record = build(owner, states, limits, counters, now);
        if states.is_empty() && record.is_empty() {
            return Plan::Settled;
        }
        let mut bytes = Vec::with_capacity(whole);
        let mut write = |record: &NewRecord, most, room| page.with(record, most, room, now, &mut bytes);
        let mut evicted = write(&record, room, Room::OfTheUnproven);
        while evicted.is_none() && !newcomer && coarsen(counters, Coarseness::Slight) {
            record = build(owner, states, limits, counters, now);
            evicted = write(&record, room, Room::OfTheUnproven);
        }
        evicted = evicted.or_else(|| write(&record, room, Room::OfAll));
        if evicted.is_none() && !newcomer {
            evicted = write(&record, whole, Room::OfAll);
        }
        while evicted.is_none() && !newcomer && coarsen(counters, Coarseness::Any) {
            record = build(owner, states, limits, counters, now);
            evicted = write(&record, whole, Room::OfAll);
        }
        let Some(evicted) = evicted else { return Plan::NoRoom };
        page::fill(&mut bytes, whole);
        Plan::Rewrite(Rewrite {
            bytes,
            version: None,
            evicted,
            unproven: owner != OVERFLOW && record.may_be_dropped_though_well_used(),
            lease: None,
        })
    }
}

/// Makes counters coarser: all of them, not only the first that can be. Answers whether any can.
#[inline(never)]
fn coarsen(counters: &mut [Counter<'_>], coarsest: Coarseness) -> bool {
    counters.iter_mut().fold(false, |any, counter| counter.coarsen(coarsest) | any)
}

/// The fingerprint that an identity's own record has, proven or not: never the overflow record's.
fn own_fingerprint(identity: Identity) -> u64 {
    let fingerprint = identity.fingerprint;
    if same_identity(fingerprint, OVERFLOW) { fingerprint - 1 } else { fingerprint }
}

/// Corrects opened counters: those of the record that the units are in. In the overflow record, what was counted elsewhere
/// would be taken from somebody else. Answers whether there was anything to correct.
fn correct(limits: &[Limit], counters: &mut [Counter<'_>], correction: &Correction, own: bool) -> bool {
    let Correction { back, more, settled, stock, proves, overflowed } = *correction;
    if back.is_none() && more.is_none() && settled == 0 && stock.is_none() {
        return false;
    }
    // Of what is in flight each write says how much it is.
    let counted = limits.iter().zip(counters).filter(|(limit, _)| !is_held(limit) && !limit.is_penalty());
    for (_, counter) in counted {
        counter.settle_reserved(settled);
        if let Some((units, since)) = stock.filter(|_| matches!(counter, Counter::Stock(_))) {
            // Whatever else the answer says of the stock is in that number.
            counter.report(units, since);
            continue;
        }
        if let Some((at, units)) = back.filter(|_| own || overflowed) {
            counter.refund(at, units);
        }
        // What proves a caller must not prove those who share a record.
        if let Some((at, units)) = more.filter(|_| own || !proves) {
            counter.charge(at, units);
        }
    }
    true
}

/// Whether a limit's state may be in the record that all share who were crowded out of a page. What is in flight a worker says
/// anew with each write, of one caller: there each worker holds a caller to the quota by itself. A penalty is for what one
/// caller did. And what has a long window, or none, would reject all newcomers for as long.
fn may_be_shared(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::TokenBucket { .. } => limit.window <= LONGEST_SHARED,
        Algorithm::Calendar(_) | Algorithm::Concurrency | Algorithm::Stock { .. } | Algorithm::Penalty => {
            false
        }
    }
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
        let eviction = counter.write(&mut content);
        record.add(limit.id, limit.algorithm.kind(), eviction, &content);
    }
    record
}
