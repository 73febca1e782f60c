//! A correction in the making, with instants of the worker's clock.

use super::grant::Settled;
use crate::fleet::message::Correction;
use crate::fleet::past;
use crate::time::{Micros, Now};

/// What a response has changed about an earlier request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Units that go back, and when they were spent.
    pub back: Option<(Now, u32)>,
    /// The grant that they were of; 0 if they were not granted.
    pub grant: u64,
    /// Units that are not counted yet, and when they were spent.
    pub more: Option<(Now, u32)>,
    /// Units that another request has returned, and when.
    pub returned: Option<(Now, u32)>,
    /// Units of a reported stock that are no longer in flight.
    pub settled: u32,
    /// The reported number of units of a stock, and when the reporting request was admitted.
    pub stock: Option<(Now, u64)>,
}

/// A change until the service has applied it.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub change: Change,
    pub number: u64,
    /// When the engine has counted the units of `back`, on its own clock.
    pub counted: Option<Micros>,
    /// The entry that carries it.
    pub sent: Option<u64>,
    /// Whether an earlier entry has carried it in vain.
    again: bool,
}

impl Change {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        let Change { back, grant: _, more, returned, settled, stock } = self;
        back.is_none() && more.is_none() && returned.is_none() && *settled == 0 && stock.is_none()
    }

    /// Adds another correction. An instant that is too late is never too early for the limit. `false`: units
    /// that can't be given back at their own instant stay counted.
    pub(super) fn add(&mut self, other: &Change) -> bool {
        let sum = |one: Option<(Now, u32)>, other: Option<(Now, u32)>| match (one, other) {
            (Some((_, one)), Some((at, other))) => Some((at, one.saturating_add(other))),
            (one, other) => other.or(one),
        };
        self.more = sum(self.more, other.more);
        self.returned = sum(self.returned, other.returned);
        self.settled = self.settled.saturating_add(other.settled);
        self.stock = other.stock.or(self.stock);
        other.back.is_none()
    }
}

impl Open {
    pub fn new(number: u64, change: Change) -> Open {
        Open { change, number, counted: None, sent: None, again: false }
    }

    /// When the units were spent that it is to count.
    pub fn owes_since(&self) -> Option<Micros> {
        self.change.more.map(|(since, _)| since.mono)
    }

    /// Takes back units that it was to count. `false`: they are not among them, or it is on its way.
    pub fn take_back(&mut self, at: Micros, units: u32) -> bool {
        match &mut self.change.more {
            Some((since, more)) if self.sent.is_none() && since.mono == at && *more >= units => {
                *more -= units;
                if *more == 0 {
                    self.change.more = None;
                }
                true
            }
            Some(_) | None => false,
        }
    }

    /// Puts it into an entry.
    pub fn send(&mut self, entry: u64, now: Now) -> Correction {
        self.again = self.sent.is_some();
        self.sent = Some(entry);
        let Change { back, grant: _, more, returned, settled, stock } = self.change;
        let age = |(at, units): (Now, u32)| (now.mono.saturating_sub(at.mono), units);
        Correction {
            number: self.number,
            back: self.counted.zip(back).map(|(counted, (_, units))| (counted, units)),
            more: more.map(age),
            settled,
            stock: stock.map(|(at, units)| (now.mono.saturating_sub(at.mono), units)),
            returned: returned.map(age),
        }
    }

    /// When the engine counts its units: it was sent at `sent` and applied at the engine's `applied`. Nobody
    /// knows if an earlier entry has come, too.
    pub fn settled_units(&self, sent: Micros, applied: Micros) -> Option<Settled> {
        let (at, units) = self.change.more.filter(|_| !self.again)?;
        let counted = past(sent.saturating_sub(at.mono), applied);
        Some(Settled { grant: 0, at: at.mono, counted, units })
    }
}
