//! A file as it lies on disk, read as Envoy would read it: a tree of values, and the line of each.
//!
//! `text → document → [policy::compile](crate::policy)`, for the command line tool. The filter gets no file: Envoy
//! reads it, and hands over what it made of it.

mod lines;
mod yaml;

pub use lines::Lines;

use std::fmt;
use tollgate::config::{ConfigError, Value};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// As Envoy reads its YAML: `yes` is true, and a number with a fraction is text.
    Yaml,
    /// As in a `google.protobuf.StringValue`: RFC 8259.
    Json,
}

impl Syntax {
    /// By the end of a file's name; without one, as of standard input, by whether the text is JSON.
    pub fn of(name: &str, text: &str) -> Syntax {
        let json = match name.rsplit_once('.') {
            Some((_, ending)) => ending.eq_ignore_ascii_case("json"),
            None => serde_json::from_str::<Value>(text).is_ok(),
        };
        if json { Syntax::Json } else { Syntax::Yaml }
    }
}

/// What a file says, and where.
#[derive(Debug)]
pub struct Document {
    /// All of it.
    pub value: Value,
    /// The line of each value in it.
    pub lines: Lines,
}

/// Why a text is no tree of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// Where the reader gave up, from 1.
    pub line: Option<usize>,
    /// What it met there.
    pub found: String,
    syntax: Syntax,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// The first place where it is not what its syntax asks for.
    pub fn read(text: &str, syntax: Syntax) -> Result<Document, Unreadable> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let unreadable = |line, found| Unreadable { line, found, syntax };
        match syntax {
            Syntax::Yaml => yaml::read(text).map_err(|error| unreadable(Some(error.line), error.found)),
            Syntax::Json => {
                let value = serde_json::from_str(text)
                    .map_err(|error: serde_json::Error| unreadable(Some(error.line()), error.to_string()))?;
                // JSON is YAML, so the reader that knows lines can tell them; its values are not taken.
                let lines = yaml::read(text).map(|document| document.lines).unwrap_or_default();
                Ok(Document { value, lines })
            }
        }
    }
}

impl Unreadable {
    /// As a error of the whole file.
    pub fn error(&self) -> ConfigError {
        let allowed = match self.syntax {
            Syntax::Yaml => "one document of YAML",
            Syntax::Json => "JSON (RFC 8259)",
        };
        ConfigError::new("", &format!("text that is not {} ({})", self.syntax, self.found), allowed)
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Syntax::Yaml => "YAML",
            Syntax::Json => "JSON",
        })
    }
}
