//! The lines of the values in a file.

use std::collections::HashMap;

/// The bytes of all paths together. From there on, values have the lines of what surrounds them.
const MAX_BYTES: usize = 256 << 20;

/// The bytes of a path. No name of a policy or an object is nearly as long.
const MAX_PATH_BYTES: usize = 4096;

/// The line of each value, by its path.
#[derive(Debug, Default)]
pub struct LineMap {
    lines: HashMap<String, usize>,
    /// How flags and numbers are written.
    words: HashMap<String, String>,
    /// The first lines of texts that are written line by line.
    blocks: HashMap<String, usize>,
    bytes: usize,
    is_full: bool,
}

impl LineMap {
    /// Adds the line of a value, from 1. If a name is repeated the last line is kept, where the error is.
    pub(super) fn add(&mut self, path: String, line: usize) {
        if !self.is_full {
            self.lines.insert(path, line);
        }
    }

    /// The path of a value below one with the path `parent`, as `path` makes it, or nothing if there is no room
    /// for it: then nothing is added any more.
    pub(super) fn path_below(&mut self, parent: &str, name: &str, path: impl FnOnce() -> String) -> String {
        const BRACKETS_AND_QUOTES: usize = 4;
        let length = parent.len() + name.len() + BRACKETS_AND_QUOTES;
        self.bytes += length;
        self.is_full |= self.bytes > MAX_BYTES || length > MAX_PATH_BYTES;
        if self.is_full { String::new() } else { path() }
    }

    /// Adds the line of the first line of a text.
    pub(super) fn add_block(&mut self, path: &str, line: usize) {
        if !self.is_full {
            self.blocks.insert(path.into(), line);
        }
    }

    /// The line of the first line of the text with this path, if each of its lines is a line of the file.
    pub fn block(&self, path: &str) -> Option<usize> {
        self.blocks.get(path).copied()
    }

    /// Adds how a flag or a number is written.
    pub(super) fn add_word(&mut self, path: &str, word: String) {
        if !self.is_full {
            self.words.insert(path.into(), word);
        }
    }

    /// The word, such as `no` or `010`, that YAML takes for a flag or a number at this path.
    pub fn word(&self, path: &str) -> Option<&str> {
        self.words.get(path).map(String::as_str)
    }

    /// The line of the value with this path or, if there is none, of the nearest value around it.
    pub fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            if path.is_empty() {
                return None;
            }
            path = parent(path);
        }
    }
}

/// The path without its last step. A quoted name may take several calls, since it can contain dots and
/// brackets.
fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).and_then(|at| path.get(..at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_has_the_line_of_what_surrounds_it() {
        let mut lines = LineMap::default();
        lines.add(String::new(), 1);
        lines.add("policies".into(), 4);
        lines.add("policies[0]".into(), 5);
        assert_eq!(lines.of("policies[0].limits[1].quota"), Some(5));
        assert_eq!(lines.of("policies[0][\"a.b[c\"]"), Some(5));
        assert_eq!(lines.of("keys"), Some(1));
        assert_eq!(LineMap::default().of("keys"), None);
    }
}
