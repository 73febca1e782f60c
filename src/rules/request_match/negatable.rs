//! Conditions on one of several values or, with `not`, on none of them.

use crate::config::{Composite, Field, Object, Reader};
use crate::http::Purpose;

/// Whether a condition is on none of its values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Sign {
    /// One of them is there.
    #[default]
    Is,
    /// None of them is there.
    IsNot,
}

impl Sign {
    /// Whether the condition holds if one of its values is `there`. `None`: the request has no value at all,
    /// and servers may then take one of their own. So that is another one for a match that limits requests, and
    /// not surely another one for a match that frees them.
    pub fn holds(self, there: Option<bool>, purpose: Purpose) -> bool {
        match (self, there) {
            (Sign::Is, there) => there.unwrap_or(false),
            (Sign::IsNot, Some(there)) => !there,
            (Sign::IsNot, None) => purpose == Purpose::Limits,
        }
    }

    /// A word in front of the values.
    pub fn word(self) -> &'static str {
        match self {
            Sign::Is => "",
            Sign::IsNot => "not ",
        }
    }
}

/// The value of a field that may be `{ not: value }`, as `object` declares, and which of the two it is.
pub(super) fn signed<'a>(
    field: &Reader<'a>,
    object: &Object,
    not: &Field<Composite>,
) -> Option<(Sign, Reader<'a>)> {
    match field.is_object() {
        false => Some((Sign::Is, field.clone())),
        true => Some((Sign::IsNot, field.fields(object)?.needed(not)?.clone())),
    }
}

/// A value, or the entries of a list of at least one.
pub(super) fn one_or_list<'a>(field: &Reader<'a>, allowed: &str) -> Option<Vec<Reader<'a>>> {
    if field.is_list() { field.non_empty_list(allowed) } else { Some(vec![field.clone()]) }
}
