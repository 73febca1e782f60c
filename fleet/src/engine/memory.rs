//! Values in this process. They are lost when it ends, so this is for development.
//!
//! It is bounded. When it is full, callers that it knows go on, and entries of new ones are not applied. Nothing that
//! is still in effect is dropped: a flood of made-up callers must not reset the counts of others.

use super::{Found, Reading, Swap, Swapped};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::time::{Micros, SECOND};

/// A bounded map with expiry.
pub struct Memory {
    values: Mutex<Values>,
    max_values: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct Values {
    map: HashMap<String, (String, Micros)>,
    /// Of all keys and values.
    bytes: usize,
    /// When expired values were last dropped.
    swept: Micros,
}

/// The room for each value on average, in bytes.
const MEAN_SIZE: usize = 4_096;

/// How often a full map looks for expired values: looking takes long.
const SWEEP_TIME: Micros = SECOND;

impl Memory {
    /// A map that holds up to `max_values`, and up to 4 KiB for each on average.
    pub fn new(max_values: usize) -> Memory {
        Memory { values: Mutex::default(), max_values, max_bytes: max_values.saturating_mul(MEAN_SIZE) }
    }

    /// Reads values.
    pub fn read(&self, keys: &[String]) -> Vec<Reading> {
        let (now, values) = (wall_time(), self.lock());
        keys.iter().map(|key| values.reading(key, now)).collect()
    }

    /// Swaps values.
    pub fn swap(&self, swaps: &[Swap]) -> Vec<Swapped> {
        let (now, mut values) = (wall_time(), self.lock());
        swaps.iter().map(|one| self.swap_one(&mut values, one, now)).collect()
    }

    fn swap_one(&self, values: &mut Values, swap: &Swap, now: Micros) -> Swapped {
        let current = values.live(&swap.key, now);
        if current != swap.old.as_ref() {
            return Swapped::Changed(values.reading(&swap.key, now));
        }
        if current.is_none() && !self.has_room(values, swap) {
            values.sweep(now);
            if !self.has_room(values, swap) {
                return Swapped::Full;
            }
        }
        values.insert(swap);
        Swapped::Done
    }

    fn has_room(&self, values: &Values, swap: &Swap) -> bool {
        values.map.len() < self.max_values && values.bytes + swap.key.len() + swap.new.len() <= self.max_bytes
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Values {
    fn live(&self, key: &str, now: Micros) -> Option<&String> {
        self.map.get(key).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }

    fn reading(&self, key: &str, now: Micros) -> Reading {
        let found = self.live(key, now).map_or(Found::Nothing, |value| Found::Text(value.clone()));
        Reading { now, found }
    }

    fn insert(&mut self, swap: &Swap) {
        let old = self.map.insert(swap.key.clone(), (swap.new.clone(), swap.expires));
        match old {
            Some((old, _)) => self.bytes -= old.len(),
            None => self.bytes += swap.key.len(),
        }
        self.bytes += swap.new.len();
    }

    fn sweep(&mut self, now: Micros) {
        if now < self.swept.saturating_add(SWEEP_TIME) && now >= self.swept {
            return;
        }
        self.swept = now;
        self.map.retain(|_, (_, expires)| *expires > now);
        self.bytes = self.map.iter().map(|(key, (value, _))| key.len() + value.len()).sum();
    }
}

fn wall_time() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(key: &str, old: Option<&str>, expires: Micros) -> Swap {
        Swap { key: key.into(), old: old.map(Into::into), new: "new".into(), expires }
    }

    #[test]
    fn when_it_is_full_known_callers_go_on_and_new_ones_are_told() {
        let memory = Memory::new(2);
        let later = wall_time() + 1_000 * SECOND;
        let swaps = [swap("a", None, later), swap("b", None, later), swap("c", None, later)];
        assert_eq!(memory.swap(&swaps), [Swapped::Done, Swapped::Done, Swapped::Full]);
        assert_eq!(memory.swap(&[swap("a", Some("new"), later)]), [Swapped::Done]);
        assert_eq!(memory.read(&["c".into()])[0].found, Found::Nothing);
    }

    #[test]
    fn expired_values_make_room() {
        let memory = Memory::new(1);
        memory.swap(&[swap("a", None, 1)]);
        assert_eq!(memory.swap(&[swap("b", None, wall_time() + SECOND)]), [Swapped::Done]);
        assert_eq!(memory.lock().bytes, 4);
    }
}
