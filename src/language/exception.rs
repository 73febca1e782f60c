//! Requests that a policy, or no policy, judges.

use crate::config::{Object, object};
use crate::rules::RequestMatch;

/// The object.
pub const OBJECT: Object = object!("exception" at "policies[].except[], exempt[]":
    "Requests that fulfil every field: a match without a cost.";
    lists [RequestMatch::FIELDS]; rules &[]);
