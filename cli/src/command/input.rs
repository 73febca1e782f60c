//! Policies as they are given to a command: files, or standard input.

use crate::command::outcome::{Failure, counted};
use crate::policy_file::Located;
use std::fs;
use std::io::Read;
use tollgate::config::ConfigError;

/// The text of a file.
pub struct Input {
    /// What messages call it.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl Input {
    /// Reads a file, or standard input if it is named `-`.
    pub fn read(path: &str) -> Result<Input, Failure> {
        let (name, bytes) = if path == "-" {
            let mut bytes = Vec::new();
            ("stdin", std::io::stdin().read_to_end(&mut bytes).map(|_| bytes))
        } else {
            (path, fs::read(path))
        };
        let bytes = bytes.map_err(|error| Failure::new(format!("{name} cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{name} is not UTF-8 text")))?;
        Ok(Input { name: name.into(), text })
    }

    /// The place of an error or a warning, as editors understand it: `policy.yaml:7`.
    pub fn place<T>(&self, located: &Located<T>) -> String {
        match located.line {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.clone(),
        }
    }

    /// The errors of its policy, a line each, and their number.
    pub fn error_report(&self, errors: &[Located<ConfigError>]) -> String {
        let line = |error: &Located<ConfigError>| format!("{}: error: {}\n", self.place(error), error.item);
        let lines: String = errors.iter().map(line).collect();
        format!("{lines}{}: invalid, {}\n", self.name, counted(errors.len(), "error"))
    }
}
