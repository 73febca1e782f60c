//! Other names for limit headers.

use super::forms;
use crate::config::{Field, Form, Object, object};

const fn name(
    name: &'static str,
    otherwise: &'static str,
    about: &'static str,
) -> Field<&'static Form<String>> {
    Field::optional(name, &forms::HEADER, otherwise, about)
}

/// For the quota.
pub const LIMIT: Field<&Form<String>> = name("limit", "the preset's", "for the quota");

/// For the units left.
pub const REMAINING: Field<&Form<String>> = name("remaining", "the preset's", "for the units left");

/// For the reset.
pub const RESET: Field<&Form<String>> = name("reset", "the preset's", "for the reset");

/// For the units used.
pub const USED: Field<&Form<String>> =
    name("used", "the preset's; `x-ratelimit` sends none", "for the units used");

/// For the policy.
pub const RESOURCE: Field<&Form<String>> =
    name("resource", "the preset's; `x-ratelimit` sends none", "for the name of the policy");

/// The object.
pub const OBJECT: Object = object!("names" at "headers.names": "Other names for limit headers.";
    LIMIT, REMAINING, RESET, USED, RESOURCE);
