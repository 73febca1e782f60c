//! The page with a record's new states, and how a record that has grown finds room in it.

use super::forgive::FreshStarts;
use super::lease::Lease;
use super::page::{self, NewRecord, OVERFLOW, Page, RESERVE, Room, State, States};
use super::store::Cas;
use crate::limiter::{Coarseness, Counter, EvictionInfo, FreshStart, Limit};
use crate::time::{Micros, SECOND};

/// Bytes reserved for the first state of each limit.
const NEW_STATE: usize = 32;

/// Limits with a longer window are not enforced in overflow records, since one newcomer's units would be
/// missing for all of them for as long. Nor are debts of a bucket there longer.
pub(super) const MAX_OVERFLOW_WINDOW: Micros = 3_600 * SECOND;

/// What an attempt has to write.
pub(super) enum Plan {
    /// Nothing has changed.
    Nothing,
    /// Nothing needs to be written: what this worker owes is for a record that no longer exists.
    Settled,
    /// The record has changed, and its page has no room for it.
    NoRoom,
    /// A page.
    Rewrite(Rewrite),
}

/// A page to be written.
pub(super) struct Rewrite {
    pub bytes: Vec<u8>,
    /// The version of the page that was read.
    pub version: Option<Cas>,
    /// The number of records dropped to make room.
    pub evicted: u32,
    /// Whether the record has used half of a quota and is not proven.
    pub unproven: bool,
    /// The lease that the write takes. Boxed, because few do, and attempts are moved often.
    pub lease: Option<Box<Lease>>,
}

/// A record whose states have changed, in its page.
pub(super) struct RecordUpdate<'a> {
    pub page: &'a Page<'a>,
    /// The record's fingerprint.
    pub owner: u64,
    /// The record's states as they were read; empty if there is no record.
    pub states: &'a [u8],
    /// The limits of the changed states.
    pub limits: &'a [Limit],
    /// The fresh starts of these limits.
    pub fresh: Option<&'a FreshStarts>,
    /// In bytes.
    pub max_page_length: usize,
    /// The instant by which records expire.
    pub clock: Micros,
}

impl RecordUpdate<'_> {
    /// Plans the page with these counters, one per limit.
    ///
    /// A record that grows first gives up some precision, then lets other records make room, then uses the
    /// reserve, and last gives up any precision.
    pub fn plan(&self, counters: &mut [Counter<'_>]) -> Plan {
        let whole = self.max_page_length;
        let unreserved = if self.owner == OVERFLOW { whole } else { whole.saturating_sub(RESERVE) };
        let newcomer = self.states.is_empty() && self.owner != OVERFLOW;
        let mut record = self.record(counters);
        if self.states.is_empty() && record.is_empty() {
            return Plan::Settled;
        }
        let mut bytes = Vec::with_capacity(whole);
        let mut write = |record: &NewRecord, capacity, room| {
            self.page.with(record, capacity, room, self.clock, &mut bytes)
        };
        let mut evicted = write(&record, unreserved, Room::OfTheUnproven);
        while evicted.is_none() && !newcomer && coarsen(counters, Coarseness::Slight) {
            record = self.record(counters);
            evicted = write(&record, unreserved, Room::OfTheUnproven);
        }
        evicted = evicted.or_else(|| write(&record, unreserved, Room::OfAll));
        if evicted.is_none() && !newcomer {
            evicted = write(&record, whole, Room::OfAll);
        }
        while evicted.is_none() && !newcomer && coarsen(counters, Coarseness::Any) {
            record = self.record(counters);
            evicted = write(&record, whole, Room::OfAll);
        }
        let Some(evicted) = evicted else { return Plan::NoRoom };
        page::fill(&mut bytes, whole);
        let unproven = self.owner != OVERFLOW && record.may_be_dropped_though_well_used();
        Plan::Rewrite(Rewrite { bytes, version: None, evicted, unproven, lease: None })
    }

    /// The record with the counters' states and the unchanged states of other limits.
    fn record(&self, counters: &[Counter<'_>]) -> NewRecord {
        let capacity = self.states.len() + self.limits.len() * NEW_STATE;
        let mut record = NewRecord::with_capacity(self.owner, capacity);
        let fresh = || self.fresh.into_iter().flat_map(|fresh| fresh.to_write(self.limits));
        let changed = |state: &State<'_>| {
            self.limits.iter().any(|limit| limit.id == state.limit)
                || fresh().any(|(own, _, _)| own == state.limit)
        };
        for state in States(self.states).flatten().filter(|state| state.lives(self.clock) && !changed(state))
        {
            record.keep(&state);
        }
        let mut content = Vec::with_capacity(capacity);
        for (limit, counter) in self.limits.iter().zip(counters) {
            if self.owner == OVERFLOW && !may_overflow(limit) {
                continue;
            }
            content.clear();
            let eviction = counter.write(&mut content);
            record.add(limit.id, limit.algorithm.kind(), eviction, &content);
        }
        for (id, expires, start) in fresh() {
            content.clear();
            start.write(&mut content);
            record.add(id, FreshStart::KIND, EvictionInfo { expires, share: 0 }, &content);
        }
        record
    }
}

/// Makes all counters coarser that can be. Returns whether there are any.
fn coarsen(counters: &mut [Counter<'_>], coarsest: Coarseness) -> bool {
    counters.iter_mut().fold(false, |any, counter| counter.coarsen(coarsest) | any)
}

/// Whether a limit is enforced in the overflow record, which many callers share. Units in flight are not: a
/// worker publishes those of one caller, and enforces the quota on each caller by itself. Penalties are for
/// one caller. And a long window, or none, would reject all newcomers for as long.
pub(super) fn may_overflow(limit: &Limit) -> bool {
    limit.has_window() && limit.window <= MAX_OVERFLOW_WINDOW
}
