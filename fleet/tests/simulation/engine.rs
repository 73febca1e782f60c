//! The engine: text by key, compare-and-swap, expiry, and a clock of its own that can be set.

use std::collections::HashMap;
use tollgate::time::Micros;
use tollgate_fleet::engine::{Found, Reading, Swap, Swapped};

/// A text, and when it expires.
type Value = (String, Micros);

#[derive(Default)]
pub struct Engine {
    values: HashMap<String, Value>,
    /// What each write has replaced, and when, for a failover to forget.
    journal: Vec<(Micros, String, Option<Value>)>,
    /// How far its clock is ahead.
    ahead: i64,
}

impl Engine {
    /// Its clock.
    pub fn clock(&self, time: Micros) -> Micros {
        time.saturating_add_signed(self.ahead)
    }

    /// Sets its clock.
    pub fn step(&mut self, by: i64) {
        self.ahead += by;
    }

    pub fn value(&self, key: &str, time: Micros) -> Option<&str> {
        let (value, expires) = self.values.get(key)?;
        (*expires > self.clock(time)).then_some(value)
    }

    pub fn read(&self, key: &str, time: Micros) -> Reading {
        let found = self.value(key, time).map_or(Found::Nothing, |text| Found::Text(text.to_owned()));
        Reading { now: self.clock(time), found }
    }

    pub fn swap(&mut self, one: &Swap, time: Micros) -> Swapped {
        if self.value(&one.key, time) != one.old.as_deref() {
            return Swapped::Changed(self.read(&one.key, time));
        }
        let new = (one.new.clone(), one.expires);
        let old = self.values.insert(one.key.clone(), new);
        self.journal.push((time, one.key.clone(), old));
        Swapped::Done
    }

    /// A replica takes over that has not got the writes of the last `lag`. Returns how many are forgotten.
    pub fn fail_over(&mut self, lag: Micros, time: Micros) -> usize {
        let mut forgotten = 0;
        while let Some((_, key, old)) = self.journal.pop_if(|(at, ..)| *at + lag > time) {
            forgotten += 1;
            match old {
                Some(old) => drop(self.values.insert(key, old)),
                None => drop(self.values.remove(&key)),
            }
        }
        forgotten
    }

    pub fn empty(&mut self) {
        self.values.clear();
        self.journal.clear();
    }
}
