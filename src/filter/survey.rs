//! How full the table is, for the gauges: each second one worker counts a part of its pages, and leaves what it
//! found in shared data. So no request pays for it, and a tick reads a bounded number of pages.

use super::host::{Host, TableId};
use crate::table::{Fill, PageId, Read, Store, Transaction};
use crate::time::{MILLISECOND, Micros};

/// So many pages are read at a tick: some hundred microseconds.
const PAGES_AT_ONCE: u32 = 128;

/// The table is counted in at most so many parts, so it is seen as it was within the last two minutes. Of a
/// larger part, only some pages are counted.
const MAX_PARTS: u32 = 128;

/// Ticks are a second apart, but not to the millisecond.
const EVERY: Micros = 900 * MILLISECOND;

const KEY: &[u8] = b"tollgate:fill";

/// What the shared data have: when a worker counted last, the part that is next, and what each part had when it
/// was counted last. Parts that were never counted are missing at the end.
struct Survey {
    last: Micros,
    next: u32,
    parts: Vec<Fill>,
}

/// Counts the next part of the table, if a second has passed since any worker has. Returns how full the whole
/// table is, as far as it has been seen. `None`: another worker counts.
pub(super) fn next<H: Host>(
    host: H,
    table: TableId,
    transaction: &Transaction<'_, impl Store>,
) -> Option<Fill> {
    let now = transaction.now().mono;
    let key = [KEY, table.suffix()].concat();
    let (survey, version) = match host.read_shared(&key) {
        Read::Absent => (None, None),
        Read::Present(bytes, version) => (Survey::decode(&bytes), Some(version)),
        Read::Unavailable => return None,
    };
    let mut survey = survey.unwrap_or(Survey { last: 0, next: 0, parts: Vec::new() });
    if version.is_some() && survey.last <= now && now - survey.last < EVERY {
        return None;
    }
    let pages = transaction.table_size().pages.get();
    survey.add(pages, now, |part| transaction.fill(part));
    let stored = host.write_shared(&key, &survey.encode(), version) == crate::table::Write::Stored;
    stored.then(|| survey.whole(pages))
}

/// The number of parts of a table.
fn parts(pages: u32) -> u32 {
    pages.div_ceil(PAGES_AT_ONCE).min(MAX_PARTS)
}

impl Survey {
    /// Counts the next part. If it is too large, so many of its pages are counted, at equal distances, and stand
    /// for all of them; the next time these are others.
    fn add(&mut self, pages: u32, now: Micros, count: impl FnOnce(&mut dyn Iterator<Item = PageId>) -> Fill) {
        let parts = parts(pages);
        let part = self.next % parts;
        let start = |part: u32| (u64::from(part) * u64::from(pages) / u64::from(parts)) as PageId;
        let (from, to) = (start(part), start(part + 1));
        let step = (to - from).div_ceil(PAGES_AT_ONCE).max(1);
        let offset = (now / 1_000_000 % u64::from(step)) as u32;
        let counted = count(&mut (from + offset..to).step_by(step as usize));
        let all = |number: u64| number.saturating_mul(step.into());
        let fill = Fill { records: all(counted.records), bytes: all(counted.bytes) };
        match self.parts.get_mut(part as usize) {
            Some(known) => *known = fill,
            None => self.parts.push(fill),
        }
        (self.last, self.next) = (now, (part + 1) % parts);
    }

    /// How full the whole table is, if it is everywhere as in the parts that have been seen.
    fn whole(&self, pages: u32) -> Fill {
        let seen = self.parts.len().max(1) as u64;
        let sum = |number: fn(&Fill) -> u64| {
            let sum = self.parts.iter().map(number).fold(0, u64::saturating_add);
            sum.saturating_mul(parts(pages).into()) / seen
        };
        Fill { records: sum(|fill| fill.records), bytes: sum(|fill| fill.bytes) }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = [&self.last.to_le_bytes()[..], &self.next.to_le_bytes()].concat();
        for Fill { records, bytes: size } in &self.parts {
            bytes.extend([records, size].into_iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// `None`: this version has not written it.
    fn decode(bytes: &[u8]) -> Option<Survey> {
        let (last, rest) = bytes.split_first_chunk::<8>()?;
        let (next, rest) = rest.split_first_chunk::<4>()?;
        let (numbers, []) = rest.as_chunks::<8>() else { return None };
        let (pairs, []) = numbers.as_chunks::<2>() else { return None };
        let fill = |[records, bytes]: &[[u8; 8]; 2]| Fill {
            records: u64::from_le_bytes(*records),
            bytes: u64::from_le_bytes(*bytes),
        };
        let parts = pairs.iter().take(MAX_PARTS as usize).map(fill).collect();
        Some(Survey { last: u64::from_le_bytes(*last), next: u32::from_le_bytes(*next), parts })
    }
}
