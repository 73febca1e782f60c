//! Requests that a policy, or no policy, judges.

use super::request_match::{COOKIES, HEADERS, HOST, KEYS, METHOD, PATH, QUERY};
use crate::config::{Object, object};

/// The object.
pub const OBJECT: Object = object!("exception" at "policies[].except[], exempt[]":
    "Requests that fulfil every field: a match without a cost.";
    METHOD, HOST, PATH, HEADERS, QUERY, COOKIES, KEYS);
