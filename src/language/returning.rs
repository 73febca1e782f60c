//! Requests that return a unit.

use super::forms;
use crate::config::{Composite, Field, Object, object};
use crate::rules::RequestMatch;

/// The statuses on which they do.
pub const ON: Field<Composite> =
    Field::optional("on", forms::STATUSES, "`[2xx]`", "the response statuses that return a unit");

/// The object.
pub const OBJECT: Object = object!("return" at "policies[].returns[]":
    "Requests that return a unit if their response has one of the statuses in `on`: a match without a cost.";
    lists [RequestMatch::FIELDS, &[ON.erased()]]; rules &[]);
