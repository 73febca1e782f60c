//! A quota that the request states.

use super::cost_from::KEY;
use super::forms;
use crate::config::{Field, Literal, Number, Object, object};
use std::num::NonZeroU32;

const QUOTA: Number<NonZeroU32> = Number::new(1, forms::UNITS.range.max, "units");

/// The smallest quota.
pub const MIN: Field<Number<NonZeroU32>> =
    Field::default("min", QUOTA, Literal::Number(1), "the smallest quota, also if the number is smaller");

/// The largest quota.
pub const MAX: Field<Number<NonZeroU32>> =
    Field::required("max", QUOTA, "the largest quota, also if the number is larger");

/// The object.
pub const OBJECT: Object = object!("quota_from" at "policies[].limits[].quota_from":
    "A quota that the request states, as a whole number in the value of a key, such as a claim of the caller's token. If the request \
     has no such key, a value that is not a whole number, or several different ones, `quota` holds. A quota that changes keeps what is \
     counted. Use a key that clients cannot write, such as `metadata`.";
    KEY, MIN, MAX);
