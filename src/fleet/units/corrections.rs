//! What a worker still has to say about requests of one caller that were decided before.

use super::correction::{Change, Open};
use super::grant::{Grant, Settled};
use crate::fleet::message::{Correction, EntryAnswer};
use crate::time::{Micros, Now, SECOND};

/// The most corrections that were never sent. Further ones are added to the last.
const MAX_UNSENT: usize = 16;

/// The most corrections of an entry. Until the service has applied them, others are not sent: nobody knows which
/// of them it has applied, so they can't be summed up.
const MAX_SENT: usize = 64;

/// The most uses whose instant on the engine's clock is remembered. Older units are not given back.
const MAX_SETTLED: usize = 96;

/// How long they are remembered. Responses are rarely slower.
const SETTLED_TIME: Micros = 30 * SECOND;

/// The corrections of one caller, and what it takes to give units back.
#[derive(Default)]
pub(super) struct Corrections {
    open: Vec<Open>,
    settled: Vec<Settled>,
}

impl Corrections {
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether units may soon be given back.
    pub fn may_give_back(&self) -> bool {
        !self.settled.is_empty()
    }

    /// How many uses it remembers.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.settled.len()
    }

    /// The numbers of those that the next entry leaves out.
    pub fn unsent(&self) -> impl Iterator<Item = u64> {
        self.open.iter().filter(|one| one.sent.is_none()).map(|one| one.number)
    }

    /// Notes a correction. `false`: there are too many, and part of it is lost.
    pub fn add(&mut self, number: u64, change: Change) -> bool {
        let mut unsent = self.open.iter_mut().filter(|one| one.sent.is_none()).rev();
        let last = unsent.next();
        match last.filter(|_| unsent.count() + 1 >= MAX_UNSENT) {
            Some(last) => last.change.add(&change),
            None => {
                self.open.push(Open::new(number, change));
                true
            }
        }
    }

    /// Takes back units that were spent without a grant. `false`: the service may have counted them.
    pub fn take_back(&mut self, at: Micros, units: u32) -> bool {
        self.open.iter_mut().any(|one| one.take_back(at, units))
    }

    /// What an entry says. Units are given back only once the engine's instant is known: at another one they
    /// would be taken from other requests.
    pub fn send(&mut self, entry: u64, grants: &[Grant], now: Now) -> Vec<Correction> {
        let owed: Vec<Micros> = self.open.iter().filter_map(Open::owes_since).collect();
        let is_open = |grant: u64, at: Micros| {
            if grant == 0 { owed.contains(&at) } else { grants.iter().any(|one| one.number == grant) }
        };
        let sent = self.open.iter().filter(|one| one.sent.is_some()).count();
        let mut room = MAX_SENT.saturating_sub(sent);
        let mut messages = Vec::new();
        let mut kept = Vec::with_capacity(self.open.len());
        for mut one in std::mem::take(&mut self.open) {
            if let Some((at, units)) = one.change.back.filter(|_| one.counted.is_none()) {
                one.counted = self.counted(one.change.grant, at.mono, units);
                if one.counted.is_none() && is_open(one.change.grant, at.mono) {
                    kept.push(one);
                    continue;
                }
                if one.counted.is_none() {
                    one.change.back = None;
                }
            }
            if one.change.is_none() {
                continue;
            }
            if one.sent.is_some() || room > 0 {
                room = room.saturating_sub(usize::from(one.sent.is_none()));
                messages.push(one.send(entry, now));
            }
            kept.push(one);
        }
        self.open = kept;
        messages
    }

    /// When the engine has counted units, as far as that is known.
    fn counted(&self, grant: u64, at: Micros, units: u32) -> Option<Micros> {
        let own = |one: &&Settled| one.grant == grant && if grant == 0 { one.at == at } else { one.at >= at };
        self.settled.iter().find(own).filter(|one| one.units >= units).map(|one| one.counted)
    }

    /// The service has applied an entry that was sent at `sent`. `grants` are those that it has reported.
    /// `gives_back`: units may be given back, so it pays to remember when they are counted.
    pub fn applied<'a>(
        &mut self,
        entry: u64,
        grants: impl Iterator<Item = &'a Grant>,
        answer: &EntryAnswer,
        sent: Micros,
        gives_back: bool,
    ) {
        if gives_back {
            grants.for_each(|grant| grant.settle(answer.at, &mut self.settled));
            let corrected = self.open.iter().filter(|one| one.sent == Some(entry));
            self.settled.extend(corrected.filter_map(|one| one.settled_units(sent, answer.at)));
            self.forget_oldest();
        }
        self.open.retain(|one| one.sent != Some(entry));
    }

    /// The service has taken a grant for used.
    pub fn forgotten(&mut self, grant: &Grant, gives_back: bool) {
        if gives_back {
            grant.settle_unreported(&mut self.settled);
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let more = self.settled.len().saturating_sub(MAX_SETTLED);
        self.settled.drain(..more);
    }

    /// Forgets units that are no longer given back.
    pub fn forget(&mut self, now: Now) {
        self.settled.retain(|one| one.at.saturating_add(SETTLED_TIME) > now.mono);
    }
}
