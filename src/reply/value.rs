//! What stands in a header: a text, or a number, which needs no memory of its own.

use super::decimal::Decimal;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A header's value.
#[derive(Clone)]
pub enum HeaderValue<'a> {
    /// As it is.
    Text(Cow<'a, str>),
    /// In decimal.
    Number(Decimal),
}

impl Deref for HeaderValue<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            HeaderValue::Text(text) => text,
            HeaderValue::Number(number) => number,
        }
    }
}

impl<'a> From<&'a str> for HeaderValue<'a> {
    fn from(text: &'a str) -> Self {
        HeaderValue::Text(text.into())
    }
}

impl From<String> for HeaderValue<'_> {
    fn from(text: String) -> Self {
        HeaderValue::Text(text.into())
    }
}

impl<'a> From<Cow<'a, str>> for HeaderValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        HeaderValue::Text(text)
    }
}

impl From<Decimal> for HeaderValue<'_> {
    fn from(number: Decimal) -> Self {
        HeaderValue::Number(number)
    }
}

/// By what is sent.
impl PartialEq for HeaderValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for HeaderValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for HeaderValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
