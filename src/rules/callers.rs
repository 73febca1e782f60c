//! Known clients. Their secrets are known by digests only, so neither the configuration nor a log has one.

use super::{Attribute, Key};
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// SHA-256 of a credential. No salt: an API key is random, not a password (see DESIGN.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole credential.
    pub fn of(credential: &[u8]) -> Digest {
        Digest(Sha256::digest(credential).into())
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
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
            *byte = crate::http::spelling::hex(*digits)?;
        }
        Some(Digest(bytes))
    }
}

/// Everybody the configuration can tell apart.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// The named keys.
    pub keys: Vec<Key>,
    /// Who is known by them.
    pub consumers: Consumers,
    /// Their classes, if there are any.
    pub tiers: Option<Tiers>,
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
    pub fn attribute(&self, attribute: &Attribute) -> Option<&str> {
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
    /// In the order of the configuration. Shared with the replies, which name consumers.
    list: Arc<[Consumer]>,
    /// For each key that consumers are known by: its index, and who has which digest, found by the digest's first half.
    known: Vec<(usize, IdentityMap<(Digest, usize)>)>,
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
        Consumers { list: list.into(), known }
    }

    /// In the order of the configuration.
    pub fn list(&self) -> &Arc<[Consumer]> {
        &self.list
    }

    /// The indexes of the keys that consumers are known by, in the order in which they are looked at.
    pub fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        self.known.iter().map(|(key, _)| *key)
    }

    /// The consumer who is known by a credential with this digest under this key.
    pub fn find(&self, key: usize, digest: &Digest) -> Option<usize> {
        let (_, digests) = self.known.iter().find(|(of, _)| *of == key)?;
        let (_, consumer) = digests.get(digest.half()).filter(|(whole, _)| whole == digest)?;
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
        assert_eq!(consumers.find(3, &digest), Some(1));
        assert_eq!(consumers.find(3, &Digest::of(b"x")), Some(0));
        assert_eq!(consumers.find(2, &digest), None);
        assert_eq!(consumers.find(3, &Digest::of(b"abd")), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_no_digest_is_rejected() {
        for text in ["", "ab", &ABC[1..], &format!("{ABC}0"), &ABC.replace('b', "g"), "é"] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
