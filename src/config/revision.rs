//! A number for a configuration, by which operators see which one is live.

use super::value::Value;
use sha2::{Digest, Sha256};

type Hash = [u8; 32];

/// The first 32 bits of a SHA-256 hash over the tree of values. It is the same for YAML, JSON text and a Struct, in
/// whatever order the fields of an object come.
pub fn revision(configuration: &Value) -> u32 {
    let [a, b, c, d, ..] = hash(configuration);
    u32::from_be_bytes([a, b, c, d])
}

/// Each kind of value begins with another letter. The bytes of a text end the hash, and a list has the hashes of
/// its values, all of one length, so no two trees are the same bytes.
fn hash(value: &Value) -> Hash {
    match value {
        Value::Null => of(b'0', &[]),
        Value::Bool(flag) => of(b'b', &[u8::from(*flag)]),
        // -0 is 0.
        Value::Number(number) => of(b'n', &(*number + 0.0).to_bits().to_le_bytes()),
        Value::Text(text) => of(b't', text.as_bytes()),
        Value::List(list) => of(b'l', &list.iter().map(hash).collect::<Vec<_>>().concat()),
        Value::Object(fields) => of(b'o', &sum(fields)),
    }
}

/// The sum of the hashes of all fields, which does not depend on their order. (A library's sort would add 9 KB to
/// the module.)
fn sum(fields: &[(String, Value)]) -> Hash {
    let mut sum: Hash = [0; 32];
    for (name, value) in fields {
        let mut field = hash(value).to_vec();
        field.extend_from_slice(name.as_bytes());
        let mut carry = 0;
        for (byte, own) in sum.iter_mut().zip(of(b'f', &field)) {
            let total = u16::from(*byte) + u16::from(own) + carry;
            (*byte, carry) = (total as u8, total >> 8);
        }
    }
    sum
}

fn of(kind: u8, bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([kind]).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_json;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn of_json(text: &str) -> u32 {
        revision(&parse_json(text.as_bytes()).unwrap())
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn neither_the_order_of_fields_nor_the_way_to_write_a_number_matters() {
        let one = of_json(r#"{"a": [1, {"x": "1", "y": null}], "b": true, "c": -0.0}"#);
        assert_eq!(one, of_json(r#"{"c":0,"b":true,"a":[1.0,{"y":null,"x":"\u0031"}]}"#));
        // It stays the same from version to version.
        assert_eq!(one, 3_487_508_276);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn every_difference_is_another_revision() {
        let texts = [
            "0",
            "1",
            "-1",
            "null",
            "true",
            "false",
            "[]",
            "{}",
            r#""""#,
            r#""0""#,
            "[0]",
            "[[0]]",
            "[0, 1]",
            "[1, 0]",
            r#"{"a": 0}"#,
            r#"{"a": "0"}"#,
            r#"{"b": 0}"#,
            r#"{"a": 0, "b": 0}"#,
            r#"{"a": 1, "b": 0}"#,
            r#"{"a": 0, "b": 1}"#,
            r#"{"a": {"b": 0}}"#,
            r#"[{"a": 0}, {"b": 0}]"#,
            r#"[{"b": 0}, {"a": 0}]"#,
            r#"{"": 0}"#,
        ];
        let mut seen = Vec::new();
        for text in texts {
            let own = of_json(text);
            assert!(!seen.contains(&own), "{text}");
            seen.push(own);
        }
    }
}
