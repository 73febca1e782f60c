//! Many names, found without asking each of them: a policy can have thousands of consumers, keys and limits, and Envoy's
//! workers stand still while they read it.

use crate::identity::{Encoder, Identity, Seed};
use crate::identity_map::IdentityMap;

/// Names by the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the hash of a name its place and 1. No two names have the same 128 bits.
    places: IdentityMap<usize>,
    number: usize,
}

impl Names {
    /// Adds a name of a kind. Answers the place where it came first, if it has come before.
    #[inline(never)]
    pub fn add(&mut self, kind: &str, name: &[u8]) -> Option<usize> {
        let place = self.places.open(identity(kind, name), usize::MAX)?;
        self.number += 1;
        let before = place.checked_sub(1);
        if before.is_none() {
            *place = self.number;
        }
        before
    }

    /// The place where a name came first.
    #[inline(never)]
    pub fn find(&self, kind: &str, name: &[u8]) -> Option<usize> {
        self.places.get(identity(kind, name))?.checked_sub(1)
    }
}

/// What comes from an operator needs no secret.
#[inline(never)]
fn identity(kind: &str, name: &[u8]) -> Identity {
    let mut encoder = Encoder::new(&Seed::new([0; Seed::LEN]));
    encoder.add(kind, name);
    encoder.finish()
}

/// For each name a list of indexes.
#[derive(Default)]
pub struct Lists {
    names: Names,
    lists: Vec<Vec<usize>>,
}

impl Lists {
    /// Adds to the list of a name.
    #[inline(never)]
    pub fn add(&mut self, name: &str, index: usize) {
        let place = self.names.find("", name.as_bytes()).unwrap_or_else(|| {
            self.names.add("", name.as_bytes());
            self.lists.push(Vec::new());
            self.lists.len() - 1
        });
        self.lists.get_mut(place).into_iter().for_each(|list| list.push(index));
    }

    /// The list of a name, in the order in which they were added.
    #[inline(never)]
    pub fn of(&self, name: &str) -> &[usize] {
        self.names
            .find("", name.as_bytes())
            .and_then(|place| self.lists.get(place))
            .map_or(&[], Vec::as_slice)
    }
}

/// Words of which a value has to be one, to be looked up many times.
pub struct Vocabulary<'a> {
    /// Those that are told.
    words: Vec<&'a str>,
    names: Names,
}

impl<'a> Vocabulary<'a> {
    /// Of these words. Of equal ones the first counts, and an empty one only has a place.
    #[inline(never)]
    pub fn new(mut words: Vec<&'a str>) -> Vocabulary<'a> {
        let mut names = Names::default();
        for word in &words {
            names.add("", word.as_bytes());
        }
        words.retain(|word| !word.is_empty());
        Vocabulary { words, names }
    }

    /// The place of a word among all of them.
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
        fn a_name_is_found_where_it_came_first(words in proptest::collection::vec("[a-c]{0,3}", 0..60), other in "[a-c]{0,3}") {
            let first = |word: &str| words.iter().position(|one| one == word);
            let (mut names, mut lists) = (Names::default(), Lists::default());
            for (index, word) in words.iter().enumerate() {
                prop_assert_eq!(names.add("", word.as_bytes()), first(word).filter(|place| *place < index));
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
