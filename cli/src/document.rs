//! A file, read as Envoy would read it: a tree of values, and the line of each value.
//!
//! The filter itself reads no files: Envoy does, and passes the tree on.

mod kubernetes;
mod line_map;
mod yaml;

pub use line_map::LineMap;

use std::fmt;
use tollgate::config::{ConfigError, Value};

/// The syntax of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// YAML as Envoy reads it: `yes` is true, and a number with a fraction is text.
    Yaml,
    /// JSON (RFC 8259), as in a `google.protobuf.StringValue`.
    Json,
}

impl Syntax {
    /// The syntax by the extension of a file's name. Without one, as for standard input, it is JSON if the
    /// text is.
    pub fn of(name: &str, text: &str) -> Syntax {
        let json = match name.rsplit_once('.') {
            Some((_, ending)) => ending.eq_ignore_ascii_case("json"),
            None => serde_json::from_str::<Value>(text).is_ok(),
        };
        if json { Syntax::Json } else { Syntax::Yaml }
    }
}

/// The content of a file.
#[derive(Debug)]
pub struct Document {
    /// The tree of values.
    pub value: Value,
    /// The line of each value in it.
    pub lines: LineMap,
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    /// The line of the error, from 1.
    pub line: Option<usize>,
    /// A description of what was found there.
    pub found: String,
    syntax: Syntax,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// The first place where the text breaks the rules of its syntax.
    pub fn read(text: &str, syntax: Syntax) -> Result<Document, SyntaxError> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let syntax_error = |line, found| SyntaxError { line, found, syntax };
        match syntax {
            Syntax::Yaml => yaml::read(text).map_err(|error| syntax_error(Some(error.line), error.found)),
            Syntax::Json => {
                let value = serde_json::from_str(text).map_err(|error: serde_json::Error| {
                    syntax_error(Some(error.line()), error.to_string())
                })?;
                // JSON is YAML too, so the YAML reader can find the lines; its values are not used.
                let lines = yaml::read(text).map(|document| document.lines).unwrap_or_default();
                Ok(Document { value, lines })
            }
        }
    }
}

/// The documents of a text, up to the first that cannot be read. JSON is one document.
pub fn documents(text: &str, syntax: Syntax) -> Box<dyn Iterator<Item = Result<Document, SyntaxError>> + '_> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match syntax {
        Syntax::Json => Box::new(std::iter::once(Document::read(text, syntax))),
        Syntax::Yaml => Box::new(yaml::Documents::new(text).map(move |document| {
            document.map_err(|error| SyntaxError { line: Some(error.line), found: error.found, syntax })
        })),
    }
}

/// The error of a text with more than one document, where Envoy reads the first.
pub fn second_document(line: Option<usize>) -> SyntaxError {
    SyntaxError { line, found: yaml::SECOND_DOCUMENT.into(), syntax: Syntax::Yaml }
}

impl SyntaxError {
    /// The same as an error of the whole configuration.
    pub fn to_config_error(&self) -> ConfigError {
        let allowed = match self.syntax {
            Syntax::Yaml => "one YAML document",
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
