//! The bytes of a page, which has the records of several identities. They are read in place.
//!
//! ```text
//! page    = 'T' version:u8 length:u16 record* filling     least recently written first
//! record  = fingerprint:u64 expires:u32 length:u16 state*
//! state   = limit:u32 kind:u8 expires:u32 share:u8 length:varint bytes
//! ```
//! Numbers are little-endian. The page's `length` is that of all records; the filling is zeros. `expires` is
//! in seconds of the monotonic clock, rounded up; expired records and states have no effect, and the next
//! write drops them. `share` is used / quota in 255ths when the state was last written. The highest bit of a
//! fingerprint says whether its identity is proven ([`crate::identity::Identity::known`]).
//!
//! # Eviction
//! If a page is full, room is made in this order:
//! 1. If the caller is proven, records that are not proven are dropped, those with the lowest share first.
//! 2. The longest logs give up precision, among records that are as proven as the caller.
//! 3. Records are dropped that are not proven, and then proven ones that have used less than half of their
//!    quota.
//!
//! Proven records that have used half of a quota are never dropped.

use crate::identity::{is_proven, same_identity};
use crate::limiter::{EvictionInfo, LimitId, coarser, share_of};
use crate::time::{Micros, SECOND, seconds_up};
use crate::varint;

const MAGIC: [u8; 2] = [b'T', 3];

/// Bytes of a page before its records.
pub const PAGE_HEADER: usize = 2 + 2;

/// Bytes of a record before its states.
pub const RECORD_HEADER: usize = 8 + 4 + 2;

/// Bytes of a state before the length of its content.
pub const STATE_HEADER: usize = 4 + 1 + 4 + 1;

/// Bytes that the host appends to each value.
pub const HOST_SUFFIX: usize = 1;

/// The fingerprint of a page's overflow record, which counts newcomers if the page is full of records that
/// can't be dropped.
pub const OVERFLOW: u64 = u64::MAX;

/// Half of a quota, in 255ths. Proven records with at least this share are never dropped.
pub const WELL_USED: u8 = 128;

/// Bytes of each page that only the overflow record, and records that can't shrink any more, may use.
pub const RESERVE: usize = 192;

/// Bytes that this module did not write.
#[derive(Debug, PartialEq)]
pub struct Damaged;

/// A record, read in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// Identifies the record in its page.
    pub fingerprint: u64,
    expires: u32,
    /// The bytes of its states.
    pub states: &'a [u8],
    bytes: &'a [u8],
}

/// A state of a record, read in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State<'a> {
    /// The limit it belongs to.
    pub limit: LimitId,
    /// The algorithm's tag, see [`crate::limiter::Algorithm::kind`].
    pub kind: u8,
    expires: u32,
    share: u8,
    /// The algorithm's bytes.
    pub content: &'a [u8],
    bytes: &'a [u8],
}

/// A page whose structure has been checked.
#[derive(Clone, Copy, Default)]
pub struct Page<'a> {
    records: &'a [u8],
}

impl<'a> Page<'a> {
    /// Checks a page's structure. No bytes are an empty page: the host has no other way to remove one.
    pub fn open(bytes: &'a [u8]) -> Result<Page<'a>, Damaged> {
        if bytes.is_empty() {
            return Ok(Page::default());
        }
        let page = Page { records: records_of(bytes).ok_or(Damaged)? };
        let mut rest = page.records;
        while !rest.is_empty() {
            rest = Record::split(rest).ok_or(Damaged)?.1;
        }
        Ok(page)
    }

    /// The records, including expired ones.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let mut rest = self.records;
        std::iter::from_fn(move || {
            let (record, after) = Record::split(rest)?;
            rest = after;
            Some(record)
        })
    }

    /// The record of an identity, unless it has expired.
    pub fn find(&self, fingerprint: u64, now: Micros) -> Option<Record<'a>> {
        self.records().find(|record| same_identity(record.fingerprint, fingerprint) && record.lives(now))
    }

    /// Writes the page to `out` with `record`, as the most recent one, instead of its identity's old record.
    ///
    /// Expired records are dropped. If the page is still longer than `capacity` bytes, others make room in
    /// the order that the module's text gives, as far as `room` allows. Returns how many are dropped, or
    /// `None` if the record does not fit.
    pub fn with(
        &self,
        record: &NewRecord,
        capacity: usize,
        room: Room,
        now: Micros,
        out: &mut Vec<u8>,
    ) -> Option<u32> {
        out.clear();
        out.reserve_exact(PAGE_HEADER + self.records.len() + record.bytes.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[0; PAGE_HEADER - MAGIC.len()]);
        // The records that stay form a few runs, each of which is copied at once.
        let (mut run, mut rest) = (self.records, self.records);
        while let Some((other, after)) = Record::split(rest) {
            if !other.stays(record, now) {
                out.extend_from_slice(run.get(..run.len() - rest.len())?);
                run = after;
            }
            rest = after;
        }
        out.extend_from_slice(run);
        // A record without states is left out.
        let added = if record.is_empty() { 0 } else { record.bytes.len() };
        let excess = (out.len() + added).saturating_sub(capacity);
        let dropped = make_room(out, excess, is_proven(record.fingerprint), room, now)?;
        if !record.is_empty() {
            out.extend_from_slice(&record.bytes);
        }
        let length = u16::try_from(out.len() - PAGE_HEADER).ok()?;
        out.get_mut(MAGIC.len()..PAGE_HEADER)?.copy_from_slice(&length.to_le_bytes());
        Some(dropped)
    }
}

/// Which records make room for another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Room {
    /// For a proven record, those that are not proven.
    OfTheUnproven,
    /// All that may.
    OfAll,
}

fn records_of(page: &[u8]) -> Option<&[u8]> {
    let (length, rest) = page.strip_prefix(&MAGIC)?.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_le_bytes(*length)))
}

/// Fills a page up to one of three lengths: a sixteenth of `max`, all but the reserve, or `max`. With values
/// of any length, the host's allocator would take twice the memory, since values that grow leave gaps (see
/// DESIGN.md).
pub fn fill(page: &mut Vec<u8>, max: usize) {
    let sizes = [max / 16, max.saturating_sub(RESERVE), max];
    let size = sizes.into_iter().find(|size| page.len() <= *size).unwrap_or_default();
    page.resize(size.max(page.len()), 0);
}

/// Makes a page `excess` bytes shorter. Returns how many records were dropped, or `None` if it can't be that
/// short.
fn make_room(page: &mut Vec<u8>, excess: usize, proven: bool, room: Room, now: Micros) -> Option<u32> {
    let (max, mut dropped) = (page.len().checked_sub(excess)?, 0);
    let mut drop_below = |page: &mut Vec<u8>, worth| {
        while page.len() > max && drop_least(page, worth, now) {
            dropped += 1;
        }
    };
    if proven {
        drop_below(page, UNPROVEN);
    }
    if room == Room::OfAll {
        while page.len() > max && coarsen_longest(page, proven) {}
        drop_below(page, PROTECTED);
    }
    (page.len() <= max).then_some(dropped)
}

/// Drops the record with the lowest worth, if it is below `worth`. Of several, the first: the least recently
/// written.
fn drop_least(page: &mut Vec<u8>, worth: u16, now: Micros) -> bool {
    let (mut least, mut lowest) = (0..0, worth);
    let mut rest = page.get(PAGE_HEADER..).unwrap_or_default();
    while let Some((record, after)) = Record::split(rest) {
        let worth = record.worth(now);
        if worth < lowest {
            (least, lowest) = (page.len() - rest.len()..page.len() - after.len(), worth);
        }
        rest = after;
    }
    let found = !least.is_empty();
    drop(page.drain(least));
    found
}

/// Makes the longest log of the proven records coarser, or of those that are not proven. `false` if none can
/// be.
fn coarsen_longest(page: &mut Vec<u8>, proven: bool) -> bool {
    let mut longest: Option<(usize, Record<'_>, State<'_>)> = None;
    let mut rest = page.get(PAGE_HEADER..).unwrap_or_default();
    while let Some((record, after)) = Record::split(rest) {
        for state in States(record.states).flatten().filter(|_| record.is_proven() == proven) {
            let is_longer =
                longest.as_ref().is_none_or(|(_, _, other)| state.content.len() > other.content.len());
            if is_longer && coarser(state.kind, state.content).is_some() {
                longest = Some((page.len() - rest.len(), record, state));
            }
        }
        rest = after;
    }
    let Some((at, record, state)) = longest else { return false };
    let Some(content) = coarser(state.kind, state.content) else { return false };
    let mut shorter = NewRecord::with_capacity(record.fingerprint, record.states.len());
    for other in States(record.states).flatten() {
        if other.limit == state.limit && other.kind == state.kind {
            shorter.replace(&other, &content);
        } else {
            shorter.keep(&other);
        }
    }
    let length = record.bytes.len();
    page.splice(at..at + length, shorter.bytes);
    true
}

fn lives(expires: u32, now: Micros) -> bool {
    u64::from(expires) > now / SECOND
}

impl<'a> Record<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        let (fingerprint, rest) = bytes.split_first_chunk::<8>()?;
        let (expires, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (states, rest) = rest.split_at_checked(length)?;
        let record = Record {
            fingerprint: u64::from_le_bytes(*fingerprint),
            expires: u32::from_le_bytes(*expires),
            states,
            bytes: bytes.get(..RECORD_HEADER + length)?,
        };
        Some((record, rest))
    }

    /// Whether it has not expired.
    pub fn lives(&self, now: Micros) -> bool {
        lives(self.expires, now)
    }

    /// Whether it is kept when `record` is written.
    fn stays(&self, record: &NewRecord, now: Micros) -> bool {
        !same_identity(self.fingerprint, record.fingerprint) && self.lives(now)
    }

    /// Whether its identity is proven.
    pub fn is_proven(&self) -> bool {
        is_proven(self.fingerprint)
    }

    /// A full page drops the records with the lowest worth first, and none from [`PROTECTED`] on.
    fn worth(&self, now: Micros) -> u16 {
        if self.fingerprint == OVERFLOW {
            return PROTECTED;
        }
        let share = self.share(now);
        match self.is_proven() {
            false => u16::from(share),
            true if share < WELL_USED => UNPROVEN + u16::from(share),
            true => PROTECTED,
        }
    }

    /// The highest share of its unexpired states. Damaged states have none.
    fn share(&self, now: Micros) -> u8 {
        let (mut highest, mut rest) = (0, self.states);
        // Like `State::split`, without the fields that are not needed: this is called for each record of a
        // full page.
        while let Some(([_, _, _, _, kind, e0, e1, e2, e3, share], after)) =
            rest.split_first_chunk::<STATE_HEADER>()
            && let Some((length, after)) = varint::read(after)
            && let Some((content, after)) =
                usize::try_from(length).ok().and_then(|length| after.split_at_checked(length))
        {
            if *share > highest && lives(u32::from_le_bytes([*e0, *e1, *e2, *e3]), now) {
                highest = highest.max(share_of(*kind, *share, content, now));
            }
            rest = after;
        }
        highest
    }
}

/// Records with a lower worth are not proven.
const UNPROVEN: u16 = 1 << 8;

/// The worth of a record that is never dropped.
const PROTECTED: u16 = 1 << 9;

/// Iterates over the states in a record's bytes. Ends with [`Damaged`] if the bytes are not states.
pub struct States<'a>(pub &'a [u8]);

impl<'a> Iterator for States<'a> {
    type Item = Result<State<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let state = State::split(self.0);
        self.0 = state.map_or(&[], |(_, rest)| rest);
        Some(state.map(|(state, _)| state).ok_or(Damaged))
    }
}

impl<'a> State<'a> {
    fn split(bytes: &'a [u8]) -> Option<(State<'a>, &'a [u8])> {
        let (limit, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (expires, rest) = rest.split_first_chunk::<4>()?;
        let (share, rest) = rest.split_first()?;
        let (length, rest) = varint::read(rest)?;
        let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let state = State {
            limit: LimitId(u32::from_le_bytes(*limit)),
            kind: *kind,
            expires: u32::from_le_bytes(*expires),
            share: *share,
            content,
            bytes: bytes.get(..bytes.len() - rest.len())?,
        };
        Some((state, rest))
    }

    /// Whether the state has not expired.
    pub fn lives(&self, now: Micros) -> bool {
        lives(self.expires, now)
    }
}

/// A record being written.
pub struct NewRecord {
    fingerprint: u64,
    expires: u32,
    /// The highest share of its states.
    share: u8,
    bytes: Vec<u8>,
}

impl NewRecord {
    /// A record without states.
    #[cfg(any(test, fuzzing))]
    pub fn new(fingerprint: u64) -> NewRecord {
        NewRecord::with_capacity(fingerprint, 0)
    }

    /// A record without states, with capacity for `states` bytes of them.
    pub fn with_capacity(fingerprint: u64, states: usize) -> NewRecord {
        let mut bytes = Vec::with_capacity(RECORD_HEADER + states);
        bytes.extend_from_slice(&fingerprint.to_le_bytes());
        bytes.resize(RECORD_HEADER, 0);
        NewRecord { fingerprint, expires: 0, share: 0, bytes }
    }

    /// Whether it has no state.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == RECORD_HEADER
    }

    /// Adds a limit's state, unless it has no bytes.
    pub fn add(&mut self, limit: LimitId, kind: u8, eviction: EvictionInfo, content: &[u8]) {
        if content.is_empty() {
            return;
        }
        let expires = u32::try_from(seconds_up(eviction.expires)).unwrap_or(u32::MAX);
        let state = State { limit, kind, expires, share: eviction.share, content: &[], bytes: &[] };
        self.replace(&state, content);
    }

    /// Adds a state with another content.
    fn replace(&mut self, state: &State<'_>, content: &[u8]) {
        self.bytes.extend_from_slice(&state.limit.0.to_le_bytes());
        self.bytes.push(state.kind);
        self.bytes.extend_from_slice(&state.expires.to_le_bytes());
        self.bytes.push(state.share);
        varint::write(&mut self.bytes, content.len() as u64);
        self.bytes.extend_from_slice(content);
        self.write_header(state.expires, state.share);
    }

    /// Adds an unchanged state.
    pub fn keep(&mut self, state: &State<'_>) {
        self.bytes.extend_from_slice(state.bytes);
        self.write_header(state.expires, state.share);
    }

    /// Whether it may be dropped although it has used half of a quota, since it is not proven.
    pub fn may_be_dropped_though_well_used(&self) -> bool {
        self.share >= WELL_USED && !is_proven(self.fingerprint)
    }

    fn write_header(&mut self, expires: u32, share: u8) {
        self.expires = self.expires.max(expires);
        self.share = self.share.max(share);
        // A record that is too long for its length field is too long for any page, and never stored.
        let length = u16::try_from(self.bytes.len() - RECORD_HEADER).unwrap_or(u16::MAX);
        let [e0, e1, e2, e3] = self.expires.to_le_bytes();
        let [l0, l1] = length.to_le_bytes();
        if let Some(header) = self.bytes.get_mut(8..RECORD_HEADER) {
            header.copy_from_slice(&[e0, e1, e2, e3, l0, l1]);
        }
    }
}

#[cfg(test)]
mod tests;
