//! A match: the requests that a policy judges. Each condition declares its own field.

use super::forms;
use crate::config::{Field, Form, Number, Object, object};
use crate::rules::RequestMatch;

/// What it costs.
pub const COST: Field<Number<u32>> = Field::optional(
    "cost",
    forms::COST,
    "the policy's",
    "what such a request costs; if several matches fit, the first one decides. With `0` it only looks: see the policy's `cost`",
);

/// Its name.
pub const NAME: Field<&Form<String>> = Field::optional(
    "name",
    &forms::NAME,
    "it has none",
    "the value of a key with `request: match` for such a request. Only in policies that count by one; several matches may have \
     the same name, and then count as one",
);

/// The object.
pub const OBJECT: Object = object!("match" at "policies[].match[]":
    "Requests that fulfil every field; an empty match covers all requests.";
    lists [RequestMatch::FIELDS, &[COST.erased(), NAME.erased()]]; rules &[]);
