//! `sliding_window`: in every trailing window at most `quota` units.
//!
//! # Derivation
//! Let the units admitted so far be stamped `s₁ ≤ s₂ ≤ …`. A request of `cost` units at `now` passes iff
//! the units with `sᵢ + window > now`, plus `cost`, are at most `quota`. A unit of age exactly `window` is
//! out. If a stamp is never earlier than the true instant, then for every instant `t` the true number
//! of units in `(t − window, t]` is at most the number counted, and so at most `quota`.
//!
//! Stamps are kept in **slots** of `2^shift` milliseconds, rounded **up**: `s = ⌈instant / slot⌉`. So the cap
//! is hard for any slot length, and a refusal comes at most one slot too early: the slot buys bytes
//! with caution, never with a unit too many.
//!
//! - A quota whose log is sure to fit the record's room gets slots of 1 ms: **exact**, to the clock's
//!   millisecond. With the default table that is up to 642 per minute, 429 per hour, 403 per day.
//! - A larger quota gets the smallest slot whose log is sure to fit: a **conservative ring** whose
//!   oldest slice counts whole (10,000 per minute: slots of 256 ms).
//! - A log that finds its page crowded doubles its slots ([`Log::coarsen`]), since
//!   `⌈⌈t/s⌉/2⌉ = ⌈t/2s⌉`, and goes back to the limit's own slots once it has been empty.
//!
//! # State
//! `shift:u8, used:varint, base:varint, newest − base:varint, entries`, oldest entry first. An entry is one slot's
//! units: `varint(gap << 1 | more)`, the gap in slots to the entry before (the first: to `base`), and if `more`
//! then `varint(units)`, else one unit. An entry takes 1 byte for gaps below 64 slots and 2 below 8,192.
//! In all at most [`Slots::most_bytes`]; a first request takes 9.

mod entries;
mod slots;

pub use slots::Slots;

use super::{Coarseness, Limit, Verdict, Wear};
use crate::time::{Micros, Now, SECOND};
use crate::varint;
use entries::{Entries, entry, insert, push};
use slots::MOST_SHIFT;
use std::borrow::Cow;
use std::num::NonZeroU32;

/// No slot number is higher: 2^53 ms are 285,000 years.
const MOST_SLOT: u64 = 1 << 53;

/// A log with more entries may be made coarser for the sake of others in its page.
const MANY: usize = 16;

/// Workers read the clock before they compete for the page, so a stamp may be this much ahead of a
/// slower worker's `now`. Further ahead it can't be true, and the log is taken to be of age 0.
const MOST_AHEAD: Micros = 2 * SECOND;

/// The log of one limit, with what has left the window already dropped.
pub struct Log<'a> {
    quota: NonZeroU32,
    window: Micros,
    slots: Slots,
    /// Units in `entries`.
    used: u64,
    /// What the first entry's gap counts from.
    base: u64,
    /// The slot of the last entry.
    newest: u64,
    entries: Cow<'a, [u8]>,
    opened: Micros,
    restamped: bool,
}

impl<'a> Log<'a> {
    /// A log of nothing.
    pub fn empty(limit: &Limit, slots: Slots) -> Log<'a> {
        Log { quota: limit.quota, window: limit.window, slots, ..Log::unlimited() }
    }

    /// A log of nothing, of whatever limit.
    fn unlimited() -> Log<'a> {
        Log {
            quota: NonZeroU32::MAX,
            window: 0,
            slots: Slots::EXACT,
            used: 0,
            base: 0,
            newest: 0,
            entries: Cow::Borrowed(&[]),
            opened: 0,
            restamped: false,
        }
    }

    /// Reads a state and drops what has left the window. `None`: damaged bytes.
    pub fn open(limit: &Limit, slots: Slots, state: &'a [u8], now: Micros) -> Option<Log<'a>> {
        let mut log = Log { opened: now, ..Log::empty(limit, slots) };
        if state.is_empty() {
            return Some(log);
        }
        log.read(state)?;
        log.forget_the_future(now);
        log.expire(now)?;
        if log.used == 0 {
            return Some(Log { opened: now, ..Log::empty(limit, slots) });
        }
        while log.slots < slots && log.coarsen(Coarseness::Any) {}
        Some(log)
    }

    fn read(&mut self, state: &'a [u8]) -> Option<()> {
        let (shift, rest) = state.split_first()?;
        let (used, rest) = varint::read(rest)?;
        let (base, rest) = varint::read(rest)?;
        let (span, entries) = varint::read(rest)?;
        if *shift > MOST_SHIFT || base > MOST_SLOT || span > MOST_SLOT {
            return None;
        }
        self.slots = Slots { shift: *shift };
        self.used = used;
        self.base = base;
        self.newest = base + span;
        self.entries = Cow::Borrowed(entries);
        Some(())
    }

    /// Stamps from a clock that has since been set back: their order and distances are kept, and the
    /// newest is taken to be of age 0. Nothing leaves early, and nothing stays longer than a window.
    fn forget_the_future(&mut self, now: Micros) {
        if self.slots.time(self.newest) > now.saturating_add(MOST_AHEAD).saturating_add(self.slots.length()) {
            let back = self.newest - self.slots.at_or_after(now);
            match self.base.checked_sub(back) {
                Some(base) => (self.base, self.newest) = (base, self.newest - back),
                // What would be before the clock's zero is of the zero.
                None => {
                    let entries: Vec<_> = Entries::of(self).collect();
                    let moved = entries.iter().map(|(slot, units)| (slot.saturating_sub(back), *units));
                    self.replace(&moved.collect::<Vec<_>>());
                }
            }
            self.restamped = true;
        }
    }

    /// See [`super::Counter::restamped`].
    pub fn restamped(&self) -> bool {
        self.restamped
    }

    /// `None` when the entries do not add up to what the header says.
    fn expire(&mut self, now: Micros) -> Option<()> {
        let mut entries: &[u8] = &self.entries;
        let (mut used, mut base) = (self.used, self.base);
        while !entries.is_empty() {
            let (slot, units, rest) = entry(entries, base)?;
            if slot > self.newest {
                return None;
            }
            if self.leaves(slot) > now {
                break;
            }
            used = used.checked_sub(units)?;
            (base, entries) = (slot, rest);
        }
        if entries.is_empty() != (used == 0) {
            return None;
        }
        let dropped = self.entries.len() - entries.len();
        (self.used, self.base) = (used, base);
        match &mut self.entries {
            Cow::Borrowed(bytes) => *bytes = bytes.get(dropped..)?,
            Cow::Owned(bytes) => drop(bytes.drain(..dropped)),
        }
        Some(())
    }

    /// When the units of a slot are out of the window.
    fn leaves(&self, slot: u64) -> Micros {
        self.slots.time(slot).saturating_add(self.window)
    }

    /// See [`super::Counter::judge`].
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let quota = u64::from(self.quota.get());
        let free = quota.saturating_sub(self.used);
        let admitted = u64::from(cost) <= free;
        let oldest = Entries::of(self).next().map(|(slot, _)| slot);
        let newest = match (admitted && cost > 0, self.used) {
            (true, _) => self.leaves(self.slots.at_or_after(now).max(self.newest)),
            (false, 0) => now,
            (false, _) => self.leaves(self.newest),
        };
        let retry_after = if admitted { 0 } else { self.room_for(cost).saturating_sub(now).max(1) };
        Verdict {
            admitted,
            quota: self.quota,
            remaining: if admitted { free - u64::from(cost) } else { free },
            next_slot: oldest.map_or(newest, |slot| self.leaves(slot)),
            full_reset: newest.max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// When enough units have left for `cost` more; for a cost above the quota, when all have.
    fn room_for(&self, cost: u32) -> Micros {
        let quota = u64::from(self.quota.get());
        let too_many = self.used.saturating_add(u64::from(cost)).saturating_sub(quota);
        let mut left = 0;
        let freeing = Entries::of(self).find(|(_, units)| {
            left = units.saturating_add(left);
            left >= too_many
        });
        match freeing {
            Some((slot, _)) => self.leaves(slot),
            None if self.used == 0 => 0,
            None => self.leaves(self.newest),
        }
    }

    /// See [`super::Counter::longest`].
    pub fn longest(&self) -> Micros {
        self.window
    }

    /// See [`super::Counter::charge`]. Units that have left the window are not counted.
    pub fn charge(&mut self, at: Micros, units: u32) {
        let stamp = self.slots.at_or_after(at);
        if units == 0 || self.leaves(stamp) <= self.opened {
            return;
        }
        if self.used == 0 {
            (self.base, self.newest) = (stamp, stamp);
        }
        if stamp < self.newest {
            return self.insert(stamp, u64::from(units));
        }
        let (gap, counted) = if stamp == self.newest { self.pop() } else { (stamp - self.newest, 0) };
        push(self.entries_to_grow(), gap, counted.saturating_add(u64::from(units)));
        self.newest = stamp;
        self.used = self.used.saturating_add(u64::from(units));
    }

    /// The entries, with room for one more.
    fn entries_to_grow(&mut self) -> &mut Vec<u8> {
        if let Cow::Borrowed(entries) = self.entries {
            let mut grown = Vec::with_capacity(entries.len() + 2 * varint::MAX_LEN);
            grown.extend_from_slice(entries);
            self.entries = Cow::Owned(grown);
        }
        self.entries.to_mut()
    }

    /// Counts units before the newest: a debt, or a slower worker's.
    fn insert(&mut self, stamp: u64, units: u64) {
        let mut entries: Vec<_> = Entries::of(self).collect();
        insert(&mut entries, stamp, units);
        self.replace(&entries);
    }

    /// Takes the last entry off the bytes, to be written anew: its gap and units, 0 and 0 if there is none.
    fn pop(&mut self) -> (u64, u64) {
        let mut entries = Entries::of(self);
        let mut last = (0, 0, 0);
        loop {
            let (before, offset) = (entries.base, self.entries.len() - entries.bytes.len());
            let Some((slot, units)) = entries.next() else { break };
            last = (slot - before, units, offset);
        }
        let (gap, units, offset) = last;
        self.entries_to_grow().truncate(offset);
        (gap, units)
    }

    /// See [`super::Counter::refund`].
    pub fn refund(&mut self, at: Micros, units: u32) {
        if at.saturating_add(self.window) > self.opened {
            self.settle(at, units, &[]);
        }
    }

    /// See [`super::Counter::settle`]. A unit that is out of the window may have been dropped before its slot became a
    /// part of a longer one: what that counts is others'.
    pub fn settle(&mut self, end: Micros, taken: u32, used: &[(Now, u32)]) {
        let mut entries: Vec<_> = Entries::of(self).collect();
        if end.saturating_add(self.window) > self.opened {
            let stamp = self.slots.at_or_after(end);
            if let Some((_, counted)) = entries.iter_mut().rfind(|(slot, _)| *slot == stamp) {
                *counted = counted.saturating_sub(u64::from(taken));
            }
            entries.retain(|(_, counted)| *counted > 0);
        }
        for (at, units) in used {
            let stamp = self.slots.at_or_after(at.mono);
            if *units > 0 && self.leaves(stamp) > self.opened {
                insert(&mut entries, stamp, u64::from(*units));
            }
        }
        self.replace(&entries);
    }

    /// See [`super::Counter::coarsen`].
    pub fn coarsen(&mut self, so_far: Coarseness) -> bool {
        let far_enough = match so_far {
            Coarseness::Slight => self.slots.length() > self.window / 16,
            Coarseness::Any => self.slots.shift >= MOST_SHIFT,
        };
        if far_enough || self.used == 0 {
            return false;
        }
        let mut entries: Vec<(u64, u64)> = Vec::new();
        for (slot, units) in Entries::of(self) {
            let slot = slot.div_ceil(2);
            match entries.last_mut() {
                Some((last, counted)) if *last == slot => *counted = counted.saturating_add(units),
                Some(_) | None => entries.push((slot, units)),
            }
        }
        self.slots.shift += 1;
        self.replace(&entries);
        true
    }

    /// A state with slots twice as long, for room in a crowded page. `None`: it is short enough, or damaged. More than
    /// [`MANY`] entries are in slots shorter than a sixteenth of the window, so those of what comes back are below an eighth.
    pub fn coarser(state: &[u8]) -> Option<Vec<u8>> {
        let mut log = Log::unlimited();
        log.read(state)?;
        if Entries::of(&log).nth(MANY).is_none() || !log.coarsen(Coarseness::Any) {
            return None;
        }
        let mut shorter = Vec::with_capacity(state.len());
        log.write(&mut shorter);
        (shorter.len() < state.len()).then_some(shorter)
    }

    /// Takes these `(slot, units)` as the entries.
    fn replace(&mut self, entries: &[(u64, u64)]) {
        let mut bytes = Vec::with_capacity(self.entries.len() + varint::MAX_LEN);
        self.base = entries.first().map_or(0, |(slot, _)| *slot);
        self.newest = self.base;
        self.used = 0;
        for (slot, units) in entries {
            push(&mut bytes, slot - self.newest, *units);
            self.newest = *slot;
            self.used = self.used.saturating_add(*units);
        }
        self.entries = Cow::Owned(bytes);
    }

    /// See [`super::Counter::write`].
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        if self.used > 0 {
            out.push(self.slots.shift);
            varint::write(out, self.used);
            varint::write(out, self.base);
            varint::write(out, self.newest - self.base);
            out.extend_from_slice(&self.entries);
        }
        Wear::new(self.leaves(self.newest), self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
