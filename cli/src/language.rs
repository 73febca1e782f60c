//! The policy language as data: every object, field, type, range, word and default, each with a line about it.
//!
//! [`policy::compile`](crate::policy::compile) is what decides; this only tells. The JSON Schema and the reference page are
//! made of it, and tests hold it against the compiler: field by field, bound by bound, word by word.

mod consumer;
mod key;
mod limit;
mod matching;
mod policy;
mod reference;
mod saying;
mod schema;
mod set;
mod texts;

pub use reference::reference;
pub use schema::schema;

/// An object of the language.
#[derive(Debug)]
pub struct Object {
    /// What it is called, such as `policy`.
    pub name: &'static str,
    /// Where it stands, such as `policies[]`.
    pub at: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// All that may be in it, in the order in which errors name them.
    pub fields: &'static [Field],
    /// Of these fields exactly one must be there.
    pub one_of: &'static [&'static str],
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// As it is written.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be there, and what follows if it is not.
    pub need: Need,
    /// What it says.
    pub about: &'static str,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Always.
    Required,
    /// Without it, it is as if this were written, which is JSON.
    Default(&'static str),
    /// Without it, this is so.
    Else(&'static str),
}

/// What a value may be.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number(Range),
    /// One of these.
    Words(&'static [Word]),
    /// A text of some form.
    Text(&'static Text),
    /// A list of one or more statuses or classes of them.
    Statuses,
    /// An object of the language, by its name.
    Object(&'static str),
    /// A list of one or more.
    List(&'static Kind),
    /// A list that may be empty.
    AnyList(&'static Kind),
    /// One without a list, or a list of one or more.
    OneOrList(&'static Kind),
    /// An object whose fields' names are the writer's choice.
    Map {
        /// What the names are.
        names: &'static Text,
        /// What stands beside each.
        values: &'static Kind,
    },
    /// One of several kinds.
    Either(&'static [Kind]),
}

/// The whole numbers that a field takes.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// Of what.
    pub unit: &'static str,
}

/// One of the words that a field takes.
#[derive(Debug)]
pub struct Word {
    /// As it is written.
    pub word: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A form that texts may have.
#[derive(Debug)]
pub struct Text {
    /// What it is called, such as `header name`.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// A regular expression, as JSON Schema has them, that all such texts match. What does not, is a error; what
    /// does, may be one all the same.
    pub pattern: Option<&'static str>,
}

/// All objects, the whole configuration first.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    [
        set::OBJECTS,
        key::OBJECTS,
        consumer::OBJECTS,
        policy::OBJECTS,
        matching::OBJECTS,
        set::PATHS,
        limit::OBJECTS,
        saying::OBJECTS,
        set::TABLE,
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

const fn number(min: u64, max: u64, unit: &'static str) -> Kind {
    Kind::Number(Range { min, max, unit })
}

const fn word(word: &'static str, about: &'static str) -> Word {
    Word { word, about }
}

#[cfg(test)]
mod tests;
