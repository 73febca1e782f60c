//! The types of the policy language's values: what is valid, and what a valid value becomes.

use super::doc::{Doc, Phrase};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct Flag;

/// The whole numbers that a field accepts.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
    /// Their unit, such as `seconds`; may be empty.
    pub unit: Doc,
}

/// A whole number, which becomes a `T`.
#[derive(Clone, Copy, Debug)]
pub struct Number<T> {
    /// What is valid.
    pub range: Range,
    becomes: PhantomData<T>,
}

impl<T> Number<T> {
    /// The numbers from `min` to `max`.
    pub const fn new(min: i64, max: i64, unit: &'static str) -> Number<T> {
        Number { range: Range { min, max, unit: Doc::new(unit) }, becomes: PhantomData }
    }
}

/// A number from 0 on with at most three places, which becomes its thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Thousandths {
    /// What is valid, as whole numbers.
    pub range: Range,
}

impl Thousandths {
    /// The numbers from 0 to `max`.
    pub const fn new(max: u32, unit: &'static str) -> Thousandths {
        Thousandths { range: Range { min: 0, max: max as i64, unit: Doc::new(unit) } }
    }
}

/// What a whole number of the language can become.
pub trait FromNumber: Sized {
    /// `None` only if the type has no such number, which its range rules out.
    fn from_number(number: i64) -> Option<Self>;
}

macro_rules! from_number {
    ($($number:ty),+) => {
        $(impl FromNumber for $number {
            fn from_number(number: i64) -> Option<Self> {
                number.try_into().ok()
            }
        })+
    };
}
from_number!(u8, u16, u32, u64, usize, i32, i64);

impl FromNumber for NonZeroU32 {
    fn from_number(number: i64) -> Option<Self> {
        NonZeroU32::new(u32::try_from(number).ok()?)
    }
}

/// One of the words that a field accepts.
#[derive(Clone, Copy, Debug)]
pub struct Word<T> {
    /// The word.
    pub word: &'static str,
    /// What it becomes.
    pub means: T,
    /// What it means.
    pub about: Phrase,
}

impl<T: Copy> Word<T> {
    /// A word.
    pub const fn new(word: &'static str, means: T, about: &'static str) -> Word<T> {
        Word { word, means, about: Phrase::new(about) }
    }
}

/// One of several words, each of which becomes a `T`.
#[derive(Debug)]
pub struct Words<T: 'static>(pub &'static [Word<T>]);

impl<T: PartialEq> Words<T> {
    /// The word that becomes this, with what it means.
    pub fn of(&self, means: &T) -> Option<&'static Word<T>> {
        self.0.iter().find(|word| word.means == *means)
    }
}

impl fmt::Debug for dyn WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WordList")
    }
}

/// Words, whatever they become.
pub trait WordList: Sync {
    /// The word at a position, and what it means.
    fn at(&self, position: usize) -> Option<(&'static str, Phrase)>;
}

impl dyn WordList + '_ {
    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        (0..).map_while(|position| self.at(position)).map(|(word, _)| word)
    }
}

impl<T: Sync> WordList for Words<T> {
    fn at(&self, position: usize) -> Option<(&'static str, Phrase)> {
        self.0.get(position).map(|word| (word.word, word.about))
    }
}

/// A form of texts.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Its name, such as `header name`.
    pub name: Doc,
    /// What texts of this form look like.
    pub what: Doc,
    /// A regular expression in the dialect of JSON Schema. A text that does not match is an error; one that
    /// does may be an error too.
    pub pattern: Doc<Option<&'static str>>,
    /// What an error says is allowed.
    pub allowed: &'static str,
}

/// A form of texts, of which a valid one becomes a `T`.
#[derive(Debug)]
pub struct Form<T: 'static> {
    /// The form.
    pub text: Text,
    /// What a text becomes; `None` if it is invalid.
    pub parse: fn(&str) -> Option<T>,
}

impl<T> Form<T> {
    /// A form with a pattern that rules out some of the invalid texts.
    pub const fn new(
        name: &'static str,
        what: &'static str,
        pattern: Option<&'static str>,
        allowed: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Form<T> {
        let (name, what, pattern) = (Doc::new(name), Doc::new(what), Doc::new(pattern));
        Form { text: Text { name, what, pattern, allowed }, parse }
    }
}
