//! Decodes the protobuf encoding of `google.protobuf.Struct`, which the host delivers if an Envoy
//! configuration contains the policy as plain YAML.
//!
//! It knows only the three messages of `google/protobuf/struct.proto`: a general protobuf library would add
//! more to the module than these lines.

use super::Value;
use crate::wire::{WireContent, WireField, WireFields};
use std::fmt;

/// Nesting deeper than this is rejected: the decoder recurses, and its stack is small.
const MAX_DEPTH: u32 = 64;

/// Why bytes cannot be decoded as a Struct.
#[derive(Debug, PartialEq)]
pub(super) enum StructError {
    /// The bytes end inside a field, or a field has an encoding that the message does not know.
    Malformed,
    /// A text is not UTF-8.
    NotUtf8,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for StructError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StructError::Malformed => f.write_str("protobuf bytes that are not a google.protobuf.Struct"),
            StructError::NotUtf8 => f.write_str("a google.protobuf.Struct with text that is not UTF-8"),
            StructError::TooDeep => write!(f, "a google.protobuf.Struct nested deeper than {MAX_DEPTH}"),
        }
    }
}

/// Decodes a `google.protobuf.Struct`.
pub(super) fn decode_struct(bytes: &[u8]) -> Result<Value, StructError> {
    object(bytes, 0)
}

/// `message Struct { map<string, Value> fields = 1; }`
fn object(bytes: &[u8], depth: u32) -> Result<Value, StructError> {
    let mut fields = Vec::new();
    for field in WireFields(bytes) {
        match field.ok_or(StructError::Malformed)? {
            WireField { number: 1, content: WireContent::Bytes(entry) } => {
                fields.push(map_entry(entry, depth)?)
            }
            _ => return Err(StructError::Malformed),
        }
    }
    Ok(Value::Object(fields))
}

/// A map entry is a message: field 1 is the name, field 2 the value.
fn map_entry(bytes: &[u8], depth: u32) -> Result<(String, Value), StructError> {
    let (mut name, mut content) = (String::new(), Value::Null);
    for field in WireFields(bytes) {
        match field.ok_or(StructError::Malformed)? {
            WireField { number: 1, content: WireContent::Bytes(bytes) } => name = text(bytes)?,
            WireField { number: 2, content: WireContent::Bytes(bytes) } => content = value(bytes, depth)?,
            _ => return Err(StructError::Malformed),
        }
    }
    Ok((name, content))
}

/// `message Value { oneof kind { null 1, number 2, string 3, bool 4, struct 5, list 6 } }`
fn value(bytes: &[u8], depth: u32) -> Result<Value, StructError> {
    if depth >= MAX_DEPTH {
        return Err(StructError::TooDeep);
    }
    let mut kind = Value::Null;
    for field in WireFields(bytes) {
        let field = field.ok_or(StructError::Malformed)?;
        kind = match (field.number, field.content) {
            (1, WireContent::Varint(_)) => Value::Null,
            (2, WireContent::Double(number)) => Value::Number(number),
            (3, WireContent::Bytes(bytes)) => Value::Text(text(bytes)?),
            (4, WireContent::Varint(flag)) => Value::Bool(flag != 0),
            (5, WireContent::Bytes(bytes)) => object(bytes, depth + 1)?,
            (6, WireContent::Bytes(bytes)) => list(bytes, depth + 1)?,
            _ => return Err(StructError::Malformed),
        };
    }
    Ok(kind)
}

/// `message ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: u32) -> Result<Value, StructError> {
    let mut values = Vec::new();
    for field in WireFields(bytes) {
        match field.ok_or(StructError::Malformed)? {
            WireField { number: 1, content: WireContent::Bytes(bytes) } => values.push(value(bytes, depth)?),
            _ => return Err(StructError::Malformed),
        }
    }
    Ok(Value::List(values))
}

fn text(bytes: &[u8]) -> Result<String, StructError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| StructError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn delimited(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        crate::varint::write(&mut bytes, content.len() as u64);
        bytes.extend_from_slice(content);
        bytes
    }

    fn encode_value(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![1 << 3, 0],
            Value::Number(number) => [&[2 << 3 | 1][..], &number.to_le_bytes()].concat(),
            Value::Text(text) => delimited(3, text.as_bytes()),
            Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
            Value::Object(_) => delimited(5, &encode_struct(value)),
            Value::List(list) => {
                delimited(6, &list.iter().flat_map(|v| delimited(1, &encode_value(v))).collect::<Vec<_>>())
            }
        }
    }

    fn encode_struct(value: &Value) -> Vec<u8> {
        let Value::Object(fields) = value else { panic!("only an object is a Struct") };
        fields
            .iter()
            .flat_map(|(name, value)| {
                let entry = [delimited(1, name.as_bytes()), delimited(2, &encode_value(value))].concat();
                delimited(1, &entry)
            })
            .collect()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-1e9..1e9).prop_map(Value::Number),
            "\\PC{0,20}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                proptest::collection::vec(("[a-z_]{1,9}", inner), 0..5).prop_map(Value::Object),
            ]
        })
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn what_was_encoded_is_decoded(value in any_value()) {
            let object = Value::Object(vec![("root".into(), value)]);
            let bytes = encode_struct(&object);
            prop_assert_eq!(super::super::parse(&bytes).unwrap(), object);
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn a_struct_cut_short_is_rejected(value in any_value(), cut in 1usize..40) {
            let bytes = encode_struct(&Value::Object(vec![("root".into(), value)]));
            let cut = bytes.len().saturating_sub(cut).max(1);
            prop_assert_eq!(decode_struct(&bytes[..cut]), Err(StructError::Malformed));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn nesting_is_bounded() {
        let mut value = Value::Null;
        for _ in 0..MAX_DEPTH {
            value = Value::List(vec![value]);
        }
        let bytes = encode_struct(&Value::Object(vec![("deep".into(), value)]));
        assert_eq!(decode_struct(&bytes), Err(StructError::TooDeep));
    }
}
