//! `concurrency`: at most `quota` units in flight at once (FP-1).
//!
//! # Derivation
//! The state has an entry per worker VM: its units in flight, and when the entry expires. A request of `cost`
//! units passes iff the units of all unexpired entries, plus `cost`, are at most `quota`. Every write by a
//! worker renews its entry for [`WORKER_TTL`]; a worker's tick renews those of long streams. A VM that dies
//! renews nothing, so its units come back after [`WORKER_TTL`] and do not leak. When the next unit comes back
//! can't be known, so a rejection's `retry_after` is the limit's configured wait (FP-14).
//!
//! With `after`, a worker's entry has only the units that have been in flight for longer than that. A request
//! is then judged by those alone, and an admission changes no entry: whether its unit ever counts, its worker
//! finds out later, and publishes it.
//!
//! # State
//! For each worker `id:u32, units:varint, expires:varint` (s, monotonic). At most 13 bytes a worker; 8 or 9
//! with up to 127 units. As text: `0a1b2c3d=2 until 1764403230`, one for each worker.

pub use super::formula::WorkerId;

use super::Limit;
use super::algorithm::{Field, Parameters, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::number;
use super::verdict::{Verdict, all_at};
use crate::time::{Micros, Now, SECOND, in_words, seconds_up};
use crate::varint;
use std::num::NonZeroU32;

/// How long a worker's units count after its last write.
pub const WORKER_TTL: Micros = 30 * SECOND;

/// `concurrency`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// How long a unit is in flight before it counts. 0: it counts at once.
    pub after: Micros,
}

impl Properties for Concurrency {
    const FIELDS: &'static [Field] = &[Field::RetryAfter, Field::After];

    fn parameters(self) -> Parameters {
        Parameters { after: self.after, ..Parameters::default() }
    }

    fn announced_wait(self) -> Option<Micros> {
        Some(SECOND)
    }

    fn counts_in_flight(self) -> bool {
        true
    }

    fn counted_after(self) -> Micros {
        self.after
    }
}

impl Formula for Concurrency {
    type State<'a> = UnitsInFlight;
    const KIND: u8 = 6;
    const ABOUT: &str = "at most `quota` requests in flight; a unit is released when its stream ends";
    const PLAIN: Concurrency = Concurrency { after: 0 };

    fn in_words(self, quota: u32, _window: &str) -> String {
        match self.after {
            0 => format!("at most {quota} at the same time"),
            after => format!("none while {quota} have lasted for longer than {}", in_words(after)),
        }
    }

    fn with(self, given: &Parameters) -> Option<Concurrency> {
        Some(Concurrency { after: given.after })
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        None
    }

    fn used(state: &[u8]) -> Option<u64> {
        let (mut used, mut rest) = (0u64, state);
        while !rest.is_empty() {
            let (units, after) = varint::read(rest.get(4..)?)?;
            let (_, after) = varint::read(after)?;
            (used, rest) = (used.saturating_add(units), after);
        }
        Some(used)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        let (mut workers, mut rest) = (Vec::new(), state);
        while !rest.is_empty() {
            let (worker, after) = rest.split_first_chunk::<4>()?;
            let (units, after) = varint::read(after)?;
            let (expires, after) = varint::read(after)?;
            workers.push(format!("{:08x}={units} until {expires}", u32::from_le_bytes(*worker)));
            rest = after;
        }
        (!workers.is_empty()).then(|| workers.join(" "))
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let words: Vec<&str> = text.split(' ').collect();
        let (workers, []) = words.as_chunks::<3>() else { return None };
        let mut state = Vec::new();
        for [worker, until, expires] in workers {
            let (worker, units) = worker.split_once('=')?;
            let sound = worker.len() == 8 && *until == "until";
            let worker = u32::from_str_radix(worker, 16).ok().filter(|_| sound)?;
            state.extend(worker.to_le_bytes());
            varint::write(&mut state, number(units)?);
            varint::write(&mut state, number(expires)?);
        }
        Some(state)
    }

    fn unused(self, limit: &Limit, opening: Opening) -> UnitsInFlight {
        let Opening { worker, now, .. } = opening;
        UnitsInFlight {
            quota: limit.quota,
            wait: limit.window,
            counts_later: self.after > 0,
            me: worker,
            now: now.mono,
            workers: Vec::new(),
        }
    }

    /// During a stall no worker could renew its entry, so entries are kept that had not expired when it began.
    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<UnitsInFlight> {
        let mut units = self.unused(limit, opening);
        units.read(state, units.now.saturating_sub(opening.stall))?;
        Some(units)
    }
}

/// The units in flight of each worker.
pub struct UnitsInFlight {
    quota: NonZeroU32,
    wait: Micros,
    /// Whether a unit counts only once it has been in flight for a while.
    counts_later: bool,
    me: WorkerId,
    now: Micros,
    /// Each worker's units, and when they expire, in seconds. In no order.
    workers: Vec<(WorkerId, u64, u64)>,
}

impl UnitsInFlight {
    fn read(&mut self, state: &[u8], expired_before: Micros) -> Option<()> {
        let mut rest = state;
        while !rest.is_empty() {
            let (id, after) = rest.split_first_chunk::<4>()?;
            let (units, after) = varint::read(after)?;
            let (expires, after) = varint::read(after)?;
            rest = after;
            // An entry from further in the future was written before the clock was set back.
            let latest = seconds_up(self.now.saturating_add(2 * WORKER_TTL));
            if expires > expired_before / SECOND && expires <= latest {
                self.workers.push((WorkerId(u32::from_le_bytes(*id)), units, expires));
            }
        }
        Some(())
    }

    fn used(&self) -> u64 {
        self.workers.iter().fold(0, |sum, (_, units, _)| units.saturating_add(sum))
    }

    /// Changes this worker's units, and renews its entry.
    fn update(&mut self, change: impl FnOnce(u64) -> u64) {
        let own = self.workers.iter().position(|(worker, ..)| *worker == self.me);
        let units = own.map_or(0, |at| self.workers.swap_remove(at).1);
        self.workers.push((self.me, change(units), seconds_up(self.now.saturating_add(WORKER_TTL))));
    }
}

impl State for UnitsInFlight {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let verdict = all_at(now.saturating_add(self.wait), self.quota, self.used(), now, cost);
        match self.counts_later && verdict.admitted {
            true => Verdict { remaining: verdict.remaining.saturating_add(u64::from(cost)), ..verdict },
            false => verdict,
        }
    }

    /// Adds to this worker's units, if they count at once.
    fn charge(&mut self, _at: Now, units: u32) {
        if !self.counts_later {
            self.update(|own| own.saturating_add(u64::from(units)));
        }
    }

    /// Subtracts from this worker's units, if they counted at once.
    fn refund(&mut self, _at: Now, units: u32, _kept: u32, _hold: u64) {
        if !self.counts_later {
            self.update(|own| own.saturating_sub(u64::from(units)));
        }
    }

    /// Units come back only when their own streams end.
    fn give_back_newest(&mut self, _at: Now, _units: u32) -> bool {
        true
    }

    fn set_in_flight(&mut self, units: u32) -> bool {
        let before = self.used();
        self.update(|_| u64::from(units));
        self.used() != before
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
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
