//! A tree of values, the same whether it came as JSON or as a protobuf Struct.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write};

/// One value of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number. Both wire forms carry doubles, so whole numbers are exact up to 2^53.
    Number(f64),
    /// A string.
    Text(String),
    /// A list of values.
    List(Vec<Value>),
    /// Fields in the order they were written. A name may occur twice: the reader reports it.
    Object(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Value::Object(fields))
    }
}

impl Value {
    /// An object's field of this name, the last one if there are several.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Value::Object(fields) = self else { return None };
        fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The string, if this is one.
    pub fn text(&self) -> Option<&str> {
        let Value::Text(text) = self else { return None };
        Some(text)
    }

    /// Indented JSON, with the fields in their order.
    pub fn to_json(&self) -> String {
        // Every tree can be written as JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            // As a float it would be written with a fraction.
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                serializer.serialize_i64(*number as i64)
            }
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => serializer.collect_seq(list),
            Value::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// How an error describes a value that it found: briefly and on one line, with at most 40 characters of a
/// text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(value) => write_number(*value, f),
            Value::Text(text) => write!(f, "{}", Excerpt(text)),
            Value::List(list) => write!(f, "a list of {}", list.len()),
            Value::Object(fields) => write!(f, "an object of {}", fields.len()),
        }
    }
}

/// In decimal, cut after thousandths. (Formatting a float with the standard library would add 15 KB to the
/// module.)
fn write_number(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const LARGE: f64 = 9e15;
    let size = value.abs();
    if size.is_nan() || size >= LARGE {
        return f.write_str("a number of more than 15 digits");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    write!(f, "{sign}{}", size as u64)?;
    if size.fract() == 0.0 {
        return Ok(());
    }
    let thousandths = (size.fract() * 1_000.0) as u64;
    write!(f, ".{}", format!("{thousandths:03}").trim_end_matches('0'))?;
    f.write_str(if (size * 1_000.0).fract() == 0.0 { "" } else { "…" })
}

/// A text in quotes, escaped and cut after 40 characters.
pub(super) struct Excerpt<'a>(pub &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LENGTH: usize = 40;
        f.write_str("\"")?;
        let mut rest = self.0.chars();
        for c in rest.by_ref().take(LENGTH).flat_map(char::escape_debug) {
            f.write_char(c)?;
        }
        f.write_str(if rest.as_str().is_empty() { "\"" } else { "…\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn numbers_are_shown_to_thousandths() {
        for (number, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (-0.25, "-0.25"),
            (1.062_5, "1.062…"),
            (0.000_1, "0.…"),
            (4_294_967_296.0, "4294967296"),
            (8_999_999_999_999_999.0, "8999999999999999"),
            (1e16, "a number of more than 15 digits"),
            (f64::NEG_INFINITY, "a number of more than 15 digits"),
            (f64::NAN, "a number of more than 15 digits"),
        ] {
            assert_eq!(Value::Number(number).to_string(), shown);
        }
    }
}
