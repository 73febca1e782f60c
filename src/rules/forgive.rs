//! The callers that an operator forgives, by the values of their keys.

use super::{Digest, Key};
use crate::identity_map::IdentityMap;
use crate::limiter::Forgiven;
use std::sync::Arc;

/// Which values of keys are forgiven what. Values are stored as digests.
#[derive(Clone, Debug, Default)]
pub struct Forgive {
    /// By the key's index: which of `values` has its values. Keys of one kind share them.
    by_key: Vec<Option<usize>>,
    values: Vec<IdentityMap<ForgivenValue>>,
}

/// A value's digest, and the entries for it.
type ForgivenValue = (Digest, Arc<[Forgiven]>);

impl Forgive {
    /// The entries: each with the index of its key, the digest of the value, and what it forgives.
    pub fn new(keys: &[Key], entries: Vec<(usize, Digest, Vec<Forgiven>)>) -> Forgive {
        let mut forgive = Forgive { by_key: vec![None; keys.len()], values: Vec::new() };
        for (key, digest, forgiven) in entries {
            let Some(values) = forgive.values_of(keys, key) else { continue };
            if let Some((known, all)) = values.open(digest.half(), usize::MAX) {
                *known = digest;
                *all = all.iter().copied().chain(forgiven).collect();
            }
        }
        forgive
    }

    /// The values of a key, which other keys of the same kind share.
    fn values_of(&mut self, keys: &[Key], key: usize) -> Option<&mut IdentityMap<ForgivenValue>> {
        let kind = &keys.get(key)?.kind;
        let place = self.by_key.get(key).copied().flatten().unwrap_or(self.values.len());
        if place == self.values.len() {
            self.values.push(IdentityMap::default());
            for (own, key) in self.by_key.iter_mut().zip(keys).filter(|(_, key)| key.kind == *kind) {
                *own = Some(place).filter(|_| key.source.alternatives().is_empty());
            }
        }
        self.values.get_mut(place)
    }

    /// Whether any value of a key, by index, is forgiven anything.
    #[inline]
    pub fn has(&self, key: usize) -> bool {
        self.by_key.get(key).is_some_and(Option::is_some)
    }

    /// The entries for a whole value of a key, by index.
    pub fn find(&self, key: usize, value: &[u8]) -> Option<&Arc<[Forgiven]>> {
        let values = self.values.get((*self.by_key.get(key)?)?)?;
        let digest = Digest::of(value);
        values.get(digest.half()).filter(|(known, _)| *known == digest).map(|(_, entries)| entries)
    }

    /// The number of values.
    pub fn callers(&self) -> usize {
        self.values.iter().map(IdentityMap::len).sum()
    }

    /// Everything that is forgiven.
    pub fn all(&self) -> impl Iterator<Item = &Forgiven> {
        self.values.iter().flat_map(IdentityMap::iter).flat_map(|(_, (_, entries))| entries.iter())
    }
}
