//! What all workers of a run share: the clock, the host's store with what goes wrong in it, and the truth.
//! The store has the host's exact semantics (see [`MemoryStore`]), unless a bug is planted.

use super::entries::Entries;
use super::random::Random;
use super::scenario::Trouble;
use super::truth::Truth;
use crate::limiter::{FreshStart, LimitId};
use crate::table::memory::MemoryStore;
use crate::table::page::{Page, States};
use crate::table::{Cas, PageId, Read, Store, Write};
use crate::time::{MILLISECOND, Micros, Now, SECOND};

/// A bug of the store, to check that the simulator finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Bug {
    #[default]
    None,
    /// A write with a version is stored whatever the page's version is by now.
    LostUpdates,
    /// A write without a version is stored even if the page is there by now.
    InsertOverwrites,
    /// One write of 32 is stored although a conflict was answered.
    FalseConflicts,
}

pub struct World {
    pub random: Random,
    pub mono: Micros,
    /// The wall clock minus the monotonic one.
    pub wall_ahead: Micros,
    pub trouble: Trouble,
    pub bug: Bug,
    pub truth: Truth,
    /// What an operator forgives.
    pub entries: Entries,
    /// The fresh starts in the table: whose, of which limit, and since when.
    fresh: Vec<(u64, LimitId, Micros)>,
    /// How many there have been, and how often an operator has asked for one.
    pub fresh_starts: u64,
    pub forgivings: u64,
    /// How often one worker stopped and another one continued.
    pub handovers: u64,
    pub acts_left: u32,
    /// The number of workers in the middle of an act.
    pub busy: usize,
    /// Whether time passes before the next act.
    pub time_is_due: bool,
    /// All instants are multiples of it; often it is a millisecond, so that instants fall on the edges of
    /// slots.
    grain: Micros,
    store: MemoryStore,
}

impl World {
    pub fn new(mut random: Random, acts: u32, bug: Bug) -> World {
        let grain = random.pick(&[1, 250, MILLISECOND]);
        World {
            grain,
            mono: 1_000_000 * SECOND + random.below(3_600 * SECOND),
            wall_ahead: 1_700_000_000 * SECOND,
            trouble: Trouble::default(),
            bug,
            truth: Truth::default(),
            entries: Entries::default(),
            fresh: Vec::new(),
            fresh_starts: 0,
            forgivings: 0,
            handovers: 0,
            acts_left: acts,
            busy: 0,
            time_is_due: true,
            // In many runs versions wrap around, and skip 0.
            store: MemoryStore::after_version(u32::MAX - 400),
            random,
        }
    }

    /// Both clocks, as read by a worker that last read the wall clock when it was `wall_ahead` of the
    /// monotonic one.
    pub fn now(&self, wall_ahead: Micros) -> Now {
        Now { mono: self.mono, wall: self.mono + wall_ahead }
    }

    pub fn pass_time(&mut self, mean: Micros) {
        let time = self.random.below(2 * mean + 1);
        self.mono = (self.mono + time).next_multiple_of(self.grain);
        if self.random.chance(self.trouble.steps) {
            let step = self.random.pick(&[1, 3_600, 86_400]) * SECOND;
            let forward = self.random.chance(500);
            self.wall_ahead = if forward { self.wall_ahead + step } else { self.wall_ahead - step };
        }
    }

    /// Time passes while a worker waits between two calls.
    pub fn hold_up(&mut self) {
        let long = if self.random.chance(50) { 20 * MILLISECOND } else { MILLISECOND / 4 };
        self.mono = (self.mono + self.random.below(long)).next_multiple_of(self.grain);
    }

    pub fn pages(&self) -> impl Iterator<Item = Vec<u8>> {
        self.store.pages().into_iter().map(|page| self.store.page(page))
    }

    pub fn read(&mut self, page: PageId) -> Read {
        if self.random.chance(self.trouble.unavailable) {
            return Read::Unavailable;
        }
        self.store.read(page)
    }

    /// Writes as the host does, unless something goes wrong.
    pub fn write(&mut self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        if self.random.chance(self.trouble.unavailable) {
            return Write::Unavailable;
        }
        if self.random.chance(self.trouble.conflicts) {
            return Write::Conflict;
        }
        let overlooked = match self.bug {
            Bug::None | Bug::FalseConflicts => false,
            Bug::LostUpdates => version.is_some(),
            Bug::InsertOverwrites => version.is_none(),
        };
        if overlooked {
            self.store.overwrite(page, bytes);
        } else if self.store.write(page, bytes, version) == Write::Conflict {
            return Write::Conflict;
        }
        self.note_fresh_starts(bytes);
        if self.random.chance(self.trouble.damage) {
            self.store.overwrite(page, b"Tollgate? never heard of it");
        }
        if self.bug == Bug::FalseConflicts && self.random.below(32) == 0 {
            return Write::Conflict;
        }
        Write::Stored
    }

    /// In the truth, counts begin at zero with the write that leaves a fresh start.
    fn note_fresh_starts(&mut self, page: &[u8]) {
        let Ok(page) = Page::open(page) else { return };
        for record in page.records() {
            let owner = record.fingerprint << 1;
            let states = States(record.states).flatten().filter(|state| state.kind == FreshStart::KIND);
            for (limit, start) in
                states.filter_map(|state| Some((state.limit, FreshStart::read(state.content)?)))
            {
                let new = (owner, limit, start.since);
                let known = self.fresh.iter_mut().find(|(who, which, _)| (*who, *which) == (owner, limit));
                match known {
                    Some(known) if known.2 >= start.since => continue,
                    Some(known) => *known = new,
                    None => self.fresh.push(new),
                }
                let mono = self.mono;
                self.fresh_starts += 1;
                self.truth.forgive(owner, limit, mono);
            }
        }
    }
}
