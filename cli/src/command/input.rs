//! Where policies come from.

use crate::command::outcome::{Failure, counted};
use crate::policy_file::Located;
use std::fs;
use std::io::Read;
use tollgate::config::ConfigError;

/// A file's text.
pub struct Input {
    /// What to call it.
    pub name: String,
    /// All of it.
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
        let bytes = bytes.map_err(|error| Failure::new(format!("{name} can't be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{name} is not UTF-8 text")))?;
        Ok(Input { name: name.into(), text })
    }

    /// The place of something in it, as editors understand it: `policy.yaml:7`.
    pub fn place<T>(&self, located: &Located<T>) -> String {
        match located.line {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.clone(),
        }
    }
    /// That its policy is rejected, and why.
    pub fn complaint(&self, errors: &[Located<ConfigError>]) -> String {
        let line = |error: &Located<ConfigError>| format!("{}: error: {}\n", self.place(error), error.what);
        let told: String = errors.iter().map(line).collect();
        format!("{told}{}: rejected, {}\n", self.name, counted(errors.len(), "error"))
    }
}
