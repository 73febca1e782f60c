//! The policy language as data: every object, field, type, range, word and default, each with a description.
//!
//! The JSON Schema and the reference page are generated from it. The compiler decides what is valid; tests
//! compare this description with it field by field, bound by bound and word by word.

mod configuration;
mod consumer;
mod key;
mod limit;
mod policy;
mod reference;
mod replies;
mod request_match;
mod schema;
mod texts;

pub use reference::reference;
pub use schema::schema;

/// An object of the language.
#[derive(Debug)]
pub struct Object {
    /// Its name, such as `policy`.
    pub name: &'static str,
    /// Where it stands, such as `policies[]`.
    pub at: &'static str,
    /// What it describes.
    pub about: &'static str,
    /// Its fields, in the order in which errors list them.
    pub fields: &'static [Field],
    /// Fields of which exactly one must be present; empty if there is no such rule.
    pub one_of: &'static [&'static str],
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it is required, and what holds without it.
    pub need: Need,
    /// What it means.
    pub about: &'static str,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// It is required.
    Required,
    /// It has a default, given as JSON.
    Default(&'static str),
    /// It is optional; the text says what holds without it.
    Else(&'static str),
}

/// The type of a value.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number(Range),
    /// One of these words.
    Words(&'static [Word]),
    /// A text of this form.
    Text(&'static Text),
    /// A non-empty list of response statuses or classes of statuses.
    Statuses,
    /// An object of the language, by its name.
    Object(&'static str),
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

impl Kind {
    /// The words that a value may be, also as one of several types.
    pub fn words(&self) -> Vec<&'static Word> {
        match self {
            Kind::Words(words) => words.iter().collect(),
            Kind::Either(kinds) => kinds.iter().flat_map(Kind::words).collect(),
            Kind::Flag
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Statuses
            | Kind::Object(_)
            | Kind::List(_)
            | Kind::AnyList(_)
            | Kind::OneOrList(_)
            | Kind::Map { .. } => Vec::new(),
        }
    }
}

/// The whole numbers that a field accepts.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
    /// Their unit, such as `seconds`; may be empty.
    pub unit: &'static str,
}

/// One of the words that a field accepts.
#[derive(Debug)]
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A form of texts.
#[derive(Debug)]
pub struct Text {
    /// Its name, such as `header name`.
    pub name: &'static str,
    /// What texts of this form look like.
    pub what: &'static str,
    /// A regular expression in the dialect of JSON Schema. A text that does not match is an error; one that
    /// does may be an error too.
    pub pattern: Option<&'static str>,
}

/// All objects of the language, the whole configuration first.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    [
        configuration::OBJECTS,
        key::OBJECTS,
        consumer::OBJECTS,
        policy::OBJECTS,
        policy::HEADERS,
        request_match::OBJECTS,
        configuration::PATHS,
        limit::OBJECTS,
        replies::OBJECTS,
        configuration::TABLE,
        configuration::FLEET,
    ]
    .into_iter()
    .flatten()
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, need: Need::Required, about }
}

const fn default(name: &'static str, kind: Kind, json: &'static str, about: &'static str) -> Field {
    Field { name, kind, need: Need::Default(json), about }
}

const fn optional(name: &'static str, kind: Kind, otherwise: &'static str, about: &'static str) -> Field {
    Field { name, kind, need: Need::Else(otherwise), about }
}

const fn number(min: i64, max: i64, unit: &'static str) -> Kind {
    Kind::Number(Range { min, max, unit })
}

const fn word(word: &'static str, about: &'static str) -> Word {
    Word { word, about }
}

#[cfg(test)]
mod tests;
