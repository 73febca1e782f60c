//! What one worker remembers of identities: its leases, its debts, what it has in flight, whom it knows.

use crate::key::Identity;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// One thing of each of some identities. What is remembered lies in a list of its own kind, and one map of places serves
/// all kinds: a map of each would be in the module with all its code, 6 KB each.
#[derive(Clone, Debug)]
pub(crate) struct ByIdentity<T> {
    entries: Vec<(Identity, T)>,
    places: Places,
}

impl<T> Default for ByIdentity<T> {
    fn default() -> Self {
        ByIdentity { entries: Vec::new(), places: Places::default() }
    }
}

impl<T: Default> ByIdentity<T> {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, identity: Identity) -> Option<&T> {
        self.entries.get(self.places.find(identity)?).map(|(_, thing)| thing)
    }

    pub fn get_mut(&mut self, identity: Identity) -> Option<&mut T> {
        self.entries.get_mut(self.places.find(identity)?).map(|(_, thing)| thing)
    }

    /// Makes place for an identity that is new. `None`: it is, and there are `most` identities already.
    pub fn open(&mut self, identity: Identity, most: usize) -> Option<&mut T> {
        if self.places.find(identity).is_none() {
            if self.entries.len() >= most {
                return None;
            }
            self.places.set(identity, self.entries.len());
            self.entries.push((identity, T::default()));
        }
        self.get_mut(identity)
    }

    pub fn remove(&mut self, identity: Identity) -> Option<T> {
        let place = self.places.remove(identity)?;
        let (_, thing) = self.entries.swap_remove(place);
        if let Some((moved, _)) = self.entries.get(place) {
            self.places.set(*moved, place);
        }
        Some(thing)
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Identity, T)> {
        self.entries.iter()
    }
}

/// Where each identity is.
#[derive(Clone, Debug, Default)]
struct Places(HashMap<Identity, usize, BuildHasherDefault<Hashed>>);

// Not inlined, or each kind would have a map's code again.
impl Places {
    #[inline(never)]
    fn find(&self, identity: Identity) -> Option<usize> {
        self.0.get(&identity).copied()
    }

    #[inline(never)]
    fn set(&mut self, identity: Identity, place: usize) {
        self.0.insert(identity, place);
    }

    #[inline(never)]
    fn remove(&mut self, identity: Identity) -> Option<usize> {
        self.0.remove(&identity)
    }
}

/// An identity is a keyed hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 ^= half;
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
            steps in prop::collection::vec((0_u64..8, any::<bool>()), 0..100)
        ) {
            let (mut map, mut plain) = (ByIdentity::<u64>::default(), BTreeMap::new());
            for (step, (number, removes)) in (1..).zip(steps) {
                let identity = Identity { page: number / 2, fingerprint: number };
                if removes {
                    prop_assert_eq!(map.remove(identity), plain.remove(&identity));
                } else {
                    let full = plain.len() >= 5 && !plain.contains_key(&identity);
                    let opened = map.open(identity, 5);
                    prop_assert_eq!(opened.is_none(), full);
                    if let Some(thing) = opened {
                        *thing = step;
                        plain.insert(identity, step);
                    }
                }
                let all: BTreeMap<_, _> = map.iter().copied().collect();
                prop_assert_eq!(&all, &plain);
                for (identity, thing) in plain.iter_mut() {
                    prop_assert_eq!(map.get(*identity), Some(&*thing));
                    prop_assert_eq!(map.get_mut(*identity), Some(thing));
                }
                prop_assert_eq!(map.is_empty(), plain.is_empty());
            }
        }
    }
}
