//! The lines of the values in a file.

use std::collections::HashMap;

/// The line of each value, by its path.
#[derive(Debug, Default)]
pub struct LineMap {
    lines: HashMap<String, usize>,
    /// How flags and numbers are written.
    words: HashMap<String, String>,
}

impl LineMap {
    /// Adds the line of a value, from 1. If a name is repeated the last line is kept, where the error is.
    pub(super) fn add(&mut self, path: String, line: usize) {
        self.lines.insert(path, line);
    }

    /// Adds how a flag or a number is written.
    pub(super) fn add_word(&mut self, path: String, word: String) {
        self.words.insert(path, word);
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
