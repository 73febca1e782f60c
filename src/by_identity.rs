//! What one worker remembers of identities: its leases, its debts, what it has in flight, whom it knows.

use crate::identity::Identity;

/// One thing of each of some identities. The things lie in a list of their own kind, and one map of places serves all
/// kinds. The standard library's map would be 6 KB of module for each kind; even one of it, shared, was a tenth of the
/// instructions that a request ran through.
#[derive(Clone, Debug)]
pub(crate) struct ByIdentity<T> {
    things: Vec<T>,
    places: Places,
}

impl<T> Default for ByIdentity<T> {
    fn default() -> Self {
        ByIdentity::new()
    }
}

impl<T> ByIdentity<T> {
    pub const fn new() -> Self {
        ByIdentity { things: Vec::new(), places: Places { identities: Vec::new(), slots: Vec::new() } }
    }
}

impl<T: Default> ByIdentity<T> {
    // A worker mostly owes nothing, and has nothing in flight: then nothing is looked up.
    #[inline]
    pub fn get(&self, identity: Identity) -> Option<&T> {
        self.things.first()?;
        self.things.get(self.places.find(identity)?.place)
    }

    #[inline]
    pub fn get_mut(&mut self, identity: Identity) -> Option<&mut T> {
        self.things.first()?;
        self.things.get_mut(self.places.find(identity)?.place)
    }

    /// Makes place for an identity that is new. `None`: it is, and there are `most` identities already.
    pub fn open(&mut self, identity: Identity, most: usize) -> Option<&mut T> {
        let place = match self.places.find(identity) {
            Some(found) => found.place,
            None if self.things.len() >= most => return None,
            None => {
                self.things.push(T::default());
                self.places.add(identity)
            }
        };
        self.things.get_mut(place)
    }

    pub fn remove(&mut self, identity: Identity) -> Option<T> {
        let place = self.places.remove(identity)?;
        (place < self.things.len()).then(|| self.things.swap_remove(place))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Identity, &T)> {
        self.places.identities.iter().copied().zip(&self.things)
    }
}

/// Where each identity is: a table with linear probing (Knuth, The Art of Computer Programming, 6.4, algorithms L and R).
/// An identity is a keyed hash already, so no client can choose where it is looked for.
#[derive(Clone, Debug)]
struct Places {
    /// By place.
    identities: Vec<Identity>,
    /// So many as a power of two, and at least twice as many as there are identities: 0, or a place and 1.
    slots: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Found {
    slot: usize,
    place: usize,
}

const FEWEST_SLOTS: usize = 8;

// Not inlined, or each kind would have a map's code again.
impl Places {
    #[inline(never)]
    fn find(&self, identity: Identity) -> Option<Found> {
        let mut slot = self.home(identity);
        loop {
            let place = self.at(slot)?;
            if self.identities.get(place) == Some(&identity) {
                return Some(Found { slot, place });
            }
            slot = self.after(slot);
        }
    }

    /// Adds an identity that is not there yet, at the last place.
    #[inline(never)]
    fn add(&mut self, identity: Identity) -> usize {
        let place = self.identities.len();
        self.identities.push(identity);
        if self.identities.len() * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(FEWEST_SLOTS)];
            (0..place).for_each(|place| self.link(place));
        }
        self.link(place);
        place
    }

    /// Removes an identity, and answers where it was: now the last one is there.
    #[inline(never)]
    fn remove(&mut self, identity: Identity) -> Option<usize> {
        let Found { slot, place } = self.find(identity)?;
        self.unlink(slot);
        if let Some(last) = self.identities.last().filter(|last| **last != identity)
            && let Some(found) = self.find(*last)
        {
            self.set(found.slot, place + 1);
        }
        self.identities.swap_remove(place);
        Some(place)
    }

    fn link(&mut self, place: usize) {
        let Some(identity) = self.identities.get(place) else { return };
        let mut slot = self.home(*identity);
        while self.at(slot).is_some() {
            slot = self.after(slot);
        }
        self.set(slot, place + 1);
    }

    /// Empties a slot, and moves those behind it that would not be found across the gap.
    fn unlink(&mut self, mut gap: usize) {
        let mut slot = self.after(gap);
        while let Some(place) = self.at(slot) {
            let home = self.identities.get(place).map_or(slot, |identity| self.home(*identity));
            if self.distance(home, slot) >= self.distance(gap, slot) {
                self.set(gap, place + 1);
                gap = slot;
            }
            slot = self.after(slot);
        }
        self.set(gap, 0);
    }

    /// The place in a slot, unless it is empty.
    fn at(&self, slot: usize) -> Option<usize> {
        self.slots.get(slot)?.checked_sub(1)
    }

    fn set(&mut self, slot: usize, content: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = content;
        }
    }

    /// The slot that an identity is looked for at first.
    fn home(&self, identity: Identity) -> usize {
        (identity.page ^ identity.fingerprint) as usize & self.mask()
    }

    fn after(&self, slot: usize) -> usize {
        slot.wrapping_add(1) & self.mask()
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    fn mask(&self) -> usize {
        self.slots.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn it_is_a_map_that_takes_no_more_than_most(
            steps in prop::collection::vec((0_u64..24, any::<bool>()), 0..200)
        ) {
            let (mut map, mut plain) = (ByIdentity::<u64>::default(), BTreeMap::new());
            for (step, (number, removes)) in (1..).zip(steps) {
                // Many are looked for at the same slot, and at the last one.
                let identity = Identity { page: number / 3 * 5, fingerprint: number % 3 * 64 };
                if removes {
                    prop_assert_eq!(map.remove(identity), plain.remove(&identity));
                } else {
                    let full = plain.len() >= 17 && !plain.contains_key(&identity);
                    let opened = map.open(identity, 17);
                    prop_assert_eq!(opened.is_none(), full);
                    if let Some(thing) = opened {
                        *thing = step;
                        plain.insert(identity, step);
                    }
                }
                let all: BTreeMap<_, _> = map.iter().map(|(identity, thing)| (identity, *thing)).collect();
                prop_assert_eq!(&all, &plain);
                for (identity, thing) in plain.iter_mut() {
                    prop_assert_eq!(map.get(*identity), Some(&*thing));
                    prop_assert_eq!(map.get_mut(*identity), Some(thing));
                }
            }
        }
    }
}
