//! The state of a sliding window: its units by slot, oldest first.

use super::Slots;
use super::entries::{Entries, entry, insert, push, take_newest};
use super::slots::MAX_SHIFT;
use crate::limiter::state::{Coarseness, EvictionInfo, State};
use crate::limiter::verdict::Verdict;
use crate::limiter::{Limit, MAX_CLOCK_SKEW};
use crate::time::{Micros, Now};
use crate::varint;
use std::borrow::Cow;
use std::num::NonZeroU32;

/// Higher slot numbers are damage: 2^53 ms are 285,000 years.
const MAX_SLOT: u64 = 1 << 53;

/// This bit of `shift` says that a state has `early`.
pub(super) const HAS_EARLY: u8 = 1 << 7;

/// A log with more entries may be made coarser to make room for other records of its page.
const COARSEN_ABOVE: usize = 16;

/// The log of one limit, without the units that have left the window.
pub struct Log<'a> {
    quota: NonZeroU32,
    window: Micros,
    slots: Slots,
    /// The limit's own slots. Longer ones are those of a full page, where a state has no room for `early`.
    own: Slots,
    /// Units in `entries`.
    used: u64,
    /// The slot that the first entry's gap counts from.
    base: u64,
    /// The slot of the last entry.
    newest: u64,
    /// How long before the end of the last entry's slot its newest unit was counted. 0 if it is not known.
    early: Micros,
    entries: Cow<'a, [u8]>,
    opened: Micros,
    restamped: bool,
}

impl<'a> Log<'a> {
    /// The log of a limit that is unused since `opened`.
    pub fn unused(limit: &Limit, slots: Slots, opened: Micros) -> Log<'a> {
        Log { quota: limit.quota, window: limit.window, slots, own: slots, opened, ..Log::unlimited() }
    }

    /// An empty log without a limit.
    fn unlimited() -> Log<'a> {
        Log {
            quota: NonZeroU32::MAX,
            window: 0,
            slots: Slots::EXACT,
            own: Slots::EXACT,
            used: 0,
            base: 0,
            newest: 0,
            early: 0,
            entries: Cow::Borrowed(&[]),
            opened: 0,
            restamped: false,
        }
    }

    /// Parses a state and drops the units that have left the window. `None` if the bytes are damaged.
    pub fn open(limit: &Limit, slots: Slots, state: &'a [u8], now: Micros) -> Option<Log<'a>> {
        let mut log = Log::unused(limit, slots, now);
        log.read(state)?;
        log.forget_the_future(now);
        log.expire(now)?;
        if log.used == 0 {
            return Some(Log::unused(limit, slots, now));
        }
        while log.slots < slots && log.coarsen(Coarseness::Any) {}
        Some(log)
    }

    /// Its entries, oldest first.
    fn units_by_slot(&self) -> Entries<'_> {
        Entries { base: self.base, bytes: &self.entries }
    }

    fn read(&mut self, state: &'a [u8]) -> Option<()> {
        let (shift, rest) = state.split_first()?;
        let (used, rest) = varint::read(rest)?;
        let (base, rest) = varint::read(rest)?;
        let (span, rest) = varint::read(rest)?;
        let has_early = shift & HAS_EARLY > 0;
        let (early, entries) = if has_early { varint::read(rest)? } else { (0, rest) };
        let shift = shift & !HAS_EARLY;
        if shift > MAX_SHIFT || base > MAX_SLOT || span > MAX_SLOT {
            return None;
        }
        self.slots = Slots { shift };
        (early < self.slots.length()).then_some(())?;
        self.early = early;
        self.used = used;
        self.base = base;
        self.newest = base + span;
        self.entries = Cow::Borrowed(entries);
        Some(())
    }

    /// If the clock was set back, moves all stamps so that the newest has age 0. Their distances are kept, so
    /// nothing leaves too early, and nothing stays for longer than a window.
    fn forget_the_future(&mut self, now: Micros) {
        if self.slots.time(self.newest)
            > now.saturating_add(MAX_CLOCK_SKEW).saturating_add(self.slots.length())
        {
            let back = self.newest - self.slots.at_or_after(now);
            let newest_at = self.counted_at(now);
            match self.base.checked_sub(back) {
                Some(base) => (self.base, self.newest) = (base, self.newest - back),
                // Stamps that would be negative become 0.
                None => {
                    let entries: Vec<_> = self.units_by_slot().collect();
                    let moved = entries.iter().map(|(slot, units)| (slot.saturating_sub(back), *units));
                    self.replace(&moved.collect::<Vec<_>>());
                }
            }
            self.set_newest_at(newest_at);
            self.restamped = true;
        }
    }

    /// Drops the entries that have left the window. `None` if the entries and the header do not match.
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

    /// When a slot's units leave the window.
    fn leaves(&self, slot: u64) -> Micros {
        let early = if slot == self.newest { self.early } else { 0 };
        self.slots.time(slot).saturating_sub(early).saturating_add(self.window)
    }

    /// The instant at which a unit counts that is counted at `at`, while no newer slot has units.
    fn counted_at(&self, at: Micros) -> Micros {
        if self.slots == Slots::EXACT || self.slots > self.own {
            self.slots.time(self.slots.at_or_after(at))
        } else {
            at
        }
    }

    /// The instant at which the newest unit counts; 0 if there is none.
    fn newest_at(&self) -> Micros {
        if self.used == 0 { 0 } else { self.slots.time(self.newest).saturating_sub(self.early) }
    }

    /// Sets the instant of the newest unit, which is in the newest slot. It is not kept in a full page.
    #[inline(never)]
    fn set_newest_at(&mut self, at: Micros) {
        let early = self.slots.time(self.newest).saturating_sub(at);
        self.early = if early < self.slots.length() && self.slots <= self.own { early } else { 0 };
    }

    /// When enough units have left to admit `cost` more; for a cost above the quota, when all have.
    #[inline(never)]
    fn room_for(&self, cost: u32) -> Micros {
        let quota = u64::from(self.quota.get());
        let too_many = self.used.saturating_add(u64::from(cost)).saturating_sub(quota);
        let mut left = 0;
        let freeing = self.units_by_slot().find(|(_, units)| {
            left = units.saturating_add(left);
            left >= too_many
        });
        match freeing {
            Some((slot, _)) => self.leaves(slot),
            None if self.used == 0 => 0,
            None => self.leaves(self.newest),
        }
    }

    /// The entries, owned, with room for one more.
    fn entries_to_grow(&mut self) -> &mut Vec<u8> {
        if let Cow::Borrowed(entries) = self.entries {
            let mut grown = Vec::with_capacity(entries.len() + 2 * varint::MAX_LEN);
            grown.extend_from_slice(entries);
            self.entries = Cow::Owned(grown);
        }
        self.entries.to_mut()
    }

    /// Counts units that are older than the newest: a debt, or those of a worker whose clock is behind.
    fn insert(&mut self, stamp: u64, units: u64) {
        let newest_at = self.newest_at();
        let mut entries: Vec<_> = self.units_by_slot().collect();
        insert(&mut entries, stamp, units);
        self.replace(&entries);
        self.set_newest_at(newest_at);
    }

    /// Removes the last entry and returns its gap and units, or zeros if there is none.
    fn pop(&mut self) -> (u64, u64) {
        let mut entries = self.units_by_slot();
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

    /// The state with slots of twice the length, for room in a full page. `None` if it is short enough or
    /// damaged. A log with more than [`COARSEN_ABOVE`] entries has slots shorter than a sixteenth of the
    /// window; doubled, they are still below an eighth.
    pub fn coarser(state: &[u8]) -> Option<Vec<u8>> {
        let mut log = Log::unlimited();
        log.read(state)?;
        if log.units_by_slot().nth(COARSEN_ABOVE).is_none() || !log.coarsen(Coarseness::Any) {
            return None;
        }
        let mut shorter = Vec::with_capacity(state.len());
        log.write(&mut shorter);
        (shorter.len() < state.len()).then_some(shorter)
    }

    /// Replaces the entries by these `(slot, units)`. The newest unit's instant is not known any more.
    fn replace(&mut self, entries: &[(u64, u64)]) {
        let mut bytes = Vec::with_capacity(self.entries.len() + varint::MAX_LEN);
        self.base = entries.first().map_or(0, |(slot, _)| *slot);
        self.newest = self.base;
        self.early = 0;
        self.used = 0;
        for (slot, units) in entries {
            push(&mut bytes, slot - self.newest, *units);
            self.newest = *slot;
            self.used = self.used.saturating_add(*units);
        }
        self.entries = Cow::Owned(bytes);
    }
}

impl State for Log<'_> {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let quota = u64::from(self.quota.get());
        let free = quota.saturating_sub(self.used);
        let admitted = u64::from(cost) <= free;
        let counts = admitted && cost > 0;
        let newest = match (counts, self.used) {
            (true, _) => self.counted_at(now).max(self.newest_at()).saturating_add(self.window),
            (false, 0) => now,
            (false, _) => self.leaves(self.newest),
        };
        let next_slot = match self.units_by_slot().next() {
            // Units that were counted late may exceed the quota.
            Some(_) if free == 0 => self.room_for(1),
            // The only slot with units.
            Some((slot, _)) if slot == self.newest && counts => {
                if self.slots.at_or_after(now) > slot {
                    self.slots.time(slot).saturating_add(self.window)
                } else {
                    newest
                }
            }
            Some((slot, _)) => self.leaves(slot),
            None => newest,
        };
        let retry_after = if admitted { 0 } else { self.room_for(cost).saturating_sub(now).max(1) };
        Verdict {
            admitted,
            quota: self.quota.get(),
            remaining: if admitted { free - u64::from(cost) } else { free },
            next_slot,
            full_reset: newest.max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    fn max_reset(&self, _next: Micros) -> Micros {
        self.window
    }

    /// Units that would have left the window already are not counted.
    fn charge(&mut self, at: Now, units: u32) {
        let stamp = self.slots.at_or_after(at.mono);
        let at = self.counted_at(at.mono);
        if units == 0 || at.saturating_add(self.window) <= self.opened {
            return;
        }
        let newest_at = self.newest_at().max(at);
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
        self.set_newest_at(newest_at);
    }

    fn refund(&mut self, at: Now, units: u32, _kept: u32, _hold: u64) {
        if at.mono.saturating_add(self.window) > self.opened {
            self.settle(at, units, &[]);
        }
    }

    /// The units of leases that still run are counted in the
    /// future, so they are not among them.
    fn give_back_newest(&mut self, at: Now, units: u32) -> bool {
        let mut entries: Vec<_> = self.units_by_slot().collect();
        if take_newest(&mut entries, self.slots.at_or_after(at.mono), u64::from(units)) {
            self.replace(&entries);
        }
        true
    }

    /// Nothing is given back that may have left the window: its slot may have
    /// been merged with others since, whose units must stay.
    ///
    /// If the lease's slot has fewer units than were taken, another worker has returned some of them while it
    /// could not know which were used. They are missing now, so the newest others are given back for them.
    fn settle(&mut self, end: Now, taken: u32, used: &[(Now, u32)]) -> bool {
        let mut entries: Vec<_> = self.units_by_slot().collect();
        let mut returned = 0;
        if end.mono.saturating_add(self.window) > self.opened {
            let (stamp, taken) = (self.slots.at_or_after(end.mono), u64::from(taken));
            if let Some((_, counted)) = entries.iter_mut().rfind(|(slot, _)| *slot == stamp) {
                returned = taken.saturating_sub(*counted);
                *counted = counted.saturating_sub(taken);
            }
            entries.retain(|(_, counted)| *counted > 0);
        }
        // The newest of the units that stay, as far as that is known, and else the end of its slot.
        let (last, before) = (entries.last().map(|(slot, _)| *slot), self.newest);
        let known = |slot| if slot == before { self.newest_at() } else { self.slots.time(slot) };
        let mut newest_at = last.map_or(0, known);
        for (at, units) in used {
            let (stamp, at) = (self.slots.at_or_after(at.mono), self.counted_at(at.mono));
            if *units > 0 && at.saturating_add(self.window) > self.opened {
                insert(&mut entries, stamp, u64::from(*units));
                newest_at = newest_at.max(at);
            }
        }
        take_newest(&mut entries, self.slots.at_or_after(end.mono), returned);
        self.replace(&entries);
        self.set_newest_at(newest_at);
        true
    }

    fn restamped(&self) -> bool {
        self.restamped
    }

    fn coarsen(&mut self, coarsest: Coarseness) -> bool {
        let coarse_enough = match coarsest {
            Coarseness::Slight => self.slots.length() > self.window / 16,
            Coarseness::Any => self.slots.shift >= MAX_SHIFT,
        };
        if coarse_enough || self.used == 0 {
            return false;
        }
        let newest_at = self.newest_at();
        let mut entries: Vec<(u64, u64)> = Vec::new();
        for (slot, units) in self.units_by_slot() {
            let slot = slot.div_ceil(2);
            match entries.last_mut() {
                Some((last, counted)) if *last == slot => *counted = counted.saturating_add(units),
                Some(_) | None => entries.push((slot, units)),
            }
        }
        self.slots.shift += 1;
        self.replace(&entries);
        self.set_newest_at(newest_at);
        true
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.used > 0 {
            let has_early = if self.early > 0 { HAS_EARLY } else { 0 };
            out.push(self.slots.shift | has_early);
            varint::write(out, self.used);
            varint::write(out, self.base);
            varint::write(out, self.newest - self.base);
            if self.early > 0 {
                varint::write(out, self.early);
            }
            out.extend_from_slice(&self.entries);
        }
        EvictionInfo::new(self.leaves(self.newest), self.used, self.quota)
    }
}

#[cfg(test)]
mod tests;
