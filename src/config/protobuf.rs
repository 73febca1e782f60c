//! Decodes the protobuf encoding of `google.protobuf.Struct`, which is what the host hands over when
//! an Envoy file carries the policy as plain YAML.
//!
//! Only the three messages of `google/protobuf/struct.proto` are known: a general protobuf library
//! would cost the module more than these lines.

use super::Value;
use std::fmt;

/// Nesting deeper than this is rejected: the decoder recurses, and its stack is small.
const MAX_DEPTH: u32 = 64;

/// Why bytes are no Struct.
#[derive(Debug, PartialEq)]
pub(super) enum NotAStruct {
    /// The bytes end inside a field, or a field has an encoding that the message does not know.
    Malformed,
    /// A text is not UTF-8.
    NotUtf8,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for NotAStruct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAStruct::Malformed => f.write_str("protobuf bytes that are no google.protobuf.Struct"),
            NotAStruct::NotUtf8 => f.write_str("a google.protobuf.Struct with text that is not UTF-8"),
            NotAStruct::TooDeep => write!(f, "a google.protobuf.Struct nested deeper than {MAX_DEPTH}"),
        }
    }
}

/// Decodes a `google.protobuf.Struct`.
pub(super) fn decode_struct(bytes: &[u8]) -> Result<Value, NotAStruct> {
    object(bytes, 0)
}

/// `message Struct { map<string, Value> fields = 1; }`
fn object(bytes: &[u8], depth: u32) -> Result<Value, NotAStruct> {
    let mut fields = Vec::new();
    for field in Wire(bytes) {
        match field? {
            Field { number: 1, content: Content::Bytes(entry) } => fields.push(map_entry(entry, depth)?),
            _ => return Err(NotAStruct::Malformed),
        }
    }
    Ok(Value::Object(fields))
}

/// A map entry is a message of its own: the name is field 1, the value field 2.
fn map_entry(bytes: &[u8], depth: u32) -> Result<(String, Value), NotAStruct> {
    let (mut name, mut content) = (String::new(), Value::Null);
    for field in Wire(bytes) {
        match field? {
            Field { number: 1, content: Content::Bytes(bytes) } => name = text(bytes)?,
            Field { number: 2, content: Content::Bytes(bytes) } => content = value(bytes, depth)?,
            _ => return Err(NotAStruct::Malformed),
        }
    }
    Ok((name, content))
}

/// `message Value { oneof kind { null 1, number 2, string 3, bool 4, struct 5, list 6 } }`
fn value(bytes: &[u8], depth: u32) -> Result<Value, NotAStruct> {
    if depth >= MAX_DEPTH {
        return Err(NotAStruct::TooDeep);
    }
    let mut kind = Value::Null;
    for field in Wire(bytes) {
        let field = field?;
        kind = match (field.number, field.content) {
            (1, Content::Varint(_)) => Value::Null,
            (2, Content::Double(number)) => Value::Number(number),
            (3, Content::Bytes(bytes)) => Value::Text(text(bytes)?),
            (4, Content::Varint(flag)) => Value::Bool(flag != 0),
            (5, Content::Bytes(bytes)) => object(bytes, depth + 1)?,
            (6, Content::Bytes(bytes)) => list(bytes, depth + 1)?,
            _ => return Err(NotAStruct::Malformed),
        };
    }
    Ok(kind)
}

/// `message ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: u32) -> Result<Value, NotAStruct> {
    let mut values = Vec::new();
    for field in Wire(bytes) {
        match field? {
            Field { number: 1, content: Content::Bytes(bytes) } => values.push(value(bytes, depth)?),
            _ => return Err(NotAStruct::Malformed),
        }
    }
    Ok(Value::List(values))
}

fn text(bytes: &[u8]) -> Result<String, NotAStruct> {
    String::from_utf8(bytes.to_vec()).map_err(|_| NotAStruct::NotUtf8)
}

/// The fields of one message, in the order of the wire.
struct Wire<'a>(&'a [u8]);

struct Field<'a> {
    number: u64,
    content: Content<'a>,
}

enum Content<'a> {
    Varint(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Wire<'a> {
    type Item = Result<Field<'a>, NotAStruct>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(NotAStruct::Malformed))
    }
}

impl<'a> Wire<'a> {
    fn field(&mut self) -> Option<Field<'a>> {
        const VARINT: u64 = 0;
        const FIXED64: u64 = 1;
        const LENGTH_DELIMITED: u64 = 2;
        let tag = self.varint()?;
        let content = match tag & 7 {
            VARINT => Content::Varint(self.varint()?),
            FIXED64 => {
                let (bytes, rest) = self.0.split_first_chunk::<8>()?;
                self.0 = rest;
                Content::Double(f64::from_le_bytes(*bytes))
            }
            LENGTH_DELIMITED => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Content::Bytes(bytes)
            }
            _ => return None,
        };
        Some(Field { number: tag >> 3, content })
    }

    fn varint(&mut self) -> Option<u64> {
        let (value, rest) = crate::varint::read(self.0)?;
        self.0 = rest;
        Some(value)
    }
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
            prop_assert_eq!(decode_struct(&bytes[..cut]), Err(NotAStruct::Malformed));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn nesting_is_bounded() {
        let mut value = Value::Null;
        for _ in 0..MAX_DEPTH {
            value = Value::List(vec![value]);
        }
        let bytes = encode_struct(&Value::Object(vec![("deep".into(), value)]));
        assert_eq!(decode_struct(&bytes), Err(NotAStruct::TooDeep));
    }
}
