//! What a request has for a key.

use crate::http::Elements;
use crate::http::credential::{Location, Presented, Reading, find};
use std::borrow::Cow;

/// What a request has for a key.
#[derive(Debug)]
pub enum KeyValue<'a> {
    /// This value, which is not empty.
    One(Cow<'a, [u8]>),
    /// A list, which is not empty.
    List(Elements),
    /// Different values, of which none counts.
    Conflicting,
    /// Metadata that cannot tell callers apart, such as an object.
    Unreadable,
}

impl KeyValue<'_> {
    /// The value that counts, of all that a text has.
    pub(super) fn found(location: Location<'_>, text: &[u8], reading: Reading) -> Option<Self> {
        Some(match find(location, text, reading)? {
            Presented::One(value) => KeyValue::One(Cow::Owned(value)),
            Presented::Conflicting => KeyValue::Conflicting,
        })
    }
}
