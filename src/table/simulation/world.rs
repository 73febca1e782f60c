//! What all workers of a run share: the clock, the host's store with what goes wrong in it, and the truth.
//! The store has the host's semantics to the letter (see [`World::write`]), unless a bug is planted.

use super::random::Random;
use super::scenario::Trouble;
use super::truth::Truth;
use crate::table::{Cas, PageId, Read, Write};
use crate::time::{MILLISECOND, Micros, Now, SECOND};
use std::collections::HashMap;

/// A mistake of the store's, to see that the simulator notices.
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
    /// How often another worker went on where one stopped.
    pub handovers: u64,
    pub acts_left: u32,
    /// Workers between the beginning and the end of an act.
    pub busy: usize,
    /// Whether the clock is to go on before the next act.
    pub time_is_due: bool,
    /// All instants are multiples of it: often of a millisecond, which is where slots meet.
    grain: Micros,
    pages: HashMap<PageId, (Vec<u8>, u32)>,
    issued: u32,
}

/// The host rejects a version that was never issued, unless the key is absent.
const NEVER_ISSUED: u32 = u32::MAX;

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
            handovers: 0,
            acts_left: acts,
            busy: 0,
            time_is_due: true,
            pages: HashMap::new(),
            // Versions pass 2^32 and skip 0 in many a run.
            issued: u32::MAX - 400,
            random,
        }
    }

    /// Both clocks, read by one who last looked at the wall clock when it was so far ahead.
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

    /// A worker is held up between two calls.
    pub fn hold_up(&mut self) {
        let long = if self.random.chance(50) { 20 * MILLISECOND } else { MILLISECOND / 4 };
        self.mono = (self.mono + self.random.below(long)).next_multiple_of(self.grain);
    }

    pub fn pages(&self) -> impl Iterator<Item = &[u8]> {
        self.pages.values().map(|(bytes, _)| bytes.as_slice())
    }

    pub fn read(&mut self, page: PageId) -> Read {
        if self.random.chance(self.trouble.unavailable) {
            return Read::Unavailable;
        }
        match self.pages.get(&page) {
            Some((bytes, version)) => Read::Present(bytes.clone(), Cas::new(*version).unwrap()),
            None => Read::Absent,
        }
    }

    /// On a key that is present any other version is a conflict; on one that is absent every version is
    /// stored. Each write gets the next number of one counter, which skips 0.
    pub fn write(&mut self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        if self.random.chance(self.trouble.unavailable) {
            return Write::Unavailable;
        }
        if self.random.chance(self.trouble.conflicts) {
            return Write::Conflict;
        }
        let given = version.map_or(NEVER_ISSUED, Cas::get);
        let overlooked = match self.bug {
            Bug::None | Bug::FalseConflicts => false,
            Bug::LostUpdates => version.is_some(),
            Bug::InsertOverwrites => version.is_none(),
        };
        if !overlooked && self.pages.get(&page).is_some_and(|(_, current)| *current != given) {
            return Write::Conflict;
        }
        self.overwrite(page, bytes);
        if self.random.chance(self.trouble.damage) {
            self.overwrite(page, b"Tollgate? never heard of it");
        }
        if self.bug == Bug::FalseConflicts && self.random.below(32) == 0 {
            return Write::Conflict;
        }
        Write::Stored
    }

    fn overwrite(&mut self, page: PageId, bytes: &[u8]) {
        self.issued = self.issued.checked_add(1).filter(|next| *next != NEVER_ISSUED).unwrap_or(1);
        self.pages.insert(page, (bytes.to_vec(), self.issued));
    }
}
