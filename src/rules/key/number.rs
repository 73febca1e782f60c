//! What a key's value says if it is to be a number.

use crate::http::whole_number;

/// A key's value as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyNumber {
    /// The request has no such key, or an empty value.
    Absent,
    /// The request presents several values, and servers differ in which one they take.
    Conflicting,
    /// The value is no whole number.
    Unreadable,
    /// A larger one than a `u64` is the largest.
    Number(u64),
}

impl KeyNumber {
    /// The number that a value is.
    pub fn of(value: &[u8]) -> KeyNumber {
        match whole_number(value) {
            Some(number) => KeyNumber::Number(number),
            None if value.trim_ascii().is_empty() => KeyNumber::Absent,
            None => KeyNumber::Unreadable,
        }
    }
}
