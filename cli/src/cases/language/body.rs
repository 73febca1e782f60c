//! What a body is like.

use super::*;

/// JSON.
pub const JSON: Field<&Form<serde_json::Value>> =
    Field::optional("json", &super::JSON, "any body", "the body is JSON that is equal to this text");
/// A pattern.
pub const MATCHES: Field<&Form<Pattern>> = Field::optional(
    "matches",
    &forms::PATTERN,
    "any body",
    "a pattern of the body, in which `*` is any text",
);
/// The object.
pub const OBJECT: Object = object!("body" at "cases[].requests[].expect.body": "What the body is like.";
    JSON, MATCHES; rules [Rule::ExactlyOne(&[JSON.name, MATCHES.name])]);
