//! Maps from identities to what one worker remembers of them: leases, debts, units in flight, consumers.

use crate::identity::Identity;
use hashbrown::HashTable;

/// A map whose number of entries is bounded by the caller, see [`IdentityMap::open`].
///
/// Entries are in a list of their own, and hashbrown's table only has their positions. So all kinds of
/// entries share one compiled copy of the table: a `HashMap<Identity, T>` for each of the eight kinds adds 15
/// KB to the module.
#[derive(Clone, Debug)]
pub(crate) struct IdentityMap<T> {
    entries: Vec<T>,
    index: Index,
}

impl<T> Default for IdentityMap<T> {
    fn default() -> Self {
        IdentityMap::new()
    }
}

impl<T> IdentityMap<T> {
    pub const fn new() -> Self {
        IdentityMap {
            entries: Vec::new(),
            index: Index { identities: Vec::new(), positions: HashTable::new() },
        }
    }
}

impl<T: Default> IdentityMap<T> {
    // Mostly a worker owes nothing and has nothing in flight: then nothing is looked up.
    #[inline]
    pub fn get(&self, identity: Identity) -> Option<&T> {
        self.entries.first()?;
        self.entries.get(self.index.find(identity)?)
    }

    #[inline]
    pub fn get_mut(&mut self, identity: Identity) -> Option<&mut T> {
        self.entries.first()?;
        self.entries.get_mut(self.index.find(identity)?)
    }

    /// The entry of an identity, inserted if it has none. `None` if it has none and there are `max` entries
    /// already.
    pub fn open(&mut self, identity: Identity, max: usize) -> Option<&mut T> {
        let position = match self.index.find(identity) {
            Some(position) => position,
            None if self.entries.len() >= max => return None,
            None => {
                self.entries.push(T::default());
                self.index.add(identity)
            }
        };
        self.entries.get_mut(position)
    }

    pub fn remove(&mut self, identity: Identity) -> Option<T> {
        let position = self.index.remove(identity)?;
        (position < self.entries.len()).then(|| self.entries.swap_remove(position))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Shows each entry, which may be changed.
    pub fn each_mut(&mut self, show: impl FnMut(&mut T)) {
        self.entries.iter_mut().for_each(show);
    }

    pub fn iter(&self) -> impl Iterator<Item = (Identity, &T)> {
        self.index.identities.iter().copied().zip(&self.entries)
    }
}

/// The position of each identity's entry.
#[derive(Clone, Debug)]
struct Index {
    /// By position.
    identities: Vec<Identity>,
    positions: HashTable<usize>,
}

impl Index {
    fn find(&self, identity: Identity) -> Option<usize> {
        let is_own = |position: &usize| self.identities.get(*position) == Some(&identity);
        self.positions.find(hash(identity), is_own).copied()
    }

    /// Adds an identity that has no entry yet, at the last position.
    fn add(&mut self, identity: Identity) -> usize {
        let Index { identities, positions } = self;
        let position = identities.len();
        identities.push(identity);
        let hash_at = |position: &usize| identities.get(*position).copied().map_or(0, hash);
        positions.insert_unique(hash(identity), position, hash_at);
        position
    }

    /// Removes an identity and returns its position, which is now that of the last entry.
    fn remove(&mut self, identity: Identity) -> Option<usize> {
        let Index { identities, positions } = self;
        let is_own = |position: &usize| identities.get(*position) == Some(&identity);
        let (position, _) = positions.find_entry(hash(identity), is_own).ok()?.remove();
        let last = identities.len().checked_sub(1)?;
        if position != last
            && let Some(moved) = identities.last().copied()
            && let Some(found) = positions.find_mut(hash(moved), |position| *position == last)
        {
            *found = position;
        }
        identities.swap_remove(position);
        Some(position)
    }
}

/// An identity is already a keyed hash, so clients can't choose where it is looked up, and its two words need
/// only be combined. The multiplication is for identities that are small numbers, such as Envoy's context
/// ids: hashbrown compares the hash's high bits before it compares keys.
fn hash(identity: Identity) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    (identity.page ^ identity.fingerprint).wrapping_mul(ODD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn it_is_a_map_that_has_at_most_max_entries(
            steps in prop::collection::vec((0_u64..24, any::<bool>()), 0..200)
        ) {
            let (mut map, mut plain) = (IdentityMap::<u64>::default(), BTreeMap::new());
            for (step, (number, removes)) in (1..).zip(steps) {
                // Identities with one word in common, and small ones.
                let identity = Identity { page: number / 3 * 5, fingerprint: number % 3 * 64 };
                if removes {
                    prop_assert_eq!(map.remove(identity), plain.remove(&identity));
                } else {
                    let full = plain.len() >= 17 && !plain.contains_key(&identity);
                    let opened = map.open(identity, 17);
                    prop_assert_eq!(opened.is_none(), full);
                    if let Some(entry) = opened {
                        *entry = step;
                        plain.insert(identity, step);
                    }
                }
                let all: BTreeMap<_, _> = map.iter().map(|(identity, entry)| (identity, *entry)).collect();
                prop_assert_eq!(&all, &plain);
                for (identity, entry) in plain.iter_mut() {
                    prop_assert_eq!(map.get(*identity), Some(&*entry));
                    prop_assert_eq!(map.get_mut(*identity), Some(entry));
                }
            }
        }
    }
}
