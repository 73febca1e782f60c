//! What the value of a header is like.

use super::*;

/// A pattern.
pub const MATCHES: Field<&Form<Pattern>> = Field::optional(
    "matches",
    &forms::PATTERN,
    "any value",
    "a pattern of the value, in which `*` is any text",
);
/// An instant, in seconds since 1970.
pub const SECONDS_AT: Field<&Form<Moment>> = Field::optional(
    "seconds_at",
    &MOMENT,
    "any value",
    "the value is this instant in seconds since 1970, rounded up",
);
/// The object.
pub const OBJECT: Object = object!("header value" at "cases[].requests[].expect.headers.*": "What the value of a header is like.";
    MATCHES, SECONDS_AT; rules [Rule::ExactlyOne(&[MATCHES.name, SECONDS_AT.name])]);
