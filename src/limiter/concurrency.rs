//! `concurrency`: at most `quota` units in flight at once (FP-1).
//!
//! # Derivation
//! The state has an entry per worker VM: its units in flight, and when the entry expires. A request of `cost`
//! units passes iff the units of all unexpired entries, plus `cost`, are at most `quota`. Every write by a
//! worker renews its entry for [`WORKER_TTL`]; a worker's tick renews those of long streams. A VM that dies
//! renews nothing, so its units come back after [`WORKER_TTL`] and do not leak. When the next unit comes back
//! can't be known, so a rejection's `retry_after` is the limit's configured wait (FP-14).
//!
//! # State
//! For each worker `id:u32, units:varint, expires:varint` (s, monotonic). At most 13 bytes a worker; 8 or 9
//! with up to 127 units.

use super::{EvictionInfo, Limit, Verdict, all_at};
use crate::time::{Micros, SECOND, seconds_up};
use crate::varint;
use std::num::NonZeroU32;

/// How long a worker's units count after its last write.
pub const WORKER_TTL: Micros = 30 * SECOND;

/// Identifies a worker's VM. Drawn at random when the VM starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerId(pub u32);

/// The units in flight of each worker.
pub struct UnitsInFlight {
    quota: NonZeroU32,
    wait: Micros,
    me: WorkerId,
    now: Micros,
    /// Each worker's units, and when they expire, in seconds. In no order.
    workers: Vec<(WorkerId, u64, u64)>,
}

impl UnitsInFlight {
    /// See [`super::Counter::open`].
    pub fn open(limit: &Limit, me: WorkerId, state: &[u8], now: Micros) -> Option<UnitsInFlight> {
        UnitsInFlight::open_after(limit, me, state, now, 0)
    }

    /// Like `open`, after a `stall`: for that long no worker ran and could renew its entry, so entries are
    /// kept that had not expired when the stall began.
    pub fn open_after(
        limit: &Limit,
        me: WorkerId,
        state: &[u8],
        now: Micros,
        stall: Micros,
    ) -> Option<UnitsInFlight> {
        let expired_before = now.saturating_sub(stall);
        let mut workers = Vec::new();
        let mut rest = state;
        while !rest.is_empty() {
            let (id, after) = rest.split_first_chunk::<4>()?;
            let (units, after) = varint::read(after)?;
            let (expires, after) = varint::read(after)?;
            rest = after;
            // An entry from further in the future was written before the clock was set back.
            if expires > expired_before / SECOND && expires <= seconds_up(now.saturating_add(2 * WORKER_TTL))
            {
                workers.push((WorkerId(u32::from_le_bytes(*id)), units, expires));
            }
        }
        Some(UnitsInFlight { quota: limit.quota, wait: limit.window, me, now, workers })
    }

    fn used(&self) -> u64 {
        self.workers.iter().fold(0, |sum, (_, units, _)| units.saturating_add(sum))
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        all_at(now.saturating_add(self.wait), self.quota, self.used(), now, cost)
    }

    /// See [`super::Counter::charge`]: adds to this worker's units.
    pub fn charge(&mut self, units: u32) {
        self.update(|own| own.saturating_add(u64::from(units)));
    }

    /// See [`super::Counter::refund`]: subtracts from this worker's units.
    pub fn refund(&mut self, units: u32) {
        self.update(|own| own.saturating_sub(u64::from(units)));
    }

    /// See [`super::Counter::set_in_flight`].
    pub fn set(&mut self, units: u32) -> bool {
        let before = self.used();
        self.update(|_| u64::from(units));
        self.used() != before
    }

    /// Changes this worker's units, and renews its entry.
    fn update(&mut self, change: impl FnOnce(u64) -> u64) {
        let own = self.workers.iter().position(|(worker, ..)| *worker == self.me);
        let units = own.map_or(0, |at| self.workers.swap_remove(at).1);
        self.workers.push((self.me, change(units), seconds_up(self.now.saturating_add(WORKER_TTL))));
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        let mut last = 0;
        for (worker, units, expires) in self.workers.iter().filter(|(_, units, _)| *units > 0) {
            out.extend_from_slice(&worker.0.to_le_bytes());
            varint::write(out, *units);
            varint::write(out, *expires);
            last = last.max(*expires);
        }
        EvictionInfo::new(last.saturating_mul(SECOND), self.used(), self.quota)
    }
}

#[cfg(test)]
mod tests;
