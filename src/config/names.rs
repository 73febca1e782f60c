//! Sets of names with fast look-up: a configuration can have thousands of consumers, keys and limits, and
//! Envoy's workers serve nothing while they load it.

use crate::identity::{Encoder, Identity, Seed};
use crate::identity_map::IdentityMap;

/// A set of names, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the 128-bit hash of a name: its position plus 1. No two names have the same hash.
    positions: IdentityMap<usize>,
    number: usize,
}

impl Names {
    /// Adds a name of a kind. Returns the position at which it was added before, if it was.
    pub fn add(&mut self, kind: &str, name: &[u8]) -> Option<usize> {
        let position = self.positions.open(identity(kind, name), usize::MAX)?;
        self.number += 1;
        let before = position.checked_sub(1);
        if before.is_none() {
            *position = self.number;
        }
        before
    }

    /// The position at which a name was added first.
    pub fn find(&self, kind: &str, name: &[u8]) -> Option<usize> {
        self.positions.get(identity(kind, name))?.checked_sub(1)
    }
}

/// Names come from the operator, not from clients, so the hash needs no secret seed.
fn identity(kind: &str, name: &[u8]) -> Identity {
    let mut encoder = Encoder::new(&Seed::new([0; Seed::LEN]));
    encoder.add(kind, name);
    encoder.finish()
}

/// A list of indexes for each name.
#[derive(Default)]
pub struct ListsByName {
    names: Names,
    lists: Vec<Vec<usize>>,
}

impl ListsByName {
    /// Adds an index to the list of a name.
    pub fn add(&mut self, name: &str, index: usize) {
        let position = self.names.find("", name.as_bytes()).unwrap_or_else(|| {
            self.names.add("", name.as_bytes());
            self.lists.push(Vec::new());
            self.lists.len() - 1
        });
        self.lists.get_mut(position).into_iter().for_each(|list| list.push(index));
    }

    /// The indexes of a name, in the order in which they were added.
    pub fn of(&self, name: &str) -> &[usize] {
        self.names
            .find("", name.as_bytes())
            .and_then(|position| self.lists.get(position))
            .map_or(&[], Vec::as_slice)
    }
}

/// The words that one kind of value may be, for many look-ups.
pub struct Vocabulary<'a> {
    /// The words that errors list as allowed.
    words: Vec<&'a str>,
    names: Names,
}

impl<'a> Vocabulary<'a> {
    /// A vocabulary of these words. Of equal words the first counts. An empty word takes a position, but is
    /// never listed as allowed.
    pub fn new(mut words: Vec<&'a str>) -> Vocabulary<'a> {
        let mut names = Names::default();
        for word in &words {
            names.add("", word.as_bytes());
        }
        words.retain(|word| !word.is_empty());
        Vocabulary { words, names }
    }

    /// The position of a word among all words.
    pub(super) fn find(&self, word: &str) -> Option<usize> {
        self.names.find("", word.as_bytes())
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
        fn a_name_is_found_where_it_was_added_first(words in proptest::collection::vec("[a-c]{0,3}", 0..60), other in "[a-c]{0,3}") {
            let first = |word: &str| words.iter().position(|one| one == word);
            let (mut names, mut lists) = (Names::default(), ListsByName::default());
            for (index, word) in words.iter().enumerate() {
                prop_assert_eq!(names.add("", word.as_bytes()), first(word).filter(|position| *position < index));
                lists.add(word, index);
            }
            prop_assert_eq!(names.find("", other.as_bytes()), first(&other));
            prop_assert_eq!(names.find("kind", other.as_bytes()), None);
            let of_other = (0..words.len()).filter(|index| words[*index] == other);
            prop_assert_eq!(lists.of(&other), of_other.collect::<Vec<_>>());
            let vocabulary = Vocabulary::new(words.iter().map(String::as_str).collect());
            prop_assert_eq!(vocabulary.find(&other), first(&other));
        }
    }
}
