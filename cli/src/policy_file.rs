//! Files with policies: a policy file, or an Envoy configuration with Tollgate filters.
//!
//! All commands and tests read files through this module, so that they read them alike.

mod cors;
mod envoy;

pub use envoy::Filter;

use crate::document::{Document, LineMap, Syntax, SyntaxError};
use crate::lint::{Warning, source_warnings, warnings};
use tollgate::compile::{Configuration, compile};
use tollgate::config::{ConfigError, ConfigErrors, Value};

/// How descriptions of allowed values begin where the digits of a number would be allowed as a text.
const TEXTS: [&str; 4] = ["text", "a name of", "true (present)", "visible ASCII text"];

/// A file, with all policies in it.
#[derive(Debug)]
pub struct PolicyFile {
    lines: LineMap,
    /// The policy, or in an Envoy configuration one for each Tollgate filter.
    pub policies: Vec<PolicySource>,
}

/// A policy before it is compiled.
#[derive(Debug)]
pub struct PolicySource {
    /// Its tree of values, or why it has none.
    pub value: Result<Value, ConfigError>,
    /// The Envoy filter that contains it.
    pub filter: Option<Filter>,
    place: PolicyPlace,
}

/// Where in its file a policy is.
#[derive(Debug)]
enum PolicyPlace {
    /// It is the value with this path, which is empty if it is the whole file.
    Value(String),
    /// It is JSON text in the value with this path.
    Text(String),
}

/// An error or a warning, with its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// From 1; `None` if it is not known.
    pub line: Option<usize>,
    /// The error or the warning.
    pub item: T,
}

impl PolicyFile {
    /// Reads the text of a file. The end of its name decides between JSON and YAML.
    ///
    /// # Errors
    /// It cannot be read as that, or is an Envoy configuration without a Tollgate filter.
    pub fn read(name: &str, text: &str) -> Result<PolicyFile, Located<ConfigError>> {
        let located = |error: SyntaxError| Located { line: error.line, item: error.to_config_error() };
        let Document { value, lines } = Document::read(text, Syntax::of(name, text)).map_err(located)?;
        if !envoy::is_envoy(&value) {
            let policy =
                PolicySource { value: Ok(value), filter: None, place: PolicyPlace::Value(String::new()) };
            return Ok(PolicyFile { lines, policies: vec![policy] });
        }
        let policies = envoy::filters(&value);
        if policies.is_empty() {
            let found = "an Envoy configuration without a Tollgate filter";
            let allowed = "a policy, or an Envoy configuration with a Tollgate filter";
            return Err(Located { line: None, item: ConfigError::new("", found, allowed) });
        }
        Ok(PolicyFile { lines, policies })
    }

    /// The errors of one of the policies, with their lines.
    pub fn locate_errors(&self, policy: &PolicySource, errors: &ConfigErrors) -> Vec<Located<ConfigError>> {
        let located = |error: &ConfigError| Located {
            line: self.line(policy, error.path()),
            item: self.as_written(policy, error),
        };
        errors.iter().map(located).collect()
    }

    /// The warnings about one of the policies, and about how Envoy is configured around it.
    pub fn warnings(&self, policy: &PolicySource, set: &Configuration) -> Vec<Located<Warning>> {
        let of_filter = policy.filter.iter().flat_map(|filter| filter.warnings(set));
        let of_filter =
            of_filter.map(|warning| Located { line: self.lines.of(&warning.path), item: warning });
        let of_source = policy.value.iter().flat_map(|value| source_warnings(set, value));
        let of_policy = warnings(set).into_iter().chain(of_source);
        let of_policy =
            of_policy.map(|warning| Located { line: self.line(policy, &warning.path), item: warning });
        of_policy.chain(of_filter).collect()
    }

    /// The error, with the word of the file if YAML takes that for something else: who wrote `key: n` did not
    /// write the `false` that was found, and `1` is a number where a name is allowed.
    fn as_written(&self, policy: &PolicySource, error: &ConfigError) -> ConfigError {
        let found = error.found();
        let is_number = found.parse::<i64>().is_ok();
        let is_scalar = matches!(found, "true" | "false") || is_number;
        let takes_text = TEXTS.iter().any(|text| error.allowed().starts_with(text));
        match self.lines.word(&policy.place.of(error.path())) {
            Some(word) if is_scalar && (word != found || is_number && takes_text) => {
                error.clone().with_found(&format!("{found} ({word} without quotes)"))
            }
            Some(_) | None => error.clone(),
        }
    }

    fn line(&self, policy: &PolicySource, path: &str) -> Option<usize> {
        self.lines.of(&policy.place.of(path))
    }
}

impl PolicyPlace {
    /// The path in the file of a value with this path in the policy.
    fn of(&self, path: &str) -> String {
        match self {
            PolicyPlace::Text(at) => at.clone(),
            PolicyPlace::Value(at) if at.is_empty() => path.into(),
            PolicyPlace::Value(at) if path.is_empty() || path.starts_with('[') => format!("{at}{path}"),
            PolicyPlace::Value(at) => format!("{at}.{path}"),
        }
    }
}

impl PolicySource {
    /// Compiles it, as the filter does.
    ///
    /// # Errors
    /// All errors of the policy.
    pub fn compile(&self) -> Result<Configuration, ConfigErrors> {
        match &self.value {
            Ok(value) => compile(value),
            Err(error) => Err(ConfigErrors::from(error.clone())),
        }
    }
}
