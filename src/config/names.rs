//! Many names, found without asking each of them: a policy can have thousands of consumers, keys and limits, and Envoy's
//! workers stand still while they read it.

use crate::by_identity::ByIdentity;
use crate::key::{Encoder, Identity, Seed};

/// Names by the order in which they came first.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the hash of a name its place and 1. No two names have the same 128 bits.
    places: ByIdentity<usize>,
    number: usize,
}

impl Names {
    /// Adds a name. Answers its place if it has been added before.
    pub fn add(&mut self, name: &[u8]) -> Option<usize> {
        let place = self.places.open(identity(name), usize::MAX)?;
        let before = place.checked_sub(1);
        if before.is_none() {
            self.number += 1;
            *place = self.number;
        }
        before
    }

    /// The place of a name: so many others had been added when it was.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.places.get(identity(name))?.checked_sub(1)
    }
}

/// What comes from an operator needs no secret.
#[inline(never)]
fn identity(name: &[u8]) -> Identity {
    let mut encoder = Encoder::new(&Seed::new([0; Seed::LEN]));
    encoder.add("", name);
    encoder.finish()
}

/// Words of which a value has to be one, to be looked up many times.
pub struct Vocabulary<'a> {
    words: Vec<&'a str>,
    places: Vec<usize>,
    names: Names,
}

impl<'a> Vocabulary<'a> {
    /// Of these words; of equal ones the first counts.
    pub fn new(words: Vec<&'a str>) -> Vocabulary<'a> {
        let (mut names, mut places) = (Names::default(), Vec::with_capacity(words.len()));
        for (place, word) in words.iter().enumerate() {
            if names.add(word.as_bytes()).is_none() {
                places.push(place);
            }
        }
        Vocabulary { words, places, names }
    }

    /// The place of a word among all of them.
    pub(super) fn find(&self, word: &str) -> Option<usize> {
        self.places.get(self.names.find(word.as_bytes())?).copied()
    }

    pub(super) fn words(&self) -> &[&'a str] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_name_is_found_where_it_came_first(words in proptest::collection::vec("[a-c]{0,3}", 0..60), other in "[a-c]{0,3}") {
            let mut names = Names::default();
            let mut distinct: Vec<&str> = Vec::new();
            for word in &words {
                let before = distinct.iter().position(|earlier| earlier == word);
                prop_assert_eq!(names.add(word.as_bytes()), before);
                if before.is_none() {
                    distinct.push(word);
                }
            }
            prop_assert_eq!(names.find(other.as_bytes()), distinct.iter().position(|word| *word == other));
            let vocabulary = Vocabulary::new(words.iter().map(String::as_str).collect());
            prop_assert_eq!(vocabulary.find(&other), words.iter().position(|word| *word == other));
        }
    }
}
