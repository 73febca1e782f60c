//! When a key's value is accepted as valid.

use super::forms;
use crate::config::{Composite, Field, Form, Kind, Literal, Object, Rule, object};
use crate::time::Micros;

/// The metadata that decides.
pub const METADATA: Field<Composite> = Field::optional(
    "metadata",
    Composite::new(
        Kind::List(&Kind::Text(&forms::TEXT.text)),
        "a list: the name of an earlier filter, then the keys of its metadata",
    ),
    "the upstream decides",
    "valid if this metadata of an earlier filter is `true`, a non-empty text, any number, or a list or an object that is \
     not empty: the filter's name, then one or more names down to the value",
);

/// The statuses by which the upstream rejects it.
pub const UNLESS: Field<Composite> = Field::optional(
    "unless",
    forms::STATUSES,
    "an earlier filter decides",
    "valid until the upstream answers a request that has the value with one of these statuses",
);

/// How long it is then rejected.
pub const FOR: Field<&Form<Micros>> =
    Field::default("for", &forms::DURATION, Literal::Text("10m"), "how long the value then counts as absent");

/// The object.
pub const OBJECT: Object = object!("valid" at "keys.NAME.valid":
"What decides whether a key's value is valid: `metadata` of an earlier filter, or the upstream's responses (`unless` \
 with `for`).";
METADATA, UNLESS, FOR;
rules [
    Rule::ExactlyOne(&[METADATA.name, UNLESS.name]),
    Rule::OnlyWith(FOR.name, &[UNLESS.name]),
]);
