//! The configuration as written: a tree of values, decoded from the form in which the host delivers it, and a
//! reader that walks the tree and collects **every** error with its path.
//!
//! `bytes → Value → Reader → [compile](crate::compile::compile)`. Serde's derive stops at the first error,
//! but an operator wants all of them at once, so the tree is read by hand (see DESIGN.md).

mod address_range;
mod declaration;
mod doc;
mod error;
mod fields;
pub mod forms;
mod names;
mod parse;
mod protobuf;
mod reader;
mod revision;
pub mod statuses;
mod thousandths;
mod types;
mod value;

pub use declaration::{
    Composite, Effect, Effects, Field, Kind, Literal, Need, Object, Rule, field_names, joined, object,
};
pub use doc::{Doc, Phrase};
pub use error::{ConfigError, ConfigErrors};
pub use fields::{Allowed, Allows, Fields, Type, either_of};
pub use names::{ListsByName, Names, Vocabulary};
pub use parse::{is_name, is_token};
pub use reader::{Reader, all, field_path};
pub use revision::revision;
pub use types::{Flag, Form, FromNumber, Number, Range, Text, Thousandths, Word, WordList, Words};
pub use value::Value;

/// Reads a plugin configuration in either form Envoy delivers.
///
/// - `google.protobuf.StringValue`: the host hands over its text, which must be JSON (RFC 8259).
/// - `google.protobuf.Struct`: the host hands over its protobuf encoding.
///
/// # Errors
/// One error at the root when the bytes are neither.
pub fn parse(bytes: &[u8]) -> Result<Value, ConfigErrors> {
    let parsed = if bytes.is_empty() {
        Err("nothing".into())
    } else if is_struct(bytes) {
        protobuf::decode_struct(bytes).map_err(|error| error.to_string())
    } else {
        parse_json(bytes)
    };
    parsed.map_err(|found| {
        ConfigErrors::from(ConfigError::new(
            "",
            &found,
            "a policy as google.protobuf.Struct, or as JSON in a google.protobuf.StringValue",
        ))
    })
}

/// Reads JSON text (RFC 8259).
///
/// # Errors
/// A description of what was found instead.
pub fn parse_json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("text that is not JSON ({error})"))
}

/// Distinguishes the encoding of a Struct from JSON text, without guessing.
///
/// Each field of a Struct is encoded as tag 0x0A, and each field's value inside it as tag 0x12.
/// JSON text may start with 0x0A, a line feed, but may contain 0x12 nowhere.
fn is_struct(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x0A) && bytes.contains(&0x12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn json_that_starts_with_a_line_feed_is_json() {
        let value = parse(b"\n{\"a\": [1, null, true, \"x\"]}").unwrap();
        assert_eq!(
            value,
            Value::Object(vec![(
                "a".into(),
                Value::List(vec![
                    Value::Number(1.0),
                    Value::Null,
                    Value::Bool(true),
                    Value::Text("x".into())
                ])
            )])
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn text_that_is_not_json_is_one_error_at_the_root() {
        let errors = parse(b"keys: {}").unwrap_err();
        assert_eq!(
            errors.to_string(),
            "$: found text that is not JSON (expected value at line 1 column 1); allowed: a policy as \
             google.protobuf.Struct, or as JSON in a google.protobuf.StringValue"
        );
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn an_empty_configuration_is_reported_as_nothing() {
        assert!(parse(b"").unwrap_err().to_string().starts_with("$: found nothing; allowed: a policy as"));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn deep_nesting_is_rejected_not_followed() {
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_bytes_can_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let mut tagged = vec![0x0A];
            tagged.extend_from_slice(&bytes);
            tagged.push(0x12);
            let _ = parse(&tagged);
        }
    }
}
