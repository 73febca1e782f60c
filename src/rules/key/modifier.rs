//! The fields of a key that say how its source is read.

/// A field beside a key's source. [`takes`](super::source::SourceKind::takes) lists those that apply to a
/// source; elsewhere they are errors, because they would silently have no effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Modifier {
    /// The authentication scheme before a credential.
    Scheme,
    /// How many leading bytes count.
    Prefix,
    /// When a value is believed.
    Valid,
    /// Which of several values counts.
    Repeated,
    /// Which names of a parameter or cookie are taken for this one.
    Names,
    /// Whether case matters.
    Case,
    /// Whether a suffix such as `.json` matters.
    Suffix,
    /// Whether a header counts with its commas.
    Whole,
    /// What divides the value into elements.
    Separator,
    /// Which of the elements counts.
    Index,
}

impl Modifier {
    /// All of them, in the order in which errors list them.
    pub const ALL: [Modifier; 10] = [
        Modifier::Scheme,
        Modifier::Prefix,
        Modifier::Valid,
        Modifier::Repeated,
        Modifier::Names,
        Modifier::Case,
        Modifier::Suffix,
        Modifier::Whole,
        Modifier::Separator,
        Modifier::Index,
    ];

    /// The name of the field.
    pub fn field(self) -> &'static str {
        match self {
            Modifier::Scheme => "scheme",
            Modifier::Prefix => "prefix",
            Modifier::Valid => "valid",
            Modifier::Repeated => "repeated",
            Modifier::Names => "names",
            Modifier::Case => "case",
            Modifier::Suffix => "suffix",
            Modifier::Whole => "whole",
            Modifier::Separator => "separator",
            Modifier::Index => "index",
        }
    }
}
