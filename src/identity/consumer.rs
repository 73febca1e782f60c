//! Known clients. Their secrets are known by digests only, so neither the configuration nor a log has one.

use super::Attribute;
use crate::identity_map::IdentityMap;
use crate::key::{Encoder, Identity, Seed};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;

/// SHA-256 of a credential. No salt: an API key is random, not a password (see DESIGN.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole credential.
    pub fn of(credential: &[u8]) -> Digest {
        Digest(Sha256::digest(credential).into())
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its first 16 bytes, to be found by: no two digests have the same.
    fn half(&self) -> Identity {
        let number = |at| {
            self.0.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Identity { page: number(0), fingerprint: number(8) }
    }

    /// From 64 hexadecimal digits, in any case.
    pub fn parse(text: &str) -> Option<Digest> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(pairs) {
            *byte = crate::spelling::hex(*digits)?;
        }
        Some(Digest(bytes))
    }
}

/// A known client.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// Its own.
    pub name: String,
    /// The index of its tier, if it has one of its own.
    pub tier: Option<usize>,
    /// What else is known of it, by name.
    pub attributes: Vec<(String, String)>,
}

impl Consumer {
    pub(super) fn attribute(&self, attribute: &Attribute) -> Option<&str> {
        match attribute {
            Attribute::Name => Some(&self.name),
            Attribute::Named(name) => {
                self.attributes.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
            }
        }
    }
}

/// All known clients, and what they are known by.
#[derive(Clone, Debug, Default)]
pub struct Consumers {
    list: Vec<Consumer>,
    /// For each key that consumers are known by: its index, and who has which digest, found by the digest's first half.
    known: Vec<(usize, IdentityMap<(Digest, usize)>)>,
    /// Who has asked before, by a keyed hash of key and credential: a digest costs ten times as much. No more than there are
    /// in the list: made-up credentials have no place here.
    met: RefCell<IdentityMap<usize>>,
}

impl Consumers {
    /// With the consumers, and for each credential the key's index, its digest and the consumer's index.
    pub fn new(list: Vec<Consumer>, credentials: impl IntoIterator<Item = (usize, Digest, usize)>) -> Self {
        let mut known: Vec<(usize, IdentityMap<(Digest, usize)>)> = Vec::new();
        for (key, digest, consumer) in credentials {
            let place = known.iter().position(|(of, _)| *of == key).unwrap_or_else(|| {
                known.push((key, IdentityMap::default()));
                known.len() - 1
            });
            let digests = known.get_mut(place).map(|(_, digests)| digests);
            if let Some(found) = digests.and_then(|digests| digests.open(digest.half(), usize::MAX)) {
                *found = (digest, consumer);
            }
        }
        Consumers { list, known, met: RefCell::default() }
    }

    /// In the order of the configuration.
    pub fn list(&self) -> &[Consumer] {
        &self.list
    }

    /// The indexes of the keys that consumers are known by, in the order in which they are looked at.
    pub(crate) fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        self.known.iter().map(|(key, _)| *key)
    }

    /// The consumer who is known by this credential under this key.
    pub(super) fn known_by(&self, key: usize, credential: &[u8], seed: &Seed) -> Option<usize> {
        let (_, digests) = self.known.iter().find(|(of, _)| *of == key)?;
        let mut encoder = Encoder::new(seed);
        encoder.add("", &key.to_le_bytes());
        encoder.add("", credential);
        let hash = encoder.finish();
        let mut met = self.met.borrow_mut();
        if let Some(consumer) = met.get(hash) {
            return Some(*consumer);
        }
        let digest = Digest::of(credential);
        let (_, consumer) = digests.get(digest.half()).filter(|(whole, _)| *whole == digest)?;
        if let Some(place) = met.open(hash, usize::MAX) {
            *place = *consumer;
        }
        Some(*consumer)
    }
}

/// Classes of consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiers {
    /// One or more.
    pub names: Vec<String>,
    /// The tier of whoever has no other, by index.
    pub default: usize,
    /// The index of the key whose value names the tier of those whose consumer has none.
    pub from: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// printf %s abc | sha256sum
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[wasm_bindgen_test(unsupported = test)]
    fn x_10_a_consumer_is_known_by_the_digest_of_its_key() {
        let digest = Digest::parse(ABC).unwrap();
        assert_eq!(Digest::of(b"abc"), digest);
        assert_eq!(Digest::parse(&ABC.to_uppercase()), Some(digest));
        let anna = Consumer { name: "anna".into(), tier: None, attributes: Vec::new() };
        let consumers = Consumers::new(vec![anna.clone(), anna], [(3, digest, 1), (3, Digest::of(b"x"), 0)]);
        let seed = Seed::new([1; Seed::LEN]);
        // At first by its digest, then by memory.
        for _ in 0..2 {
            assert_eq!(consumers.known_by(3, b"abc", &seed), Some(1));
            assert_eq!(consumers.known_by(3, b"x", &seed), Some(0));
            assert_eq!(consumers.known_by(2, b"abc", &seed), None);
            assert_eq!(consumers.known_by(3, b"abd", &seed), None);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_no_digest_is_refused() {
        for text in ["", "ab", &ABC[1..], &format!("{ABC}0"), &ABC.replace('b', "g"), "é"] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
