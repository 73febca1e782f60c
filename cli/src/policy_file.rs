//! Policies as they lie on disk: a file that is one, or an Envoy file with Tollgate filters in it.
//!
//! The only way from a file to [`policy::compile`], so that whatever reads one reads it alike.

mod envoy;

pub use envoy::Filter;

use crate::document::{Document, Lines, Syntax, Unreadable};
use crate::lint::{Warning, warnings, warnings_as_written};
use tollgate::compile::{Configuration, compile};
use tollgate::config::{ConfigError, ConfigErrors, Value};

/// One file, with every policy that is in it.
#[derive(Debug)]
pub struct PolicyFile {
    lines: Lines,
    /// One, or in an Envoy file one for each Tollgate filter.
    pub policies: Vec<Written>,
}

/// A policy as it is written.
#[derive(Debug)]
pub struct Written {
    /// What it was written in, which may be nothing that can be compiled.
    pub value: Result<Value, ConfigError>,
    /// The Envoy filter that it is written for.
    pub filter: Option<Filter>,
    place: Place,
}

/// Where in its file a policy stands.
#[derive(Debug)]
enum Place {
    /// It is the value with this path; the whole file has an empty one.
    Value(String),
    /// It is a text of its own in the value with this path.
    Text(String),
}

/// A error or a warning, with the line that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// From 1, if it is known.
    pub line: Option<usize>,
    /// What is said about it.
    pub what: T,
}

impl PolicyFile {
    /// Reads a file's text; its name tells JSON from YAML.
    ///
    /// # Errors
    /// It is neither, or an Envoy file without a Tollgate filter.
    pub fn read(name: &str, text: &str) -> Result<PolicyFile, Located<ConfigError>> {
        let unreadable = |error: Unreadable| Located { line: error.line, what: error.error() };
        let Document { value, lines } = Document::read(text, Syntax::of(name, text)).map_err(unreadable)?;
        if !envoy::is_envoy(&value) {
            let policy = Written { value: Ok(value), filter: None, place: Place::Value(String::new()) };
            return Ok(PolicyFile { lines, policies: vec![policy] });
        }
        let policies = envoy::filters(&value);
        if policies.is_empty() {
            let found = "an Envoy file in which no Wasm filter has a policy";
            let allowed = "a policy, or an Envoy file with a Tollgate filter";
            return Err(Located { line: None, what: ConfigError::new("", found, allowed) });
        }
        Ok(PolicyFile { lines, policies })
    }

    /// The errors of one of its policies, each with its line.
    pub fn locate_errors(&self, policy: &Written, errors: &ConfigErrors) -> Vec<Located<ConfigError>> {
        let located =
            |error: &ConfigError| Located { line: self.line(policy, error.path()), what: error.clone() };
        errors.iter().map(located).collect()
    }

    /// What is legal and probably wrong, in the policy itself and in how Envoy is set up for it.
    pub fn warnings(&self, policy: &Written, set: &Configuration) -> Vec<Located<Warning>> {
        let of_filter = policy.filter.iter().flat_map(|filter| filter.warnings(set));
        let of_filter =
            of_filter.map(|warning| Located { line: self.lines.of(&warning.path), what: warning });
        let as_written = policy.value.iter().flat_map(|value| warnings_as_written(set, value));
        let of_policy = warnings(set).into_iter().chain(as_written);
        let of_policy =
            of_policy.map(|warning| Located { line: self.line(policy, &warning.path), what: warning });
        of_policy.chain(of_filter).collect()
    }

    fn line(&self, policy: &Written, path: &str) -> Option<usize> {
        match &policy.place {
            Place::Text(at) => self.lines.of(at),
            Place::Value(at) if at.is_empty() => self.lines.of(path),
            Place::Value(at) if path.is_empty() || path.starts_with('[') => {
                self.lines.of(&format!("{at}{path}"))
            }
            Place::Value(at) => self.lines.of(&format!("{at}.{path}")),
        }
    }
}

impl Written {
    /// What the filter would make of it.
    ///
    /// # Errors
    /// All errors.
    pub fn compile(&self) -> Result<Configuration, ConfigErrors> {
        match &self.value {
            Ok(value) => compile(value),
            Err(error) => Err(ConfigErrors::from(error.clone())),
        }
    }
}
