//! The fields of a key beside its source: how the source is read. [`SourceKind::takes`] lists those that apply to
//! a source; elsewhere they are errors, because they would silently have no effect.
//!
//! [`SourceKind::takes`]: super::source::SourceKind::takes

use super::validity;
use crate::config::{Composite, Field, Flag, Form, Kind, Literal, Number, Word, Words, forms};
use crate::http::credential::Repeated;

/// The scheme before a header's value.
pub const SCHEME: Field<&Form<String>> = Field::optional(
    "scheme",
    &forms::SCHEME,
    "the value is the whole header",
    "the authentication scheme before the value, which is not part of it; a header with another scheme counts as absent",
);

/// How many bytes count.
pub const PREFIX: Field<Number<usize>> = Field::optional(
    "prefix",
    Number::new(1, 4_096, "bytes"),
    "the whole value",
    "only this many bytes from the start count",
);

/// When a value is accepted: a word, or an object.
pub const VALID: Field<Composite> = Field::optional(
    "valid",
    validity::VALID,
    "always",
    "when the value is accepted as valid; otherwise it counts as absent",
);

/// The key whose equal values are the same caller.
pub const SAME_AS: Field<Composite> = Field::optional(
    "same_as",
    Composite::new(Kind::Text(&forms::KEY_NAME), forms::KEY_NAME.allowed),
    "equal values of two keys are two callers",
    "not with `first_of`: equal values of this key and the named one are the same caller, such as an organization \
     that is known by a claim or by an attribute of a consumer",
);

/// What holds for a value that is repeated.
pub const REPEATED: Field<&Words<Repeated>> = Field::optional(
    "repeated",
    &Words(&[
        Word::new(
            "reject",
            Repeated::Reject,
            "every policy that counts by this key, or by a consumer identified by it, rejects the request",
        ),
        Word::new("first", Repeated::First, "the first non-empty value is used"),
        Word::new("last", Repeated::Last, "the last non-empty value is used"),
    ]),
    "`reject`; with `header`: `first`",
    "what happens if a request has it several times with different values. \
     Choose `first` or `last` only if your upstream reads that one too ([spellings](spellings.md))",
);

/// Whether other spellings of the name count.
pub const NAMES: Field<&Words<bool>> = Field::default(
    "names",
    &Words(&[
        Word::new("exact", false, "exactly the name written here"),
        Word::new(
            "loose",
            true,
            "also in another case, with `.` or a space for `_`, or followed by `[]`, as ASP.NET, PHP and Express read it",
        ),
    ]),
    Literal::Text("exact"),
    "which names of a parameter or cookie are taken for this one",
);

/// Whether case is ignored.
pub const CASE: Field<&Words<bool>> = Field::default(
    "case",
    &Words(&[
        Word::new(
            "ignore",
            true,
            "values that differ only in case are one caller, as most upstreams read UUIDs",
        ),
        Word::new("strict", false, "they are different callers"),
    ]),
    Literal::Text("strict"),
    "whether case matters",
);

/// Whether the suffix is ignored.
pub const SUFFIX: Field<&Words<bool>> = Field::default(
    "suffix",
    &Words(&[
        Word::new("ignore", true, "`8.json` is the caller `8`, as in Rails"),
        Word::new("strict", false, "they are different callers"),
    ]),
    Literal::Text("strict"),
    "whether the part of a value from its first dot on matters",
);

/// Whether all lines of a header are one value.
pub const WHOLE: Field<Flag> = Field::default(
    "whole",
    Flag,
    Literal::Flag(false),
    "the value is the whole header with its commas, all lines joined with commas as Envoy joins them; not with `scheme` \
     or `repeated`. Not for credentials: whoever adds a line has another value",
);

/// What divides the value.
pub const SEPARATOR: Field<&Form<String>> = Field::optional(
    "separator",
    &forms::SEPARATOR,
    "the value is not divided",
    "divides the value into elements, without whitespace around them; \
     empty ones do not count. Without `index` the value is a [list](#values-of-earlier-filters). A header without \
     `scheme` is divided as a whole, all lines joined with commas",
);

/// Which element counts.
pub const INDEX: Field<Number<i32>> = Field::optional(
    "index",
    Number::new(-64, 63, ""),
    "all elements, as a list",
    "the value is this element, `0` for the first, `-1` for the last. If there is none, the key is absent",
);

/// The text before the part that counts.
pub const AFTER: Field<&Form<String>> = Field::optional(
    "after",
    &forms::CUT,
    "the value counts from its start",
    "only what follows the first occurrence of this text counts, after `separator` and `index` have chosen an element. A \
     value without it, or with nothing behind it, counts as a whole, so that nobody escapes by leaving it out. Consumers are \
     identified by what is left",
);

/// The text behind the part that counts.
pub const BEFORE: Field<&Form<String>> = Field::optional(
    "before",
    &forms::CUT,
    "the value counts to its end",
    "only what precedes the first occurrence of this text counts, behind `after`; otherwise as with `after`",
);

/// All of them, in the order in which errors list them.
pub const ALL: &[Field] = &[
    SCHEME.erased(),
    PREFIX.erased(),
    VALID.erased(),
    SAME_AS.erased(),
    REPEATED.erased(),
    NAMES.erased(),
    CASE.erased(),
    SUFFIX.erased(),
    WHOLE.erased(),
    SEPARATOR.erased(),
    INDEX.erased(),
    AFTER.erased(),
    BEFORE.erased(),
];
