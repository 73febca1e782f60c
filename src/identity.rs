//! Keyed hashing. The shared table has a hash for each caller, so raw keys are never stored.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// The table's secret, drawn once per process. Clients don't know it, so they can't choose keys that all fall
/// on one page. It is stored in the shared data, so it is no protection against other modules that read
/// those.
#[derive(Clone, Copy, PartialEq)]
pub struct Seed([u8; Seed::LEN]);

impl Seed {
    /// In bytes.
    pub const LEN: usize = 16;

    /// A seed from random bytes.
    pub const fn new(bytes: [u8; Seed::LEN]) -> Seed {
        Seed(bytes)
    }

    /// The bytes to share with the other workers.
    pub const fn bytes(&self) -> &[u8; Seed::LEN] {
        &self.0
    }
}

/// The secrets that a worker hashes callers with.
#[derive(Clone, Copy)]
pub struct Seeds {
    /// The table's.
    pub table: Seed,
    /// The fleet's, if this worker has joined one. All proxies of the fleet know callers by the same hash.
    pub fleet: Option<Seed>,
}

/// Identifies a caller: 128 bits of a seeded SipHash-1-3 over the named values of a policy's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Selects the page.
    pub page: u64,
    /// Identifies the record in the page: 63 bits of hash. The highest bit says whether the identity is
    /// proven.
    pub fingerprint: u64,
}

/// Set in the fingerprint of an identity that clients can't make up. Not part of the hash.
const PROVEN: u64 = 1 << 63;

impl Identity {
    /// This identity, marked as proven or not. An identity is proven if clients can't make it up, since
    /// Envoy, an earlier filter or the list of consumers vouches for it. A full page drops the records of
    /// other identities first.
    #[must_use]
    pub const fn known(self, proven: bool) -> Identity {
        let fingerprint = if proven { self.fingerprint | PROVEN } else { self.fingerprint & !PROVEN };
        Identity { fingerprint, ..self }
    }

    /// The identity of a separate record of the same caller, for its credentials that no response has proved
    /// yet.
    #[must_use]
    pub const fn provisional(self) -> Identity {
        const APART: u64 = 0x7472_6961_6C00;
        Identity { page: self.page ^ APART, fingerprint: self.fingerprint ^ APART }
    }

    /// A number from 0 to 99, for shares of all callers. It does not depend on whether the identity is proven.
    pub const fn percentile(self) -> u64 {
        (self.fingerprint & !PROVEN) % 100
    }

    /// See [`Identity::known`].
    pub const fn is_proven(self) -> bool {
        is_proven(self.fingerprint)
    }
}

/// See [`Identity::is_proven`].
pub(crate) const fn is_proven(fingerprint: u64) -> bool {
    fingerprint & PROVEN != 0
}

/// Whether two fingerprints belong to the same identity, proven or not.
pub(crate) const fn same_identity(one: u64, other: u64) -> bool {
    (one ^ other) & !PROVEN == 0
}

/// Hashes a key's values and their names, each prefixed by its length, so `a=b_c` and `a_b=c` differ.
pub struct Encoder(SipHasher13);

impl Encoder {
    /// An empty encoder.
    pub fn new(seed: &Seed) -> Encoder {
        Encoder(SipHasher13::new_with_key(&seed.0))
    }

    /// Adds a value and the name it was read by.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        self.add_bytes(name.as_bytes());
        self.add_bytes(value);
    }

    /// Adds whole words, the last one padded with zeros. The hasher is several times slower for other
    /// lengths.
    #[inline(never)] // inlined, the three of this file add 447 bytes to the module
    fn add_bytes(&mut self, bytes: &[u8]) {
        self.add_word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.add_word(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.add_word(rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte)));
        }
    }

    #[inline(never)] // inlined, the three of this file add 447 bytes to the module
    fn add_word(&mut self, word: u64) {
        self.0.write_u64(word);
    }

    /// The identity of everything that was added, not proven.
    #[inline(never)] // inlined, the three of this file add 447 bytes to the module
    pub fn finish(&self) -> Identity {
        let hash = self.0.finish128();
        Identity { page: hash.h1, fingerprint: hash.h2 }.known(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn identity(seed: u8, parts: &[(&str, &[u8])]) -> Identity {
        let mut encoder = Encoder::new(&Seed::new([seed; Seed::LEN]));
        for (name, value) in parts {
            encoder.add(name, value);
        }
        encoder.finish()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn names_and_values_can_not_run_into_each_other() {
        let one = identity(1, &[("a", b"b_c")]);
        for other in [
            &[("a_b", &b"c"[..])][..],
            &[("ab", b"_c")],
            &[("a", b"b_c"), ("", b"")],
            &[("a", b""), ("b", b"c")],
        ] {
            assert_ne!(one, identity(1, other));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_organization_1_is_not_user_1() {
        assert_ne!(identity(1, &[("organization", b"1")]), identity(1, &[("user", b"1")]));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn another_seed_is_another_identity() {
        assert_ne!(identity(1, &[("k", b"v")]), identity(2, &[("k", b"v")]));
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn different_parts_are_different_identities(
            one in proptest::collection::vec(("[a-c]{0,3}", proptest::collection::vec(0u8..3, 0..4)), 0..3),
            other in proptest::collection::vec(("[a-c]{0,3}", proptest::collection::vec(0u8..3, 0..4)), 0..3),
        ) {
            let parts = |list: &[(String, Vec<u8>)]| {
                let list: Vec<(&str, &[u8])> = list.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
                identity(7, &list)
            };
            prop_assert_eq!(one == other, parts(&one) == parts(&other));
        }
    }
}
