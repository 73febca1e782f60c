//! YAML as Kubernetes reads it: `kubectl` and Helm convert it to JSON by YAML 1.1, and that is all that anybody
//! sees of it afterwards. Unlike Envoy, they read `5.0` and `3000000000` as numbers, and merge `<<`.

use saphyr_parser::{ScalarStyle, Tag};
use std::collections::HashSet;
use tollgate::config::Value;

/// The value that a scalar stands for.
pub(super) fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = match tag {
        Some(tag) => tag.suffix == "str" || tag.suffix == "!" || tag.suffix.is_empty(),
        None => style != ScalarStyle::Plain,
    };
    if is_text {
        return Value::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => number(text).map_or_else(|| Value::Text(text.into()), Value::Number),
    }
}

/// A number as in Go, with underscores between its digits, or one with a fraction or an exponent.
fn number(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    if !plain.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(digits) => (plain.get(..1)?, digits),
        None => ("", plain.as_str()),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match (lower.get(..2), lower.get(2..)) {
        (Some("0x"), Some(digits)) => (digits, 16),
        (Some("0b"), Some(digits)) => (digits, 2),
        (Some("0o"), Some(digits)) => (digits, 8),
        _ if lower.len() > 1 && lower.starts_with('0') && !lower.contains(['.', 'e']) => (lower.as_str(), 8),
        _ => (lower.as_str(), 10),
    };
    if !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix)) {
        let whole = i128::from_str_radix(&format!("{sign}{digits}"), radix).ok()?;
        return Some(whole as f64);
    }
    let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-'))
        && digits.contains(|c: char| c.is_ascii_digit());
    // The standard library takes no other words for such a number than Go does.
    is_decimal.then(|| plain.parse().ok()).flatten()
}

/// The fields of an object, with those that `<<` names among them unless it has them itself.
pub(super) fn merged(fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    if !fields.iter().any(|(name, _)| name == "<<") {
        return fields;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, _)| name == "<<");
    let mut taken: HashSet<String> = own.iter().map(|(name, _)| name.clone()).collect();
    for (_, value) in merges {
        let objects = match value {
            Value::List(objects) => objects,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                vec![value]
            }
        };
        for object in objects {
            let Value::Object(fields) = object else { continue };
            for (name, value) in fields {
                if taken.insert(name.clone()) {
                    own.push((name, value));
                }
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Value {
        scalar(text, ScalarStyle::Plain, None)
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let cases = [
            ("5", 5.0),
            ("5.0", 5.0),
            ("1e3", 1000.0),
            ("-.5", -0.5),
            ("010", 8.0),
            ("0o10", 8.0),
            ("0x1F", 31.0),
            ("0b101", 5.0),
            ("3000000000", 3e9),
            ("08", 8.0),
            ("1_000", 1000.0),
        ];
        for (text, number) in cases {
            assert_eq!(plain(text), Value::Number(number), "{text}");
        }
        for text in ["60s", "1.2.3", "0x", "-", ".", "+-5", "1e", "e5", "nan", "infinity", "2026-01-01"] {
            assert_eq!(plain(text), Value::Text(text.into()), "{text}");
        }
    }

    #[test]
    fn words_and_quoted_texts() {
        assert_eq!(
            [plain("yes"), plain("off"), plain("~")],
            [Value::Bool(true), Value::Bool(false), Value::Null]
        );
        assert_eq!(plain("tRue"), Value::Text("tRue".into()));
        assert_eq!(scalar("5", ScalarStyle::DoubleQuoted, None), Value::Text("5".into()));
    }
}
