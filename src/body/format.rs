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

/// The types that have one document in each line. There is no registered one.
const LINES: [&str; 6] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
];

impl BodyFormat {
    /// The format of a body with these headers, `content-encoding` and `content-type`.
    ///
    /// # Errors
    /// Why the body cannot be read.
    pub fn of(encoding: Option<&[u8]>, media_type: Option<&[u8]>) -> Result<BodyFormat, Unreadable> {
        let encoding = encoding.unwrap_or_default().trim_ascii();
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") {
            return Err(Unreadable::Encoded);
        }
        let media_type = media_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let media_type = media_type.unwrap_or_default().trim_ascii();
        let is = |other: &str| media_type.eq_ignore_ascii_case(other.as_bytes());
        if is("text/event-stream") {
            Ok(BodyFormat::Events)
        } else if LINES.iter().any(|lines| is(lines)) {
            Ok(BodyFormat::Lines)
        } else if is("application/json") || is("text/json") || ends_with_json(media_type) {
            Ok(BodyFormat::Json)
        } else {
            Err(Unreadable::Type)
        }
    }
}

/// Whether a type says that it is JSON (RFC 6839, 3.1), as `application/problem+json` does.
fn ends_with_json(media_type: &[u8]) -> bool {
    const SUFFIX: &[u8] = b"+json";
    let suffix = media_type.len().checked_sub(SUFFIX.len()).and_then(|start| media_type.get(start..));
    suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(SUFFIX))
}
