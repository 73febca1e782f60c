//! The bytes of one page: several identities' records, read in place.
//!
//! ```text
//! page    = 'T' version:u8 record*             least recently written first
//! record  = fingerprint:u64 expires:u32 length:u16 state*
//! state   = limit:u32 kind:u8 expires:u32 share:u8 length:varint bytes
//! ```
//! Numbers are little-endian. `expires` is in seconds of the monotonic clock, rounded up: an expired record
//! or state says nothing any more and is dropped by the next write. `share` is used / quota in 255ths when
//! the state was last written: what its loss would give away.

use crate::limiter::{LimitId, Wear};
use crate::time::{Micros, SECOND, seconds_up};
use crate::varint;

const MAGIC: [u8; 2] = [b'T', 1];
const RECORD_HEADER: usize = 8 + 4 + 2;

/// The record that counts newcomers of a page full of well used records.
pub const OVERFLOW: u64 = u64::MAX;

/// Records that have used so much of a quota (in 255ths: half) are never dropped for a newcomer.
pub const WELL_USED: u8 = 128;

/// Bytes of each page that only the overflow record, and records that can't shrink, may use.
pub const RESERVE: usize = 192;

/// A page's bytes are not what this module writes.
#[derive(Debug, PartialEq)]
pub struct Damaged;

/// One record, in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// Whose it is.
    pub fingerprint: u64,
    expires: u32,
    /// Its states' bytes.
    pub states: &'a [u8],
    bytes: &'a [u8],
}

/// One state of a record, in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State<'a> {
    /// Which limit's.
    pub limit: LimitId,
    /// Which algorithm's.
    pub kind: u8,
    expires: u32,
    share: u8,
    /// For the algorithm to read.
    pub content: &'a [u8],
    bytes: &'a [u8],
}

/// A page whose structure has been checked.
#[derive(Clone, Copy, Default)]
pub struct Page<'a> {
    records: &'a [u8],
}

impl<'a> Page<'a> {
    /// Checks a page's structure. Empty bytes are an empty page: the host's way to remove one.
    pub fn open(bytes: &'a [u8]) -> Result<Page<'a>, Damaged> {
        if bytes.is_empty() {
            return Ok(Page::default());
        }
        let page = Page { records: bytes.strip_prefix(&MAGIC).ok_or(Damaged)? };
        let mut rest = page.records;
        while !rest.is_empty() {
            rest = Record::split(rest).ok_or(Damaged)?.1;
        }
        Ok(page)
    }

    /// The records, expired ones included.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let mut rest = self.records;
        std::iter::from_fn(move || {
            let (record, after) = Record::split(rest)?;
            rest = after;
            Some(record)
        })
    }

    /// The record of one identity, unless it has expired.
    pub fn find(&self, fingerprint: u64, now: Micros) -> Option<Record<'a>> {
        self.records().find(|record| record.fingerprint == fingerprint && record.lives(now))
    }

    /// Writes the page anew with `record` in the place of its identity's old one, as the most recent.
    ///
    /// Expired records are dropped. If that is not enough for `capacity` bytes, the records with the lowest
    /// share are, but none that is [`WELL_USED`]. Answers how many of those; `None` when it does not fit.
    pub fn with(&self, record: &NewRecord, capacity: usize, now: Micros, out: &mut Vec<u8>) -> Option<u32> {
        let dropped = self.make_room(record, capacity, now)?;
        out.clear();
        out.extend_from_slice(&MAGIC);
        for other in self.others(record, now).filter(|other| !dropped.contains(&other.fingerprint)) {
            out.extend_from_slice(other.bytes);
        }
        if !record.is_empty() {
            out.extend_from_slice(&record.bytes);
        }
        u32::try_from(dropped.len()).ok()
    }

    /// By how many bytes the page with `record` would pass `capacity`.
    pub fn excess(&self, record: &NewRecord, capacity: usize, now: Micros) -> usize {
        let others: usize = self.others(record, now).map(|other| other.bytes.len()).sum();
        (MAGIC.len() + others + record.bytes.len()).saturating_sub(capacity)
    }

    /// Who must go so that `record` fits.
    fn make_room(&self, record: &NewRecord, capacity: usize, now: Micros) -> Option<Vec<u64>> {
        let mut excess = self.excess(record, capacity, now);
        if excess == 0 {
            return Some(Vec::new());
        }
        let mut dropped: Vec<u64> = Vec::new();
        while excess > 0 {
            let may_go = |other: &Record<'_>| {
                other.share() < WELL_USED
                    && other.fingerprint != OVERFLOW
                    && !dropped.contains(&other.fingerprint)
            };
            // Of equal shares the first: the least recently written.
            let least = self.others(record, now).filter(may_go).min_by_key(Record::share)?;
            excess = excess.saturating_sub(least.bytes.len());
            dropped.push(least.fingerprint);
        }
        Some(dropped)
    }

    fn others(&self, record: &NewRecord, now: Micros) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let fingerprint = record.fingerprint;
        self.records().filter(move |other| other.fingerprint != fingerprint && other.lives(now))
    }
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

    fn lives(&self, now: Micros) -> bool {
        lives(self.expires, now)
    }

    /// The highest share of its states. Damaged states give nothing away.
    fn share(&self) -> u8 {
        States(self.states).flatten().map(|state| state.share).max().unwrap_or_default()
    }
}

/// The states in a record's bytes. Stops, with [`Damaged`], where they are none.
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

    /// Whether the state still says something.
    pub fn lives(&self, now: Micros) -> bool {
        lives(self.expires, now)
    }
}

/// A record being written.
pub struct NewRecord {
    fingerprint: u64,
    expires: u32,
    bytes: Vec<u8>,
}

impl NewRecord {
    /// A record without states.
    pub fn new(fingerprint: u64) -> NewRecord {
        let mut bytes = fingerprint.to_le_bytes().to_vec();
        bytes.resize(RECORD_HEADER, 0);
        NewRecord { fingerprint, expires: 0, bytes }
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == RECORD_HEADER
    }

    /// Adds one limit's state. A state of no bytes says nothing and is left out.
    pub fn add(&mut self, limit: LimitId, kind: u8, wear: Wear, content: &[u8]) {
        if content.is_empty() {
            return;
        }
        let expires = u32::try_from(seconds_up(wear.expires)).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&limit.0.to_le_bytes());
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&expires.to_le_bytes());
        self.bytes.push(wear.share);
        varint::write(&mut self.bytes, content.len() as u64);
        self.bytes.extend_from_slice(content);
        self.write_header(expires);
    }

    /// Keeps a state as it was: one of a limit that this request does not touch.
    pub fn keep(&mut self, state: &State<'_>) {
        self.bytes.extend_from_slice(state.bytes);
        self.write_header(state.expires);
    }

    fn write_header(&mut self, expires: u32) {
        self.expires = self.expires.max(expires);
        // A record too long for its length field is also too long for any page, and never stored.
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
