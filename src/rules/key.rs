//! Named keys: where a caller's identity is read from, and when it is believed.

pub mod modifiers;
mod number;
pub mod source;
mod texts;
pub mod validity;
mod value;

pub use number::KeyNumber;
pub use source::KeySource;
pub use validity::Validity;
pub use value::KeyValue;

use crate::http::credential::Reading;
use crate::http::{Cut, Elements, Request, RequestCache, element};
use std::borrow::Cow;

/// One way to tell callers apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As in the configuration.
    pub name: String,
    /// What the values identify. It is hashed with them, so that organization 1 is not user 1 (FP-5). Usually
    /// the key's own name; keys with the same kind identify the same callers by equal values.
    pub kind: String,
    /// Where the value comes from.
    pub source: KeySource,
    /// The number of leading bytes that tell callers apart (BI-3); `None` for all. Consumers are always
    /// identified by the whole value.
    pub prefix: Option<usize>,
    /// When a value is believed. Otherwise it is treated as absent (FP-6, PA-8).
    pub validity: Validity,
    /// Whether clients cannot make values up, because Envoy, an earlier filter or the list of consumers
    /// vouches for them.
    pub proven: bool,
    /// How values are read.
    pub reading: Reading,
    /// Which part of the value counts.
    pub part: Part,
    /// Which part of what this leaves counts, if not all of it.
    pub cut: Option<Box<Cut>>,
}

/// Which part of a value counts, before `prefix` shortens it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Part {
    /// Of a header the first line up to its first comma; of others the whole value.
    #[default]
    Usual,
    /// The whole value of all lines of a header.
    Whole,
    /// The value is a list of what this separator divides.
    List(String),
    /// One of the elements that this separator divides.
    Element {
        /// One character, or more.
        separator: String,
        /// From 0 at the beginning, or from -1 at the end.
        index: i32,
    },
}

impl Key {
    /// What a request itself presents for this key. `None`: nothing.
    pub fn read<'a, R: Request>(&self, request: &'a RequestCache<'a, R>) -> Option<KeyValue<'a>> {
        let value = self.uncut(request)?;
        let Some(cut) = &self.cut else { return Some(value) };
        Some(match value {
            KeyValue::One(text) => KeyValue::One(cut.of_cow(text)),
            KeyValue::List(list) => KeyValue::List(list.map(|text| cut.of(text))),
            KeyValue::Conflicting | KeyValue::Unreadable => value,
        })
    }

    /// The same before `after` and `before` cut anything off.
    pub fn uncut<'a, R: Request>(&self, request: &'a RequestCache<'a, R>) -> Option<KeyValue<'a>> {
        self.divided(self.source.presented(request, self)?)
    }

    fn divided<'a>(&self, value: KeyValue<'a>) -> Option<KeyValue<'a>> {
        match (&self.part, value) {
            (Part::List(separator), KeyValue::One(text)) => {
                let list = Elements::of(&text, separator);
                (!list.is_empty()).then_some(KeyValue::List(list))
            }
            (Part::Element { separator, index }, KeyValue::One(text)) => {
                Some(KeyValue::One(Cow::Owned(element(&text, separator, *index)?.to_vec())))
            }
            (Part::Usual | Part::Whole | Part::List(_) | Part::Element { .. }, value) => Some(value),
        }
    }

    /// The value that an operator writes as text, as requests have it. `None`: it is none.
    pub fn value_of(&self, text: &str) -> Option<Vec<u8>> {
        let value = self.source.value_of(text)?;
        Some(if self.source.folds_case(self) { value.to_ascii_lowercase() } else { value })
    }

    /// The keys, by index, that a key's value may come from: its alternatives, of which none has any of its
    /// own, or the key itself.
    pub fn origins<'k>(keys: &'k [Key], index: &'k usize) -> &'k [usize] {
        match keys.get(*index).map_or(&[][..], |key| key.source.alternatives()) {
            [] => std::slice::from_ref(index),
            alternatives => alternatives,
        }
    }

    /// Whether responses of the upstream may reject its credentials.
    pub fn can_be_rejected(&self) -> bool {
        self.validity.rejection().is_some()
    }

    /// Whether a request may present conflicting values. That is possible even if the first or the last one
    /// counts, since servers differ in which values they skip. A client's list may be too long to be
    /// compared.
    pub fn can_be_ambiguous(&self) -> bool {
        self.source.can_be_ambiguous(self)
    }

    /// Whether clients write its values themselves, and nothing checks them.
    pub fn can_be_made_up(&self) -> bool {
        self.source.kind().client_supplied && !self.validity.kind().checks
    }

    /// Whether clients cannot make its values up. Keys of one kind are [`proven`](Key::proven) only if this
    /// holds for all of them.
    pub fn is_vouched_for(&self) -> bool {
        self.source.kind().vouched || self.validity.kind().proves
    }
}
