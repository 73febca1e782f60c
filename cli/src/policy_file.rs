//! Files with policies: a policy file, an Envoy configuration with Tollgate filters, or objects of a platform,
//! as one document or many.
//!
//! All commands and tests read files through this module, so that they read them alike.

mod base64;
mod cors;
mod envoy;
mod place;
mod platform;
mod stats_tags;

pub use envoy::Filter;
pub use place::Located;

use crate::document::{Document, Syntax, SyntaxError, documents, second_document};
use crate::lint::{Warning, source_warnings, warnings};
use place::{Lines, PolicyPlace};
use platform::Object;
use std::rc::Rc;
use tollgate::compile::{Configuration, compile};
use tollgate::config::{ConfigError, ConfigErrors, Value};
use tollgate::language::configuration;
use tollgate::time::Micros;

/// How descriptions of allowed values begin where the digits of a number would be allowed as a text.
const TEXTS: [&str; 4] = ["text", "a name of", "true (present)", "visible ASCII text"];

/// A file, with all policies in it.
#[derive(Debug)]
pub struct PolicyFile {
    /// The policies, in the order of the file: an Envoy configuration has one for each Tollgate filter.
    pub policies: Vec<PolicySource>,
    /// The number of documents in the file.
    pub documents: usize,
    /// The number of documents without Tollgate.
    pub skipped: usize,
    /// What was passed over, although it may be Tollgate's.
    pub notes: Vec<Located<String>>,
}

/// A policy before it is compiled.
#[derive(Debug)]
pub struct PolicySource {
    /// Its tree of values, or why it has none.
    pub value: Result<Value, ConfigError>,
    /// The Envoy filter that contains it.
    pub filter: Option<Filter>,
    /// The number of its document, from 1.
    pub document: usize,
    /// The object of a platform that contains it.
    object: Option<Object>,
    place: PolicyPlace,
    lines: Lines,
}

/// Which Wasm plugins of platforms are Tollgate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugins {
    /// Those that are called so or are configured by a policy.
    Recognized,
    /// All.
    All,
}

impl PolicyFile {
    /// Reads the text of a file. The end of its name decides between JSON and YAML.
    ///
    /// # Errors
    /// It cannot be read as that, or has no policy.
    pub fn read(name: &str, text: &str) -> Result<PolicyFile, Located<ConfigError>> {
        PolicyFile::read_with(name, text, Plugins::Recognized)
    }

    /// The same, where `plugins` says which Wasm plugins are Tollgate's.
    ///
    /// # Errors
    /// It cannot be read as that, or has no policy.
    pub fn read_with(name: &str, text: &str, plugins: Plugins) -> Result<PolicyFile, Located<ConfigError>> {
        let mut reading = Reading::new(plugins);
        for document in documents(text, Syntax::of(name, text)) {
            match document {
                Ok(document) => reading.add(document),
                Err(error) => {
                    reading.fail(&error)?;
                    break;
                }
            }
        }
        reading.finish()
    }

    /// What a policy is in, if that is more than the file: `document 2, WasmPlugin shop/tollgate`.
    pub fn subject(&self, policy: &PolicySource) -> Option<String> {
        let document = (self.documents > 1).then(|| format!("document {}", policy.document));
        let object = policy.object.as_ref().map(|object| object.name.clone());
        let parts: Vec<String> = document.into_iter().chain(object).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The errors of one of the policies, with their lines.
    pub fn locate_errors(&self, policy: &PolicySource, errors: &ConfigErrors) -> Vec<Located<ConfigError>> {
        let located =
            |error: &ConfigError| Located { line: policy.line(error.path()), item: policy.as_written(error) };
        errors.iter().map(located).collect()
    }

    /// The warnings about one of the policies, and about how Envoy is configured around it, at a time since the
    /// UNIX epoch.
    pub fn warnings(&self, policy: &PolicySource, set: &Configuration, now: Micros) -> Vec<Located<Warning>> {
        let of_filter = policy.filter.iter().flat_map(|filter| filter.warnings(set));
        let of_object = policy.object.iter().flat_map(|object| object.warnings(set));
        let around = of_filter.chain(of_object);
        let around = around.map(|warning| Located { line: policy.lines.of(&warning.path), item: warning });
        let of_source = policy.value.iter().flat_map(|value| source_warnings(set, value, now));
        let of_policy = warnings(set).into_iter().chain(of_source);
        let of_policy = of_policy.map(|warning| Located { line: policy.line(&warning.path), item: warning });
        of_policy.chain(around).collect()
    }
}

impl PolicySource {
    /// A policy that is a value of a document.
    fn of(value: Result<Value, ConfigError>, place: PolicyPlace, lines: &Lines) -> PolicySource {
        PolicySource { value, filter: None, document: 1, object: None, place, lines: lines.clone() }
    }

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

    /// Whether it is a policy without doubt, valid or not: it has a list of policies, and every field is one of a
    /// policy.
    pub fn is_clear(&self) -> bool {
        let known = |name: &str| configuration::OBJECT.names.contains(&name);
        match &self.value {
            Ok(Value::Object(fields)) => {
                let is_list = |(name, value): &(String, Value)| {
                    name == configuration::POLICIES.name && matches!(value, Value::List(_))
                };
                fields.iter().any(is_list) && fields.iter().all(|(name, _)| known(name))
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Whether it is a part of something else: an Envoy configuration or an object of a platform.
    pub fn is_embedded(&self) -> bool {
        self.filter.is_some() || self.object.is_some()
    }

    /// The error, with the word of the file if YAML takes that for something else: who wrote `key: n` did not
    /// write the `false` that was found, and `1` is a number where a name is allowed.
    fn as_written(&self, error: &ConfigError) -> ConfigError {
        let found = error.found();
        let is_number = found.parse::<i64>().is_ok();
        let is_scalar = matches!(found, "true" | "false") || is_number;
        let takes_text = TEXTS.iter().any(|text| error.allowed().starts_with(text));
        match self.place.word(&self.lines, error.path()) {
            Some(word) if is_scalar && (word != found || is_number && takes_text) => {
                error.clone().with_found(&format!("{found} ({word} without quotes)"))
            }
            Some(_) | None => error.clone(),
        }
    }

    fn line(&self, path: &str) -> Option<usize> {
        self.place.line(&self.lines, path)
    }
}

/// A file that is being read.
struct Reading {
    file: PolicyFile,
    plugins: Plugins,
    /// Whether a document is an object of a platform: several documents are then usual.
    has_objects: bool,
    /// The line of a second document that is none.
    second: Option<Option<usize>>,
    /// Whether an object changes what Envoy Gateway does after a trap.
    is_patched: bool,
}

impl Reading {
    fn new(plugins: Plugins) -> Reading {
        let file = PolicyFile { policies: Vec::new(), documents: 0, skipped: 0, notes: Vec::new() };
        Reading { file, plugins, has_objects: false, second: None, is_patched: false }
    }

    fn add(&mut self, Document { value, lines }: Document) {
        if value == Value::Null {
            // Nothing, or only comments.
            return;
        }
        self.file.documents += 1;
        let number = self.file.documents;
        let (before, mut is_patch) = (self.file.policies.len(), false);
        let lines = Lines::of_file(Rc::new(lines));
        if let Some(found) = platform::policies(&value, &lines, self.plugins) {
            self.has_objects = true;
            is_patch = found.is_patch;
            self.is_patched |= is_patch;
            self.file.policies.extend(found.policies);
            let note = |(line, note)| Located { line, item: format!("document {number}, {note}") };
            self.file.notes.extend(found.notes.into_iter().map(note));
        } else {
            if number > 1 && self.second.is_none() {
                self.second = Some(lines.of(""));
            }
            if envoy::is_envoy(&value) {
                self.file.policies.extend(envoy::filters(&value, &lines));
            } else {
                let place = PolicyPlace::Value(String::new());
                self.file.policies.push(PolicySource::of(Ok(value), place, &lines));
            }
        }
        let found = self.file.policies.iter_mut().skip(before);
        found.for_each(|policy| policy.document = number);
        let has_tollgate = is_patch || self.file.policies.len() > before;
        self.file.skipped += usize::from(!has_tollgate);
    }

    /// The text cannot be read from here on. That is one more error if there are policies before it.
    fn fail(&mut self, error: &SyntaxError) -> Result<(), Located<ConfigError>> {
        let item = error.to_config_error();
        if self.file.documents == 0 {
            return Err(Located { line: error.line, item });
        }
        self.file.documents += 1;
        let place = PolicyPlace::Value(String::new());
        let mut broken = PolicySource::of(Err(item), place, &Lines::at(error.line));
        broken.document = self.file.documents;
        self.file.policies.push(broken);
        self.has_objects = true;
        Ok(())
    }

    fn finish(mut self) -> Result<PolicyFile, Located<ConfigError>> {
        if let Some(line) = self.second.filter(|_| !self.has_objects) {
            return Err(Located { line, item: second_document(line).to_config_error() });
        }
        if self.file.documents == 0 {
            // An empty file is a policy without fields.
            let place = PolicyPlace::Value(String::new());
            let empty = PolicySource::of(Ok(Value::Null), place, &Lines::at(Some(1)));
            self.file.documents = 1;
            self.file.policies.push(empty);
        }
        if self.has_objects {
            self.skip_foreign();
        }
        if self.file.policies.is_empty() {
            return Err(self.nothing());
        }
        let is_patched = self.is_patched;
        let objects = self.file.policies.iter_mut().filter_map(|policy| policy.object.as_mut());
        objects.for_each(|object| object.is_patched = is_patched);
        Ok(self.file)
    }

    /// Among objects of a platform, only what has a field of a policy is one.
    fn skip_foreign(&mut self) {
        let before = self.file.policies.len();
        self.file.policies.retain(|policy| {
            policy.is_embedded() || policy.value.as_ref().map_or(true, envoy::has_policy_fields)
        });
        self.file.skipped += before - self.file.policies.len();
    }

    fn nothing(self) -> Located<ConfigError> {
        let (found, allowed) = if self.file.documents > 1 || self.has_objects {
            let documents = match self.file.documents {
                1 => "an object".to_string(),
                number => format!("{number} documents"),
            };
            let unsure = match self.file.notes.first() {
                Some(note) => format!(" ({})", note.item),
                None => String::new(),
            };
            let allowed = "a policy, an Envoy configuration or an object of a platform with Tollgate";
            (format!("{documents} without Tollgate{unsure}"), allowed)
        } else {
            let found = "an Envoy configuration without a Tollgate filter";
            (found.to_string(), "a policy, or an Envoy configuration with a Tollgate filter")
        };
        Located { line: None, item: ConfigError::new("", &found, allowed) }
    }
}
