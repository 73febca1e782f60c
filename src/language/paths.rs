//! Which other spellings of a path a match covers.

use crate::config::{Field, Literal, Object, Word, Words, object};

/// Whether a difference between two spellings is ignored.
const SPELLING: &Words<bool> = &Words(&[
    Word::new("ignore", true, "the `match` of a policy also covers this spelling"),
    Word::new("strict", false, "it does not"),
]);

const fn spelling(name: &'static str, about: &'static str) -> Field<&'static Words<bool>> {
    Field::default(name, SPELLING, Literal::Text("ignore"), about)
}

/// A trailing slash.
pub const TRAILING_SLASH: Field<&Words<bool>> =
    spelling("trailing_slash", "a trailing slash, as in `/login/`");

/// Another case.
pub const CASE: Field<&Words<bool>> = spelling("case", "another case, as in `/LOGIN`");

/// Parameters of segments.
pub const PARAMETERS: Field<&Words<bool>> = spelling(
    "parameters",
    "parameters, as in `/login;a=b` and `/x/..;/login`. The part after `;` is then not part of a `{parameter}` either",
);

/// The suffix of a format.
pub const SUFFIX: Field<&Words<bool>> =
    spelling("suffix", "a suffix, which starts at the first dot of the last segment, as in `/login.json`");

/// The object.
pub const OBJECT: Object = object!("paths" at "paths":
    "A path in the `match` of a policy also covers other spellings that an upstream may take for the same path; otherwise a \
     differently written path would bypass the policy. Encoded characters are always decoded. A match by another spelling \
     only adds limits: it does not keep other policies of its `class` from applying, and it costs as much as the most expensive \
     match that fits. Paths in `exempt`, `except` and `returns` always match only as they are written.";
    TRAILING_SLASH, CASE, PARAMETERS, SUFFIX);
