//! Which bodies can be read: by their type, and as they are sent.

/// How a body holds its JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BodyFormat {
    /// One document, or several after each other.
    Json,
    /// One document in each line.
    Lines,
    /// One document in each server-sent event.
    Events,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unreadable {
    /// It is compressed.
    Encoded,
    /// It is of another type than JSON.
    Type,
}

/// The types that can be read, besides those that end with `+json`. No type of lines is registered.
const TYPES: [(&str, BodyFormat); 9] = [
    ("application/json", BodyFormat::Json),
    ("text/json", BodyFormat::Json),
    ("text/event-stream", BodyFormat::Events),
    ("application/x-ndjson", BodyFormat::Lines),
    ("application/ndjson", BodyFormat::Lines),
    ("application/jsonl", BodyFormat::Lines),
    ("application/x-jsonl", BodyFormat::Lines),
    ("application/jsonlines", BodyFormat::Lines),
    ("application/x-jsonlines", BodyFormat::Lines),
];

impl BodyFormat {
    /// The format of a body with these headers, `content-encoding` and `content-type`.
    ///
    /// # Errors
    /// Why the body cannot be read.
    pub fn of(encoding: Option<&[u8]>, media_type: Option<&[u8]>) -> Result<BodyFormat, Unreadable> {
        let encoding = encoding.unwrap_or_default().trim_ascii();
        if !encoding.is_empty() && !is(encoding, "identity") {
            return Err(Unreadable::Encoded);
        }
        let media_type = media_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let media_type = media_type.unwrap_or_default().trim_ascii();
        match TYPES.iter().find(|(name, _)| is(media_type, name)) {
            Some((_, format)) => Ok(*format),
            None if ends_with_json(media_type) => Ok(BodyFormat::Json),
            None => Err(Unreadable::Type),
        }
    }
}

#[inline(never)]
fn is(value: &[u8], other: &str) -> bool {
    value.eq_ignore_ascii_case(other.as_bytes())
}

/// Whether a type says that it is JSON (RFC 6839, 3.1), as `application/problem+json` does.
fn ends_with_json(media_type: &[u8]) -> bool {
    const SUFFIX: &str = "+json";
    let suffix = media_type.len().checked_sub(SUFFIX.len()).and_then(|start| media_type.get(start..));
    suffix.is_some_and(|suffix| is(suffix, SUFFIX))
}
