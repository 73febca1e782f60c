//! The response header with the number of items that exist.

use super::cost_header::{NAME, REMOVE};
use crate::config::{Object, object};

/// The object.
pub const OBJECT: Object = object!("stock_header" at "policies[].stock_header":
    "The response header with the number of items that exist, read like a cost. A response without such a number corrects nothing; \
     the counters `stock_missing` and `stock_unreadable` count it.";
    NAME, REMOVE);
