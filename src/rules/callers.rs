//! How callers are told apart: keys, consumers and tiers. A consumer's credentials are stored as digests, so
//! no dump of the configuration shows one.

use super::{Attribute, Digest, Forgive, Key};
use crate::http::{AddressMap, AddressRange};
use crate::identity_map::IdentityMap;
use std::sync::Arc;

/// Everything that tells callers apart.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// The named keys, in the order of the configuration.
    pub keys: Vec<Key>,
    /// The known clients.
    pub consumers: Consumers,
    /// The tiers, if there are any.
    pub tiers: Option<Tiers>,
    /// The callers that an operator forgives. `None`: there are none. Boxed, since most configurations have none.
    pub forgive: Option<Box<Forgive>>,
}

impl Callers {
    /// The keys that a key's value may come from: its alternatives, or the key itself.
    pub fn origins(&self, key: usize) -> impl Iterator<Item = &Key> {
        Key::origins(&self.keys, &key).to_vec().into_iter().filter_map(|index| self.keys.get(index))
    }
}

/// A known client.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// The consumer's name, which is unique.
    pub name: String,
    /// The tier of its own, as an index into `Tiers::names`.
    pub tier: Option<usize>,
    /// Names and values of its attributes.
    pub attributes: Vec<(String, String)>,
}

impl Consumer {
    /// The value of an attribute, if the consumer has it.
    pub fn attribute(&self, attribute: &Attribute) -> Option<&str> {
        match attribute {
            Attribute::Name => Some(&self.name),
            Attribute::Named(name) => {
                self.attributes.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
            }
        }
    }
}

/// The known clients and their credentials.
#[derive(Clone, Debug, Default)]
pub struct Consumers {
    /// In the order of the configuration. Shared with the replies, which name consumers.
    list: Arc<[Consumer]>,
    /// For each key that has credentials of consumers: the key's index, and digest and consumer index of each
    /// credential, by the digest's first half.
    known: Vec<(usize, IdentityMap<(Digest, usize)>)>,
    /// Those that are known by their addresses. Boxed, since most configurations have none.
    by_address: Option<Box<ConsumersByAddress>>,
}

/// Consumers that are known by their addresses.
#[derive(Clone, Debug)]
struct ConsumersByAddress {
    /// The keys, by index, under which their addresses are listed.
    keys: Vec<usize>,
    /// The consumers, by index. The smallest range that an address is in decides.
    consumers: AddressMap<usize>,
}

impl Consumers {
    /// `credentials` has the key's index, the digest and the consumer's index of each credential.
    pub fn new(list: Vec<Consumer>, credentials: impl IntoIterator<Item = (usize, Digest, usize)>) -> Self {
        let mut known: Vec<(usize, IdentityMap<(Digest, usize)>)> = Vec::new();
        for (key, digest, consumer) in credentials {
            let place = known.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
                known.push((key, IdentityMap::default()));
                known.len() - 1
            });
            let digests = known.get_mut(place).map(|(_, digests)| digests);
            if let Some(found) = digests.and_then(|digests| digests.open(digest.half(), usize::MAX)) {
                *found = (digest, consumer);
            }
        }
        Consumers { list: list.into(), known, by_address: None }
    }

    /// The same with consumers that are known by their addresses: the keys, by index, under which these are
    /// listed, and the consumer, by index, that each range belongs to.
    #[must_use]
    pub fn by_address(self, keys: Vec<usize>, ranges: Vec<(AddressRange, usize)>) -> Self {
        let consumers = AddressMap::new(ranges);
        let by_address = (!consumers.is_empty()).then(|| Box::new(ConsumersByAddress { keys, consumers }));
        Consumers { by_address, ..self }
    }

    /// The consumers, in the order of the configuration.
    pub fn list(&self) -> &Arc<[Consumer]> {
        &self.list
    }

    /// The keys, by index, whose credentials identify consumers, in the order in which they are tried.
    pub fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        self.known.iter().map(|(key, _)| *key)
    }

    /// The keys, by index, under which addresses of consumers are listed.
    pub fn address_keys(&self) -> &[usize] {
        self.by_address.as_ref().map_or(&[], |by_address| &by_address.keys)
    }

    /// Whether some consumers are known by their addresses.
    #[inline]
    pub fn have_addresses(&self) -> bool {
        self.by_address.is_some()
    }

    /// The consumer, by index, to whom an address of 4 or 16 bytes belongs.
    pub fn of_address(&self, octets: &[u8]) -> Option<usize> {
        self.by_address.as_ref()?.consumers.get(octets)
    }

    /// The consumer, by index, who owns a credential with this digest under this key.
    pub fn find(&self, key: usize, digest: &Digest) -> Option<usize> {
        let (_, digests) = self.known.iter().find(|(other, _)| *other == key)?;
        let (_, consumer) = digests.get(digest.half()).filter(|(whole, _)| whole == digest)?;
        Some(*consumer)
    }
}

/// The tiers that callers belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiers {
    /// The tiers' names, one or more.
    pub names: Vec<String>,
    /// The tier used when none is known, as an index into `names`.
    pub default: usize,
    /// The key, by index, whose value names the tier of callers whose consumer has none.
    pub from: Option<usize>,
    /// The tier, as an index into `names`, of callers from these addresses whose tier is not known otherwise.
    /// Boxed, since most configurations have none.
    pub by_address: Option<Box<AddressMap<usize>>>,
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
