//! Other names for limit headers.

use crate::config::{Object, object};
use crate::reply::HeaderValue;

/// The object.
pub const OBJECT: Object = object!("names" at "headers.names": "Other names for limit headers.";
    lists [HeaderValue::NAMES]; rules &[]);
