//! How the policy language is declared: each object once, with its fields, their types, ranges, words, defaults
//! and documentation.
//!
//! The objects themselves are constants in [`language`](crate::language), and beside what they declare, such as
//! a source of keys. The compiler reads a configuration by them, so whatever they say holds. The JSON Schema, the
//! reference page and the descriptions in words are made from them.
//!
//! A field is a constant of the type [`Field<K>`]. `K` is its type in the language, which says what a valid
//! value becomes: [`Flag`], [`Number<T>`], [`Words<T>`], [`Form<T>`]; or [`Composite`] for lists, objects and
//! values of several types, which a function of the compiler reads.

use super::doc::Doc;
use super::types::{Flag, Form, Number, Range, Text, Thousandths, WordList, Words};
use std::fmt;

/// An object of the language. [`object!`](crate::config::object) declares one.
#[derive(Debug)]
pub struct Object {
    /// Its name, such as `policy`.
    pub name: Doc,
    /// Where it stands, such as `policies[]`; several places are divided by `, `.
    pub at: Doc,
    /// What it describes.
    pub about: Doc,
    /// The names of its fields, in the order in which errors list them.
    pub names: &'static [&'static str],
    /// Its fields, in the same order.
    pub fields: Doc<&'static [Field]>,
    /// Which fields exclude or need each other.
    pub rules: &'static [Rule],
}

/// Declares an object: its name, where it stands, what it describes, its fields or whole lists of them, and what
/// excludes what.
#[macro_export]
#[doc(hidden)]
macro_rules! object {
    ($name:literal at $at:literal: $about:expr; lists [$($list:expr),+ $(,)?]; rules $rules:expr) => {{
        const FIELDS: &[$crate::config::Field] =
            &$crate::config::joined::<_, { 0 $(+ $list.len())+ }>(&[$($list),+]);
        $crate::config::Object {
            name: $crate::config::Doc::new($name),
            at: $crate::config::Doc::new($at),
            about: $crate::config::Doc::new($about),
            names: &$crate::config::field_names::<{ FIELDS.len() }>(FIELDS),
            fields: $crate::config::Doc::new(FIELDS),
            rules: $rules,
        }
    }};
    ($name:literal at $at:literal: $about:expr; $($field:expr),* $(,)?) => {
        $crate::config::object!($name at $at: $about; $($field),*; rules [])
    };
    ($name:literal at $at:literal: $about:expr; $($field:expr),* $(,)?; rules [$($rule:expr),* $(,)?]) => {
        $crate::config::Object {
            name: $crate::config::Doc::new($name),
            at: $crate::config::Doc::new($at),
            about: $crate::config::Doc::new($about),
            names: &[$($field.name),*],
            fields: $crate::config::Doc::new(&[$($field.erased()),*]),
            rules: &[$($rule),*],
        }
    };
}
pub use object;

/// Several lists as one, whose length is `N`. A registry's fields, words and rules join others this way.
#[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
pub const fn joined<T: Copy, const N: usize>(lists: &[&[T]]) -> [T; N] {
    let mut list = 0;
    while lists[list].is_empty() {
        list += 1;
    }
    let mut all = [lists[list][0]; N];
    let mut end = 0;
    while list < lists.len() {
        let mut place = 0;
        while place < lists[list].len() {
            all[end] = lists[list][place];
            end += 1;
            place += 1;
        }
        list += 1;
    }
    assert!(end == N, "the length of all lists");
    all
}

/// The names of these fields.
#[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
pub const fn field_names<const N: usize>(fields: &[Field]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut place = 0;
    while place < N {
        names[place] = fields[place].name;
        place += 1;
    }
    names
}

/// Which fields of an object exclude or need each other.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Exactly one of these is present.
    ExactlyOne(&'static [&'static str]),
    /// The first has an effect only if one of the others is present, too.
    OnlyWith(&'static str, &'static [&'static str]),
    /// At most one of the two is present.
    NotBoth(&'static str, &'static str),
    /// Which others have an effect depends on the word in the first.
    ByWord(&'static str, &'static dyn Effects),
}

/// What each word of a field says about the other fields.
pub trait Effects: Sync {
    /// The words.
    fn words(&self) -> &'static dyn WordList;

    /// The effect that another field has with a word.
    fn effect(&self, word: &str, field: &str) -> Effect;

    /// What holds with a word if another field is absent, where the declaration of that field does not say it.
    #[cfg(feature = "docs")]
    fn otherwise(&self, word: &str, field: &str) -> Option<String>;
}

impl fmt::Debug for dyn Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Effects")
    }
}

/// Whether a field has an effect with a word of another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Each of its values has one.
    Any,
    /// It can only be this word, which is so without it, too.
    Only(&'static str),
    /// It would have none.
    None,
}

impl dyn Effects + '_ {
    /// The words with which another field has an effect, at least with one value; or those with which it has
    /// none.
    pub fn words_with(&self, field: &str, has_effect: bool) -> Vec<&'static str> {
        self.words().words().filter(|word| (self.effect(word, field) != Effect::None) == has_effect).collect()
    }
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field<K = Kind> {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: K,
    /// Whether it is required, and what holds without it.
    pub need: Need,
    /// What it means.
    pub about: Doc,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// It is required.
    Required,
    /// Without it, it is as if this value were written.
    Default(Literal),
    /// It is optional; the text says what holds without it.
    Else(Doc),
}

/// A value as it is written.
#[derive(Clone, Copy, Debug)]
pub enum Literal {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i32),
    /// A text or a word.
    Text(&'static str),
}

impl<K: Copy> Field<K> {
    /// A field that must be present.
    pub const fn required(name: &'static str, kind: K, about: &'static str) -> Field<K> {
        Field { name, kind, need: Need::Required, about: Doc::new(about) }
    }

    /// A field with a default.
    pub const fn default(name: &'static str, kind: K, default: Literal, about: &'static str) -> Field<K> {
        Field { name, kind, need: Need::Default(default), about: Doc::new(about) }
    }

    /// A field that may be absent; `otherwise` says what then holds.
    pub const fn optional(
        name: &'static str,
        kind: K,
        otherwise: &'static str,
        about: &'static str,
    ) -> Field<K> {
        Field { name, kind, need: Need::Else(Doc::new(otherwise)), about: Doc::new(about) }
    }

    const fn with(self, kind: Kind) -> Field {
        Field { name: self.name, kind, need: self.need, about: self.about }
    }
}
impl Field<Flag> {
    /// This field, for documentation.
    pub const fn erased(self) -> Field {
        self.with(Kind::Flag)
    }
}

impl<T> Number<T> {
    /// This type, as one of several.
    pub const fn erased(self) -> Kind {
        Kind::Number(self.range)
    }
}

impl<T: Copy> Field<Number<T>> {
    /// This field, for documentation.
    pub const fn erased(self) -> Field {
        self.with(Kind::Number(self.kind.range))
    }
}

impl Field<Thousandths> {
    /// This field, for documentation.
    pub const fn erased(self) -> Field {
        self.with(Kind::Thousandths(self.kind.range))
    }
}

impl<T: Sync> Field<&'static Words<T>> {
    /// This field, for documentation.
    pub const fn erased(self) -> Field {
        self.with(Kind::Words(self.kind))
    }
}

impl<T> Field<&'static Form<T>> {
    /// This field, for documentation.
    pub const fn erased(self) -> Field {
        self.with(Kind::Text(&self.kind.text))
    }
}

/// A list, an object, or a value of several types: a function of the compiler reads it.
#[derive(Clone, Copy, Debug)]
pub struct Composite {
    /// Its type.
    pub kind: Doc<Kind>,
    /// What an error says is allowed.
    pub allowed: &'static str,
}

impl Composite {
    /// A value of this type.
    pub const fn new(kind: Kind, allowed: &'static str) -> Composite {
        Composite { kind: Doc::new(kind), allowed }
    }
}

impl Field<Composite> {
    /// This field, for documentation.
    #[cfg(feature = "docs")]
    pub const fn erased(self) -> Field {
        self.with(self.kind.kind.get())
    }

    /// This field, for documentation, which this build is without.
    #[cfg(not(feature = "docs"))]
    pub const fn erased(self) -> Field {
        self.with(Kind::Flag)
    }
}

/// The type of a value, for documentation.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number(Range),
    /// A number with at most three places.
    Thousandths(Range),
    /// One of these words.
    Words(&'static dyn WordList),
    /// A text of this form.
    Text(&'static Text),
    /// A non-empty list of response statuses or classes of statuses.
    Statuses,
    /// An object.
    Object(&'static Object),
    /// A non-empty list.
    List(&'static Kind),
    /// A list that may be empty.
    AnyList(&'static Kind),
    /// A single value, or a non-empty list.
    OneOrList(&'static Kind),
    /// An object whose field names the operator chooses.
    Map {
        /// The form of the names.
        names: &'static Text,
        /// The type of the values.
        values: &'static Kind,
    },
    /// One of several types.
    Either(&'static [Kind]),
}
