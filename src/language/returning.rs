//! Requests that return a unit.

use super::forms;
use super::request_match::{COOKIES, HEADERS, HOST, KEYS, METHOD, PATH, QUERY};
use crate::config::{Composite, Field, Object, object};

/// The statuses on which they do.
pub const ON: Field<Composite> =
    Field::optional("on", forms::STATUSES, "`[2xx]`", "the response statuses that return a unit");

/// The object.
pub const OBJECT: Object = object!("return" at "policies[].returns[]":
    "Requests that return a unit if their response has one of the statuses in `on`: a match without a cost.";
    METHOD, HOST, PATH, HEADERS, QUERY, COOKIES, KEYS, ON);
